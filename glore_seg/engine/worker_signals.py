"""Data workers leave signals that stop a training to the process that trains."""

import os
import signal
import threading
from collections.abc import Callable


class ShieldedWorker:
    """Starts a data worker that outlives Ctrl-C, Slurm's signals and a SIGTERM to all processes.

    The training needs its workers until it has saved. They end when the loader that started them
    ends them, or when it is gone.

    Args:
        init: The loader's own function for a worker that starts, or None.
    """

    def __init__(self, init: Callable[[int], None] | None) -> None:
        self._init = init

    def __call__(self, worker_id: int) -> None:
        """Shield this process, then do what the loader's own function does."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_end_with_loader, args=(os.getppid(),), daemon=True).start()
        if self._init is not None:
            self._init(worker_id)


def _end_with_loader(loader: int) -> None:
    """Wait for a SIGTERM of the loader's; those of others pass."""
    while True:
        if signal.sigwaitinfo({signal.SIGTERM}).si_pid == loader:
            os._exit(0)
