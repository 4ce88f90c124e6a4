"""Kills are counted and compared, and what is corrupted is seen."""

import json
import random
import shutil

import pytest

from benchmarks.kills import __main__ as command
from benchmarks.kills.killing import Tally, ToolError, _kill, _moments, kill_often
from benchmarks.kills.works import Evaluation, Packing, Submission, Training, Work, unfinished
from glore_seg.datasets import pack_dataset
from glore_seg.datasets.packed import PIXELS
from projects.synthetic_data.street_scenes import make_street_scenes
from tests.engine.toy import config, train


class Copying(Work):
    """A program of milliseconds that writes numbers in place, and goes on where it was killed."""

    name = "copying"
    code = """
import sys, time, pathlib
place = pathlib.Path(sys.argv[1])
(place / f'begun_{time.monotonic_ns()}').touch()
for n in range(len(list(place.glob('n_*'))), 40):
    (place / f'n_{n}').write_text(str(n)); time.sleep(.02)
"""
    patterns = ("n_*",)

    def prepare(self):
        pass

    def command(self, place):
        return ["-c", self.code, place]

    def mark(self, place):
        return len(list(place.glob("begun_*")))

    def done(self, place):
        return len(list(place.glob("n_*"))) / 40


def test_a_work_is_killed_so_often_and_compared(tmp_path):
    work, told = Copying(tmp_path / "inputs"), []
    tally = kill_often(work, tmp_path / "runs", 6, random.Random(1), lambda t: told.append(t.runs))
    assert len(tally.moments) == len(told) == 6
    assert tally.runs == told[-1] + 1
    assert tally.problems == []
    assert any(moment >= 0 for moment in tally.moments)
    assert tally.work > 0.4  # it sleeps for 0.8 s; a busy machine sees its begin late
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["undisturbed"]
    row = command.as_row(tally)
    assert (row["kills"], row["in starting"]) == (6, sum(m < 0 for m in tally.moments))


def test_a_run_that_differs_is_counted_and_kept(tmp_path):
    class Wrong(Copying):
        code = Copying.code.replace("write_text(str(n))", "write_text(str(time.time()))")

    tally = kill_often(Wrong(tmp_path / "in"), tmp_path / "runs", 1, random.Random(1), print)
    assert len(tally.differences) == command.as_row(tally)["files that differ"] == 40
    assert (tmp_path / "runs" / "run_0").is_dir()


def test_moments_are_spread_evenly():
    drawn = _moments(10, random.Random(0))
    for _ in range(3):
        moments = [next(drawn) for _ in range(10)]
        assert sorted(int(moment * 10) for moment in moments) == list(range(10))
        assert moments != sorted(moments)


def test_work_that_was_done_before_counts(tmp_path):
    work, tally = Copying(tmp_path / "inputs"), Tally("copying", start=1, work=100)
    for number in range(20):
        (tmp_path / f"n_{number}").touch()
    assert _kill(work, tmp_path, 0.2, tally, random.Random(0))  # at once, not after 20 s
    assert tally.moments == [0.5]


def test_a_tool_that_fails_by_itself_says_why(tmp_path):
    class Failing(Copying):
        code = "raise SystemExit('error: no')"

    with pytest.raises(ToolError, match="copying ended with 1 without being killed:\nerror: no"):
        kill_often(Failing(tmp_path / "in"), tmp_path / "runs", 1, random.Random(1), print)


@pytest.mark.slow
def test_the_packing_tool_is_killed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Packing, "images", 24)
    monkeypatch.setattr(Packing, "shape", (256, 512))
    out = tmp_path / "kills.json"
    assert command.main(["--kills", "1", "--what", "packing", "--json", str(out)]) == 0
    (kind,) = json.loads(out.read_text())["kinds"]
    assert (kind["kind"], len(kind["moments"]), kind["corrupted"]) == ("packing", 1, [])
    # a run that ended before its kill came is compared too, and another one follows
    counted = f"kills: 1, runs compared: {kind['runs']}"
    assert f"{counted}; all equal the undisturbed one, bit for bit" in capsys.readouterr().out


