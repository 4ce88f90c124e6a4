import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from PIL import Image

from glore_seg.errors import GloReSegError
from glore_seg.visualization import browse


def dataset(root, *, split="train", labels=True, flip=0.0, resize=None):
    init_default_scope("mmseg")
    pipeline = [{"type": "LoadImageFromFile"}]
    if resize:
        pipeline.append({"type": "Resize", "scale": resize})
    if labels:
        pipeline.append({"type": "LoadCheckedAnnotations"})
    pipeline += [{"type": "RandomFlip", "prob": flip}, {"type": "PackSegInputs"}]
    return DATASETS.build(
        {
            "type": "CheckedCityscapesDataset",
            "data_root": str(root),
            "data_prefix": {
                "img_path": f"leftImg8bit/{split}",
                "seg_map_path": f"gtFine/{split}",
            },
            "pipeline": pipeline,
            "test_mode": not labels,
        }
    )


def pixels(file):
    return np.array(Image.open(file).convert("RGB"))


def test_writes_the_first_images_under_their_names(street_scenes, tmp_path):
    data = dataset(street_scenes)
    files = browse(data, tmp_path / "out", number=2)
    stems = [data.get_data_info(i)["img_path"].split("/")[-1] for i in range(2)]
    assert [file.name for file in files] == stems
    assert sorted((tmp_path / "out").iterdir()) == sorted(files)
    # Sky is painted in every scene, at 0.7 over the image: its legend has the pure color.
    assert (pixels(files[0]) == (70, 130, 180)).all(-1).any()


def test_a_test_pipeline_resizes_the_image_alone(street_scenes, tmp_path):
    (file,) = browse(dataset(street_scenes, split="val", resize=(64, 32)), tmp_path, number=1)
    assert (pixels(file) == (70, 130, 180)).all(-1).any()


def test_a_number_beyond_the_data_set_gives_all(street_scenes, tmp_path):
    assert len(browse(dataset(street_scenes, split="val"), tmp_path, number=100)) == 2


def test_the_seed_decides_about_random_transforms(street_scenes, tmp_path):
    data = dataset(street_scenes, flip=0.5)
    drawn = {
        name: [pixels(f) for f in browse(data, tmp_path / name, number=4, seed=seed)]
        for name, seed in (("a", 1), ("again", 1), ("other", 2))
    }
    same = [np.array_equal(x, y) for x, y in zip(drawn["a"], drawn["again"], strict=True)]
    other = [np.array_equal(x, y) for x, y in zip(drawn["a"], drawn["other"], strict=True)]
    assert all(same)
    assert not all(other)


def test_refuses_to_overwrite_to_draw_nothing_and_data_without_labels(street_scenes, tmp_path):
    data = dataset(street_scenes, split="val")
    (file,) = browse(data, tmp_path, number=1)
    written = file.stat().st_mtime_ns
    with pytest.raises(GloReSegError, match=f"{file.name} exists; give another folder"):
        browse(data, tmp_path, number=1)
    assert file.stat().st_mtime_ns == written
    with pytest.raises(ValueError, match="number must be at least 1, got 0"):
        browse(data, tmp_path, number=0)
    unlabelled = dataset(street_scenes, split="test", labels=False)
    with pytest.raises(ValueError, match="comes without label; browse a split whose pipeline"):
        browse(unlabelled, tmp_path, number=1)
