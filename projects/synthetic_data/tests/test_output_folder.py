import pytest

from glore_seg.errors import GloReSegError
from projects.synthetic_data.output_folder import DatasetFolder


@pytest.mark.parametrize("content", [b"null", b"[1]", b'"a"', b"\xff\xfe", b"{", b"[" * 100_000])
def test_a_marker_of_something_else_is_that_of_other_settings(tmp_path, content):
    (tmp_path / "made.json").write_bytes(content)
    made = DatasetFolder(tmp_path, "made.json", "street scenes", ["leftImg8bit"])
    with pytest.raises(GloReSegError, match="of other settings: None, asked for"):
        made.claim({"seed": 0}, overwrite=False)
    assert (tmp_path / "made.json").read_bytes() == content
