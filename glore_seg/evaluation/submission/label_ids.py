"""Which numbers a prediction may hold, and what others betray.

A submission holds label ids, of which 0 to 33 exist and 19 are evaluated. A network counts its
classes as train ids, 0 to 18. As label ids these exist too, so the server would take them, and
score them near zero.
"""

from __future__ import annotations

import numpy as np
from cityscapesscripts.helpers.labels import labels

from glore_seg.evaluation.submission.report import Finding

_NAMES = {label.id: label.name for label in labels if label.id >= 0}
_EVALUATED = frozenset(label.id for label in labels if not label.ignoreInEval)
_NUM_TRAIN_IDS = len(_EVALUATED)  # train ids are 0 to 18
_TRAIN_ID_SHARE = 0.1
_SHOWN = 4


def check_ids(name: str, counts: np.ndarray) -> tuple[list[Finding], list[Finding]]:
    """Judge an image by how often it holds each number.

    Train ids are told by this: no pixel has an id of 19 to 33, which sky, cars, people and most
    vegetation and poles have, and at least a tenth of the pixels has an id of 0 to 18 that is not
    evaluated. Predicted label ids hold none such at all.

    Args:
        name: The image, for the messages.
        counts: Shape (256,): the number of pixels of each value.

    Returns:
        The faults and the warnings.
    """
    total = int(counts.sum())
    present = np.flatnonzero(counts).tolist()
    unknown = [i for i in present if i not in _NAMES]
    ignored = [i for i in present if i in _NAMES and i not in _EVALUATED]
    share = sum(int(counts[i]) for i in ignored) / total
    above = [i for i in present if i in _NAMES and i >= _NUM_TRAIN_IDS]
    faults, warnings = [], []
    if not above and share >= _TRAIN_ID_SHARE:
        message = (
            f"holds train ids, it seems: no pixel has an id of {_NUM_TRAIN_IDS} to {max(_NAMES)}, "
            f"and {share:.0%} have ids that are not evaluated ({_listed(ignored)}); expected label "
            "ids: 7 for road, 8 for sidewalk, 11 for building and so on"
        )
        faults.append(Finding("train ids", name, message))
    elif ignored:
        message = (
            f"{share:.2%} of the pixels have ids that are not evaluated ({_listed(ignored)}) and "
            "count as wrong wherever the ground truth has a class"
        )
        warnings.append(Finding("not evaluated", name, message))
    if unknown:
        void = " (255 stands for ignored pixels among train ids)" if unknown == [255] else ""
        message = (
            f"holds {_listed(unknown)}, which Cityscapes doesn't have{void}; expected ids of 0 to "
            f"{max(_NAMES)}: write label ids"
        )
        faults.append(Finding("unknown ids", name, message))
    return faults, warnings


def _listed(ids: list[int]) -> str:
    shown = ", ".join(f"{i} {_NAMES[i]}" if i in _NAMES else str(i) for i in ids[:_SHOWN])
    return shown + (f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else "")
