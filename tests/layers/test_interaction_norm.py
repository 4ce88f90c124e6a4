"""Statistics of two processes with half of the batch each equal those of one process."""

import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from glore_seg.layers import GloReUnit
from glore_seg.layers.synchronized_norm import SynchronizedBatchNorm

pytestmark = pytest.mark.slow  # starts two processes

C = 8
SHAPE = (3, C, 6, 5)
NORMS = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
CASES = [(0, 0.1), (1, 0.1), (2, None), (3, 0.1)]  # dimensions and momentum
SPLIT = 1  # images of the first process; the second has the others


def make_unit(norm) -> GloReUnit:
    torch.manual_seed(0)
    unit = GloReUnit(C, 3, 4, norm_layer=norm, order="interaction", zero_init=False).double()
    nn.init.uniform_(unit.blocker.weight, 0.5, 1.5)
    return unit


def make_input() -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(SHAPE, dtype=torch.float64)


def run(module: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    x = x.clone().requires_grad_()
    out = module(x)
    out.sin().sum().backward()
    grads = {name: p.grad for name, p in module.named_parameters()}
    return {"out": out.detach(), "x": x.grad, **grads, **dict(module.blocker.named_buffers())}


def run_norm(norm: nn.Module, ndim: int, dtype: torch.dtype, part: slice) -> dict:
    """Two steps of a norm, which averages all batches where its momentum is None."""
    torch.manual_seed(2)
    whole = torch.randn(2, 3, C, *(4, 3, 2)[:ndim], dtype=torch.float64) + 3
    weight = torch.randn_like(whole)
    for x, w in zip(whole[:, part].to(dtype), weight[:, part], strict=True):
        x.requires_grad_()
        out = norm(x)
        (out * w).sum().backward()
    grads = {name: parameter.grad for name, parameter in norm.named_parameters()}
    return {"out": out.detach(), "x": x.grad, **grads, **dict(norm.named_buffers())}


def work(rank: int, store: str, results: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    torch.set_num_threads(1)
    part = slice(None, SPLIT) if rank == 0 else slice(SPLIT, None)
    # torch's DDP refuses SyncBatchNorm on the CPU, so its sum of gradients stands here.
    together = make_unit(nn.SyncBatchNorm)
    found = {"together": run(together, make_input()[part])}
    for parameter in together.parameters():
        dist.all_reduce(parameter.grad)
    for ndim, momentum in CASES:
        norm = SynchronizedBatchNorm(C, momentum=momentum).double()
        found[ndim, momentum] = run_norm(norm, ndim, torch.float64, part)
        for parameter in norm.parameters():
            dist.all_reduce(parameter.grad)
    found["half"] = run_norm(SynchronizedBatchNorm(C), 2, torch.bfloat16, part)
    torch.save(found, f"{results}{rank}.pt")
    dist.barrier()
    # Gloo's own end can wait for a peer that has gone already.
    os._exit(0)


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    arguments = (str(folder / "store"), str(folder / "rank"))
    # Not forked: the test's process has threads, and what they hold would stay held.
    mp.start_processes(work, arguments, nprocs=2, start_method="spawn")
    return [torch.load(folder / f"rank{rank}.pt") for rank in (0, 1)]


def test_unit_in_two_processes_equals_one(ranks):
    first, second = (rank["together"] for rank in ranks)
    for name, expected in run(make_unit(nn.BatchNorm2d), make_input()).items():
        actual = first[name]
        if name in ("out", "x"):
            actual = torch.cat([first[name], second[name]])
        else:
            assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("ndim", "momentum"), CASES)
def test_norm_in_two_processes_equals_one(ranks, ndim, momentum):
    alone = NORMS[ndim](C, momentum=momentum).double()
    expected = run_norm(alone, ndim, torch.float64, slice(None))
    first, second = (rank[ndim, momentum] for rank in ranks)
    for name, value in expected.items():
        if name in ("out", "x"):
            actual = torch.cat([first[name], second[name]])
        else:
            actual = first[name]
            assert torch.equal(actual, second[name]), name
        torch.testing.assert_close(actual, value, rtol=1e-10, atol=1e-10, msg=name)


def test_norm_in_half_precision(ranks):
    expected = run_norm(nn.BatchNorm2d(C), 2, torch.bfloat16, slice(None))
    out = torch.cat([rank["half"]["out"] for rank in ranks])
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out, expected["out"], rtol=1e-2, atol=1e-2)
    found = ranks[0]["half"]["running_var"]
    torch.testing.assert_close(found, expected["running_var"], rtol=1e-5, atol=1e-5)
