"""Two and four processes over gloo that share a batch compute what one process does."""

import json
from itertools import product

import pytest
import torch

pytest.importorskip("mmaction")

from benchmarks.kills.checkpoints import differences
from glore_seg.apis import load_config
from glore_seg.compat.checkpoints import load_weights
from glore_seg.engine import build_model
from glore_seg.engine.checkpoint_checks import check_state_dict
from projects.reproduction.scaling import count_messages
from tests.configs.shrinking import shrink
from tests.engine.conftest import run_python
from tests.engine.several import ORDERS, SAMPLES, SIZE, fixed_image, small_network

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU"),
]
RANKS = [(number, rank) for number in (2, 4) for rank in range(number)]


@pytest.fixture(scope="module")
def found(street_scenes, tmp_path_factory):
    """Folder with the results of tests/engine/several.py, and its config."""
    folder = tmp_path_factory.mktemp("several")
    cfg = shrink(small_network("interaction"), street_scenes, folder / "work_dir", max_iters=4)
    cfg.train_cfg.val_begin = 100
    cfg.dump(folder / "small.py")
    arguments = (folder, street_scenes, folder / "small.py")
    done = run_python("-m", "tests.engine.several", *arguments)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("order", ORDERS)
def test_gradients_and_statistics(found, order):
    alone = torch.load(found / f"{order}_1_0.pt")
    assert alone["decode_head.units.0.gcn.conv1.weight"].abs().max() > 1e-4
    assert alone["decode_head.units.0.blocker.running_var"].std() > 0
    for number, rank in RANKS:
        together = torch.load(found / f"{order}_{number}_{rank}.pt")
        assert together.keys() == alone.keys()
        for name, tensor in together.items():
            torch.testing.assert_close(
                tensor, alone[name], rtol=1e-9, atol=1e-9, msg=f"{name} of {rank} of {number}"
            )


def test_both_orders_are_the_same_function(found):
    coordinate, interaction = (torch.load(found / f"{order}_2_0.pt") for order in ORDERS)
    for name, tensor in interaction.items():
        torch.testing.assert_close(tensor, coordinate[name], rtol=1e-8, atol=1e-8)


def test_scores_of_samples_that_do_not_divide_evenly(found):
    """Exactly: what a sampler pads is dropped."""
    alone = (found / "scores_1_0.json").read_text()
    scores = json.loads(alone)
    assert scores["written"] == {"results": SAMPLES}
    for round_up, device in product((True, False), ("cpu", "gpu")):
        metrics = scores[f"round_up={round_up} {device}"]
        assert metrics["results"] == SAMPLES
        assert metrics["acc/unreadable"] == 1
        assert metrics["mIoU"] == pytest.approx(metrics["mmseg/mIoU"], abs=0.01)
    for number, rank in RANKS:
        assert (found / f"scores_{number}_{rank}.json").read_text() == alone


def test_messages_are_those_that_are_counted(found):
    """Of one iteration, in their order, as torch's profiler saw them."""
    counted = count_messages(load_config(str(found / "small.py")), (3, *SIZE))
    for rank in (0, 1):
        seen = json.loads((found / f"messages_{rank}.json").read_text())
        assert {name for name, _ in seen} == {"gloo:all_reduce"}
        shapes = [shape for _, (shape,) in seen]
        *norms, gradients = [shape for shape in shapes if shape]
        assert sorted(4 * n for (n,) in norms) == sorted(counted.reduced)
        assert [4 * gradients[0]] == list(counted.gradients)
        assert shapes.count([]) == len(counted.loop) == 2
        assert shapes[-2:] == [gradients, []]
        assert counted.gathered == ()


def test_a_sharded_training_saves_what_one_process_loads(found):
    cfg = load_config(str(found / "small.py"))
    held = []
    for rank in (0, 1):
        results = torch.load(found / f"sharded_2_{rank}.pt")
        assert results["iter"] == 2
        assert results["parts"] > 2
        held.append(results["held"])
        model = build_model(cfg).eval()
        state = load_weights(found / "sharded" / "iter_2.pth", "cpu")["state_dict"]
        check_state_dict(model, state, source="it", strict=True)
        model.load_state_dict(state)
        with torch.no_grad():
            assert torch.equal(model(fixed_image(), mode="tensor"), results["out"])
    total = sum(parameter.numel() for parameter in model.parameters())
    assert sum(held) == total
    assert max(held) < 0.6 * total


def test_a_sharded_training_resumes_weights_and_momentum(found):
    paths = (found / "sharded" / "iter_2.pth", found / "again.pth")
    first, again = (load_weights(path, "cpu") for path in paths)
    momentum = first["optimizer"]["state"]["decode_head.units.0.gcn.conv1.weight"]
    assert momentum["momentum_buffer"].abs().max() > 0
    for part in ("state_dict", "optimizer", "param_schedulers"):
        assert list(differences(first[part], again[part], part)) == []
    assert torch.load(found / "sharded_4_0.pt")["iter"] == 4
