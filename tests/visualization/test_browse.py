import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from PIL import Image

from glore_seg.errors import ConfigError, OutputError
from glore_seg.visualization import browse

SKY = (70, 130, 180)  # in every scene, and pure in the legend


@pytest.fixture
def dataset(street_scenes):
    def dataset(*, split="train", labels=True, flip=0.0, resize=None):
        init_default_scope("mmseg")
        pipeline = [
            {"type": "LoadImageFromFile"},
            *([{"type": "Resize", "scale": resize}] if resize else []),
            *([{"type": "LoadCheckedAnnotations"}] if labels else []),
            {"type": "RandomFlip", "prob": flip},
            {"type": "PackSegInputs"},
        ]
        prefix = {"img_path": f"leftImg8bit/{split}", "seg_map_path": f"gtFine/{split}"}
        return DATASETS.build(
            {
                "type": "CheckedCityscapesDataset",
                "data_root": str(street_scenes),
                "data_prefix": prefix,
                "pipeline": pipeline,
                "test_mode": not labels,
            }
        )

    return dataset


def pixels(file):
    return np.array(Image.open(file).convert("RGB"))


@pytest.mark.parametrize("resize", [None, (64, 32)])  # labels are not resized
def test_figures_have_the_names_of_the_images(dataset, tmp_path, resize):
    data = dataset(split="val", resize=resize)
    files = browse(data, tmp_path / "out", num_images=100)
    names = [data.get_data_info(i)["img_path"].split("/")[-1] for i in range(2)]
    assert [file.name for file in files] == names
    assert sorted((tmp_path / "out").iterdir()) == sorted(files)
    assert (pixels(files[0]) == SKY).all(-1).any()


@pytest.mark.slow
def test_the_seed_determines_random_transforms(dataset, tmp_path):
    data = dataset(flip=0.5)
    first, again, other = (
        [pixels(file).tobytes() for file in browse(data, tmp_path / name, num_images=4, seed=seed)]
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first == again
    assert first != other


def test_rejects_existing_files_no_images_and_images_without_label(dataset, tmp_path):
    data = dataset(split="val")
    (file,) = browse(data, tmp_path, num_images=1)
    written = file.stat().st_mtime_ns
    with pytest.raises(OutputError, match=file.name):
        browse(data, tmp_path, num_images=1)
    assert file.stat().st_mtime_ns == written
    with pytest.raises(ConfigError, match="is 0"):
        browse(data, tmp_path, num_images=0)
    with pytest.raises(ConfigError, match="has no label"):
        browse(dataset(split="test", labels=False), tmp_path, num_images=1)
