"""The class of some objects depends on a cue far away: flip the cue, and the pixels stay."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from cityscapesscripts.helpers.labels import name2label

from projects.synthetic_data.street_scenes import Cues, compose_scene, label_images, paint, polygons

SIZE = (128, 256)
PLAIN = Cues(skyline="towers", rails=False, cycle_lane=False, crane=False)


@cache
def render(index, cues):
    scene = compose_scene(0, "train", index, cues=cues)
    labels = label_images(polygons(scene, SIZE))["labelIds"]
    return paint(scene, SIZE), np.asarray(labels)


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ({"skyline": "hills"}, "sidewalk", "terrain"),
        ({"skyline": "viaduct"}, "sidewalk", "road"),
        ({"rails": True}, "bus", "train"),
        ({"cycle_lane": True}, "person", "rider"),
        ({"crane": True}, "wall", "fence"),
    ],
)
def test_a_far_cue_changes_the_class_but_not_the_pixels(change, before, after):
    old, new = name2label[before].id, name2label[after].id
    neighbors = np.ones((3, 3), np.uint8)
    pixels, distances = [], []
    for index in range(16):
        image, ids = render(index, PLAIN)
        flipped, flipped_ids = render(index, replace(PLAIN, **change))
        item = ((ids == old) & (flipped_ids == new)).astype(np.uint8)
        # the rim of an outline is blended with what lies behind it
        inner = cv2.erode(item, neighbors) > 0
        np.testing.assert_array_equal(image[inner], flipped[inner])
        pixels.append(inner.sum())
        cue = (image != flipped).any(axis=2) & ~(cv2.dilate(item, neighbors) > 0)
        away = cv2.distanceTransform((~cue).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        distances += away[item > 0].tolist()
    assert sum(count > 20 for count in pixels) >= 5
    assert sum(pixels) >= 16 * 20
    assert np.median(distances) > 16  # an eighth of the image's height


def test_cues_are_balanced_and_independent_of_each_other():
    cues = [compose_scene(0, "train", index).cues for index in range(200)]
    shares = [np.mean([getattr(c, n) for c in cues]) for n in ("rails", "cycle_lane", "crane")]
    assert all(0.4 < share < 0.6 for share in shares)
    for skyline in ("towers", "hills", "viaduct"):
        assert 0.23 < np.mean([c.skyline == skyline for c in cues]) < 0.44
    rails, crane = (np.array([getattr(c, n) for c in cues], float) for n in ("rails", "crane"))
    assert abs(np.corrcoef(rails, crane)[0, 1]) < 0.2
