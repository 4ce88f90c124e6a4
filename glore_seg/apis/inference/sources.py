"""Opens the source of a network: a config, a checkpoint, a hub folder or an ONNX file."""

import copy
import hashlib
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from glore_seg.apis.config import load_config
from glore_seg.apis.hub import CONFIG, WEIGHTS, fetch_pretrained
from glore_seg.apis.inference.onnx_predictor import OnnxPredictor
from glore_seg.apis.model import Checkpoint, read_checkpoint
from glore_seg.apis.predictor import Predictor
from glore_seg.apis.test_options import use_inference, use_tta
from glore_seg.checkpoints.configs import find_embedded_config, read_json_config
from glore_seg.checkpoints.untrusted_config import admit_untrusted
from glore_seg.errors import ConfigError
from glore_seg.utils.files import sha256_of

_CONFIGS = (".py", ".json", ".yaml", ".yml")
_CHECKPOINTS = (".pth", ".pt", ".safetensors")
# The parts of a config that came with weights that are built.
_USED = ("default_scope", "model", "test_dataloader", "tta_model", "tta_pipeline")


def build_predictor(
    source: Config | str | Path,
    *,
    checkpoint: str | Path | None,
    device: torch.device | str | None,
    precision: str,
    mode: str | None,
    tta: bool,
    cfg_options: dict[str, Any] | None,
) -> Predictor | OnnxPredictor:
    """Build what :class:`Segmenter` runs; arguments and exceptions are the same."""
    weights: Checkpoint | str | Path | None = checkpoint
    if isinstance(source, Config):
        cfg = copy.deepcopy(source)
    else:
        source = Path(source)
        if source.suffix == ".onnx":
            options = {
                "checkpoint": checkpoint,
                "tta": tta,
                "cfg_options": cfg_options,
                "mode": mode != "whole" and mode,
                "precision": precision != "fp32",
            }
            given = [name for name, value in options.items() if value]
            if given:
                raise ConfigError(
                    f"{', '.join(given)} cannot be set for {source}, which is one network on whole "
                    "images: give the config and checkpoint that it was exported from"
                )
            return OnnxPredictor(source, device=device)
        if source.is_dir() or source.suffix in _CHECKPOINTS:
            if checkpoint is not None:
                raise ConfigError(
                    f"source {source} has weights, and checkpoint {checkpoint} is given too; "
                    "expected one of them"
                )
            weights, cfg = _open_lone(source)
        elif source.suffix in _CONFIGS:
            cfg = load_config(str(source))
        else:
            raise ConfigError(
                f"source {source} ends in {source.suffix!r}; expected a config "
                f"({', '.join(_CONFIGS)}), a checkpoint ({', '.join(_CHECKPOINTS)}), a folder of "
                "tools/model_converters/hub.py, or .onnx; tools/model_converters/convert.py "
                "converts weights of other projects"
            )
    cfg.merge_from_dict(cfg_options or {})
    if weights is None:
        raise ConfigError(f"source {cfg.filename} is a config without weights: give checkpoint")
    use_inference(cfg, mode)
    if tta:
        if (cfg.get("tta_model") or {}).get("type", "SegTTAModel") == "SegTTAModel":
            cfg.tta_model = {"type": "AccumulatingSegTTAModel"}  # equal, in less memory
        use_tta(cfg)
    return Predictor(cfg, weights, device=device, precision=precision)


def hash_source(source: str | Path) -> str:
    """Hash a file, the files of a hub folder, or a config with its bases, as hexadecimal digits."""
    source = Path(source)
    if source.suffix in _CONFIGS:
        return hashlib.sha256(load_config(str(source)).text.encode()).hexdigest()
    files = [source / WEIGHTS, source / CONFIG] if source.is_dir() else [source]
    return "".join(sha256_of(file) for file in files)


def _open_lone(path: Path) -> tuple[Checkpoint, Config]:
    if path.is_dir():
        path = fetch_pretrained(path)
        weights, found = read_checkpoint(path / WEIGHTS), read_json_config(path / CONFIG)
    else:
        weights = read_checkpoint(path)
        found = find_embedded_config(path, weights.meta)
    used = Config({key: found[key] for key in _USED if key in found}).to_dict()
    admit_untrusted(used, source=f"the config of {path}")
    return weights, Config(used)
