import sys

from benchmarks.kills.command import main

sys.exit(main())
