"""The average over passes against the plain one, from mmseg's own segmentor pass by pass."""

import copy
import gc
from itertools import product

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from mmseg.models.segmentors import SegTTAModel
from mmseg.registry import MODELS, TRANSFORMS
from torch import nn

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config
from glore_seg.engine import build_model
from glore_seg.errors import ConfigError
from glore_seg.models import AccumulatingSegTTAModel, GloReHead
from glore_seg.models.segmentors.lean_logits import predict_logits
from tests.fixtures import STREET_SCENES

SIZE = (36, 60)
CLASSES = 5
RATIOS = (2.0, 1.3, 1.0, 0.5)
SLIDE = {"mode": "slide", "crop_size": (32, 40), "stride": (20, 24)}


@pytest.fixture(autouse=True)
def mmseg_scope():
    with DefaultScope.overwrite_default_scope("mmseg"):
        yield


@MODELS.register_module()
class HeadThatPools(GloReHead):
    """A head whose way to the input's size is its own."""

    def predict_by_feat(self, seg_logits, batch_img_metas):
        size = batch_img_metas[0]["img_shape"][:2]
        return nn.functional.adaptive_avg_pool2d(seg_logits, tuple(size))


def build_module(
    *, classes=CLASSES, align_corners=False, head="GloReHead", test_cfg=None, pad_cfg=None
):
    torch.manual_seed(0)
    cfg = load_config(str(STREET_SCENES), cfg_options=SMALL_NETWORK)
    cfg.model.data_preprocessor = {
        "type": "SegDataPreProcessor",
        "mean": [120.0] * 3,
        "std": [60.0] * 3,
        "bgr_to_rgb": True,
        "test_cfg": pad_cfg,
    }
    cfg.model.decode_head.update(type=head, num_classes=classes, align_corners=align_corners)
    if classes == 2:
        cfg.model.decode_head.update(out_channels=1, threshold=0.5)
    cfg.model.test_cfg = test_cfg or {"mode": "whole"}
    module = build_model(cfg).eval()
    # A fresh classifier says the same everywhere, which would hide mistakes.
    classifier = module.decode_head.conv_seg
    nn.init.normal_(classifier.weight)
    with torch.no_grad():
        image = torch.from_numpy(images()[0]["img"]).permute(2, 0, 1)
        inputs = (image.flip(0) - 120.0)[None] / 60.0  # as the preprocessor makes them
        logits = module.decode_head(module.extract_feat(inputs))
        spread = logits.std((0, 2, 3), keepdim=True)
        classifier.weight /= spread.view(-1, 1, 1, 1)
        classifier.bias = nn.Parameter(-(logits / spread).mean((0, 2, 3)))
    return module


def transforms(directions=("horizontal",)):
    flips = [{"type": "RandomFlip", "prob": 0.0}]
    flips += [{"type": "RandomFlip", "prob": 1.0, "direction": one} for one in directions]
    resizes = [{"type": "Resize", "scale_factor": r, "keep_ratio": True} for r in RATIOS]
    pack = [{"type": "PackSegInputs"}]
    return [resizes, flips, pack]


def images(count=1):
    rng = np.random.default_rng(1)
    return [
        {
            "img": rng.integers(0, 256, (6, 10, 3), np.uint8).repeat(6, 0).repeat(6, 1),
            "img_path": f"{i}.png",
            "img_shape": SIZE,
            "ori_shape": SIZE,
        }
        for i in range(count)
    ]


def augmented(kind, *, count=1, **options):
    augment = TRANSFORMS.build({"type": kind, "transforms": transforms(**options)})
    return pseudo_collate([augment(copy.deepcopy(image)) for image in images(count)])


def plain_average(module, data, average):
    """Stack every pass of mmseg's segmentor, and only then take the mean."""
    passes = []
    for inputs, samples in zip(data["inputs"], data["data_samples"], strict=True):
        batch = {"inputs": inputs, "data_samples": copy.deepcopy(samples)}
        with torch.no_grad():
            outputs = module.test_step(batch)
        logits = torch.stack([output.seg_logits.data for output in outputs])
        passes.append(logits.softmax(1) if average == "probabilities" else logits)
    return torch.stack(passes).mean(0)


