"""The loss of validation is the head's own on the same images."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config
from glore_seg.engine import ValidationLossHook, build_model
from glore_seg.errors import ConfigError
from tests.fixtures import STREET_SCENES

SIZE = (40, 72)
BINARY = {
    "model.decode_head.num_classes": 2,
    "model.decode_head.out_channels": 1,
    "model.decode_head.loss_decode": {"type": "CrossEntropyLoss", "use_sigmoid": True},
}
TWO_LOSSES = [{"type": "CrossEntropyLoss"}, {"type": "DiceLoss", "loss_weight": 3.0}]


def network(**changes):
    torch.manual_seed(0)
    return build_model(load_config(str(STREET_SCENES), cfg_options=SMALL_NETWORK | changes)).eval()


def batch(model, number):
    generator = torch.Generator().manual_seed(number)
    images = [torch.randint(0, 256, (3, *SIZE), generator=generator) for _ in range(number)]
    samples = []
    for _ in images:
        label = torch.randint(0, model.decode_head.num_classes, (1, *SIZE), generator=generator)
        label[:, :9] = 255
        sample = SegDataSample(gt_sem_seg=PixelData(data=label))
        sample.set_metainfo({"img_shape": SIZE, "ori_shape": SIZE, "img_path": "a.png"})
        samples.append(sample)
    return {"inputs": [image.byte() for image in images], "data_samples": samples}


def measured(model, *batches):
    runner = SimpleNamespace(model=model)
    runner.val_dataloader = SimpleNamespace(dataset=range(sum(len(b["inputs"]) for b in batches)))
    hook, metrics = ValidationLossHook(), {"mIoU": 50.0}
    hook.before_val(runner)
    hook.before_val_epoch(runner)
    for index, one in enumerate(batches):
        with torch.no_grad():
            outputs = model.val_step(one)
        hook.after_val_iter(runner, index, one, outputs)
    hook.after_val_epoch(runner, metrics)
    assert metrics["mIoU"] == 50.0
    return metrics["loss"]


@pytest.mark.parametrize("changes", [{}, BINARY, {"model.decode_head.loss_decode": TWO_LOSSES}])
def test_is_the_heads_own_averaged_over_images(changes):
    model = network(**changes)
    batches = [batch(model, 2), batch(model, 1)]
    expected = []
    for one in batches:
        for image, sample in zip(one["inputs"], one["data_samples"], strict=True):
            single = {"inputs": [image], "data_samples": [sample]}
            data = model.data_preprocessor(single, False)
            with torch.no_grad():
                features = model.extract_feat(data["inputs"])
                losses = model.decode_head.loss(features, data["data_samples"], {})
            expected.append(sum(v for name, v in losses.items() if "loss" in name).item())
    assert len({*expected}) == 3
    assert measured(model, *batches) == pytest.approx(sum(expected) / 3, rel=1e-5)


def test_what_has_no_such_loss():
    model = network()
    hook, runner = ValidationLossHook(), SimpleNamespace(model=torch.nn.Identity())
    with pytest.raises(ConfigError, match="NoneType"):
        hook.before_val(runner)
    one = batch(model, 1)
    del one["data_samples"][0].gt_sem_seg
    with pytest.raises(ConfigError, match=r"a\.png has no gt_sem_seg"):
        measured(model, one)
