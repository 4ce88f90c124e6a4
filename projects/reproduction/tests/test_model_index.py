"""The index of configs is whole and true."""

from pathlib import Path

import pytest
import yaml

from projects.reproduction.model_index import (
    config_table,
    read_model_index,
    unlisted_configs,
    update_counts,
    write_metafiles,
)

ROOT = Path(__file__).parents[3]


def test_the_library_of_the_format_reads_it():
    modelindex = pytest.importorskip("modelindex", reason="pip install 'glore_seg[cls]'")
    index = modelindex.load(str(ROOT / "model-index.yml"))
    index.build_models_with_collections()
    assert {model.name for model in index.models} == {
        model.entry["Name"] for model in read_model_index(ROOT)
    }


def test_every_config_is_listed():
    assert unlisted_configs(ROOT, read_model_index(ROOT)) == []


def test_the_counts_are_true():
    """Of the last config of each metafile; `projects/reproduction/model_index_command.py --check` counts all."""
    last = {model.metafile: model for model in read_model_index(ROOT)}
    assert update_counts(ROOT, list(last.values())) == []


def test_the_table_is_made_from_the_metafiles():
    made = config_table(ROOT, read_model_index(ROOT))
    assert (ROOT / "configs" / "README.md").read_text() == made
    assert "| 35.521 | 1200.1 | mIoU 78.25 (paper, Table 3) |" in made


@pytest.fixture
def project(tmp_path):
    """A project of one config."""
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "small.py").write_text(
        "default_scope = 'mmseg'\n"
        "model = dict(type='GloReHead', in_channels=8, channels=4, num_nodes=2, num_classes=3)\n"
    )
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
    ("change", "message"),
    [
        ({"Config": "configs/none.py"}, "Config 'configs/none.py' does not exist below"),
        ({"Name": "other"}, "has the Name 'other'; expected the file's"),
        ({"Metadata": None}, "lacks 'Metadata'"),
    ],
)
def test_wrong_entries(project, change, message):
    write, entry = project
    entry = {key: value for key, value in {**entry, **change}.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        read_model_index(write(entry))


def test_listed_twice(project):
    write, entry = project
    with pytest.raises(ValueError, match=r"configs/metafile.yml: Config .* is listed twice"):
        read_model_index(write(entry, entry))


def test_unlisted(project):
    root = project[0]()
    assert unlisted_configs(root, read_model_index(root)) == ["configs/small.py"]


def test_metafiles_keep_what_they_hold(project):
    write, entry = project
    root = write(entry)
    models = read_model_index(root)
    models[0].entry["Metadata"]["Parameters"] = 5
    write_metafiles(models)
    (again,) = read_model_index(root)
    assert again.entry == {**entry, "Metadata": {**entry["Metadata"], "Parameters": 5}}
    assert "Description: One." in again.metafile.read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Import: [", r"model-index\.yml is no YAML"),
        ("- a", r"model-index\.yml has no list of str under 'Import'"),
        ("Import: 3", r"model-index\.yml has no list of str under 'Import'"),
        ("Import: [[]]", r"model-index\.yml has no list of str under 'Import'"),
    ],
)
def test_an_index_of_something_else(tmp_path, text, message):
    (tmp_path / "model-index.yml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_model_index(tmp_path)


def test_an_input_that_is_no_size(project):
    write, entry = project
    entry["Metadata"]["Input"] = "8 by 4"
    with pytest.raises(
        ValueError, match=r"the entry small does not fit; expected .*3 x 512 x 1024"
    ):
        read_model_index(write(entry))
