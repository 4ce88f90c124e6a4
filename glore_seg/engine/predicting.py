"""Pictures of a data set or from files, and what a network makes of them.

Shape legend: H, W sizes of a picture as it was stored; N nodes of a unit; h, w sizes of its map.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import mmcv
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, Compose, pseudo_collate
from mmengine.registry import DATASETS, init_default_scope

from glore_seg.engine.loading import load_model
from glore_seg.engine.setup_check_hook import unwrap
from glore_seg.engine.splits import build_picture_dataset, plain_dataset, without_labels
from glore_seg.engine.tasks import task_of
from glore_seg.layers import GloReUnit
from glore_seg.visualization.projections import capture_projections


@dataclass(frozen=True)
class Picture:
    """A picture and, where there is one, its label map.

    Args:
        path: File of the picture.
        label: (H, W) of class indices, 255 where ignored; None without ground truth.
    """

    path: Path
    label: np.ndarray | None = None

    @property
    def image(self) -> np.ndarray:
        """The picture as stored, (H, W, 3), RGB."""
        return mmcv.imread(str(self.path), channel_order="rgb")


def find_pictures(cfg: Config, split: str, wanted: Sequence[str]) -> list[Picture]:
    """Find pictures by index or name in a split of the config's data set, or by file.

    Args:
        cfg: The config. Its data set is opened only where ``wanted`` asks for it.
        split: ``"train"``, ``"val"`` or ``"test"``, see :func:`build_picture_dataset`.
        wanted: For each picture the path of a file, which has no ground truth, or its index in the
            split, or its file's name or the beginning of it; or the path of a folder, for all
            pictures in it, such as the frames of a clip, by name.

    Raises:
        ValueError: Something is neither a file nor a picture of the split, or more than one, or a
            folder holds no picture.
    """
    dataset: BaseDataset | None = None
    pictures = []
    for name in wanted:
        if Path(name).is_file():
            pictures.append(Picture(Path(name)))
            continue
        if name and Path(name).is_dir():
            pictures += _pictures_within(Path(name))
            continue
        dataset = dataset or build_picture_dataset(cfg, split)
        pictures.append(read_picture(dataset, _index(dataset, name, split)))
    return pictures


def read_picture(dataset: BaseDataset, index: int) -> Picture:
    """Read one picture's label through the data set's pipeline, which must be without chance."""
    sample = dataset[index]["data_samples"]
    label = None
    if "gt_sem_seg" in sample:
        label = sample.gt_sem_seg.data.squeeze(0).numpy().astype(np.uint8)  # (H, W)
    return Picture(Path(sample.img_path), label)


class Predictor:
    """A trained network with the test pipeline of its config: from a file to a label map.

    A classifier's has no label maps; its units' maps, by :meth:`project`, are what it is for.

    Args:
        cfg: Config of the network.
        checkpoint: Its weights.
        split: ``"test"`` or ``"val"``: whose data set gives the pipeline, less the loading of
            labels, and the classes.
        device: Where the network runs. Default: the first GPU where there is one, else the CPU.

    Raises:
        FileNotFoundError: The checkpoint is not there.
        ValueError: The checkpoint is of another network, or the data set is made of others.
    """

    def __init__(
        self,
        cfg: Config,
        checkpoint: str | Path,
        *,
        split: str = "test",
        device: torch.device | str | None = None,
    ) -> None:
        dataset = plain_dataset(cfg, split)
        self.model: Any = load_model(cfg, checkpoint, device=device)
        init_default_scope(cfg.get("default_scope", "mmseg"))
        self._pipeline = Compose(without_labels(dataset.pipeline))
        # Not opened: the data need not be there to predict files.
        meta = DATASETS.build({**dataset, "lazy_init": True}).metainfo
        # A classifier's folders may tell its classes, and they are not opened.
        self.classes: tuple[str, ...] = tuple(meta.get("classes") or ())
        self.palette: list[Sequence[int]] = meta.get("palette") or []
        self._cuts = task_of(cfg).name != "segmentation"

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return next(self.model.parameters()).device

    def batch(self, path: str | Path) -> dict[str, Any]:
        """The picture as a batch of one, as ``model.test_step`` takes it."""
        item = {"img_path": str(path), "reduce_zero_label": False, "seg_fields": []}
        return pseudo_collate([self._pipeline(item)])

    def seen(self, picture: Picture) -> np.ndarray:
        """What of a picture :meth:`project`'s maps lie over, (H, W, 3), RGB.

        For segmentation the whole picture as stored, for a classifier what its test pipeline cuts
        out of it.
        """
        if not self._cuts:
            return picture.image
        # As OpenMMLab loads it: blue first, uint8.
        return self.batch(picture.path)["inputs"][0].numpy()[::-1].transpose(1, 2, 0)  # (H, W, 3)

    def predict(self, path: str | Path) -> np.ndarray:
        """Label map of a picture, (H, W) of class indices, uint8."""
        with torch.no_grad():
            sample = self.model.test_step(self.batch(path))[0]
        return sample.pred_sem_seg.data.squeeze(0).cpu().numpy().astype(np.uint8)  # (H, W)

    def project(self, path: str | Path, unit: GloReUnit, *, mirrored: bool = False) -> np.ndarray:
        """Projection weights of a unit of the network on a picture, (N, h, w), float32.

        The picture runs through in one piece, also where the config tests by windows.

        Args:
            path: File of the picture.
            unit: One of the network's.
            mirrored: Mirror the picture left to right first.

        Raises:
            ValueError: The network does not call the unit once, for example where the unit stands
                in an auxiliary head.
        """
        model: Any = unwrap(self.model)
        batch = self.batch(path)
        if mirrored:
            batch["inputs"] = [picture.flip(-1) for picture in batch["inputs"]]
        height, width = batch["inputs"][0].shape[-2:]
        inputs = model.data_preprocessor(batch, False)["inputs"]
        with torch.no_grad(), capture_projections(unit) as captured:
            model(inputs, mode="tensor")
        if len(captured) != 1:
            raise ValueError(
                f"the network calls this unit {len(captured)} times for a picture; expected once: "
                "give another unit"
            )
        weights = captured[0].squeeze(0).cpu().numpy()  # (N, h, w)
        # The preprocessor may have padded the picture, at its right and bottom.
        h, w = weights.shape[-2:]
        padded_height, padded_width = inputs.shape[-2:]
        return weights[:, : round(h * height / padded_height), : round(w * width / padded_width)]


def _pictures_within(folder: Path) -> list[Picture]:
    files = sorted(file for file in folder.iterdir() if file.is_file())
    found = [Picture(file) for file in files if cv2.haveImageReader(str(file))]
    if not found:
        raise ValueError(f"folder {folder} holds no picture; expected one or more directly in it")
    return found


def _index(dataset: BaseDataset, name: str, split: str) -> int:
    if name.isdecimal():
        if int(name) >= len(dataset):
            raise ValueError(
                f"picture {name} of {split}: the data set has {len(dataset)} pictures, the first "
                "is 0"
            )
        return int(name)
    files = [Path(dataset.get_data_info(i)["img_path"]).name for i in range(len(dataset))]
    found = [i for i, file in enumerate(files) if file.startswith(name)]
    if len(found) != 1:
        some = f": {', '.join(files[i] for i in found[:3])}, ..." if found else ""
        raise ValueError(
            f"picture {name!r} is no file, and {len(found)} pictures of {split} begin with it"
            f"{some}; give a file, an index from 0 to {len(dataset) - 1}, or a name such as "
            f"{files[0]}"
        )
    return found[0]
