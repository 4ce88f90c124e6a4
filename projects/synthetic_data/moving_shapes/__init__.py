"""Shapes that move, as small videos drawn from a seed: for a first try and for tests.

The class is the motion and nothing else. A shape's state is its place, its turn and its size, each
taken from a range that wraps around and begun anywhere in it, so that every single frame of every
class has the very same distribution:

| what moves | forwards | backwards |
| --- | --- | --- |
| place, across | right | left |
| place, down | down | up |
| turn | clockwise | counter-clockwise |
| size | growing | shrinking |

Mirroring or reversing a video therefore changes its class.

    >>> scene = compose_shapes(0, "train", 0)
    >>> paint_frame(scene, 0, (64, 64)).shape
    (64, 64, 3)
"""

from projects.synthetic_data.moving_shapes.painter import paint_frame
from projects.synthetic_data.moving_shapes.scene import MOTIONS, ShapeScene, compose_shapes
from projects.synthetic_data.moving_shapes.writer import make_moving_shapes

__all__ = ["MOTIONS", "ShapeScene", "compose_shapes", "make_moving_shapes", "paint_frame"]
