import sys

from benchmarks.soak.command import main

sys.exit(main())
