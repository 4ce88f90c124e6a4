"""The class of some objects depends on a cue far away: flip the cue, and the pixels stay."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from cityscapesscripts.helpers.labels import name2label

from projects.synthetic_data.street_scenes import (
    Cues,
    compose_scene,
    label_images,
    paint,
    polygons,
)

SIZE = (128, 256)
PLAIN = Cues(skyline="towers", rails=False, cycle_lane=False, crane=False)

FLIPS = [
    ({"skyline": "hills"}, "sidewalk", "terrain"),
    ({"skyline": "viaduct"}, "sidewalk", "road"),
    ({"rails": True}, "bus", "train"),
    ({"cycle_lane": True}, "person", "rider"),
    ({"crane": True}, "wall", "fence"),
]


@cache
def render(index, cues):
    scene = compose_scene(0, "train", index, cues=cues)
    labels = label_images(polygons(scene, SIZE))["labelIds"]
    return paint(scene, SIZE), np.asarray(labels)


@pytest.mark.parametrize(("change", "before", "after"), FLIPS)
def test_flipped_cue_changes_the_class_but_not_the_pixels(change, before, after):
    old, new = name2label[before].id, name2label[after].id
    scenes_with_it, pixels = 0, 0
    for index in range(16):
        image, ids = render(index, PLAIN)
        flipped, flipped_ids = render(index, replace(PLAIN, **change))
        changed = (ids == old) & (flipped_ids == new)
        # the rim of an outline is blended with what lies behind it
        inner = cv2.erode(changed.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        np.testing.assert_array_equal(image[inner], flipped[inner])
        assert (image != flipped).any(), "the cue must show"
        scenes_with_it += bool(inner.sum() > 20)
        pixels += int(inner.sum())
    assert scenes_with_it >= 5
    assert pixels >= 16 * 20


@pytest.mark.parametrize(("change", "before", "after"), FLIPS)
def test_the_cue_is_far_from_the_thing(change, before, after):
    """How far it is from a pixel of the object to the nearest one that its cue changes."""
    old, new = name2label[before].id, name2label[after].id
    distances = []
    for index in range(16):
        image, ids = render(index, PLAIN)
        flipped, flipped_ids = render(index, replace(PLAIN, **change))
        item = (ids == old) & (flipped_ids == new)
        cue = (image != flipped).any(axis=2) & ~cv2.dilate(
            item.astype(np.uint8), np.ones((3, 3), np.uint8)
        ).astype(bool)
        away = cv2.distanceTransform((~cue).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        distances += away[item].tolist()
    assert np.median(distances) > 16  # an eighth of the image's height


def test_cues_are_balanced_and_independent_of_each_other():
    cues = [compose_scene(0, "train", index).cues for index in range(200)]
    shares = [
        np.mean([getattr(c, name) for c in cues]) for name in ("rails", "cycle_lane", "crane")
    ]
    assert all(0.4 < share < 0.6 for share in shares)
    for skyline in ("towers", "hills", "viaduct"):
        assert 0.23 < np.mean([c.skyline == skyline for c in cues]) < 0.44
    rails, crane = (np.array([getattr(c, n) for c in cues], float) for n in ("rails", "crane"))
    assert abs(np.corrcoef(rails, crane)[0, 1]) < 0.2


def test_unknown_skyline():
    with pytest.raises(ValueError, match="skyline is 'sea'; expected one of"):
        replace(PLAIN, skyline="sea")
