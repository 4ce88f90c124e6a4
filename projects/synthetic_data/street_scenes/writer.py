"""Write street scenes to a folder in the layout of Cityscapes."""

from __future__ import annotations

import json
from pathlib import Path

from glore_seg.errors import ConfigError
from glore_seg.utils.files import atomic_write
from glore_seg.utils.image_io import write_png
from glore_seg.utils.progress import track
from projects.synthetic_data.output_folder import DatasetFolder, check_not_negative
from projects.synthetic_data.street_scenes.painter import label_images, paint, polygons
from projects.synthetic_data.street_scenes.scene import compose_scene

MARKER = "street_scenes.json"
"""Name of the file that tells how a folder was made and whether it is complete."""

DRAWING = 1  # raised whenever the same settings would give other images

# Real cities of the three splits, a few each.
_CITIES = {
    "train": ("aachen", "bremen", "cologne", "darmstadt"),
    "val": ("frankfurt", "lindau", "munster"),
    "test": ("berlin", "bonn", "leverkusen"),
}


def make_street_scenes(
    root: str | Path,
    *,
    num_train: int = 240,
    num_val: int = 60,
    num_test: int = 12,
    size: tuple[int, int] = (128, 256),
    seed: int = 0,
    overwrite: bool = False,
    progress: bool = True,
) -> Path:
    """Make a dataset of street scenes in the layout of Cityscapes, and return its folder.

    ``test`` gets images only, since the ground truth of Cityscapes' test split is withheld. An
    image depends on the seed, its split and its number alone, so that a larger dataset contains the
    smaller one. A second call with the same settings goes on where the first was interrupted.

    Args:
        root: Folder to write to; must be new, empty or made by this function.
        num_train: Images for training, at least 0.
        num_val: Images for validation, at least 0.
        num_test: Images without ground truth, at least 0.
        size: Height and width in pixels: 32 to 4096, the width 1 to 4 times the height.
        seed: At least 0.
        overwrite: Remove a dataset made with other settings first.
        progress: Show a bar with the time left.

    Raises:
        ConfigError: A count, the size or the seed is out of its range.
        OutputError: The folder holds other files, or other settings' without ``overwrite``.
    """
    root, (height, width) = Path(root), size
    check_not_negative(num_train=num_train, num_val=num_val, num_test=num_test, seed=seed)
    if not 32 <= height <= width <= 4 * height or width > 4096:
        raise ConfigError(
            f"size is {height} x {width} (height x width); expected sides of 32 to 4096 and a "
            "width of 1 to 4 times the height, such as 128 x 256"
        )
    counts = {"train": num_train, "val": num_val, "test": num_test}
    settings = {"drawing": DRAWING, "counts": counts, "size": [height, width], "seed": seed}
    folder = DatasetFolder(root, MARKER, "street scenes", ("leftImg8bit", "gtFine"))
    if folder.claim(settings, overwrite=overwrite).get("complete"):
        return root

    folder.mark(settings, complete=False)
    tasks = [(split, index) for split, count in counts.items() for index in range(count)]
    for split, index in track(tasks, len(tasks), "street scenes", show=progress):
        _write_scene(root, split, index, (height, width), seed)
    folder.mark(settings, complete=True)
    return root


def _write_scene(root: Path, split: str, index: int, size: tuple[int, int], seed: int) -> None:
    city = _CITIES[split][index % len(_CITIES[split])]
    name = f"{city}_{index:06d}_000019"
    image = root / "leftImg8bit" / split / city / f"{name}_leftImg8bit.png"
    if image.is_file():  # written last: all of this scene is there
        return
    scene = compose_scene(seed, split, index, width=size[1] / size[0])
    if split != "test":
        annotation = polygons(scene, size)
        stem = root / "gtFine" / split / city / f"{name}_gtFine"
        with atomic_write(f"{stem}_polygons.json") as temporary:
            temporary.write_text(json.dumps(annotation))
        for kind, label_image in label_images(annotation).items():
            with atomic_write(f"{stem}_{kind}.png") as temporary:
                label_image.save(temporary)
    write_png(image, paint(scene, size))
