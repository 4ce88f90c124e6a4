"""Compare context modules at 512 channels: time, memory, MACs, growth with size.

``python -m benchmarks.context_modules --threads 2 --json modules.json --plot modules.png``

All are OpenMMLab's code. Pyramid and atrous pooling are as in their papers: PSPNet with 128
channels per scale and a final 3x3 convolution, DeepLabv3 with 256 per branch and a final 1x1.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import glore_seg  # noqa: F401  patches OpenMMLab, therefore first
from benchmarks.common import begin, draw_lines, finish, make_parser
from glore_seg.apis import count_complexity
from glore_seg.layers import GloReUnit
from glore_seg.utils.progress import track
from projects.reproduction.measure import saved_bytes, side_by_side

C = 512
SIZES = ((32, 64), (64, 64), (64, 128), (128, 128), (128, 256))
TABLE = ((64, 128), (128, 256))
# Maps of L x L in memory during the backward pass.
ATTENTION_MAPS = 4


class Pooled(nn.Module):
    """Branches, resized to the input, and a convolution over all of them."""

    def __init__(self, branches: nn.Module, back: nn.Module, *, pool: nn.Module | None, keep: bool):
        super().__init__()
        self.branches, self.back, self.pool, self.keep = branches, back, pool, keep

    def forward(self, x: Tensor) -> Tensor:
        outs = list(self.branches(x))
        if self.pool is not None:
            pooled = self.pool(x)
            outs.append(nn.functional.interpolate(pooled, x.shape[2:], mode="bilinear"))
        return self.back(torch.cat([x, *outs] if self.keep else outs, 1))


def psp() -> nn.Module:
    """PSPNet's pyramid pooling."""
    from mmcv.cnn import ConvModule
    from mmseg.models.decode_heads.psp_head import PPM

    norms = {"conv_cfg": None, "norm_cfg": {"type": "BN"}, "act_cfg": {"type": "ReLU"}}
    # No norm after pooling: one value per channel has no variance at batch size 1.
    branches = PPM((1, 2, 3, 6), C, C // 4, align_corners=False, **{**norms, "norm_cfg": None})
    return Pooled(branches, ConvModule(2 * C, C, 3, padding=1, **norms), pool=None, keep=True)


def aspp() -> nn.Module:
    """DeepLabv3's atrous pyramid."""
    from mmcv.cnn import ConvModule
    from mmseg.models.decode_heads.aspp_head import ASPPModule

    norms = {"conv_cfg": None, "norm_cfg": {"type": "BN"}, "act_cfg": {"type": "ReLU"}}
    branches = ASPPModule((1, 12, 24, 36), C, C // 2, **norms)
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), ConvModule(C, C // 2, 1))  # no norm, as above
    return Pooled(branches, ConvModule(5 * C // 2, C, 1, **norms), pool=pool, keep=False)


def non_local() -> nn.Module:
    """The non-local block, embedded Gaussian."""
    from mmcv.cnn import NonLocal2d

    return NonLocal2d(C, reduction=2, mode="embedded_gaussian")


def dnl() -> nn.Module:
    """The disentangled non-local block."""
    from mmseg.models.decode_heads.dnl_head import DisentangledNonLocal2d

    return DisentangledNonLocal2d(
        in_channels=C, reduction=2, mode="embedded_gaussian", temperature=0.05
    )


def danet() -> nn.Module:
    """DANet's two attentions, summed."""
    from mmseg.models.decode_heads.da_head import CAM, PAM

    class Dual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.position, self.channel = PAM(C, C // 8), CAM()

        def forward(self, x: Tensor) -> Tensor:
            return self.position(x) + self.channel(x)

    return Dual()


def context_block() -> nn.Module:
    """GCNet's block."""
    from mmcv.cnn import ContextBlock

    return ContextBlock(C, ratio=1 / 4)


def criss_cross() -> nn.Module:
    """CCNet's attention, twice."""
    from mmcv.ops import CrissCrossAttention

    attention = CrissCrossAttention(C)
    return nn.Sequential(attention, attention)


MODULES: dict[str, Callable[[], nn.Module]] = {
    "GloRe": partial(GloReUnit, C, 64, 128),
    "GC": context_block,
    "criss-cross": criss_cross,
    "PSP": psp,
    "ASPP": aspp,
    "DANet": danet,
    "non-local": non_local,
    "DNL": dnl,
}
QUADRATIC = ("DANet", "non-local", "DNL")


def reason_against(name: str, length: int, max_gb: float) -> str | None:
    """Reason not to run a module, or None."""
    needed = ATTENTION_MAPS * 4 * length**2 / 1e9
    if name in QUADRATIC and needed > max_gb:
        return f"not run: needs {needed:.0f} GB"
    return None


def measure(sizes: tuple[int, int], args: Any) -> list[dict[str, Any]]:
    """Rows of all modules at one size, timed in turns."""
    length = sizes[0] * sizes[1]
    reasons = {name: reason_against(name, length, args.max_gb) for name in MODULES}
    x = torch.randn(1, C, *sizes, requires_grad=True)
    gradient = torch.randn_like(x)
    modules = {name: make() for name, make in MODULES.items() if reasons[name] is None}

    @torch.no_grad()
    def infer(module: nn.Module) -> Tensor:
        return module(x)

    def train(module: nn.Module) -> None:
        module(x).backward(gradient)
        x.grad = None

    times = {}
    for title, way in (("forward", infer), ("forward + backward", train)):
        for module in modules.values():
            module.train(way is train)
        ways = {name: partial(way, module) for name, module in modules.items()}
        limits = {"rounds": args.rounds, "max_seconds": args.max_seconds}
        times[title] = side_by_side(ways, warmup=1, **limits)
    rows = []
    for name, make in MODULES.items():
        row: dict[str, Any] = {"module": name, "size": f"{sizes[0]} x {sizes[1]}"}
        for title in times:
            row[f"{title}, ms"] = (
                reasons[name] or round(times[title][name].milliseconds, 1)  # the reason, once
                if title == "forward" or reasons[name] is None
                else None
            )
        row["saved for backward, MB"] = None
        if reasons[name] is None:
            module = modules[name]
            kept = saved_bytes(partial(module, x), beyond=[x, *module.parameters()])
            row["saved for backward, MB"] = kept / 1e6
        counts = count_complexity(make(), (1, C, *sizes))
        row["MACs, G"] = counts.macs / 1e9
        row["parameters, M"] = counts.params / 1e6
        rows.append(row)
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Measure all modules at all sizes, print and draw."""
    parser = make_parser(
        "Time context modules at 512 channels, batch 1, fp32.",
        example="python -m benchmarks.context_modules --json modules.json --plot modules.png",
    )
    parser.set_defaults(rounds=5)
    parser.add_argument(
        "--max-seconds", type=float, default=20.0, help="time limit of a size (default: 20)"
    )
    parser.add_argument(
        "--max-gb",
        type=float,
        default=6.0,
        help="skip modules that need more memory for their L x L maps (default: 6)",
    )
    parser.add_argument(
        "--largest",
        type=int,
        default=128 * 256,
        help="largest number of positions (default: 32768)",
    )
    args = parser.parse_args(argv)
    header = begin(args)
    wanted = [sizes for sizes in SIZES if sizes[0] * sizes[1] <= args.largest]
    rows = [
        {"positions": sizes[0] * sizes[1], **row}
        for sizes in track(wanted, len(wanted), "sizes")
        for row in measure(sizes, args)
    ]
    in_table = {h * w for h, w in TABLE}
    tables = {
        "Context modules": [row for row in rows if row["positions"] in in_table],
        "Growth with size": [row for row in rows if row["positions"] not in in_table],
    }
    finish(args, header, tables)
    if args.plot:
        title = "forward + backward, ms"
        lines = {
            name: [
                (row["positions"], row[title])
                for row in rows
                if row["module"] == name and row[title] is not None
            ]
            for name in MODULES
        }
        draw_lines(
            args.plot,
            {name: points for name, points in lines.items() if points},
            title=f"Context modules, 512 channels, fp32, {header['threads']} threads",
            xlabel="positions L",
            ylabel="forward + backward, milliseconds",
        )


if __name__ == "__main__":
    main()
