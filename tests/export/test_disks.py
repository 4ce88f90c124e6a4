"""On a full disk or in a read-only folder, an earlier file is kept."""

import pytest

from glore_seg.apis.export import export_model
from glore_seg.cli import run_tool
from tests.disks import fill, make_read_only, small_disk
from tests.export import networks

pytestmark = pytest.mark.usefixtures("export_support")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "file_format"), [("a.onnx", "onnx"), ("a.pt2", "program")])
def test_earlier_file_is_unchanged(tmp_path, capsys, name, file_format):
    cfg = networks.segmentation()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    options = {"file_format": file_format, "size": (32, 32), "overwrite": True}
    with small_disk(tmp_path / "disk", "40k") as disk:
        (disk / name).write_bytes(b"earlier")
        fill(disk, leave=8192)
        for read_only in (False, True):
            if read_only:
                (disk / "filler").unlink()
                make_read_only(disk)
            with pytest.raises(SystemExit) as left:
                run_tool(lambda: export_model(cfg, checkpoint, disk / name, **options))
            assert left.value.code == 2
            said = capsys.readouterr().err.splitlines()[-1]
            assert "cannot write" in said
            assert "make room or give write permission" in said
            assert (disk / name).read_bytes() == b"earlier"
            assert {path.name for path in disk.iterdir()} <= {"filler", name}
