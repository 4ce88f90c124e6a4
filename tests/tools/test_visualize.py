import numpy as np
import pytest
from PIL import Image

from glore_seg.errors import GloReSegError

YELLOW = (255, 232, 0)


@pytest.fixture(scope="session")
def visualize(load_tool):
    """Calls visualize.py."""
    main = load_tool("visualize")
    return lambda *arguments: main([str(argument) for argument in arguments])


@pytest.fixture
def models(small_config, trained):
    """Two checkpoints of one training, as options of ``compare``."""
    names = (("iter_2.pth", "early"), ("iter_4.pth", "late"))
    return [w for f, name in names for w in ("--model", small_config, trained / f, name)]


def size(file):
    return np.array(Image.open(file).convert("RGB")).shape


def files(street_scenes, split="val"):
    return sorted((street_scenes / "leftImg8bit" / split).rglob("*.png"))


def test_compare_picks_the_images_that_differ_most(visualize, models, tmp_path, capsys):
    out = tmp_path / "new" / "compare.png"
    visualize("compare", *models, "--number", 1, "--out", out)
    assert f"wrote {out}" in capsys.readouterr().out
    one = size(out)
    assert one[1] == pytest.approx(4 * 3.2 * 120, abs=1)  # input, truth and two models
    with pytest.raises(GloReSegError, match=r"compare\.png exists; .* --overwrite to replace"):
        visualize("compare", *models, "--out", out)
    visualize("compare", *models, "--among", 2, "--out", out, "--overwrite")
    assert size(out)[0] > one[0]
    assert [file.name for file in out.parent.iterdir()] == ["compare.png"]


@pytest.mark.parametrize("option", ["--number", "--among"])
def test_compare_of_no_images_is_refused(visualize, models, tmp_path, option):
    with pytest.raises(ValueError, match="number of images is 0; expected 1 or more"):
        visualize("compare", *models, option, 0, "--out", tmp_path / "c.png")


def test_compare_of_files_has_no_truth(visualize, models, street_scenes, tmp_path):
    images = [*files(street_scenes), *files(street_scenes, "test")]
    visualize("compare", *models, "--images", *images, "--out", tmp_path / "c.png")
    assert size(tmp_path / "c.png")[1] == pytest.approx(3 * 3.2 * 120, abs=1)
    with pytest.raises(ValueError, match="some images have ground truth and some have none"):
        visualize("compare", *models, "--images", images[0], 1, "--out", tmp_path / "d.png")
    assert [file.name for file in tmp_path.iterdir()] == ["c.png"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m[:4], "compare needs two or more --model CONFIG CHECKPOINT"),
        (lambda m: [*m[:3], *m[4:], "x"], "with two or three words each"),
    ],
)
def test_compare_needs_two_models(visualize, models, tmp_path, capsys, change, message):
    with pytest.raises(SystemExit):
        visualize("compare", *change(models), "--out", tmp_path / "c.png")
    assert message in capsys.readouterr().err


def test_models_must_differ_in_name_and_not_in_classes(
    visualize, models, trained, write_config, tmp_path
):
    same = [word for word in models if word not in ("early", "late")]
    with pytest.raises(ValueError, match="two models are called 'work_dir'; give each a name"):
        visualize("compare", *same, "--out", tmp_path / "c.png")
    other = write_config(test_dataloader__dataset__metainfo={"classes": ("road", "car")})
    models[5] = other
    with pytest.raises(ValueError, match=r"different classes.* late: road, car"):
        visualize("compare", *models, "--out", tmp_path / "c.png")


def test_projections_of_chosen_and_of_picked_nodes(
    visualize, small_config, trained, street_scenes, tmp_path
):
    arguments = ("projections", small_config, trained / "iter_4.pth")
    visualize(*arguments, "--nodes", 3, 0, "--images", 0, "--out", tmp_path / "chosen.png")
    assert size(tmp_path / "chosen.png")[1] == pytest.approx(3 * 2.6 * 120, abs=1)
    visualize(*arguments, "--number", 2, "--out", tmp_path / "picked.png")
    assert size(tmp_path / "picked.png")[1] == pytest.approx(5 * 2.6 * 120, abs=1)
    assert size(tmp_path / "picked.png")[0] > size(tmp_path / "chosen.png")[0]
    file = files(street_scenes, "test")[0]
    options = ("--colors", "orange-blue", "--unit", "decode_head.units.0")
    visualize(*arguments, *options, "--images", file, "--out", tmp_path / "file.png")
    assert size(tmp_path / "file.png") == (size(tmp_path / "chosen.png")[0], 5 * 312, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--unit", "neck"), r"unit 'neck' is none of the network's; it has decode_head\.units\.0"),
        (("--nodes", "99"), r"nodes \[99\] are none of the unit's"),
        (("--nodes", "3", "3"), r"nodes \[3, 3\] name one twice; expected each once"),
        (("--nodes", "99", "--images", "none"), r"nodes \[99\] are"),  # before any image
        (("--num-nodes", "0"), "number of nodes is 0"),
        (("--number", "0"), "number of images is 0; expected 1 or more"),
        (("--images", "nothing"), "'nothing' is no file, and 0 images of val begin with it"),
    ],
)
def test_projections_refuse(visualize, small_config, trained, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        visualize(
            *("projections", small_config, trained / "iter_4.pth"),
            *("--out", tmp_path / "p.png", *options),
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("split", "columns"), [("train", 4), ("test", 3)])
def test_compare_of_another_split(visualize, models, tmp_path, split, columns):
    out = tmp_path / "c.png"
    visualize("compare", *models, "--split", split, "--number", 1, "--out", out)
    assert size(out)[1] == pytest.approx(columns * 3.2 * 120, abs=1)
    visualize("compare", *models, "--split", split, "--images", 0, "--out", tmp_path / "d.png")
    assert size(tmp_path / "d.png")[1] == size(out)[1]
