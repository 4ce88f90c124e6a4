"""What OpenMMLab's last releases need of today's torch, NumPy and setuptools.

mmengine 0.10, mmcv 2.1 and mmcv-lite, mmsegmentation 1.2, mmpretrain 1.2 and mmaction2 1.2 are
mended, and the maintained forks onedl-mmengine 0.10 and onedl-mmsegmentation 1.4, each only where
it needs it. Importing :mod:`glore_seg` does it; nothing else in the package touches its hosts.
Scripts that use mmsegmentation's own tools import glore_seg first, at the top level of the entry
script, so that spawned data workers do too.

``python -m glore_seg.compat`` prints versions and mends for a bug report.

Example:
    >>> from glore_seg import compat
    >>> compat.apply()
    >>> print(compat.report())  # doctest: +ELLIPSIS
    Versions
    ...
"""

from dataclasses import dataclass

from glore_seg.compat.cityscapesscripts import cityscapesscripts_numpy
from glore_seg.compat.hosts import require_hosts, versions
from glore_seg.compat.mend import Mend

__all__ = ["MendState", "Report", "apply", "cityscapesscripts_numpy", "report"]


@dataclass(frozen=True)
class MendState:
    """A mend and what became of it.

    Args:
        name: Its short name.
        reason: What it is for.
        state: ``mended``, ``not needed (why)``, ``host package not installed``,
            ``failed (why)`` or ``not applied yet``.
    """

    name: str
    reason: str
    state: str


@dataclass(frozen=True)
class Report:
    """Versions of the hosts and the state of every mend; ``str()`` of it is for people.

    Args:
        versions: Versions by package.
        mends: The mends, in the order in which they are applied.
    """

    versions: dict[str, str]
    mends: tuple[MendState, ...]

    def __str__(self) -> str:
        width = max(len(name) for name in self.versions)
        lines = ["Versions"]
        lines += [f"  {name:<{width}}  {version}" for name, version in self.versions.items()]
        lines.append("Mends")
        for mend in self.mends:
            lines += [f"  {mend.name}: {mend.state}", f"    {mend.reason}"]
        return "\n".join(lines)


def _mends() -> tuple[Mend, ...]:
    # Imported here: checkpoints imports mmengine, whose absence apply() explains.
    from glore_seg.compat import (
        checkpoints,
        cityscapesscripts,
        distributed,
        fsdp,
        image_loading,
        instances,
        mmaction,
        mmcv_ops,
        mmcv_version,
        own_configs,
        packages,
        torchvision,
    )

    return (
        packages.MEND,
        mmcv_version.MEND,
        own_configs.MEND,
        mmcv_ops.MEND,
        checkpoints.GLOBALS,
        checkpoints.LOADER,
        distributed.MEND,
        fsdp.MEND,
        image_loading.MEND,
        instances.MEND,
        torchvision.MEND,
        mmaction.MEND,
        cityscapesscripts.MEND,
    )


def apply() -> None:
    """Mends the installed hosts where they need it. A second call does nothing.

    Raises:
        ImportError: If mmengine, mmcv or mmsegmentation is missing. The text names the command
            that installs it.
    """
    require_hosts()
    for mend in _mends():
        mend.run()


def report() -> Report:
    """Versions and mends as they are now; applies nothing.

    Raises:
        ImportError: If mmengine, mmcv or mmsegmentation is missing.
    """
    require_hosts()
    states = tuple(MendState(mend.name, mend.reason, mend.state) for mend in _mends())
    return Report(versions=versions(), mends=states)
