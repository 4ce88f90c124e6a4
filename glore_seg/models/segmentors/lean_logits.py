"""A segmentor's logits in little memory.

mmseg holds the logits of an image several times: at the size of the input, at the size of the
original, padded for every sliding window, divided by the count. At 2048 x 4096 and 19 classes each
copy takes 640 MB. Here they stay as coarse as the head's output, and are resized class by class.

Shape legend: B batch; C classes; H, W size of the input; h, w size of the head's output.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.utils import resize
from torch import Tensor

from glore_seg.errors import ConfigError
from glore_seg.layers.arguments import check_choice


@dataclass(frozen=True)
class Logits:
    """Logits, (B, C, h, w), not yet resized to ``input_size``, (H, W)."""

    values: Tensor
    input_size: tuple[int, int]
    align_corners: bool

    @property
    def coarse(self) -> bool:
        """Whether the logits are smaller than the input."""
        return tuple(self.values.shape[2:]) != self.input_size

    def classes(self, index: int, meta: dict, *, align_corners: bool) -> Iterator[Tensor]:
        """One image's logits class by class, as in the segmentor's ``postprocess_result``.

        Resized to the input, cropped to the image, flipped back, resized to the original with the
        segmentor's ``align_corners``: C times (H, W) of the original image.
        """
        height, width = self.input_size
        left, right, top, bottom = meta.get("img_padding_size", meta.get("padding_size", [0] * 4))
        for i in range(self.values.shape[1]):
            part = self.values[index : index + 1, i : i + 1]  # (1, 1, h, w)
            if self.coarse:
                part = _resize(part, self.input_size, self.align_corners)  # (1, 1, H, W)
            part = part[..., top : height - bottom, left : width - right]
            if meta.get("flip"):
                part = part.flip(_flipped_axis(meta))
            yield _resize(part, meta["ori_shape"][:2], align_corners)[0, 0]


def predict_logits(segmentor: EncoderDecoder, inputs: Tensor, metas: Sequence[dict]) -> Logits:
    """Run a segmentor on images, (B, 3, H, W), whole or in windows, as its ``test_cfg`` says.

    The logits are coarse in whole mode, if the head resizes them like mmseg's.
    """
    mode = segmentor.test_cfg.get("mode", "whole")
    check_choice("model.test_cfg.mode", mode, ("whole", "slide"))
    metas = [dict(meta) for meta in metas]  # encode_decode reads sizes from them
    size = (inputs.shape[2], inputs.shape[3])
    if mode == "slide":
        return Logits(_slide(segmentor, inputs, metas), size, segmentor.align_corners)
    if only_resizes(segmentor):
        head = segmentor.decode_head
        return Logits(head(segmentor.extract_feat(inputs)), size, head.align_corners)
    metas[0]["img_shape"] = inputs.shape[2:]
    return Logits(segmentor.encode_decode(inputs, metas), size, segmentor.align_corners)


def only_resizes(segmentor: EncoderDecoder) -> bool:
    """Whether the segmentor only resizes its head's logits, bilinearly."""
    head = segmentor.decode_head
    return (
        type(segmentor).encode_decode is EncoderDecoder.encode_decode
        and isinstance(head, BaseDecodeHead)
        and type(head).predict is BaseDecodeHead.predict
        and type(head).predict_by_feat is BaseDecodeHead.predict_by_feat
    )


def _slide(segmentor: EncoderDecoder, inputs: Tensor, metas: list[dict]) -> Tensor:
    """Mean over the windows that cover a pixel, (B, C, H, W), in one buffer."""
    rows, columns = (
        _windows(size, crop, stride)
        for size, crop, stride in zip(
            inputs.shape[2:], segmentor.test_cfg.crop_size, segmentor.test_cfg.stride, strict=True
        )
    )
    total = inputs.new_zeros(len(inputs), segmentor.out_channels, *inputs.shape[2:])
    count = inputs.new_zeros(1, 1, *inputs.shape[2:])
    for row in rows:
        for column in columns:
            crop = inputs[:, :, row, column]
            metas[0]["img_shape"] = crop.shape[2:]
            total[:, :, row, column] += segmentor.encode_decode(crop, metas)
            count[:, :, row, column] += 1
    total /= count
    return total


def _windows(size: int, crop: int, stride: int) -> list[slice]:
    """Windows along one side; the last one ends at the border of the image."""
    number = max(size - crop + stride - 1, 0) // stride + 1
    ends = [min(i * stride + crop, size) for i in range(number)]
    return [slice(max(end - crop, 0), end) for end in ends]


def _flipped_axis(meta: dict) -> int:
    axes = {"horizontal": -1, "vertical": -2}
    direction = meta.get("flip_direction")
    if direction not in axes:
        raise ConfigError(
            f"flip_direction of {meta.get('img_path')} is {direction!r}; expected 'horizontal' or "
            "'vertical': correct RandomFlip in the tta_pipeline"
        )
    return axes[direction]


def _resize(part: Tensor, size: tuple[int, int] | torch.Size, align_corners: bool) -> Tensor:
    if tuple(part.shape[2:]) == tuple(size):
        return part
    return resize(part, size, mode="bilinear", align_corners=align_corners, warning=False)
