r"""How much faster more processes train: step time against the time of messages.

A ring of p processes passes n bytes at bandwidth b and delay d in

    all-reduce:  2 (p - 1) (n / (p b) + d)        all-gather:  (p - 1) (n / b + d)

Messages of norms and votes are waited for. Gradients travel while the backward pass, two thirds of
a step, goes on; only what is beyond it, and the last bucket, is waited for.
"""

from dataclasses import dataclass

from glore_seg.errors import ConfigError
from projects.reproduction.comm_volume import Messages

_BACKWARD = 2 / 3  # share of a step: two products for each one of the forward pass


@dataclass(frozen=True)
class Link:
    """Between two neighbors of the ring.

    Args:
        bandwidth: Bytes a second, one way.
        delay: Seconds of a message of no bytes.

    Raises:
        ConfigError: One of them is not positive.
    """

    bandwidth: float
    delay: float

    def __post_init__(self) -> None:
        """Check the two."""
        if self.bandwidth <= 0 or self.delay < 0:
            raise ConfigError(
                f"the link has {self.bandwidth:g} bytes/s and a delay of {self.delay:g} s; "
                "expected a bandwidth above 0 and a delay of 0 or more"
            )

    def all_reduce(self, size: int, processes: int) -> float:
        """Seconds of an all-reduce of ``size`` bytes."""
        return 2 * (processes - 1) * (size / (processes * self.bandwidth) + self.delay)

    def all_gather(self, size: int, processes: int) -> float:
        """Seconds until everybody has the ``size`` bytes of everybody."""
        return (processes - 1) * (size / self.bandwidth + self.delay)


@dataclass(frozen=True)
class Scaling:
    """An estimate, in seconds.

    Args:
        alone: A step of one process.
        gradients: All gradient messages, hidden or not.
        waited_gradients: What of them is waited for.
        statistics: Messages of the norms.
        votes: Messages of the loop.
    """

    alone: float
    gradients: float
    waited_gradients: float
    statistics: float
    votes: float

    @property
    def step(self) -> float:
        """A step of several processes."""
        return self.alone + self.waited_gradients + self.statistics + self.votes

    @property
    def efficiency(self) -> float:
        """Images a second of each process, over those of one alone; 1 at best."""
        return self.alone / self.step


def estimate(messages: Messages, *, processes: int, step: float, link: Link) -> Scaling:
    """Estimate the step of several processes.

    Args:
        messages: What each sends.
        processes: Their number.
        step: Measured seconds of a step of one process with the same batch on it.
        link: What lies between them: the slowest part of the ring.

    Raises:
        ConfigError: ``processes`` is below 1 or ``step`` not positive.
    """
    if processes < 1 or step <= 0:
        raise ConfigError(
            f"{processes} processes with steps of {step:g} s; expected 1 or more, and a time above "
            "0: measure it, see docs/distributed.md"
        )
    gradients = [link.all_reduce(size, processes) for size in messages.gradients]
    hidden = min(sum(gradients[:-1]), _BACKWARD * step)
    return Scaling(
        alone=step,
        gradients=sum(gradients),
        waited_gradients=sum(gradients) - hidden,
        statistics=sum(link.all_reduce(size, processes) for size in messages.reduced)
        + sum(link.all_gather(size, processes) for size in messages.gathered),
        votes=sum(link.all_reduce(size, processes) for size in messages.votes),
    )
