"""Convert weights of other code bases: `python tools/model_converters/convert.py SOURCE IN OUT`."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

import glore_seg  # noqa: F401  patches OpenMMLab, therefore first
from glore_seg.apis import load_config
from glore_seg.checkpoints import (
    SOURCES,
    convert,
    head_classes,
    read_state_dict,
    require_complete,
    write_state_dict,
)
from glore_seg.cli import add_cfg_options, run_tool
from glore_seg.engine import build_model
from glore_seg.utils.files import check_free

CONFIGS = Path(__file__).parents[2] / "configs"
MAIN = CONFIGS / "fcn_r50_glore_cityscapes.py"
# Prefix of a block that only ResNet-101 has, and the config for a depth.
LAST_BLOCKS = {
    "paddleseg": ("backbone.bb_2_22.", "paddleseg/fcn_r{}-vd_glore_cityscapes.py"),
    "authors-video": ("conv4.B23.", "video/r{}_glore_kinetics400.py"),
}

OUTPUT_STRIDES = """Options for weights that were trained with another:
  16: --cfg-options model.backbone.strides=1,2,2,1 model.backbone.dilations=1,1,1,2 \
model.backbone.multi_grid=None
  32: --cfg-options model.backbone.strides=1,2,2,2 model.backbone.dilations=1,1,1,1 \
model.backbone.multi_grid=None"""


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Convert weights of the authors, PaddleSeg, torchvision, timm or mmpretrain, "
        "report which fit the network of a config, and write that config beside them.",
        epilog="example: python tools/model_converters/convert.py timm resnet50d.safetensors "
        "resnet50_v1d.pth --cfg-options model.backbone.variant=v1d",
    )
    parser.add_argument("source", choices=SOURCES, help="source of the weights")
    parser.add_argument("weights", type=Path, help="file to read; code in it is not run")
    parser.add_argument("out", type=Path, help="file to write, .pth or .safetensors")
    parser.add_argument(
        "--config",
        help="network that the weights are for (default: configs/fcn_r50_glore_cityscapes.py, "
        "and for paddleseg and authors-video the one of its depth in configs/paddleseg or video)",
    )
    parser.add_argument("--head-only", action="store_true", help="the file holds only the head")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT")
    add_cfg_options(parser)
    return parser.parse_args(argv)


def default_config(source: str, names: Sequence[str]) -> str:
    """Return the config of a source's network, whose depth the names of its blocks show."""
    if source not in LAST_BLOCKS:
        return str(MAIN)
    last_block, config = LAST_BLOCKS[source]
    depth = 101 if any(name.startswith(last_block) for name in names) else 50
    return str(CONFIGS / config.format(depth))


def set_classes(cfg: Config, found: dict[str, int]) -> None:
    """Give the heads of a config the number of classes that the weights have."""
    for name, number in found.items():
        head = cfg.model.get(name)
        if not isinstance(head, dict) or head.get("out_channels") is not None:
            continue
        if head.num_classes != number:
            print(
                f"{name} has {number} classes in the file and {head.num_classes} in the config: "
                f"{number} are written; give the config a dataset with them (docs/your_data.md)"
            )
            head.num_classes = number


def main(argv: Sequence[str] | None = None) -> None:
    """Convert, and write nothing if a required parameter is missing."""
    args = parse_args(argv)
    state = read_state_dict(args.weights)
    cfg = load_config(
        args.config or default_config(args.source, list(state)), cfg_options=args.cfg_options
    )
    set_classes(cfg, head_classes(state, args.source))
    model = build_model(cfg)
    backbone_only = SOURCES[args.source].backbone_only
    part = model.backbone if backbone_only else model
    converted, comparison = convert(state, args.source, part.state_dict())
    print(f"{args.weights} -> {type(part).__name__}\n{comparison}")
    if args.source == "paddleseg":
        stride = 4 * math.prod(model.backbone.strides)
        print(
            f"The network has output stride {stride}, which weights do not show. {OUTPUT_STRIDES}"
        )
    require_complete(comparison, args.source, name=str(args.weights), head_only=args.head_only)
    config_file = args.out.with_suffix(".py")
    if not backbone_only:
        check_free(config_file, overwrite=args.overwrite)
    meta = {"source": args.source}
    write_state_dict(args.out, converted, meta=meta, overwrite=args.overwrite)
    print(f"wrote {args.out}")
    if backbone_only:
        print(f"use it: --cfg-options model.pretrained={args.out}")
    else:
        if "pretrained" in cfg.model:
            cfg.model.pretrained = None
        cfg.dump(config_file)
        print(f"wrote {config_file}; evaluate it: python tools/test.py {config_file} {args.out}")


if __name__ == "__main__":
    run_tool(main)
