"""Serve the web demo: `python -m projects.web_demo --checkpoint CHECKPOINT`."""

import argparse
import threading
from collections.abc import Sequence

from glore_seg.cli import run_tool
from projects.web_demo.handlers import Handlers, Limits, load_page_models
from projects.web_demo.serving import LOOPBACK, serving


def main(argv: Sequence[str] | None = None) -> None:
    """Serve the page until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m projects.web_demo",
        description="Serve a page to try checkpoints on images: label maps of one or two "
        "checkpoints, projection maps and node graph. By default only this machine can open it. "
        "It connects to no other machine.",
        epilog="example: python -m projects.web_demo --checkpoint "
        "work_dirs/fcn_r50_glore_cityscapes/iter_80000.pth",
    )
    files = "checkpoint or ONNX files; two or more can be compared"
    parser.add_argument("--checkpoint", nargs="+", required=True, help=files)
    text = "one for all checkpoints or one for each (default: those in the checkpoints)"
    parser.add_argument("--config", nargs="+", default=[], help=text)
    parser.add_argument("--device", help="such as cpu or cuda:1 (default: the first GPU, else CPU)")
    text = "address to listen on, 0.0.0.0 for all networks (default: %(default)s)"
    parser.add_argument("--host", default=LOOPBACK, help=text)
    parser.add_argument("--port", type=int, default=7860, help="default: %(default)s")
    text = "path under which a reverse proxy serves the page, such as /glore"
    parser.add_argument("--root-path", help=text)
    for name, what in (("megabytes", "file"), ("megapixels", "image")):
        limit, text = getattr(Limits, name), f"of an uploaded {what} (default: %(default)g)"
        parser.add_argument(f"--max-{name}", type=float, default=limit, help=text)
    args = parser.parse_args(argv)
    limits = Limits(megabytes=args.max_megabytes, megapixels=args.max_megapixels)
    handlers = Handlers(load_page_models(args.checkpoint, args.config, device=args.device), limits)
    with serving(handlers, host=args.host, port=args.port, root_path=args.root_path) as address:
        print(f"The page is at {address} (Ctrl+C stops it)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("stopped")


if __name__ == "__main__":
    run_tool(main)
