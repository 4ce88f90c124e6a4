"""Share networks through the Hugging Face hub: `hub.py save`, `hub.py push`, `hub.py pull`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  patches OpenMMLab, therefore first
from glore_seg.apis import load_config
from glore_seg.apis.hub import pull_from_hub, push_to_hub, save_pretrained
from glore_seg.cli import add_cfg_options, run_tool


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Write a trained network as a folder of weights, config and model card, upload "
        "such a folder to the Hugging Face hub, and download one. Nothing in a folder is run.",
        epilog="example: python tools/model_converters/hub.py save "
        "configs/fcn_r50_glore_cityscapes.py CHECKPOINT glore_r50",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    save = commands.add_parser("save", help="write a folder")
    save.add_argument("config", help="config file")
    save.add_argument("checkpoint", help="checkpoint file")
    save.add_argument("folder", type=Path, help="folder to write")
    save.add_argument("--overwrite", action="store_true", help="replace weights and config there")
    add_cfg_options(save)
    push = commands.add_parser("push", help="upload a folder to the hub")
    push.add_argument("folder", type=Path, help="folder that save wrote; edit its README.md first")
    push.add_argument("repository", help="OWNER/NAME, created if missing")
    push.add_argument("--public", action="store_true", help="make a new repository public")
    push.add_argument("--message", help="commit message")
    pull = commands.add_parser("pull", help="download a network from the hub and check it")
    pull.add_argument("repository", help="OWNER/NAME")
    pull.add_argument("folder", type=Path, help="folder to write")
    pull.add_argument("--revision", help="branch, tag or commit (default: the main branch)")
    pull.add_argument("--overwrite", action="store_true", help="replace the files there")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Save, push or pull."""
    args = parse_args(argv)
    if args.command == "save":
        cfg = load_config(args.config, cfg_options=args.cfg_options)
        save_pretrained(cfg, args.checkpoint, args.folder, overwrite=args.overwrite)
        print(f"wrote {args.folder}; complete the card {args.folder / 'README.md'} before you push")
    elif args.command == "push":
        where = push_to_hub(
            args.folder, args.repository, private=not args.public, message=args.message
        )
        print(f"pushed {args.folder} to {where}")
    else:
        pull_from_hub(
            args.repository, args.folder, revision=args.revision, overwrite=args.overwrite
        )
        print(f"wrote {args.folder}; load it by glore_seg.apis.hub.from_pretrained")


if __name__ == "__main__":
    run_tool(main)
