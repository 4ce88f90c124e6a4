"""What the patches are for, tried one after the other; run as a script in a fresh interpreter.

``python probes.py FOLDER [patched]`` prints one JSON object: a probe's name to its answer, or to
the error that it raised. With ``patched``, compat is applied first; without, glore_seg is never
imported. No package of the project stands in the way of either.
"""

import importlib.util
import json
import os
import pickle
import socket
import sys
import threading
import warnings
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

warnings.simplefilter("ignore")


class Hostile:
    """Pickles into a call that makes a folder."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def skipped_without(*modules):
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


def packages(_):
    from mmengine.config import Config
    from mmengine.utils import get_installed_path, is_installed

    scope = Config.fromstring("_base_ = 'mmseg::_base_/default_runtime.py'", ".py").default_scope
    return [scope, get_installed_path("mmseg"), is_installed("mmseg"), is_installed("no_such")]


def init_dist(_):
    from mmengine.dist import get_dist_info
    from mmengine.dist import init_dist as upstream_init_dist

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ.update(
        RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    upstream_init_dist("pytorch", backend="gloo")
    return list(get_dist_info())


def init_dist_nccl(_):
    from mmengine.dist import init_dist as upstream_init_dist

    upstream_init_dist("pytorch", backend="nccl")


def history_buffer(folder):
    import torch
    from mmengine.logging import HistoryBuffer
    from mmengine.runner import CheckpointLoader

    torch.save({"loss": HistoryBuffer([2.0, 4.0], [1, 1])}, folder / "history.pth")
    # Not through the loader alone: other readers call torch.load.
    torch.load(folder / "history.pth", weights_only=True)
    loaded = CheckpointLoader.load_checkpoint(str(folder / "history.pth"))["loss"]
    return [type(loaded).__name__, loaded.statistics("mean"), loaded.max()]


def _refused(load, made):
    """Whether a hostile file was refused, and whether its code ran."""
    try:
        load()
    except (pickle.UnpicklingError, ValueError):  # torch's, or the CheckpointError of the patch
        return ["refused", made.exists()]
    return ["loaded", made.exists()]


def hostile_file(folder):
    import torch
    from mmengine.runner import CheckpointLoader

    made = folder / "made_by_file"
    torch.save({"state_dict": Hostile(made)}, folder / "hostile_file.pth")
    path = str(folder / "hostile_file.pth")
    return _refused(lambda: CheckpointLoader.load_checkpoint(path), made)


def hostile_download(folder):
    import torch
    from mmengine.runner import CheckpointLoader

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_):
            pass

    os.environ["TORCH_HOME"] = str(folder / "torch_home")
    made = folder / "made_by_download"
    torch.save({"state_dict": Hostile(made)}, folder / "hostile_download.pth")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/hostile_download.pth"
    try:
        return _refused(lambda: CheckpointLoader.load_checkpoint(url), made)
    finally:
        server.shutdown()


def cityscapes(folder):
    if skipped_without("cityscapesscripts"):
        return "skipped: cityscapesScripts is not installed"
    import numpy as np
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as scripts
    from PIL import Image

    truth = np.full((8, 16), 7, np.uint8)
    truth[:, 8:] = 26
    instances = truth.astype(np.uint16)
    instances[:, 8:] = 26001
    seen = truth.copy()
    seen[:, 8:10] = 7
    names = [folder / f"aachen_000000_000019_{kind}.png" for kind in ("p", "labelIds")]
    for name, image in zip(names, (seen, truth), strict=True):
        Image.fromarray(image).save(name)
    Image.fromarray(instances).save(str(names[1]).replace("labelIds", "instanceIds"))
    scripts.args.quiet = True
    scripts.args.JSONOutput = False

    scores = scripts.evaluateImgLists([str(names[0])], [str(names[1])], scripts.args)
    return [scores["classScores"]["road"], scores["classScores"]["car"], hasattr(np, "in1d")]


def torchvision(_):
    if skipped_without("torchvision"):
        return "skipped: torchvision is not installed"
    import torch
    import torchvision.models
    import torchvision.transforms

    model = torchvision.models.resnet18(num_classes=3).eval()
    return list(model(torch.zeros(1, 3, 32, 32)).shape)


def mmseg_models(_):
    import mmseg.datasets
    import mmseg.models  # noqa: F401
    from mmseg.registry import MODELS

    return "EncoderDecoder" in MODELS


def point_sample(_):
    """A part of mmcv.ops that is plain torch."""
    import torch
    from mmcv.ops import point_sample as upstream_point_sample

    plane = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    return upstream_point_sample(plane, torch.tensor([[[0.25, 0.25], [0.5, 0.5]]])).tolist()


def compiled_operator(_):
    import torch
    from mmcv.ops import roi_align

    roi_align(torch.zeros(1, 1, 4, 4), torch.zeros(1, 5), 2, 1.0, 0, "avg", True)


def mmcv_full(_):
    from mmengine.utils.dl_utils import mmcv_full_available

    return [mmcv_full_available(), "mmcv._ext" in sys.modules]


def environment_report(_):
    from mmengine.utils.dl_utils import collect_env

    return "MMEngine" in collect_env()


def mmpretrain_models(_):
    if skipped_without("mmpretrain", "torchvision"):
        return f"skipped: {skipped_without('mmpretrain', 'torchvision')}"
    import mmpretrain.models  # noqa: F401
    from mmpretrain.registry import MODELS

    return "ImageClassifier" in MODELS


def mmaction_models(_):
    if skipped_without("mmaction", "einops", "torchvision"):
        return f"skipped: {skipped_without('mmaction', 'einops', 'torchvision')}"
    import mmaction.models  # noqa: F401
    from mmaction.registry import MODELS

    return "Recognizer3D" in MODELS


def mmaction_drn(_):
    if skipped_without("mmaction"):
        return "skipped: mmaction2 is not installed"
    from mmaction.models.localizers import DRN

    DRN(vocab_size=1)


PROBES = (
    packages,
    init_dist_nccl,
    init_dist,
    history_buffer,
    hostile_file,
    hostile_download,
    cityscapes,
    torchvision,
    mmseg_models,
    point_sample,
    compiled_operator,
    mmcv_full,
    environment_report,
    mmpretrain_models,
    mmaction_models,
    mmaction_drn,
)


def main():
    folder = Path(sys.argv[1])
    answers = {}
    if "patched" in sys.argv:
        from glore_seg import compat

        compat.apply()
        compat.apply()
    for probe in PROBES:
        try:
            answers[probe.__name__] = probe(folder)
        except Exception as error:
            answers[probe.__name__] = f"{type(error).__name__}: {error}"
    if "patched" in sys.argv:  # after the imports that some patches wait for
        answers["states"] = {patch.name: patch.state for patch in compat.report().patches}
    print("\n" + json.dumps(answers))


if __name__ == "__main__":
    main()
