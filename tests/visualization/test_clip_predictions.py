import numpy as np
import pytest

from glore_seg.visualization import draw_clip_prediction

SCORES = np.array([0.1, 0.7, 0.2])


def draw(**options):
    frames = [np.full((40, 60, 3), value, np.uint8) for value in (10, 90, 170, 250)]
    return draw_clip_prediction(frames, scores=SCORES, **options).astype(int)


def shades(image, channel):
    """Which colors of text there are: red, green, or neither."""
    others = [c for c in range(3) if c != channel]
    return (image[..., channel] - image[..., others].max(axis=2)).max()


def test_frames_in_a_row():
    image = draw()
    assert image.shape[1] == 640
    row = image[round(image.shape[0] * 0.75)]
    middle = [row[round(640 * (i + 0.5) / 4)].tolist() for i in range(4)]
    assert middle == [[value] * 3 for value in (10, 90, 170, 250)]


def test_color_tells_right_from_wrong():
    right, wrong, unknown = draw(truth=[1]), draw(truth=[0]), draw()
    assert (shades(right, 1) > 60, shades(right, 0) > 60) == (True, False)
    assert (shades(wrong, 1) > 60, shades(wrong, 0) > 60) == (False, True)
    assert max(shades(unknown, 0), shades(unknown, 1)) < 60


def test_names_are_no_formulas():
    plain = draw(classes=["a", "b", "c"], title="video")
    assert not np.array_equal(plain, draw(title="video"))
    draw(classes=["$a", "b$", "c$"], title=r"$\nonsense$")


def test_no_frames():
    with pytest.raises(ValueError, match="no frames to draw; expected those of a clip"):
        draw_clip_prediction([], scores=SCORES)
