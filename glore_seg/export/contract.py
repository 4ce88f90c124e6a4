"""What an exported file expects and gives, as the JSON text that it carries."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from glore_seg.errors import ConfigError

PROPERTY = "glore_seg"
"""Name of the text in the file: a metadata property in ONNX, an extra file in a program."""

FORMAT = 1
_LARGEST = 1e6  # of a mean or deviation
_LARGEST_DIVISOR = 4096  # pixels


@dataclass(frozen=True)
class Contract:
    """What goes in and what comes out.

    The input ``image`` is (N, 3, H, W), or clips (N, 3, T, H, W), whose T the graph tells; float32,
    with ``(x - mean) / std`` already taken.

    Args:
        task: ``"segmentation"``, ``"classification"`` or ``"video"``.
        classes: Their names in the order of the logits.
        palette: A color (red, green, blue) for each class; empty where the dataset has none.
        mean: Of each channel in the order of ``channel_order``, in units of 0 to 255.
        std: Likewise.
        channel_order: ``"rgb"`` or ``"bgr"``.
        size_divisor: H and W are to be multiples of it, images padded at the right and bottom
            with 0 after the normalization.
        output: Name of the output. ``"logits"``: (N, K, h, w), or (N, K) of the others, float32;
            ``"labels"``: (N, H, W), or (N,), of class indices, uint8, or int64 for more than 256
            classes.
        resized: Whether the output of a segmentation is at (H, W).
        align_corners: How logits are resized bilinearly to (H, W), inside or by the reader.
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

    def to_json(self) -> str:
        """Return the text that a file carries."""
        return json.dumps({"format": FORMAT, **asdict(self)})

    def _check(self) -> None:
        """Refuse values that no export gives; JSON knows no types.

        Raises:
            ConfigError: The text names the field.
        """
        numbers = (*self.mean, *self.std)
        wrong = {
            "task": self.task not in ("segmentation", "classification", "video"),
            "classes": not self.classes or not all(isinstance(n, str) for n in self.classes),
            "palette": len(self.palette) not in (0, len(self.classes))
            or any(
                len(color) != 3 or any(type(v) is not int or not 0 <= v <= 255 for v in color)
                for color in self.palette
            ),
            "mean": len(self.mean) != 3,
            "std": len(self.std) != 3
            or any(type(v) not in (int, float) or not abs(v) < _LARGEST for v in numbers)
            or min(self.std) <= 0,
            "channel_order": self.channel_order not in ("rgb", "bgr"),
            "size_divisor": type(self.size_divisor) is not int
            or not 1 <= self.size_divisor <= _LARGEST_DIVISOR,
            "output": self.output not in ("logits", "labels"),
            "resized": type(self.resized) is not bool,
            "align_corners": type(self.align_corners) is not bool,
        }
        fields = [name for name, is_wrong in wrong.items() if is_wrong]
        if fields:
            raise ConfigError(f"{fields[0]} is {str(getattr(self, fields[0]))[:60]!r}")

    @classmethod
    def from_json(cls, text: str, *, source: str) -> "Contract":
        """Read the text of a file.

        Args:
            text: As :meth:`to_json` gives it.
            source: The file, for the message.

        Raises:
            ConfigError: It is another text or of another format.
        """
        try:
            found = json.loads(text)
            if found.pop("format") != FORMAT:
                raise ConfigError(f"its format is not {FORMAT}")
            for name in ("classes", "mean", "std"):
                found[name] = tuple(found[name])
            found["palette"] = tuple(tuple(color) for color in found["palette"])
            contract = cls(**found)
            contract._check()
            return contract
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f"the property {PROPERTY!r} of {source} is {text[:60]!r} ({error}); expected the "
                "JSON that this version's tools/export.py writes: export the network again"
            ) from error


def describe_input(preprocessor: Any, pipeline: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Read from a host's data preprocessor what a network expects of images.

    Args:
        preprocessor: mmseg's ``SegDataPreProcessor``, mmpretrain's ``ClsDataPreprocessor``,
            mmaction2's ``ActionDataPreprocessor`` or mmengine's ``ImgDataPreprocessor``.
        pipeline: Of the config's test dataset: OpenMMLab loads files as BGR; a dataset without
            such a step, such as CIFAR, gives RGB itself, and so do mmaction2's.

    Returns:
        ``mean``, ``std``, ``channel_order`` and ``size_divisor`` of :class:`Contract`.
    """
    mean, std = getattr(preprocessor, "mean", None), getattr(preprocessor, "std", None)
    swaps = getattr(preprocessor, "to_rgb", None)  # mmpretrain
    if swaps is None:  # mmseg's and mmengine's, by different names
        swaps = getattr(preprocessor, "channel_conversion", None)
    if swaps is None:
        swaps = getattr(preprocessor, "_channel_conversion", False)
    loads_bgr = any("LoadImage" in str(step["type"]) for step in pipeline)
    test_cfg = getattr(preprocessor, "test_cfg", None) or {}  # mmseg pads by this alone in testing
    divisor = test_cfg.get("size_divisor") or getattr(preprocessor, "pad_size_divisor", None) or 1
    return {
        "mean": _numbers(mean, 0.0),
        "std": _numbers(std, 1.0),
        "channel_order": "bgr" if loads_bgr != bool(swaps) else "rgb",
        "size_divisor": int(divisor),
    }


def describe_classes(metainfo: dict[str, Any], *, num_classes: int) -> dict[str, Any]:
    """Read names and colors from a dataset's ``metainfo``.

    Args:
        metainfo: Of the config's test dataset.
        num_classes: Of the network's output.

    Returns:
        ``classes`` and ``palette`` of :class:`Contract`.

    Raises:
        ConfigError: There are no names, or not as many as the network has classes.
    """
    classes: Sequence[str] = metainfo.get("classes") or ()
    if len(classes) != num_classes:
        raise ConfigError(
            f"the config's test dataset names {len(classes)} classes, the network gives "
            f"{num_classes}; expected a name for each: set test_dataloader.dataset.metainfo="
            "dict(classes=(...)) in the config"
        )
    palette = metainfo.get("palette") or ()
    return {
        "classes": tuple(str(name) for name in classes),
        "palette": tuple(tuple(int(value) for value in color) for color in palette),
    }


def _numbers(buffer: Any, default: float) -> tuple[float, ...]:
    if buffer is None:
        return (default,) * 3
    # The shortest decimal numbers that are these in float32: 123.675, not 123.67500305.
    return tuple(float(str(value)) for value in buffer.flatten().cpu().numpy())
