"""mmengine's folder of painted images, with images that are whole or not there."""

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.registry import VISBACKENDS
from mmengine.visualization import LocalVisBackend
from mmengine.visualization.vis_backend import force_init_env

from glore_seg.utils.files import remove_unfinished
from glore_seg.utils.image_io import write_png


@VISBACKENDS.register_module()
class AtomicLocalVisBackend(LocalVisBackend):
    """Writes images aside and renames them.

    The host's writes in place, so that a kill leaves a part, and says nothing of a full disk.

    Raises:
        OSError: An image cannot be written.
    """

    def _init_env(self) -> None:
        super()._init_env()
        remove_unfinished(Path(self._img_save_dir))

    @force_init_env
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **_: Any) -> None:
        """Write an image.

        Args:
            name: Begins the file's name.
            image: Shape (H, W, 3), RGB, uint8.
            step: Ends it.
            **_: What other backends take.
        """
        write_png(Path(self._img_save_dir) / f"{name}_{step}.png", image)
