"""The command line of hub.py."""

import pytest

from glore_seg.apis.hub import from_pretrained
from glore_seg.errors import GloReSegError
from tests.export import networks


def test_save_writes_a_folder_that_loads(load_tool, tmp_path, capsys):
    cfg = networks.segmentation()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    cfg.dump(tmp_path / "a.py")
    hub = load_tool("model_converters/hub")
    hub(["save", str(tmp_path / "a.py"), str(checkpoint), str(tmp_path / "net")])
    assert f"wrote {tmp_path / 'net'}; complete the card" in capsys.readouterr().out
    assert from_pretrained(tmp_path / "net").dataset_meta["classes"] == networks.CLASSES
    with pytest.raises(GloReSegError, match="--overwrite"):
        hub(["save", str(tmp_path / "a.py"), str(checkpoint), str(tmp_path / "net")])
    with pytest.raises(GloReSegError, match="'net'"):
        hub(["pull", "net", str(tmp_path / "pulled")])
