import pytest
import yaml

from glore_seg.errors import ConfigError
from projects.reproduction.model_index import ROOT, config_table, read_model_index, update_counts


def test_the_library_of_the_format_reads_it():
    modelindex = pytest.importorskip("modelindex", reason="pip install 'glore_seg[cls]'")
    index = modelindex.load(str(ROOT / "model-index.yml"))
    index.build_models_with_collections()
    assert {model.name for model in index.models} == {
        model["Name"] for content in read_model_index().values() for model in content["Models"]
    }


@pytest.mark.slow
def test_counts_are_current():
    """Of the last config of each metafile; the command with ``--check`` counts all."""
    assert update_counts(content["Models"][-1] for content in read_model_index().values()) == []


def test_table_is_current():
    table = config_table(read_model_index())
    assert (ROOT / "configs" / "README.md").read_text() == table
    assert "| 35.521 | 1200.1 | mIoU 78.25 (paper, Table 3) |" in table


@pytest.mark.parametrize(
    ("entries", "value"),
    [
        ([{"Config": "configs/none.py"}], "configs/none.py"),
        ([{"Name": "other"}], "other"),
        ([{}, {}], "twice"),
        ([], "configs/small.py"),
    ],
)
def test_rejects_wrong_entries(tmp_path, entries, value):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "small.py").touch()
    (tmp_path / "model-index.yml").write_text("Import:\n- metafile.yml\n")
    models = [{"Name": "small", "Config": "configs/small.py", **change} for change in entries]
    (tmp_path / "metafile.yml").write_text(yaml.safe_dump({"Models": models}))
    with pytest.raises(ConfigError, match=value):
        read_model_index(tmp_path)
