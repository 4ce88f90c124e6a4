"""On a full disk or in a read-only folder, an earlier file is kept."""

import pytest

from glore_seg.apis.export import export_model
from glore_seg.cli import run_tool
from tests.disks import fill, make_read_only, small_disk
from tests.export import networks

pytestmark = pytest.mark.usefixtures("export_support")


@pytest.fixture
def export(tmp_path, capsys):
    """Exports as the tool does; gives the exit code and what was said."""
    cfg = networks.segmentation()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")

    def export(out, file_format):
        with pytest.raises(SystemExit) as left:
            run_tool(
                lambda: export_model(
                    cfg, checkpoint, out, file_format=file_format, size=(32, 32), overwrite=True
                )
            )
        return left.value.code, capsys.readouterr().err.splitlines()

    return export


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "file_format"), [("a.onnx", "onnx"), ("a.pt2", "program")], ids=["onnx", "program"]
)
def test_earlier_file_is_unchanged(tmp_path, export, name, file_format):
    with small_disk(tmp_path / "disk", "40k") as disk:
        (disk / name).write_bytes(b"earlier")
        fill(disk, leave=8192)
        code, said = export(disk / name, file_format)
        assert code == 2
        assert "cannot write" in said[-1]
        assert "make room or give write permission" in said[-1]
        assert {path.name for path in disk.iterdir()} == {"filler", name}
        assert (disk / name).read_bytes() == b"earlier"
        (disk / "filler").unlink()
        make_read_only(disk)
        code, said = export(disk / name, file_format)
        assert code == 2
        assert "cannot write" in said[-1]
        assert (disk / name).read_bytes() == b"earlier"
