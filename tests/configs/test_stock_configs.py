"""The lines that docs show give a neck or head to mmseg's own configs; one of each folder trains.

`python -m pytest tests/configs/test_stock_configs.py` prints which do.
"""

import math
from pathlib import Path

import cv2
import mmseg
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from glore_seg.apis import load_config
from glore_seg.engine import build_runner
from glore_seg.layers import GloReUnit
from glore_seg.models import GloReNeck
from tests.configs.shrinking import CROP, dicts_of, name_run, shrink_sizes

FOLDER = Path(mmseg.__file__).parent / ".mim" / "configs"
R18, R50 = (64, 128, 256, 512), (256, 512, 1024, 2048)
HR18, MIT_B0, VIT_B = (18, 36, 72, 144), (32, 64, 160, 256), (768,) * 4
SWIN_T, MSCAN_B = (96, 192, 384, 768), (64, 128, 320, 512)
# One config of each folder: the channels of its backbone's feature maps and of its neck's.
STOCK = {
    "ann/ann_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "apcnet/apcnet_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "beit/beit-base_upernet_8xb2-160k_ade20k-640x640": (VIT_B, VIT_B),
    "bisenetv1/bisenetv1_r18-d32_4xb4-160k_cityscapes-1024x1024": ((256, 128, 128),),
    "bisenetv2/bisenetv2_fcn_4xb4-160k_cityscapes-1024x1024": ((128, 16, 32, 64, 128),),
    "ccnet/ccnet_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "cgnet/cgnet_fcn_4xb4-60k_cityscapes-680x680": ((35, 131, 256),),
    "convnext/convnext-base_upernet_8xb2-amp-160k_ade20k-512x512": ((128, 256, 512, 1024),),
    "danet/danet_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "deeplabv3/deeplabv3_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "deeplabv3plus/deeplabv3plus_r18-d8_4xb4-80k_isaid-896x896": (R18,),
    "dmnet/dmnet_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "dnlnet/dnl_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "dsdl/voc": (R50,),
    "emanet/emanet_r50-d8_4xb2-80k_cityscapes-769x769": (R50,),
    "encnet/encnet_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "erfnet/erfnet_fcn_4xb4-160k_cityscapes-512x1024": ((16,),),
    "fastfcn/fastfcn_r50-d32_jpu_enc_4xb4-80k_ade20k-512x512": (R50[1:], R50[1:]),
    "fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024": ((64, 128, 128),),
    "fcn/fcn_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "gcnet/gcnet_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "hrnet/fcn_hr18_4xb4-80k_isaid-896x896": (HR18,),
    "icnet/icnet_r18-d8_4xb2-80k_cityscapes-832x832": ((64, 256, 256), (128,) * 3),
    "isanet/isanet_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "knet/knet-s3_r50-d8_fcn_8xb2-adamw-80k_ade20k-512x512": (R50,),
    "mae/mae-base_upernet_8xb2-amp-160k_ade20k-512x512": (VIT_B, VIT_B),
    "mask2former/mask2former_r50_8xb2-90k_cityscapes-512x1024": (R50,),
    "maskformer/maskformer_r50-d32_8xb2-160k_ade20k-512x512": (R50,),
    "mobilenet_v2/mobilenet-v2-d8_fcn_4xb4-160k_ade20k-512x512": ((24, 32, 96, 320),),
    "mobilenet_v3/mobilenet-v3-d8_lraspp_4xb4-320k_cityscapes-512x1024": ((16, 24, 960),),
    "nonlocal_net/nonlocal_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "ocrnet/ocrnet_hr18_4xb4-80k_ade20k-512x512": (HR18,),
    "point_rend/pointrend_r50_4xb4-160k_ade20k-512x512": (R50, (256,) * 4),
    "poolformer/fpn_poolformer_s12_8xb4-40k_ade20k-512x512": (MSCAN_B, (256,) * 4),
    "psanet/psanet_r50-d8_4xb4-80k_ade20k-512x512": (R50,),
    "pspnet/pspnet_r18-d8_4xb4-80k_isaid-896x896": (R18,),
    "resnest/resnest_s101-d8_fcn_4xb4-160k_ade20k-512x512": (R50,),
    "segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512": (MIT_B0,),
    "segmenter/segmenter_vit-s_fcn_8xb1-160k_ade20k-512x512": ((384,),),
    "segnext/segnext_mscan-b_1xb16-adamw-160k_ade20k-512x512": (MSCAN_B,),
    "sem_fpn/fpn_r50_4xb4-160k_ade20k-512x512": (R50, (256,) * 4),
    "setr/setr_vit-l-mla_8xb1-160k_ade20k-512x512": ((1024,) * 4, (256,) * 4),
    "stdc/stdc1_4xb12-80k_cityscapes-512x1024": ((256, 128, 128, 256),),
    "swin/swin-tiny-patch4-window7-in1k-pre_upernet_8xb2-160k_ade20k-512x512": (SWIN_T,),
    "twins/twins_svt-b_uperhead_8xb2-160k_ade20k-512x512": (SWIN_T,),
    "unet/unet-s5-d16_fcn_4xb4-40k_drive-64x64": ((1024, 512, 256, 128, 64),),
    "upernet/upernet_r18_4xb4-80k_ade20k-512x512": (R18,),
    "vit/vit_vit-b16_mln_upernet_8xb2-80k_ade20k-512x512": (VIT_B, VIT_B),
}
# Stock heads that fail here by themselves: without compiled operators or mmdet, at ignored pixels
# (class weights of CGNet's loss), and below 392 x 392 pixels.
NOT_BESIDE = ("mask2former", "maskformer", "psanet", "cgnet", "mobilenet_v3")


