"""From what a caller names to a network with its weights: a config, a checkpoint, an ONNX file."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from glore_seg.apis.config import load_config
from glore_seg.apis.hub import CONFIG, WEIGHTS, fetch_pretrained, read_config
from glore_seg.apis.inference.onnx_predictor import OnnxPredictor
from glore_seg.apis.model import Checkpoint, read_checkpoint
from glore_seg.apis.predictor import Predictor
from glore_seg.apis.test_options import use_inference, use_tta
from glore_seg.checkpoints.embedded_config import find_embedded_config
from glore_seg.checkpoints.untrusted_config import admit_untrusted
from glore_seg.errors import DataError
from glore_seg.utils.files import sha256_of

_CONFIGS = (".py", ".json", ".yaml", ".yml")
_CHECKPOINTS = (".pth", ".pt", ".safetensors")
# What is built of a config that came with weights; the rest of it is not looked at.
_USED = ("default_scope", "model", "test_dataloader", "tta_model", "tta_pipeline")


def build_predictor(
    source: Config | str | Path,
    *,
    checkpoint: str | Path | None = None,
    device: torch.device | str | None = None,
    precision: str = "fp32",
    mode: str | None = None,
    tta: bool = False,
    cfg_options: dict[str, Any] | None = None,
) -> Predictor | OnnxPredictor:
    """Build what :class:`Segmenter` runs; the arguments are the same.

    Raises:
        DataError: A file is not there, or a lone checkpoint has no config.
        DataError: The kind of file is unknown, or it doesn't fit the options.
    """
    if not isinstance(source, Config):
        source = Path(source)
        if source.suffix == ".onnx":
            return _open_onnx(
                source,
                device,
                refused={
                    "checkpoint": checkpoint,
                    "precision": precision if precision != "fp32" else None,
                    "mode": mode if mode != "whole" else None,
                    "tta": tta or None,
                    "cfg_options": cfg_options,
                },
            )
    if isinstance(source, Path) and (source.is_dir() or source.suffix in _CHECKPOINTS):
        if checkpoint is not None:
            raise DataError(
                f"source {source} has weights of its own, and checkpoint {checkpoint} is given, "
                "too; expected one of them: give a config as source, or leave checkpoint out"
            )
        weights, cfg = _open_lone(source)
        cfg.merge_from_dict(cfg_options or {})
    else:
        cfg = _open_config(source, cfg_options)
        if checkpoint is None:
            raise DataError(
                f"source {getattr(cfg, 'filename', None) or 'config'} is a config without weights: "
                "give checkpoint, the file of its weights"
            )
        weights = read_checkpoint(checkpoint)
    use_inference(cfg, mode)
    if tta:
        _use_own_tta(cfg)
    return Predictor(cfg, weights, device=device, precision=precision)


def hash_source(source: str | Path) -> str:
    """Hash what a network comes from, in hexadecimal digits.

    That is a file, the files of a folder, or a config with all that it inherits.
    """
    source = Path(source)
    if source.suffix in _CONFIGS:
        return hashlib.sha256(load_config(str(source)).text.encode()).hexdigest()
    files = [source / WEIGHTS, source / CONFIG] if source.is_dir() else [source]
    return "".join(sha256_of(file) for file in files)


def _open_config(source: Config | Path, cfg_options: dict[str, Any] | None) -> Config:
    if isinstance(source, Config):
        cfg = copy.deepcopy(source)
        cfg.merge_from_dict(cfg_options or {})
        return cfg
    if source.suffix not in _CONFIGS:
        raise DataError(
            f"source {source} ends in {source.suffix!r}; expected a config "
            f"({', '.join(_CONFIGS)}), a checkpoint ({', '.join(_CHECKPOINTS)}), a folder that "
            "tools/model_converters/hub.py wrote, or .onnx; weights from elsewhere become a "
            "checkpoint by tools/model_converters/convert.py"
        )
    return load_config(str(source), cfg_options=cfg_options)


def _open_lone(path: Path) -> tuple[Checkpoint, Config]:
    if path.is_dir():
        path = fetch_pretrained(path)
        weights, found = read_checkpoint(path / WEIGHTS), read_config(path)
    else:
        weights = read_checkpoint(path)
        found = find_embedded_config(path, weights.meta)
    used = Config({key: found[key] for key in _USED if key in found}).to_dict()
    admit_untrusted(used, source=f"the config of {path}")
    return weights, Config(used, cfg_text=" ", filename=str(path))  # for messages


def _open_onnx(path: Path, device: Any, *, refused: dict[str, Any]) -> OnnxPredictor:
    given = [name for name, value in refused.items() if value is not None]
    if given:
        raise DataError(
            f"{', '.join(given)} can't be had of {path}: an ONNX file is one network on whole "
            "images in its own precision; give the config and checkpoint that it was made from"
        )
    return OnnxPredictor(path, device=device)


def _use_own_tta(cfg: Config) -> None:
    """Test-time augmentation by this package's model, which equals mmseg's in less memory."""
    if (cfg.get("tta_model") or {}).get("type", "SegTTAModel") == "SegTTAModel":
        cfg.tta_model = {"type": "AccumulatingSegTTAModel"}
    use_tta(cfg)
