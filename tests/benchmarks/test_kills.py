"""Kills are counted and compared, and what is corrupted is seen."""

import json
import random
import shutil
import struct

import pytest

from benchmarks.kills import command
from benchmarks.kills.evaluation import Evaluation
from benchmarks.kills.killing import Pace, Tally, ToolError, _moments, kill_often
from benchmarks.kills.packing import Packing
from benchmarks.kills.submission import IMAGES, Submission
from benchmarks.kills.training import Training, _losses
from benchmarks.kills.work import Work, unfinished
from glore_seg.datasets import pack_dataset
from glore_seg.datasets.packed import PIXELS
from tests.engine.toy import config, train


class Copying(Work):
    """A program of milliseconds that writes numbers in place, and goes on where it was killed."""

    name = "copying"
    size = 40

    def prepare(self):
        pass

    def command(self, place):
        code = f"import sys, time, pathlib\nplace = pathlib.Path({str(place)!r})\n"
        code += "(place / f'begun_{time.monotonic_ns()}').touch()\n"
        code += f"for n in range(len(list(place.glob('n_*'))), {self.size}):\n"
        code += "    (place / f'n_{n}').write_text(str(n)); time.sleep(.02)\n"
        return ["-c", code]

    def mark(self, place):
        return len(list(place.glob("begun_*")))

    def done(self, place):
        return len(list(place.glob("n_*")))

    def corrupted(self, place, undisturbed):
        yield from ()

    def differences(self, place, undisturbed):
        if self.done(place) != self.size:
            yield f"{self.done(place)} files"


def test_a_work_is_killed_so_often_and_compared(tmp_path):
    work, told = Copying(tmp_path / "inputs"), []
    tally = kill_often(work, tmp_path / "runs", 6, random.Random(1), lambda t: told.append(t.runs))
    assert len(tally.moments) == len(told) == 6
    assert told == sorted(told)
    assert tally.runs == told[-1] + 1
    assert tally.problems == []
    assert any(moment >= 0 for moment in tally.moments)
    assert tally.pace.work > 0.4  # it sleeps for 0.8 s; a busy machine sees its begin late
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["undisturbed"]


def test_a_run_that_differs_is_counted_and_kept(tmp_path):
    class Wrong(Copying):
        def differences(self, place, undisturbed):
            yield "all"

    tally = kill_often(Wrong(tmp_path / "in"), tmp_path / "runs", 1, random.Random(1), print)
    assert tally.problems == ["all"]
    assert command.as_row(tally)["runs that differ"] == 1
    assert (tmp_path / "runs" / "run_0").is_dir()


def test_a_tool_that_fails_by_itself_says_why(tmp_path):
    class Failing(Copying):
        def command(self, place):
            return ["-c", "raise SystemExit('error: no')"]

    with pytest.raises(ToolError, match="copying ended with 1 without being killed:\nerror: no"):
        kill_often(Failing(tmp_path / "in"), tmp_path / "runs", 1, random.Random(1), print)


def test_moments_are_spread_evenly():
    drawn = _moments(10, random.Random(0))
    for _ in range(3):
        moments = [next(drawn) for _ in range(10)]
        assert sorted(int(moment * 10) for moment in moments) == list(range(10))
        assert moments != sorted(moments)


def test_the_row_says_when_kills_came():
    tally = Tally("training", Pace(1.0, 2.0), [-1.0, 0.1, 0.6, 0.7], 2, 1)
    assert command.as_row(tally)["in starting, first half, second half"] == "1, 1, 2"
    assert command._shares(["a", "b", "c"], 8) == {"a": 3, "b": 3, "c": 2}


@pytest.mark.slow
def test_the_packing_tool_is_killed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Packing, "size", 24)
    monkeypatch.setattr(Packing, "shape", (256, 512))
    out = tmp_path / "kills.json"
    assert command.main(["--kills", "1", "--what", "packing", "--json", str(out)]) == 0
    said = capsys.readouterr().out
    assert "kill  1 of 1: packing 1 of 1" in said
    (kind,) = json.loads(out.read_text())["kinds"]
    assert (kind["kind"], len(kind["moments"]), kind["corrupted"]) == ("packing", 1, [])
    # a run that ended before its kill came is compared too, and another one follows
    assert kind["runs"] >= 1
    counted = f"kills: 1, runs compared: {kind['runs']}"
    assert f"{counted}; all equal the undisturbed one, bit for bit" in said


def test_too_few_kills_are_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["--kills", "3"])
    assert "--kills is 3; expected one for each of training, evaluation" in capsys.readouterr().err


def without_inputs(kind):
    class Kind(kind):
        def prepare(self):
            pass

    return Kind


def test_corrupted_checkpoints_are_seen(tmp_path):
    work = without_inputs(Training)(tmp_path / "inputs", 12)
    wanted, found = tmp_path / "undisturbed", tmp_path / "killed"
    train(config(wanted / "work_dir"))
    work.watch(wanted)
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
    assert len(_losses(wanted / "work_dir")) <= 12


def test_corrupted_packs_are_seen(few, tmp_path):
    work = without_inputs(Packing)(tmp_path / "inputs")
    wanted, found = tmp_path / "undisturbed", tmp_path / "killed"
    pack_dataset(few, wanted / "pack", progress=False)
    shutil.copytree(wanted, found)
    assert [*work.corrupted(found, wanted), *work.differences(found, wanted)] == []
    assert work.done(found) == 4
    pixels = found / "pack" / PIXELS
    stored = bytearray(pixels.read_bytes())
    stored[5] ^= 1
    pixels.write_bytes(stored)
    (wrong,) = work.corrupted(found, wanted)
    assert "the checksum of its pixels is another" in wrong
    assert list(work.differences(found, wanted)) == [str(pixels)]


@pytest.fixture
def few(tmp_path):
    from projects.synthetic_data.street_scenes import make_street_scenes

    return make_street_scenes(
        tmp_path / "few", num_train=4, num_val=1, num_test=1, size=(32, 64), progress=False
    )


def test_partial_images_scores_and_zips_are_seen(tmp_path):
    wanted, found = tmp_path / "undisturbed", tmp_path / "killed"
    for place, run in ((wanted, "1"), (found, "2")):
        for name in ("predictions/a.png", "painted/vis_data/vis_image/a_0.png"):
            (place / name).parent.mkdir(parents=True)
            (place / name).write_bytes(struct.pack("4d", 1, 2, 3, 4))
        scores = place / "work_dir" / run / f"{run}.json"
        scores.parent.mkdir(parents=True)
        scores.write_text(json.dumps({"mIoU": 1.5, "time": int(run)}))
        (place / IMAGES.partition("[")[0]).mkdir(parents=True)
        (place / "results.zip").write_bytes(b"zip")
    evaluation = without_inputs(Evaluation)(tmp_path / "a")
    submission = without_inputs(Submission)(tmp_path / "b")
    for work in (evaluation, submission):
        assert [*work.corrupted(found, wanted), *work.differences(found, wanted)] == []
    (found / "predictions" / "a.png").write_bytes(b"torn")
    (found / "work_dir" / "2" / "2.json").write_text('{"mIoU": 1.4}')
    (found / "results.zip").write_bytes(b"zi")
    (found / IMAGES.partition("[")[0] / "b.png").touch()
    assert len(list(evaluation.corrupted(found, wanted))) == 2
    assert len(list(evaluation.differences(found, wanted))) == 2
    assert len(list(submission.corrupted(found, wanted))) == 2
    (found / "work_dir" / "2" / "2.json").write_text('{"mIoU"')  # nobody takes this for whole
    assert len(list(evaluation.corrupted(found, wanted))) == 1
