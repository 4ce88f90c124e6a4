"""A tool as several processes, forked from one that has imported everything already."""

import multiprocessing
import os
import socket
from collections.abc import Callable
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Forked:
    """Children of the ranks 0, 1, ... whose output goes to files; the parent has no threads."""

    def __init__(self, number: int, run: Callable[..., object], *args: object, out: Path, **env):
        out.mkdir(parents=True)
        common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": number}
        self.out, self.processes = out, []
        for rank in range(number):
            own = {**common, "RANK": rank, "LOCAL_RANK": rank, **env}
            process = multiprocessing.get_context("fork").Process(
                target=_become, args=(run, args, out / f"{rank}.txt", own)
            )
            process.start()
            self.processes.append(process)

    def wait(self, timeout_s: float = 60, frozen: tuple[int, ...] = ()) -> list[int | None]:
        """Exit codes, minus the signal's number where one ended it; None for who is still there."""
        for rank, process in enumerate(self.processes):
            process.join(0 if rank in frozen else timeout_s)
        codes = [process.exitcode for process in self.processes]
        for process in self.processes:
            process.kill()
        return codes

    def said(self) -> list[str]:
        return [path.read_text() for path in sorted(self.out.iterdir())]


def _become(run: Callable[..., object], args: tuple, output: Path, env: dict[str, object]) -> None:
    os.environ.update({key: str(value) for key, value in env.items()})
    file = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    run(*args)
