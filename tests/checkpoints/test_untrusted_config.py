"""What a config from elsewhere may contain."""

import sys

import pytest

from glore_seg.apis import load_config
from glore_seg.checkpoints.untrusted_config import admit_untrusted
from glore_seg.errors import CheckpointError

CONFIGS = (
    "fcn_r50_glore_cityscapes",
    "fcn_r18_glore_camvid",
    "showcase/segformer_mit-b0_glore_cityscapes",
)


@pytest.mark.parametrize("name", CONFIGS)
def test_accepts_our_configs(name):
    admit_untrusted(load_config(f"configs/{name}.py").to_dict(), source="ours")


@pytest.mark.parametrize(
    "cfg",
    [
        {"model": {"type": "mmseg.GloReHead"}},
        {"model": {"type": "mmengine.SGD", "_scope_": "mmengine"}},
        {"default_scope": "mmpretrain", "custom_imports": {"imports": "mmpretrain.models"}},
        {"custom_imports": {"imports": ["glore_seg", "mmseg.models"]}},
        {"ann_file": "labels.txt", "img_suffix": "_leftImg8bit.png", "keys": ("a", 1, None, 0.5)},
        {"transform": {"type": "torchvision/ConvertImageDtype", "dtype": "float32"}},
        {"trust_remote_code": False},
        {"model": {"pretrained": "open-mmlab://resnet50_v1c"}},
        {"checkpoint_file": "https://download.org/a.pth"},
        {"init_cfg": {"type": "Pretrained", "checkpoint": "https://download.org/a.pth"}},
    ],
)
def test_accepts_plain_values_and_registered_names(cfg):
    admit_untrusted(cfg, source="theirs")


IMPORTED = "which a registry would import; expected a registered name"


@pytest.mark.parametrize(
    ("cfg", "key", "what"),
    [
        ({"model": {"type": "os.system", "command": "true"}}, "model.type", IMPORTED),
        ({"model": {"head": [{"type": "torch.nn.ReLU"}]}}, "model.head.0.type", IMPORTED),
        ({"type": "mmseg.os.system"}, "type", IMPORTED),
        # mmengine's own namespace holds functions that read and write files.
        ({"type": "mmengine.load", "file": "a"}, "type", IMPORTED),
        ({"type": "glore_seg.utils.files.atomic_write"}, "type", IMPORTED),
        ({"type": "antigravity"}, "type", IMPORTED),
        ({"type": ".os"}, "type", IMPORTED),
        ({"hooks": {"ema_type": "subprocess.Popen"}}, "hooks.ema_type", IMPORTED),
        ({"optim_wrapper": {"constructor": "subprocess.run"}}, "constructor", IMPORTED),
        # wherever else a registry may be asked: timm's norm_layer, FSDP's init_fn
        ({"model": {"norm_layer": "os.system"}}, "model.norm_layer", IMPORTED),
        (
            {"custom_imports": {"imports": ["os"]}},
            "custom_imports.imports.0",
            "expected modules of",
        ),
        (
            {"custom_imports": {"imports": "mmsegx.evil"}},
            "imports",
            "expected modules of glore_seg",
        ),
        ({"custom_imports": "../evil"}, "custom_imports", "expected modules of"),
        ({"model": {"_scope_": "evil"}}, "model._scope_", "expected one of mmengine, mmseg"),
        ({"default_scope": "evil"}, "default_scope", "expected one of mmengine, mmseg"),
        ({"_base_": ["./evil.py"]}, "_base_", "without _base_"),
        ({"model": {"_base_": {}}}, "model._base_", "without _base_"),
        ({"loss": {"class_weight": "http://evil.org/w.PKL"}}, "loss.class_weight", "unpickled"),
        ({"ann_file": "a.yaml"}, "ann_file", "unpickled"),
        # mmengine takes a name without a dot for its ending.
        ({"loss": {"class_weight": "pkl"}}, "loss.class_weight", "unpickled"),
        ({"loss": {"class_weight": "http://evil.org/w.json"}}, "loss.class_weight", "a URL"),
        ({"model": {"checkpoint": "s3://evil/w.pth"}}, "model.checkpoint", "a URL"),
        ({"load_from": "https://evil.org/w.pth"}, "load_from", "a URL"),
        ({"dtype": "float32 or print()"}, "dtype", "would evaluate"),
        ({"trust_remote_code": True}, "trust_remote_code", "expected False"),
        ({"model": {"type": print}}, "model.type", "a builtin_function_or_method; expected"),
        ({3: "x"}, "3", "expected plain names as keys"),
        # mmengine dumps keys as they are, and a dumped config is a program.
        ({"model": {"a': print(), 'b": {}}}, "model.a': print(), 'b", "expected plain names"),
    ],
)
def test_rejects_what_could_run_code(cfg, key, what):
    before = set(sys.modules)
    with pytest.raises(CheckpointError, match=r"^theirs: ") as refused:
        admit_untrusted(cfg, source="theirs")
    assert f"{key} is " in str(refused.value)
    assert what in str(refused.value)
    assert not {"antigravity", "runpy"} & (set(sys.modules) - before)


def test_any_depth():
    cfg: dict = {"type": "os.system"}
    for _ in range(5000):
        cfg = {"a": [cfg]}
    with pytest.raises(CheckpointError, match=r"os\.system"):
        admit_untrusted(cfg, source="theirs")


def test_removes_pretrained_weights():
    """timm would download them while the network is built."""
    cfg = {"model": {"pretrained": "a://b", "parts": ({"pretrained": True}, {"depth": 18})}}
    admit_untrusted(cfg, source="theirs")
    assert cfg == {"model": {"pretrained": None, "parts": ({"pretrained": None}, {"depth": 18})}}
