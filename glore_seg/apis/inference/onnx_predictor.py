"""An exported network in onnxruntime, with the preprocessing that the file describes.

Shape legend: B batch; H, W size of the images; K classes; h, w size of the logits.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmseg.models.utils import resize

from glore_seg.errors import ConfigError, DataError
from glore_seg.export.contract import PROPERTY, Contract
from glore_seg.utils.dependencies import require
from glore_seg.utils.devices import named_device
from glore_seg.utils.image_io import read_image

_CUDA = "CUDAExecutionProvider"


class OnnxPredictor:
    """A network from ``tools/export.py`` with the interface of :class:`Predictor`.

    Images run at their own size, padded at the right and bottom with the mean color to a multiple
    of the file's ``size_divisor``. It does not resize, even if the config's test pipeline does. The
    default device is ``"cuda"`` if onnxruntime was built for it, else ``"cpu"``.

    Raises:
        DataError: The file is missing, not ONNX, or not a segmentation network of this project.
        ConfigError: onnxruntime does not have the device.
        MissingDependencyError: onnxruntime is not installed.
    """

    model = None
    decoder = "cv2"
    reads_color = True

    def __init__(self, path: str | Path, *, device: torch.device | str | None = None) -> None:
        runtime = require("onnxruntime", "export")
        available = runtime.get_available_providers()
        self.device = named_device(device or ("cuda" if _CUDA in available else "cpu"))
        providers = ["CPUExecutionProvider"]
        if self.device.type != "cpu":
            if self.device.type != "cuda" or _CUDA not in available:
                raise ConfigError(
                    f"device is {str(self.device)!r}, and onnxruntime has {', '.join(available)}; "
                    "expected 'cpu', or 'cuda' with onnxruntime-gpu installed"
                )
            providers.insert(0, _CUDA)
        try:
            self._session = runtime.InferenceSession(str(path), providers=providers)
            text = self._session.get_modelmeta().custom_metadata_map.get(PROPERTY)
        except Exception as error:  # its errors have no other public base
            raise DataError(f"onnxruntime cannot open {path}: {error}") from error
        if text is None:
            raise DataError(
                f"{path} has no property {PROPERTY!r}; expected a file from tools/export.py"
            )
        self._contract = contract = Contract.from_json(text, source=str(path))
        if contract.task != "segmentation":
            raise DataError(f"{path} is a network for {contract.task}; expected segmentation")
        self.classes: tuple[str, ...] = contract.classes
        self.reduce_zero_label = contract.reduce_zero_label
        random = np.random.default_rng(0).integers(0, 256, (len(self.classes), 3))
        self.palette: Sequence[Sequence[int]] = contract.palette or random.tolist()

    @property
    def gives_scores(self) -> bool:
        """Whether the file gives logits, not labels."""
        return self._contract.output == "logits"

    def load_displayable(self, path: str | Path) -> np.ndarray:
        """Read a file, (H, W, 3), RGB, uint8."""
        return read_image(path)

    def check_arrays(self) -> None:
        """Raise a ConfigError if images in memory, which are RGB, cannot be given."""
        if self._contract.channel_order == "loaded":
            raise ConfigError(
                f"this network takes {len(self._contract.mean)} channels, not RGB images: run the "
                "file in onnxruntime, or predict by the config and checkpoint that it is from"
            )

    def predict_batch(
        self, images: Sequence[np.ndarray], *, scores: bool = False
    ) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Label maps (H, W), uint8, of images (H, W, 3), RGB, uint8, of one size.

        With ``scores`` each has the softmax of its logits, (K, H, W), float32.

        Raises:
            ConfigError: The network takes other channels.
            DataError: onnxruntime cannot run the network on them.
        """
        self.check_arrays()
        height, width = images[0].shape[:2]
        inputs = self._prepare(images)
        try:
            (found,) = self._session.run([self._contract.output], {"image": inputs})
        except Exception as error:  # its errors have no other public base
            raise DataError(f"onnxruntime: {error}") from error
        if self._contract.output == "labels":
            return [(one, None) for one in found.astype(np.uint8)[:, :height, :width]]
        logits = resize(
            torch.from_numpy(found).float(),  # (B, K, h, w)
            inputs.shape[2:],
            mode="bilinear",
            align_corners=self._contract.align_corners,
            warning=False,
        )[:, :, :height, :width]
        labels = logits.argmax(1).numpy().astype(np.uint8)
        values = logits.softmax(1).numpy() if scores else [None] * len(labels)
        return list(zip(labels, values, strict=True))

    def _prepare(self, images: Sequence[np.ndarray]) -> np.ndarray:
        batch = np.stack(images).astype(np.float32)  # (B, H, W, 3)
        if self._contract.channel_order == "bgr":
            batch = batch[..., ::-1]
        elif self._contract.channel_order == "gray":
            gray = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images]
            batch = np.stack(gray).astype(np.float32)[..., None]  # (B, H, W, 1)
        mean, std = (np.array(one, np.float32) for one in (self._contract.mean, self._contract.std))
        batch = ((batch - mean) / std).transpose(0, 3, 1, 2)  # (B, C, H, W)
        down, right = (-side % self._contract.size_divisor for side in batch.shape[2:])
        return np.ascontiguousarray(np.pad(batch, ((0, 0), (0, 0), (0, down), (0, right))))
