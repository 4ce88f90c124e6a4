"""A Cityscapes submission: which images it needs, what is wrong with one, how to write one."""

from glore_seg.evaluation.submission.checker import check_submission
from glore_seg.evaluation.submission.expected import ExpectedImages, image_key
from glore_seg.evaluation.submission.report import Finding, SubmissionReport
from glore_seg.evaluation.submission.scoring import SubmissionScorer
from glore_seg.evaluation.submission.writer import SubmissionWriter

__all__ = [
    "ExpectedImages",
    "Finding",
    "SubmissionReport",
    "SubmissionScorer",
    "SubmissionWriter",
    "check_submission",
    "image_key",
]
