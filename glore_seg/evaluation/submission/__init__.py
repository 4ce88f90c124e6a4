"""Cityscapes submissions: the images that one needs, a writer and a checker."""

from glore_seg.evaluation.submission.checker import check_submission
from glore_seg.evaluation.submission.expected import ExpectedImages, image_key
from glore_seg.evaluation.submission.image import Finding, SubmissionReport
from glore_seg.evaluation.submission.writer import SubmissionWriter

__all__ = [
    "ExpectedImages",
    "Finding",
    "SubmissionReport",
    "SubmissionWriter",
    "check_submission",
    "image_key",
]
