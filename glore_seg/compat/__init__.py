"""What OpenMMLab's last releases need of today's torch, NumPy and setuptools.

mmengine 0.10, mmcv 2.1 and mmcv-lite, mmsegmentation 1.2, mmpretrain 1.2 and mmaction2 1.2 are
patched, and the maintained forks onedl-mmengine 0.10 and onedl-mmsegmentation 1.4, each only where
it needs it. Importing :mod:`glore_seg` does it; nothing else in the package patches upstream.
Scripts that use mmsegmentation's own tools import glore_seg first, at the top level of the entry
script, so that spawned data workers do too.

``python -m glore_seg.compat`` prints the environment, the patches and what to do.

Example:
    >>> from glore_seg import compat
    >>> compat.apply()
    >>> print(compat.report())  # doctest: +ELLIPSIS
    Versions
    ...
"""

import sys
from dataclasses import dataclass

from glore_seg.compat.patch import Patch
from glore_seg.compat.upstream import (
    require_opencv,
    require_upstream,
    versions,
    warn_of_old_versions,
)

__all__ = ["PatchState", "Report", "apply", "is_reporting", "report"]


@dataclass(frozen=True)
class PatchState:
    """A patch and what became of it.

    Args:
        name: Its short name.
        reason: What it is for.
        state: ``applied``, ``not needed (why)``, ``package not installed``,
            ``failed (why)``, ``waits for the import of ...`` or ``not applied yet``.
    """

    name: str
    reason: str
    state: str


@dataclass(frozen=True)
class Report:
    """Versions of the packages and the state of every patch; ``str()`` of it is for people.

    Args:
        versions: Versions by package.
        patches: The patches, in the order in which they are applied.
    """

    versions: dict[str, str]
    patches: tuple[PatchState, ...]

    def __str__(self) -> str:
        width = max(len(name) for name in self.versions)
        lines = ["Versions"]
        lines += [f"  {name:<{width}}  {version}" for name, version in self.versions.items()]
        lines.append("Patches")
        for patch in self.patches:
            lines += [f"  {patch.name}: {patch.state}", f"    {patch.reason}"]
        return "\n".join(lines)


def _patches() -> tuple[Patch, ...]:
    # Imported here: checkpoints imports mmengine, whose absence apply() explains.
    from glore_seg.compat import (
        checkpoints,
        cityscapesscripts,
        compiler,
        distributed,
        empty_dataset,
        find_loader,
        fsdp,
        image_loading,
        instances,
        losses,
        message_hub,
        mmaction,
        mmcv_ops,
        mmcv_version,
        own_configs,
        packages,
        torchvision,
    )

    return (
        packages.PATCH,
        find_loader.PATCH,
        mmcv_version.PATCH,
        own_configs.PATCH,
        mmcv_ops.PATCH,
        checkpoints.GLOBALS,
        checkpoints.LOADER,
        distributed.PATCH,
        empty_dataset.PATCH,
        fsdp.PATCH,
        image_loading.PATCH,
        instances.PATCH,
        losses.FOCAL,
        losses.DICE,
        message_hub.PATCH,
        compiler.PATCH,
        torchvision.PATCH,
        mmaction.PATCH,
        cityscapesscripts.PATCH,
    )


def is_reporting() -> bool:
    """Whether this process is ``python -m glore_seg.compat``, which reports what is missing."""
    return sys.argv[:1] == ["-m"] and "glore_seg.compat" in sys.orig_argv


def apply() -> None:
    """Patches the installed packages where they need it. A second call does nothing.

    Raises:
        ImportError: If mmengine, mmcv, mmsegmentation or what these need is missing, or a system
            library that OpenCV needs. The text names the command that installs it.
    """
    require_upstream()
    require_opencv()
    warn_of_old_versions()
    for patch in _patches():
        patch.schedule()


def report() -> Report:
    """Versions and patches as they are now; applies nothing.

    Raises:
        ImportError: If mmengine, mmcv, mmsegmentation or what these need is missing.
    """
    require_upstream()
    states = tuple(PatchState(patch.name, patch.reason, patch.state) for patch in _patches())
    return Report(versions=versions(), patches=states)