def child(base: str, folder: Path, **model: str) -> Config:
    """Load what a user writes: the config, the import, and lines under ``model``."""
    lines = [f'_base_ = "{base}"']
    lines += ['custom_imports = dict(imports=["glore_seg"], allow_failed_imports=False)']
    lines += [f"model = dict({', '.join(f'{k}={v}' for k, v in model.items())})"]
    path = folder / "child.py"
    path.write_text("\n".join(lines))
    return load_config(str(path))


def neck_line(channels: tuple[int, ...], *, has_neck: bool) -> str:
    own = f'dict(type="GloReNeck", in_channels={channels})'
    return f"[{own}, _base_.model.neck]" if has_neck else own


def head_line(channels: tuple[int, ...], head: dict, *, cascade: bool) -> str:
    maps = {"in_channels": channels[-1], "in_index": len(channels) - 1}
    if head.get("input_transform") == "resize_concat":  # OCRNet's heads take the same map
        maps = {key: head[key] for key in ("in_channels", "in_index", "input_transform")}
    own = ", ".join(f"{key}={value!r}" for key, value in maps.items())
    own = f'type="GloReHead", {own}, num_classes={classes_of(head)}, channels=32, num_nodes=8'
    own += ', norm_cfg=dict(type="SyncBN")'
    return (
        f"[dict({own}), *_base_.model.decode_head[1:]]"
        if cascade
        else f"dict(_delete_=True, {own})"
    )


def classes_of(head: dict) -> int:
    """Return a head's number of classes, which K-Net's has in its parts."""
    return next(node["num_classes"] for node in dicts_of(head) if "num_classes" in node)


def stock(name: str) -> Config:
    return Config.fromfile(FOLDER / f"{name}.py")