def test_too_few_kills_are_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["--kills", "3"])
    assert "--kills is 3; expected one for each of training, evaluation" in capsys.readouterr().err


@pytest.fixture
def folders(tmp_path):
    return tmp_path / "undisturbed", tmp_path / "killed"


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A work without its inputs."""

    def make(kind):
        monkeypatch.setattr(kind, "prepare", lambda self: None)
        return kind(tmp_path / kind.name)

    return make


def test_corrupted_checkpoints_are_seen(make, folders):
    work, (wanted, found) = make(Training), folders
    train(config(wanted / "work_dir"))
    work.watch(wanted)
    shutil.copytree(wanted / "work_dir", found / "work_dir")
    assert list(work.corrupted(found, wanted)) == []
    last = found / "work_dir" / "iter_12.pth"
    last.write_bytes(last.read_bytes()[:-10])
    shutil.copy(found / "work_dir" / "iter_10.pth", found / "work_dir" / "iter_8.pth")
    (found / "work_dir" / "last_checkpoint").write_text("gone.pth")
    shutil.copy(last, found / "work_dir" / ".iter_14.1.unfinished.pth")
    wrong = sorted(work.corrupted(found, wanted))
    assert [line.partition("work_dir/")[2] for line in wrong] == [
        "iter_12.pth: File is not a zip file",
        "iter_8.pth: the undisturbed run has had no such checkpoint",
        "last_checkpoint: 'gone.pth'",
    ]
    assert unfinished(found) == [str(found / "work_dir" / ".iter_14.1.unfinished.pth")]


def test_corrupted_packs_are_seen(make, folders, tmp_path):
    work, (wanted, found) = make(Packing), folders
    numbers = {"num_train": 4, "num_val": 1, "num_test": 1}
    data = make_street_scenes(tmp_path / "data", **numbers, size=(32, 64), progress=False)
    pack_dataset(data, wanted / "pack", progress=False)
    shutil.copytree(wanted, found)
    assert [*work.corrupted(found, wanted), *work.differences(found, wanted)] == []
    pixels = found / "pack" / PIXELS
    stored = bytearray(pixels.read_bytes())
    stored[5] ^= 1
    pixels.write_bytes(stored)
    (wrong,) = work.corrupted(found, wanted)
    assert "the checksum of its pixels is another" in wrong
    assert list(work.differences(found, wanted)) == [str(pixels)]


def test_partial_images_scores_and_zips_are_seen(make, folders):
    works = make(Evaluation), make(Submission)
    files = ("predictions/a.png", "painted/vis_data/vis_image/a_0.png")
    files += ("results_images/images/a.png", "results.zip")
    for number, place in enumerate(folders):
        scores = {f"work_dir/{number}/{number}.json": {"mIoU": 1.5, "time": number}}
        for name, content in {**dict.fromkeys(files, 1), **scores}.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(json.dumps(content))
    wanted, found = folders
    for work in works:
        assert [*work.corrupted(found, wanted), *work.differences(found, wanted)] == []
    (found / "predictions" / "a.png").write_bytes(b"torn")
    (found / "work_dir" / "1" / "1.json").write_text('{"mIoU": 1.4}')
    (found / "results.zip").write_bytes(b"zi")
    (found / "results_images" / "images" / "b.png").touch()
    assert [len(list(work.corrupted(found, wanted))) for work in works] == [2, 2]
    assert [len(list(work.differences(found, wanted))) for work in works] == [2, 2]
    (found / "work_dir" / "1" / "1.json").write_text('{"mIoU"')  # nobody takes this for whole
    assert len(list(works[0].corrupted(found, wanted))) == 1
    assert f"no scores in {found}" in works[0].differences(found, wanted)
