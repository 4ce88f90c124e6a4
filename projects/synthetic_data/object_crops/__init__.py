"""Crops of objects out of labeled images, a folder for each class: for a first classifier.

With the street scenes of this package, four of the ten classes look alike in some crops, and their
cue stands elsewhere in the crop: a long cream box is a train over rails, else a bus, and figures
behind a guard rail are riders over a red cycle lane, else persons.
"""

from projects.synthetic_data.object_crops.settings import OBJECT_CLASSES, CropSettings
from projects.synthetic_data.object_crops.writer import make_object_crops

__all__ = ["OBJECT_CLASSES", "CropSettings", "make_object_crops"]
