"""Configs of Table 1, Table 2 and Figure 4: networks, the paper's settings, a step of training."""

import copy
import math
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from glore_seg.apis import load_config
from glore_seg.engine import build_model
from glore_seg.layers import GloReUnit, NonLocalBlock

structures = pytest.importorskip("mmpretrain.structures")

FOLDER = Path(__file__).parents[2] / "configs" / "classification"
NAMES = sorted(
    str(path.relative_to(FOLDER).with_suffix(""))
    for path in FOLDER.rglob("*.py")
    if path.stem.endswith(("_in1k", "_figure4"))
)
TABLE_2 = {
    "resnet50": ("", "_glore-0-3", "_glore-2-3"),
    "se-resnet50": ("", "_glore-0-3"),
    "resnet200": ("", "_glore-0-3", "_glore-2-3"),
    "resnext101-32x4d": ("", "_glore-2-3"),
    "dpn98": ("", "_glore-2-3"),
    "dpn131": ("", "_glore-2-3"),
}


@cache
def load(name: str) -> Config:
    """The config, read once; read only."""
    return load_config(str(FOLDER / f"{name}.py"))


def test_every_row_and_point_has_a_config():
    rows = {f"{arch}{units}_in1k" for arch, variants in TABLE_2.items() for units in variants}
    assert len(rows) == 14
    table_1 = {f"resnet50_glore-0-1{g}_in1k" for g in ("", "_g2", "_g3")}
    points = {
        *(f"glore-{n}-{m}" for n, m in ((1, 0), (0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))),
        *(f"{kind}-{n}-{m}" for kind in ("nonlocal", "nonlocal-pooled")
          for n, m in ((1, 0), (0, 1), (0, 3), (2, 3))),
    }  # fmt: skip
    figure_4 = {f"figure4/resnet50_{point}_figure4" for point in points}
    assert set(NAMES) == rows | table_1 | figure_4


@pytest.mark.parametrize("name", NAMES)
def test_network_matches_the_name(name):
    cfg = load(name)
    assert cfg.work_dir == str(Path("work_dirs") / Path(name).name)
    with torch.device("meta"):
        model = build_model(cfg)
    arch, _, units = Path(name).name.partition("_")
    assert model.backbone.arch == arch
    assert model.head.fc.in_features == model.backbone.feature_channels[-1]
    stages = [list(stage.units().values()) for stage in model.backbone.stages()]
    kind, numbers = units.split("_")[0].rsplit("-", 2)[0], units.split("_")[0].rsplit("-", 2)[1:]
    expected = [0, *map(int, numbers), 0] if "-" in units else [0, 0, 0, 0]
    assert [len(stage) for stage in stages] == expected
    for unit in (unit for stage in stages for unit in stage):
        assert unit.zero_init == (not name.startswith("figure4/"))
        if kind == "glore":
            assert isinstance(unit, GloReUnit)
            sizes = unit.num_nodes, unit.num_states
            assert sizes == (unit.in_channels // 4, unit.in_channels // 2)
            assert not unit.normalize
        else:
            assert isinstance(unit, NonLocalBlock)
            assert unit.pooled == (kind == "nonlocal-pooled")


@pytest.mark.parametrize(("name", "count"), [("", 1), ("_g2", 2), ("_g3", 3)])
def test_graph_convolutions_of_table_1(name, count):
    with torch.device("meta"):
        model = build_model(load(f"resnet50_glore-0-1{name}_in1k"))
    (unit,) = (m for m in model.modules() if isinstance(m, GloReUnit))
    names = {n for n, _ in unit.named_children() if n.startswith("gcn")}
    assert names == {"gcn", "gcn2", "gcn3"} - {f"gcn{i}" for i in range(count + 1, 4)}


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_the_papers(name):
    cfg = load(name)
    optimizer = cfg.optim_wrapper.optimizer
    rate = 0.3 if name.startswith("se-") else 0.4
    assert (optimizer.type, optimizer.lr, optimizer.weight_decay) == ("SGD", rate, 2e-4)
    assert 8 * cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 2048
    schedule = cfg.param_scheduler
    assert (schedule.type, schedule.get("gamma", 0.1)) == ("MultiStepLR", 0.1)
    assert max(schedule.milestones) < cfg.train_cfg.max_epochs
    train, test = cfg.train_dataloader.dataset.pipeline, cfg.test_dataloader.dataset.pipeline
    assert [t.scale for t in train if t.type == "RandomResizedCrop"] == [224]
    assert [t.crop_size for t in test if t.type == "CenterCrop"] == [224]
    checkpoint = cfg.default_hooks.checkpoint
    assert (checkpoint.save_best, checkpoint.rule) == ("accuracy/top1", "greater")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [*(f"{arch}{variants[-1]}_in1k" for arch, variants in TABLE_2.items()),
     "resnet50_glore-0-1_g3_in1k", "figure4/resnet50_nonlocal-pooled-2-3_figure4"],
)  # fmt: skip
def test_trains_for_a_step(name):
    width = 0.125 if name.startswith(("resnet", "se-", "figure4")) else 0.25
    width = 0.25 if name.startswith("resnext") else width
    cfg = copy.deepcopy(load(name))
    cfg.model.backbone.width = width
    cfg.model.head.in_channels = int(cfg.model.head.in_channels * width)
    torch.manual_seed(0)
    model = build_model(cfg)
    model.init_weights()
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = {k: p.detach().clone() for k, p in model.named_parameters()}
    samples = [structures.DataSample().set_gt_label(label) for label in (3, 7)]
    images = list(torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8))
    logs = model.train_step({"inputs": images, "data_samples": samples}, wrapper)
    assert math.isfinite(logs["loss"].item())
    moved = {k for k, p in model.named_parameters() if not p.equal(before[k])}
    assert "backbone.conv1.conv.weight" in moved
    assert "head.fc.weight" in moved
    norms = {k for k in before if k.endswith(("_extra.blocker.weight", "_extra.norm.weight"))}
    assert norms
    assert norms <= moved
