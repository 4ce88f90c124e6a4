"""Inputs of all phases: a small network and small street scenes."""

from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.config import Config

from glore_seg.apis import load_config
from glore_seg.engine import build_model
from projects.synthetic_data.street_scenes import make_street_scenes

_CONFIG = Path(__file__).parents[2] / "configs" / "fcn_r18_glore_street-scenes.py"
SMALL_NETWORK = {
    "model.backbone.base_channels": 8,
    "model.backbone.stem_channels": 8,
    "model.decode_head.in_channels": 64,
    "model.decode_head.channels": 16,
    "model.decode_head.num_nodes": 6,
    "model.decode_head.num_states": 8,
}
"""Options that make the network of the street scenes fast."""


@dataclass(frozen=True)
class Inputs:
    """Files of a folder.

    Args:
        folder: See :func:`make_inputs`.
    """

    folder: Path

    @property
    def data(self) -> Path:
        """Street scenes."""
        return self.folder / "data"

    @property
    def checkpoint(self) -> Path:
        """A checkpoint with random weights."""
        return self.folder / "random.pth"

    @property
    def image(self) -> Path:
        """One of the scenes."""
        return min((self.data / "leftImg8bit" / "val").rglob("*.png"))

    def config(self, name: str, num_workers: int = 2) -> Config:
        """The config of a phase."""
        cfg = load_config(
            str(_CONFIG),
            cfg_options={
                **SMALL_NETWORK,
                "model.data_preprocessor.size": (64, 64),
                "log_level": "ERROR",
            },
            work_dir=str(self.folder / "work_dirs" / name),
        )
        for split in ("train", "val", "test"):
            loader = cfg[f"{split}_dataloader"]
            loader.update(num_workers=num_workers, persistent_workers=num_workers > 0)
            loader.dataset.data_root = str(self.data)
        crop = cfg.train_dataloader.dataset.pipeline[0]
        crop.update(scale=(128, 64), crop_size=(64, 64))
        cfg.train_dataloader.batch_size = 2
        return cfg


def make_inputs(folder: Path) -> Inputs:
    """Draw the scenes and write the checkpoint."""
    inputs = Inputs(folder)
    make_street_scenes(
        inputs.data, num_train=8, num_val=4, num_test=4, size=(64, 128), progress=False
    )
    torch.manual_seed(0)
    model = build_model(inputs.config("none"))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    torch.save({"state_dict": model.state_dict(), "meta": {}}, inputs.checkpoint)
    return inputs
