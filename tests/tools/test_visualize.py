import numpy as np
import pytest
from PIL import Image

from glore_seg.errors import ConfigError, OutputError


@pytest.fixture(scope="session")
def visualize(load_tool):
    """Calls visualize.py."""
    return lambda *arguments: load_tool("visualize")([*map(str, arguments)])


@pytest.fixture
def models(small_config, trained):
    """Two checkpoints of one training, as options of ``compare``."""
    names = (("iter_2.pth", "early"), ("iter_4.pth", "late"))
    return [w for f, name in names for w in ("--model", small_config, trained / f, name)]


def size(file):
    return np.array(Image.open(file).convert("RGB")).shape


def files(street_scenes, split="val"):
    return sorted((street_scenes / "leftImg8bit" / split).rglob("*.png"))


@pytest.mark.slow
def test_compare_selects_the_images_that_differ_most(visualize, models, tmp_path, capsys):
    out = tmp_path / "new" / "compare.png"
    visualize("compare", *models, "--num-images", 1, "--out", out)
    assert f"wrote {out}" in capsys.readouterr().out
    height, width, _ = size(out)
    assert width == pytest.approx(4 * 3.2 * 120, abs=1)  # input, truth and two models
    with pytest.raises(OutputError, match=r"compare\.png exists"):
        visualize("compare", *models, "--out", out)
    visualize("compare", *models, "--candidates", 2, "--out", out, "--overwrite")
    assert size(out)[0] > height
    assert [file.name for file in out.parent.iterdir()] == ["compare.png"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--num-images", 0, "--out", "c.png"), "number of images is 0"),
        (("--candidates", 0, "--out", "c.png"), "number of images is 0"),
        (("--out", "c.txt"), r"c\.txt; expected .*\.png"),
    ],
)
def test_compare_rejects(visualize, models, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        visualize("compare", *models, *options)


@pytest.mark.slow
def test_compare_of_files_has_no_truth(visualize, models, street_scenes, tmp_path):
    images = [*files(street_scenes), *files(street_scenes, "test")]
    visualize("compare", *models, "--images", *images, "--out", tmp_path / "c.png")
    assert size(tmp_path / "c.png")[1] == pytest.approx(3 * 3.2 * 120, abs=1)
    visualize("compare", *models, "--split", "test", "--images", 0, "--out", tmp_path / "d.png")
    assert size(tmp_path / "d.png")[1] == size(tmp_path / "c.png")[1]
    with pytest.raises(ConfigError, match="ground truth"):
        visualize("compare", *models, "--images", images[0], 1, "--out", tmp_path / "e.png")
    assert {file.name for file in tmp_path.iterdir()} == {"c.png", "d.png"}


def test_compare_needs_two_models(visualize, models, tmp_path, capsys):
    for wrong in (models[:4], [*models[:3], *models[4:], "x"]):
        with pytest.raises(SystemExit):
            visualize("compare", *wrong, "--out", tmp_path / "c.png")
        assert "CONFIG CHECKPOINT [NAME]" in capsys.readouterr().err


def test_compare_rejects_equal_names_and_different_classes(
    visualize, models, write_config, tmp_path
):
    same = [word for word in models if word not in ("early", "late")]
    with pytest.raises(ConfigError, match="two models are named 'work_dir'"):
        visualize("compare", *same, "--out", tmp_path / "c.png")
    models[5] = write_config(test_dataloader__dataset__metainfo={"classes": ("road", "car")})
    with pytest.raises(ConfigError, match=r"different classes.* late: road, car"):
        visualize("compare", *models, "--out", tmp_path / "c.png")


@pytest.mark.slow
def test_projections(visualize, small_config, trained, street_scenes, tmp_path):
    arguments = ("projections", small_config, trained / "iter_4.pth", "--out")
    visualize(*arguments, tmp_path / "chosen.png", "--nodes", 3, 0, "--images", 0)
    height, width, _ = size(tmp_path / "chosen.png")
    assert width == pytest.approx(3 * 2.6 * 120, abs=1)
    visualize(*arguments, tmp_path / "picked.png", "--num-images", 2)
    assert size(tmp_path / "picked.png")[1] == pytest.approx(5 * 2.6 * 120, abs=1)
    assert size(tmp_path / "picked.png")[0] > height
    file = files(street_scenes, "test")[0]
    options = ("--colors", "orange-blue", "--unit", "decode_head.units.0")
    visualize(*arguments, tmp_path / "file.png", *options, "--images", file)
    assert size(tmp_path / "file.png") == (height, 5 * 312, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--unit", "neck"), r"unit 'neck'; expected one of decode_head\.units\.0"),
        (("--nodes", "99", "--images", "none"), r"\[99\]"),  # checked before the images
        (("--nodes", "3", "3"), r"\[3, 3\]"),
        (("--num-nodes", "0"), "number of nodes is 0"),
        (("--num-images", "0"), "number of images is 0"),
    ],
)
def test_projections_reject(visualize, small_config, trained, tmp_path, options, message):
    arguments = ("projections", small_config, trained / "iter_4.pth", "--out", tmp_path / "p.png")
    with pytest.raises(ConfigError, match=message):
        visualize(*arguments, *options)
    assert list(tmp_path.iterdir()) == []
