"""Street scenes drawn from a seed, in the layout of Cityscapes: for a first try and for tests.

All 19 classes and many ignored labels occur. Most objects tell their class by their look; for some
it depends on a cue far away in the image (see ``scene.py``), so that global context helps.
"""

from projects.synthetic_data.street_scenes.writer import make_street_scenes

__all__ = ["make_street_scenes"]
