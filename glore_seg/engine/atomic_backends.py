"""mmengine's storage of files and images, with atomic writes."""

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.fileio import LocalBackend, register_backend
from mmengine.registry import VISBACKENDS
from mmengine.visualization import LocalVisBackend
from mmengine.visualization.vis_backend import force_init_env

from glore_seg.utils.files import atomic_write, remove_unfinished
from glore_seg.utils.image_io import write_png

NAME = "atomic_local"


class AtomicLocalBackend(LocalBackend):
    """Writes a temporary file, syncs it to the disk, and renames it.

    A killed process, a full disk or a power failure leaves the old file of that name, or none, and
    never a part. ``backend_args=dict(backend="atomic_local")`` selects it, after an import of
    ``glore_seg.engine`` or a registry's first lookup.
    """

    def put(self, obj: bytes | memoryview, filepath: str | Path) -> None:
        """Write a file; where an OutputError is raised, an old one is unchanged."""
        with atomic_write(filepath, sync=True) as temporary:
            temporary.write_bytes(obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = "utf-8") -> None:
        """Write a text, as :meth:`put` does."""
        self.put(obj.encode(encoding), filepath)


@VISBACKENDS.register_module()
class AtomicLocalVisBackend(LocalVisBackend):
    """``LocalVisBackend`` with atomic writes, which raises when an image cannot be written.

    Raises:
        OutputError: An image cannot be written.
    """

    def _init_env(self) -> None:
        super()._init_env()
        remove_unfinished(Path(self._img_save_dir))

    @force_init_env
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **_: Any) -> None:
        """Write an image, (H, W, 3), RGB, uint8, as ``NAME_STEP.png``."""
        write_png(Path(self._img_save_dir) / f"{name}_{step}.png", image)


register_backend(NAME, AtomicLocalBackend, force=True)
