"""Whether an exported file gives what torch gives, at sizes that it was not traced at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from prettytable import PrettyTable
from torch import Tensor, nn
from torch.nn.functional import interpolate

from glore_seg.errors import CheckpointError

TOLERANCE = 1e-3
"""Greatest difference of logits, in units of the greatest logit where that is above 1."""

SHARE = 0.999
"""Least share of labels that agree."""

# Neither square nor, but for one, multiples of a network's strides.
SIZES = ((1, 161, 225), (2, 128, 96), (3, 97, 353))
"""Batch, height and width of the images of a check."""


class ExportMismatchError(CheckpointError):
    """The exported file does not give what torch gives."""


@dataclass(frozen=True)
class Comparison:
    """One check.

    Args:
        size: (N, H, W), or (N, T, H, W) of clips.
        difference: Greatest difference of logits; None where the file gives labels.
        scale: The greatest logit of torch's.
        share: Of labels that agree, 0 to 1.
        failure: What the runtime said in place of a result.
    """

    size: tuple[int, ...]
    difference: float | None = None
    scale: float = 1.0
    share: float = 0.0
    failure: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the two agree."""
        if self.failure:
            return False
        near = self.difference is None or self.difference <= TOLERANCE * max(1.0, self.scale)
        return near and self.share >= SHARE


def compare(
    run: Callable[[Tensor], Tensor],
    graph: nn.Module,
    sizes: Sequence[tuple[int, ...]],
    *,
    device: torch.device,
) -> list[Comparison]:
    """Run an exported file beside torch on images of structure, the same at every call.

    Args:
        run: The file in its runtime, from its input to its output.
        graph: What was exported.
        sizes: (N, H, W) or (N, T, H, W) of each check.
        device: Of the graph.

    Returns:
        A comparison for each size.
    """
    return [_compare(run, graph, test_image(size).to(device), size) for size in sizes]


def test_image(size: tuple[int, ...]) -> Tensor:
    """Coarse and fine noise, (N, 3, *sides): of fine noise alone, large pools would be alike."""
    number, *sides = size
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(number, 3, *sides[:-2], 5, 7, generator=generator)
    fine = torch.randn(number, 3, *sides, generator=generator)
    mode = "trilinear" if len(sides) == 3 else "bilinear"
    return 1.5 * interpolate(coarse, sides, mode=mode, align_corners=True) + 0.5 * fine


def as_table(comparisons: Sequence[Comparison]) -> str:
    """Return a table with a row for each size."""
    table = PrettyTable(["images", "largest difference", "labels that agree", ""])
    table.align = "r"
    for row in comparisons:
        difference = "" if row.difference is None else f"{row.difference:.1e}"
        share = "" if row.failure else f"{row.share:.4%}"
        state = "ok" if row.agrees else row.failure or "differs"
        table.add_row([" x ".join(map(str, row.size)), difference, share, state])
    return table.get_string()


def require_agreement(comparisons: Sequence[Comparison], *, what: str) -> None:
    """Raise where a check failed.

    Args:
        comparisons: What :func:`compare` gave.
        what: Name of the file, for the message.

    Raises:
        ExportMismatchError: One of them does not agree; the text has the table.
    """
    wrong = [row for row in comparisons if not row.agrees]
    if wrong:
        raise ExportMismatchError(
            f"{what} is not written: it differs from torch at {len(wrong)} of {len(comparisons)} "
            f"sizes; expected differences of at most {TOLERANCE:g} and {SHARE:.1%} of labels. Fix "
            "the size by --size HEIGHT WIDTH, if that will do, or try the other --format\n"
            + as_table(comparisons)
        )


def _compare(
    run: Callable[[Tensor], Tensor], graph: nn.Module, image: Tensor, size: tuple[int, ...]
) -> Comparison:
    with torch.no_grad():
        wanted = graph(image).cpu()
        if not wanted.isfinite().all():  # of labels always
            return Comparison(size, failure="torch itself gives inf or nan")
        try:
            found = run(image).cpu()
        except Exception as error:  # each runtime has errors of its own
            return Comparison(size, failure=str(error).strip().splitlines()[0][-120:])
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return Comparison(
            size,
            failure=f"gives {found.dtype} {tuple(found.shape)}, torch {wanted.dtype} "
            f"{tuple(wanted.shape)}",
        )
    if not wanted.is_floating_point():
        return Comparison(size, share=_share(found, wanted))
    difference = (found - wanted).abs().max().item()
    return Comparison(
        size,
        difference=difference,
        scale=wanted.abs().max().item(),
        share=_share(found.argmax(1), wanted.argmax(1)),
    )


def _share(found: Tensor, wanted: Tensor) -> float:
    return (found == wanted).double().mean().item()
