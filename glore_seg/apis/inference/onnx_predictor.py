"""An exported network in onnxruntime: the settings that it needs stand in the file.

Shape legend: B batch, H, W size of the images, K classes, h, w size of the logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmseg.models.utils import resize

from glore_seg.errors import DataError
from glore_seg.export.contract import PROPERTY, Contract
from glore_seg.utils.dependencies import require
from glore_seg.utils.devices import named_device


class OnnxPredictor:
    """A network that ``tools/export.py`` wrote, with what :class:`Predictor` offers of it.

    Images run at their own size, padded at the right and the bottom with the mean color to a
    multiple of the file's ``size_divisor``; where a config's test pipeline resizes, this does not.

    Args:
        path: The ``.onnx`` file.
        device: ``"cpu"``, or ``"cuda"`` where onnxruntime was built for it. Default: ``"cuda"``
            where it was, else ``"cpu"``.

    Raises:
        DataError: The file is not there.
        MissingDependencyError: onnxruntime is not installed.
        DataError: It is no ONNX file, not one of this project's for segmentation, or the device
            can't be had.
    """

    model = None
    decoder = "cv2"

    def __init__(self, path: str | Path, *, device: torch.device | str | None = None) -> None:
        runtime = require("onnxruntime", "export")
        if not Path(path).is_file():
            raise DataError(f"{path} does not exist; expected an ONNX file")
        self.device, providers = _providers(runtime, device)
        try:
            self._session = runtime.InferenceSession(str(path), providers=providers)
            found = self._session.get_modelmeta().custom_metadata_map.get(PROPERTY)
        except Exception as error:  # its errors have no public base but this
            raise DataError(f"{path} cannot be opened by onnxruntime ({error})") from error
        self._contract = _read_contract(found, str(path))
        self.classes: tuple[str, ...] = self._contract.classes
        self.palette: Sequence[Sequence[int]] = self._contract.palette or _colors(self.classes)

    @property
    def gives_scores(self) -> bool:
        """Whether the file gives logits rather than labels."""
        return self._contract.output == "logits"

    def predict_batch(
        self, images: Sequence[np.ndarray], *, scores: bool = False
    ) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Label maps of images of one size.

        Args:
            images: (H, W, 3), RGB, uint8 each.
            scores: Whether to give the scores, too.

        Returns:
            For each its label map, (H, W), uint8, and, if asked, softmax of the logits, (K, H, W),
            float32.

        Raises:
            DataError: onnxruntime can't run the network on them.
        """
        size = images[0].shape[:2]
        inputs = self._prepare(images)
        try:
            (found,) = self._session.run([self._contract.output], {"image": inputs})
        except Exception as error:  # its errors have no public base but this
            raise DataError(f"onnxruntime: {error}") from error
        if self._contract.output == "labels":
            labels = found.astype(np.uint8)[:, : size[0], : size[1]]  # (B, H, W)
            return [(one, None) for one in labels]
        return [self._decide(logits, inputs.shape[2:], size, scores) for logits in found]

    def _prepare(self, images: Sequence[np.ndarray]) -> np.ndarray:
        batch = np.stack(images).astype(np.float32)  # (B, H, W, 3)
        if self._contract.channel_order == "bgr":
            batch = batch[..., ::-1]
        mean, std = (np.array(one, np.float32) for one in (self._contract.mean, self._contract.std))
        batch = ((batch - mean) / std).transpose(0, 3, 1, 2)  # (B, 3, H, W)
        down, right = (-side % self._contract.size_divisor for side in batch.shape[2:])
        return np.ascontiguousarray(np.pad(batch, ((0, 0), (0, 0), (0, down), (0, right))))

    def _decide(
        self, logits: np.ndarray, padded: tuple[int, ...], size: tuple[int, ...], scores: bool
    ) -> tuple[np.ndarray, np.ndarray | None]:
        full = resize(
            torch.from_numpy(logits).float()[None],  # (1, K, h, w)
            padded,
            mode="bilinear",
            align_corners=self._contract.align_corners,
            warning=False,
        )[0, :, : size[0], : size[1]]  # (K, H, W)
        labels = full.argmax(0).numpy().astype(np.uint8)
        return labels, full.softmax(0).numpy() if scores else None


def _providers(runtime: Any, device: torch.device | str | None) -> tuple[torch.device, list[str]]:
    available = runtime.get_available_providers()
    kind = "CUDAExecutionProvider"
    chosen = named_device(device or ("cuda" if kind in available else "cpu"))
    if chosen.type == "cpu":
        return chosen, ["CPUExecutionProvider"]
    if chosen.type != "cuda" or kind not in available:
        raise DataError(
            f"device is {str(chosen)!r}, and onnxruntime has {', '.join(available)}; expected "
            "'cpu', or 'cuda' with onnxruntime-gpu installed"
        )
    return chosen, [kind, "CPUExecutionProvider"]


def _read_contract(text: str | None, source: str) -> Contract:
    if text is None:
        raise DataError(
            f"{source} has no property {PROPERTY!r}; expected a file that tools/export.py wrote"
        )
    contract = Contract.from_json(text, source=source)
    if contract.task != "segmentation":
        raise DataError(f"{source} is a network for {contract.task}; expected segmentation")
    return contract


def _colors(classes: Sequence[str]) -> list[list[int]]:
    """A color for each class where the dataset had none, the same at every call."""
    return np.random.default_rng(0).integers(0, 256, (len(classes), 3)).tolist()