@pytest.mark.parametrize("average", ["probabilities", "logits"])
@pytest.mark.parametrize(
    "test_cfg", [None, pytest.param(SLIDE, marks=pytest.mark.slow)], ids=["whole", "slide"]
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        pytest.param({"align_corners": True}, marks=pytest.mark.slow),
        {"head": "HeadThatPools"},
        pytest.param({"pad_cfg": {"size_divisor": 16}}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_equals_the_plain_average(average, test_cfg, options):
    module = build_module(test_cfg=test_cfg, **options)
    data = augmented("TestTimeAug", count=2, directions=("horizontal", "vertical"))
    assert len(data["inputs"]) == 12
    expected = plain_average(module, data, average)
    model = AccumulatingSegTTAModel(module, average=average)
    _, means = model.mean_scores(copy.deepcopy(data))
    means = torch.stack(means)
    assert means.shape == (2, CLASSES, *SIZE)
    assert (means - expected).abs().max() < 1e-5 * expected.abs().max()
    assert expected.std() > 0.02  # it says something
    samples = model.test_step(data)
    for sample, mean in zip(samples, means, strict=True):
        assert sample.pred_sem_seg.data.equal(mean.argmax(0, keepdim=True))
    assert means.argmax(1).unique().numel() > 1


def test_predicts_as_mmsegs_model_does():
    module = build_module()
    data = augmented("TestTimeAug")
    with torch.no_grad():
        (theirs,) = SegTTAModel(module).test_step(copy.deepcopy(data))
    (mine,) = AccumulatingSegTTAModel(module).test_step(data)
    same = mine.pred_sem_seg.data.squeeze() == theirs.pred_sem_seg.data.squeeze()
    assert same.float().mean() > 0.999
    assert mine.metainfo["img_path"] == theirs.metainfo["img_path"] == "0.png"


def test_one_output_channel():
    module, data = build_module(classes=2), augmented("TestTimeAug")
    model = AccumulatingSegTTAModel(module)
    _, (mean,) = model.mean_scores(copy.deepcopy(data))
    assert mean.shape == (1, *SIZE)
    passes = []
    for index in range(len(data["inputs"])):
        one = {key: value[index : index + 1] for key, value in copy.deepcopy(data).items()}
        passes.append(AccumulatingSegTTAModel(module, average="logits").mean_scores(one)[1][0])
    assert torch.allclose(mean, torch.stack(passes).sigmoid().mean(0), atol=1e-6)
    (sample,) = model.test_step(data)
    assert sample.pred_sem_seg.data.equal((mean > 0.5).float())


def test_lazy_passes_are_the_eager_ones():
    eager, lazy = augmented("TestTimeAug", count=2), augmented("LazyTestTimeAug", count=2)
    model = AccumulatingSegTTAModel(build_module())
    for a, b in zip(model.mean_scores(lazy)[1], model.mean_scores(eager)[1], strict=True):
        assert a.equal(b)


@pytest.mark.slow
def test_one_buffer_however_many_passes():
    """While the network runs there is one tensor of the sum's size, and none at first."""
    module, found = build_module(), []
    full = CLASSES * SIZE[0] * SIZE[1]

    def look(*_):
        # isinstance() would ask a dead proxy, which other tests may leave, for its class
        tensors = (o for o in gc.get_objects() if issubclass(type(o), torch.Tensor))
        # views share their storage with the tensor that they look at
        storages = {t.untyped_storage().data_ptr() for t in tensors if t.numel() == full}
        found.append(len(storages))

    module.decode_head.register_forward_pre_hook(look)
    data = augmented("LazyTestTimeAug")
    look()  # what earlier tests left
    AccumulatingSegTTAModel(module).test_step(data)
    before = found.pop(0)
    assert [count - before for count in found] == [0, 0] + [1] * (2 * len(RATIOS) - 2)


@pytest.mark.parametrize(("height", "width"), product((32, 33, 50), (40, 64, 87)))
def test_sliding_windows_are_mmsegs(height, width):
    module = build_module(test_cfg=SLIDE)
    inputs = torch.rand(1, 3, height, width)
    meta = {"ori_shape": (height, width), "img_shape": (height, width)}
    with torch.no_grad():
        mine = predict_logits(module, inputs, [meta])
        theirs = module.slide_inference(inputs, [dict(meta)])
    assert not mine.coarse
    assert meta["img_shape"] == (height, width)  # told to the network, not to the caller
    assert torch.allclose(mine.values, theirs, atol=1e-5)


def test_rejects_what_does_not_fit():
    module = build_module()
    with pytest.raises(ConfigError, match="got 'mean'"):
        AccumulatingSegTTAModel(module, average="mean")
    with pytest.raises(ConfigError, match=r"0\.png.*'diagonal'"):
        AccumulatingSegTTAModel(module).test_step(
            augmented("TestTimeAug", directions=("diagonal",))
        )
    module.test_cfg["mode"] = "sliding"
    with pytest.raises(ConfigError, match="got 'sliding'"):
        AccumulatingSegTTAModel(module).test_step(augmented("TestTimeAug"))
    other = nn.Identity()
    other.test_step = None
    with pytest.raises(ConfigError, match="module is a Identity"):
        AccumulatingSegTTAModel(other)