def trains_and_predicts(cfg: Config, folder: Path) -> None:
    """Run an iteration, with all checks before it, and a validation, on random images."""
    num_classes = classes_of(cfg.model.decode_head)
    backbone = cfg.model.backbone
    steps = list(dicts_of(cfg.train_dataloader.dataset.to_dict()))
    reduce_zero = any(step.get("reduce_zero_label") for step in steps)
    write_images(folder / "data", num_classes, reduce_zero=reduce_zero)
    if "img_size" in backbone:
        backbone.img_size = CROP
    if backbone.get("num_layers") == 24:  # ViT-L
        backbone.update(num_layers=4, out_indices=(0, 1, 2, 3))
    shrink_sizes(cfg)
    for split in ("train", "val"):
        dataset = cfg[f"{split}_dataloader"].dataset
        while "pipeline" not in dataset:
            dataset = dataset.dataset
        names = [f"class {i}" for i in range(num_classes)]
        cfg[f"{split}_dataloader"].dataset = {
            "type": "BaseSegDataset",
            "data_root": str(folder / "data"),
            "data_prefix": {"img_path": "images", "seg_map_path": "labels"},
            "img_suffix": ".png",
            "reduce_zero_label": reduce_zero,
            "metainfo": {"classes": names, "palette": [[i, i, i] for i in range(num_classes)]},
            "pipeline": dataset.pipeline,
        }
    if cfg.optim_wrapper.type == "AmpOptimWrapper" and not torch.cuda.is_available():
        cfg.optim_wrapper.type = "BFloat16OptimWrapper"
        cfg.optim_wrapper.pop("loss_scale", None)
    cfg.val_evaluator = {"type": "IoUMetric", "iou_metrics": ["mIoU"]}
    cfg.train_cfg = {"type": "IterBasedTrainLoop", "max_iters": 1, "val_interval": 1}
    cfg.default_hooks.checkpoint.update(interval=-1, save_last=False, save_best=None)
    runner = build_runner(name_run(cfg, folder / "work_dir"))
    runner.train()
    assert math.isfinite(runner.message_hub.get_scalar("train/loss").current())
    assert 0 <= runner.message_hub.get_scalar("val/mIoU").current() <= 100
    units = [m for m in runner.model.modules() if isinstance(m, GloReUnit)]
    assert len(units) == 1
    assert units[0].blocker.weight.abs().sum() > 0  # it began at zero


def write_images(folder: Path, num_classes: int, *, reduce_zero: bool) -> None:
    """Write two noise images with labels in squares, of all classes as far as they go."""
    rng = np.random.default_rng(0)
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    for i in range(2):
        labels = (np.arange(128).reshape(8, 16) + 128 * i) % num_classes + reduce_zero
        labels = labels.astype(np.uint8).repeat(8, 0).repeat(8, 1)
        cv2.imwrite(str(folder / "labels" / f"{i}.png"), labels)
        image = rng.integers(0, 256, (64, 128, 3), np.uint8)
        cv2.imwrite(str(folder / "images" / f"{i}.png"), image)


@pytest.mark.slow
@pytest.mark.parametrize("name", STOCK)
def test_head_in_place_of_the_stock_head(name, tmp_path):
    head = stock(name).model.decode_head
    cascade = isinstance(head, list)
    line = head_line(STOCK[name][-1], head[0] if cascade else head, cascade=cascade)
    trains_and_predicts(child(f"mmseg::{name}.py", tmp_path, decode_head=line), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in STOCK if n.split("/")[0] not in NOT_BESIDE])
def test_neck_beside_the_stock_neck(name, tmp_path):
    line = neck_line(STOCK[name][0], has_neck=len(STOCK[name]) > 1)
    trains_and_predicts(child(f"mmseg::{name}.py", tmp_path, neck=line), tmp_path)


@pytest.mark.slow
def test_lines_load_over_every_stock_config(tmp_path):
    """Head and neck are in place, and the necks that a config has are built behind ours."""
    own = neck_line(R50, has_neck=False)
    neck = f"[{own}, _base_.model.neck] if _base_.model.get('neck') else [{own}]"
    heads = [head_line(R50, {"num_classes": 9}, cascade=cascade) for cascade in (True, False)]
    head = f"{heads[0]} if isinstance(_base_.model.decode_head, list) else {heads[1]}"
    loaded = necks = 0
    for path in FOLDER.rglob("*.py"):
        if "_base_" in path.parts:
            continue
        try:  # by its path: "mmseg::" reads all metafiles each time
            model = child(str(path), tmp_path, neck=neck, decode_head=head).model
        except ImportError:  # of mmdet
            continue
        first = model.decode_head[0] if isinstance(model.decode_head, list) else model.decode_head
        assert first.type == "GloReHead", path
        assert len(first) == 7, path  # and nothing of the stock head
        assert model.neck[0].type == "GloReNeck", path
        if len(model.neck) == 2:
            assert isinstance(MODELS.build(model.neck)[0], GloReNeck), path
            necks += 1
        loaded += 1
    assert loaded >= 670
    assert necks >= 59
