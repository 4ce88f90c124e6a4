"""Compare an exported file with torch, at sizes at which it was not traced."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from prettytable import PrettyTable
from torch import Tensor, nn
from torch.nn.functional import interpolate

from glore_seg.errors import CheckpointError

TOLERANCE = 1e-3
"""Greatest difference of logits, relative to the greatest logit if that is above 1."""

SHARE = 0.999
"""Least share of equal labels."""

# Neither square nor, except for one, multiples of a network's strides.
SIZES = ((1, 161, 225), (2, 128, 96), (3, 97, 353))
"""Batch, height and width of the compared images."""


class ExportMismatchError(CheckpointError):
    """The output of the exported file differs from torch's."""


@dataclass(frozen=True)
class ExportCheck:
    """Result at one size: (N, H, W), or (N, T, H, W) of clips.

    ``difference`` is the greatest one of logits, None for labels; ``scale`` the greatest logit of
    torch; ``share`` that of equal labels, 0 to 1; ``failure`` an error instead of a result.
    """

    size: tuple[int, ...]
    difference: float | None = None
    scale: float = 1.0
    share: float = 0.0
    failure: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the limits."""
        near = self.difference is None or self.difference <= TOLERANCE * max(1.0, self.scale)
        return not self.failure and near and self.share >= SHARE


def check(
    run: Callable[[Tensor], Tensor],
    graph: nn.Module,
    size: tuple[int, ...],
    device: torch.device,
    *,
    channels: int = 3,
) -> ExportCheck:
    """Run an exported file and its module in torch on the same random image.

    The size is (N, H, W) or (N, T, H, W).
    """
    image = random_image(size, channels).to(device)
    with torch.no_grad():
        wanted = graph(image).cpu()
        if not wanted.isfinite().all():
            return ExportCheck(size, failure="torch itself gives inf or nan")
        try:
            found = run(image).cpu()
        except Exception as error:  # runtimes have various exceptions
            return ExportCheck(size, failure=str(error).strip().splitlines()[0][-120:])
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        found_type, wanted_type = (f"{x.dtype} {tuple(x.shape)}" for x in (found, wanted))
        return ExportCheck(size, failure=f"gives {found_type}, torch {wanted_type}")
    if not wanted.is_floating_point():
        return ExportCheck(size, share=(found == wanted).double().mean().item())
    return ExportCheck(
        size,
        difference=(found - wanted).abs().max().item(),
        scale=wanted.abs().max().item(),
        share=(found.argmax(1) == wanted.argmax(1)).double().mean().item(),
    )


def random_image(size: tuple[int, ...], channels: int = 3) -> Tensor:
    """Coarse noise, which pooling does not average out, plus fine noise; (N, channels, *sides)."""
    number, *sides = size
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(number, channels, *sides[:-2], 5, 7, generator=generator)
    fine = torch.randn(number, channels, *sides, generator=generator)
    mode = "trilinear" if len(sides) == 3 else "bilinear"
    return 1.5 * interpolate(coarse, sides, mode=mode, align_corners=True) + 0.5 * fine


def as_table(checks: Sequence[ExportCheck]) -> str:
    """Return a table with one row per size."""
    table = PrettyTable(["images", "largest difference", "equal labels", ""])
    table.align = "r"
    for row in checks:
        difference = "" if row.difference is None else f"{row.difference:.1e}"
        share = "" if row.failure else f"{row.share:.4%}"
        state = "ok" if row.agrees else row.failure or "differs"
        table.add_row([" x ".join(map(str, row.size)), difference, share, state])
    return table.get_string()


def require_agreement(checks: Sequence[ExportCheck], *, name: str) -> None:
    """Raise an :class:`ExportMismatchError` with the table if a check of the file failed."""
    wrong = [row for row in checks if not row.agrees]
    if wrong:
        raise ExportMismatchError(
            f"{name} is not written: it differs from torch at {len(wrong)} of {len(checks)} "
            f"sizes; expected differences of at most {TOLERANCE:g} and {SHARE:.1%} equal labels. "
            "Fix the size by --size HEIGHT WIDTH, or try the other --format\n" + as_table(checks)
        )
