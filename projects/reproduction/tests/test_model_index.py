import pytest
import yaml

from glore_seg.errors import ConfigError
from projects.reproduction.model_index import (
    ROOT,
    config_table,
    main,
    read_model_index,
    update_counts,
)


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


@pytest.fixture
def write_index(tmp_path, small_config):
    """Writes entries of one config with changes, and gives them."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "small.py").write_text(f"_base_ = {small_config!r}\n")
    (tmp_path / "model-index.yml").write_text("Import:\n- metafile.yml\n")
    collections = [{"Name": "Small", "Description": "One."}]
    meta = {"Training Data": "none", "Input": "3 x 32 x 64"}
    entry = {"Name": "small", "Config": "configs/small.py", "Metadata": meta}

    def write_index(changes):
        models = [{**entry, **change} for change in changes]
        content = {"Collections": collections, "Models": models}
        (tmp_path / "metafile.yml").write_text(yaml.safe_dump(content))
        return content

    return write_index


@pytest.mark.parametrize(
    ("entries", "value"),
    [
        ([{"Config": "configs/none.py"}], "configs/none.py"),
        ([{"Name": "other"}], "other"),
        ([{}, {}], "twice"),
        ([], "configs/small.py"),
    ],
)
def test_rejects_wrong_entries(tmp_path, write_index, entries, value):
    write_index(entries)
    with pytest.raises(ConfigError, match=value):
        read_model_index(tmp_path)


def test_writes_counts_and_keeps_the_rest(tmp_path, write_index):
    content = write_index([{}])
    assert [main(argv, tmp_path) for argv in (["--check"], [], ["--check"])] == [1, 0, 0]
    found = yaml.safe_load((tmp_path / "metafile.yml").read_text())
    counts = [found["Models"][0]["Metadata"].pop(key) for key in ("Parameters", "FLOPs")]
    assert min(counts) > 0
    assert found == content
    assert "## Small\n\nOne.\n" in (tmp_path / "configs" / "README.md").read_text()
