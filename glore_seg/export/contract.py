"""Inputs and outputs of an exported network, stored in its file as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from glore_seg.errors import ConfigError

PROPERTY = "glore_seg"
"""Name of the JSON in the file: a metadata property in ONNX, an extra file in a program."""

FORMAT = 1


@dataclass(frozen=True)
class Contract:
    """What goes in and what comes out.

    The input ``image`` is (N, C, H, W), or clips (N, C, T, H, W) with the T of the graph; float32,
    normalized to ``(x - mean) / std``.

    Args:
        task: ``"segmentation"``, ``"classification"`` or ``"video"``.
        classes: Their names in the order of the logits.
        palette: A color (red, green, blue) for each class; empty if the dataset has none.
        mean: Of each channel in the order of ``channel_order``, in units of 0 to 255.
        std: Likewise.
        channel_order: ``"rgb"`` or ``"bgr"``, ``"gray"`` of one channel, or ``"loaded"``, as the
            config's test pipeline loads them.
        size_divisor: H and W must be multiples of it; pad images at the right and bottom with 0
            after the normalization.
        output: Name of the output. ``"logits"``: (N, K, h, w), or (N, K) for other tasks, float32;
            ``"labels"``: (N, H, W), or (N,), of class indices, uint8, or int64 for more than 256
            classes.
        resized: Whether the output of a segmentation has the size (H, W).
        align_corners: How logits are resized bilinearly to (H, W), inside or by the reader.
        reduce_zero_label: Whether the files of the dataset store class k as k + 1.
    """

    task: str
    classes: tuple[str, ...]
    palette: tuple[tuple[int, ...], ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channel_order: str
    size_divisor: int
    output: str
    resized: bool
    align_corners: bool
    reduce_zero_label: bool = False

    def to_json(self) -> str:
        """Return the JSON to store in a file."""
        return json.dumps({"format": FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str, *, source: str) -> "Contract":
        """Read the JSON of a file (``source``), which may be hostile.

        Raises:
            ConfigError: It is another text, of another format, or with invalid values.
        """
        try:
            found = json.loads(text)
            if found.pop("format") != FORMAT:
                raise ValueError(f"expected the format {FORMAT}")
            for name in ("classes", "mean", "std"):
                found[name] = tuple(found[name])
            found["palette"] = tuple(tuple(color) for color in found["palette"])
            contract = cls(**found)
            contract._check()
            return contract
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f"the property {PROPERTY!r} of {source} is {text[:60]!r} ({error}); expected the "
                "JSON of this version's tools/export.py: export the network again"
            ) from error

    def _check(self) -> None:
        colors = [value for color in self.palette for value in color]
        flags = (self.resized, self.align_corners, self.reduce_zero_label)
        valid = {
            "task": self.task in ("segmentation", "classification", "video"),
            "classes": bool(self.classes) and all(isinstance(name, str) for name in self.classes),
            "palette": len(self.palette) in (0, len(self.classes))
            and all(len(color) == 3 for color in self.palette)
            and all(type(value) is int and 0 <= value <= 255 for value in colors),
            "mean": 0 < len(self.mean) == len(self.std)
            and all(abs(value) < 1e6 for value in self.mean),
            "std": all(0 < value < 1e6 for value in self.std),
            "channel_order": self.channel_order == "loaded"
            or self.channel_order in {1: ("gray",), 3: ("rgb", "bgr")}.get(len(self.mean), ()),
            "size_divisor": type(self.size_divisor) is int and 1 <= self.size_divisor <= 4096,
            "output": self.output in ("logits", "labels"),
            "resized, align_corners and reduce_zero_label": all(
                type(flag) is bool for flag in flags
            ),
        }
        if invalid := [name for name, is_valid in valid.items() if not is_valid]:
            raise ValueError(f"invalid {', '.join(invalid)}")


def describe_input(
    preprocessor: Any, pipeline: Sequence[dict[str, Any]], *, channels: int = 3
) -> dict[str, Any]:
    """Return ``mean``, ``std``, ``channel_order`` and ``size_divisor`` of a :class:`Contract`.

    The preprocessor is mmseg's, mmpretrain's, mmaction2's or mmengine's; the pipeline that of the
    test dataset: OpenMMLab loads files as BGR; datasets without files, such as CIFAR, and
    mmaction2's return RGB. ``channels`` are those of the network.
    """
    # Each library has another name for it.
    names = ("to_rgb", "channel_conversion", "_channel_conversion")
    flags = (getattr(preprocessor, name, None) for name in names)
    swaps = next((flag for flag in flags if flag is not None), False)
    loads_bgr = any("LoadImage" in str(step["type"]) for step in pipeline)
    test_cfg = getattr(preprocessor, "test_cfg", None) or {}  # mmseg's padding in testing
    divisor = test_cfg.get("size_divisor") or getattr(preprocessor, "pad_size_divisor", None) or 1
    order = "bgr" if loads_bgr != bool(swaps) else "rgb"
    if channels != 3:
        is_gray = channels == 1 and pipeline and pipeline[0].get("color_type") == "grayscale"
        order = "gray" if is_gray else "loaded"
    return {
        "mean": _numbers(getattr(preprocessor, "mean", None), 0.0, channels),
        "std": _numbers(getattr(preprocessor, "std", None), 1.0, channels),
        "channel_order": order,
        "size_divisor": int(divisor),
    }


def describe_classes(metainfo: dict[str, Any], *, num_classes: int) -> dict[str, Any]:
    """Return what a :class:`Contract` has of a dataset's metainfo.

    Raises:
        ConfigError: The number of names is not that of the network's classes.
    """
    classes: Sequence[str] = metainfo.get("classes") or ()
    if len(classes) != num_classes:
        raise ConfigError(
            f"the config's test dataset has {len(classes)} class names, the network {num_classes} "
            "classes; set test_dataloader.dataset.metainfo=dict(classes=(...)) in the config"
        )
    palette = metainfo.get("palette") or ()
    return {
        "classes": tuple(str(name) for name in classes),
        "palette": tuple(tuple(int(value) for value in color) for color in palette),
        "reduce_zero_label": bool(metainfo.get("reduce_zero_label")),
    }


def _numbers(buffer: Any, default: float, channels: int) -> tuple[float, ...]:
    if buffer is None:
        return (default,) * channels
    # The shortest decimals of the float32 values: 123.675, not 123.67500305.
    numbers = tuple(float(str(value)) for value in buffer.flatten().cpu().numpy())
    return numbers * channels if len(numbers) == 1 else numbers
