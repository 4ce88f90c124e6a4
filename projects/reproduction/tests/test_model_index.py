import pytest
import yaml

from glore_seg.errors import ConfigError
from projects.reproduction.model_index import (
    ROOT,
    config_table,
    read_model_index,
    update_counts,
    write_metafiles,
)


def test_the_library_of_the_format_reads_it():
    modelindex = pytest.importorskip("modelindex", reason="pip install 'glore_seg[cls]'")
    index = modelindex.load(str(ROOT / "model-index.yml"))
    index.build_models_with_collections()
    assert {model.name for model in index.models} == {
        model.entry["Name"] for model in read_model_index()
    }


@pytest.mark.slow
def test_counts_are_current():
    """Of the last config of each metafile; the command with ``--check`` counts all."""
    last = {model.metafile: model for model in read_model_index()}
    assert update_counts(list(last.values())) == []


def test_table_is_current():
    table = config_table(read_model_index())
    assert (ROOT / "configs" / "README.md").read_text() == table
    assert "| 35.521 | 1200.1 | mIoU 78.25 (paper, Table 3) |" in table


@pytest.fixture
def project(tmp_path):
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "small.py").write_text("model = dict()\n")
    (tmp_path / "model-index.yml").write_text("Import:\n- configs/metafile.yml\n")
    entry = {
        "Name": "small",
        "In Collection": "Small",
        "Config": "configs/small.py",
        "Metadata": {"Training Data": "none", "Input": "8 x 4 x 4"},
    }

    def write(*entries):
        content = {"Collections": [{"Name": "Small", "Description": "One."}], "Models": entries}
        (configs / "metafile.yml").write_text(yaml.safe_dump(content))
        return tmp_path

    return write, entry


@pytest.mark.parametrize(
    ("entries", "value"),
    [
        ([{"Config": "configs/none.py"}], "configs/none.py"),
        ([{"Name": "other"}], "other"),
        ([{}, {}], "twice"),
        ([], "configs/small.py"),
    ],
)
def test_rejects_wrong_entries(project, entries, value):
    write, entry = project
    with pytest.raises(ConfigError, match=value):
        read_model_index(write(*({**entry, **change} for change in entries)))


def test_metafiles_keep_what_they_hold(project):
    write, entry = project
    root = write(entry)
    models = read_model_index(root)
    models[0].entry["Metadata"]["Parameters"] = 5
    write_metafiles(models)
    (again,) = read_model_index(root)
    assert again.entry == {**entry, "Metadata": {**entry["Metadata"], "Parameters": 5}}
    assert "Description: One." in again.metafile.read_text()
