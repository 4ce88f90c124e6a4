"""The index of configs: `model-index.yml` and its metafiles, counted, checked and made a table.

Metafiles hold what a person writes (name, config, data, input, the paper's results) and two
counts, which :func:`count_model` gives.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from glore_seg.apis.complexity import Complexity, count_config
from glore_seg.apis.config import load_config
from glore_seg.errors import ConfigError

INDEX = "model-index.yml"
_SIZES = re.compile(r"[1-9]\d{0,5}( x [1-9]\d{0,5}){1,4}")
_REQUIRED = ("Name", "In Collection", "Config", "Metadata")


@dataclass(frozen=True)
class IndexedModel:
    """One config of the index.

    Args:
        metafile: The file that lists it.
        entry: What stands there.
    """

    metafile: Path
    entry: dict[str, Any]

    @property
    def config(self) -> str:
        """Path of the config from the project's root."""
        return self.entry["Config"]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Channels and sizes of one input, for the counts."""
        # A text: mim, which lists the entries, takes lists for lists of words.
        return tuple(int(size) for size in self.entry["Metadata"]["Input"].split(" x "))


def read_model_index(root: Path) -> list[IndexedModel]:
    """Read the metafiles that the index imports.

    Args:
        root: The folder with ``model-index.yml``.

    Raises:
        ConfigError: The index or a metafile is not there.
        ConfigError: A file is no YAML or holds other things, an entry lacks a key, a config is
            listed twice, is not there, or is called otherwise than its file.
    """
    models: list[IndexedModel] = []
    for name in _listed(root / INDEX, "Import", str):
        metafile = root / name
        for collection in _listed(metafile, "Collections", dict):
            if not all(isinstance(collection.get(k), str) for k in ("Name", "Description")):
                raise ConfigError(f"{name}: a collection lacks the text of Name or Description")
        for entry in _listed(metafile, "Models", dict):
            missing = [key for key in _REQUIRED if key not in entry]
            if missing:
                raise ConfigError(
                    f"{name}: the entry {entry.get('Name', entry)} lacks {missing[0]!r}"
                )
            models.append(IndexedModel(metafile, entry))
            _check_entry(name, entry)
    seen: set[str] = set()
    for model in models:
        where = f"{model.metafile.relative_to(root)}: Config {model.config!r}"
        if model.config in seen:
            raise ConfigError(f"{where} is listed twice")
        if not (root / model.config).is_file():
            raise ConfigError(f"{where} does not exist below {root}")
        if Path(model.config).stem != model.entry["Name"]:
            raise ConfigError(f"{where} has the Name {model.entry['Name']!r}; expected the file's")
        seen.add(model.config)
    return models


def _listed(file: Path, key: str, kind: type) -> list[Any]:
    """What stands under a key of a YAML file, a list of a kind."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file} is no YAML ({error}); expected lists: correct it") from error
    found = content.get(key) if isinstance(content, dict) else None
    if not isinstance(found, list) or not all(isinstance(x, kind) for x in found):
        raise ConfigError(f"{file} has no list of {kind.__name__} under {key!r}: correct it")
    return found


def _check_entry(name: str, entry: dict[str, Any]) -> None:
    """Refuse an entry that no table can be made of."""
    meta, results = entry["Metadata"], entry.get("Results", [])
    texts = [entry["Name"], entry["Config"]]
    if isinstance(meta, dict):
        texts += [meta.get("Training Data"), meta.get("Input")]
    fits = (
        all(isinstance(text, str) for text in texts)
        and len(texts) == 4
        and _SIZES.fullmatch(texts[3])
        and isinstance(results, list)
        and all(isinstance(r, dict) and isinstance(r.get("Metrics"), dict) for r in results)
        and all("Source" in r for r in results)
        and texts[1].startswith("configs/")
    )
    if not fits:
        raise ConfigError(
            f"{name}: the entry {entry['Name']} does not fit; expected Name and Config, Metadata "
            "with Training Data and Input such as 3 x 512 x 1024, and Results with Metrics and "
            "Source"
        )


def unlisted_configs(root: Path, models: list[IndexedModel]) -> list[str]:
    """Configs below ``configs/`` that no metafile lists; parts in ``_base_`` folders need none."""
    listed = {model.config for model in models}
    files = (file.relative_to(root) for file in sorted((root / "configs").rglob("*.py")))
    return [f.as_posix() for f in files if "_base_" not in f.parts and f.as_posix() not in listed]


def count_model(root: Path, model: IndexedModel) -> Complexity:
    """Count parameters and MACs of a config at the input that its entry names."""
    return count_config(load_config(str(root / model.config)), model.input_shape)


def update_counts(root: Path, models: list[IndexedModel]) -> list[str]:
    """Set ``Parameters`` and ``FLOPs`` of the entries, in memory, to what is counted.

    Returns:
        One line for each count that was another or not there.
    """
    changes = []
    for model in models:
        counts = count_model(root, model)
        found = {"Parameters": counts.params, "FLOPs": counts.macs}
        for key, value in found.items():
            old = model.entry["Metadata"].get(key)
            if old != value:
                changes.append(f"{model.config}: {key} {old} -> {value}")
                model.entry["Metadata"][key] = value
    return changes


def write_metafiles(models: list[IndexedModel]) -> None:
    """Write the entries back into their metafiles, collections as they were."""
    for metafile in {model.metafile: None for model in models}:
        content = yaml.safe_load(metafile.read_text())
        content["Models"] = [model.entry for model in models if model.metafile == metafile]
        metafile.write_text(yaml.safe_dump(content, sort_keys=False, width=100))


def config_table(root: Path, models: list[IndexedModel]) -> str:
    """`configs/README.md`: all configs, folder by folder, with counts and the paper's results."""
    lines = [
        "# Configs",
        "",
        "Made by `python -m projects.reproduction.model_index_command` from `model-index.yml` and the metafiles.",
        "Parameters are the trainable ones; MACs are those of one forward pass at the",
        "input given, the unit's products included. Results are quoted from the paper, or from who",
        "published the weights; they were not measured here.",
    ]
    for metafile in {model.metafile: None for model in models}:
        collection = yaml.safe_load(metafile.read_text())["Collections"][0]
        lines += [
            "",
            f"## {collection['Name']}",
            "",
            collection["Description"].strip(),
            "",
            "| config | data | input | parameters, M | MACs, G | quoted |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [_row(model) for model in models if model.metafile == metafile]
    return "\n".join(lines) + "\n"


def _row(model: IndexedModel) -> str:
    meta = model.entry["Metadata"]
    link = Path(model.config).relative_to("configs").as_posix()
    quoted = "; ".join(
        f"{', '.join(f'{key} {value}' for key, value in result['Metrics'].items())} "
        f"({result['Source']})"
        for result in model.entry.get("Results", [])
    )
    cells = [
        f"[`{link}`]({link})",
        meta["Training Data"],
        meta["Input"],
        f"{meta['Parameters'] / 1e6:.3f}",
        f"{meta['FLOPs'] / 1e9:.1f}" if meta["FLOPs"] >= 1e11 else f"{meta['FLOPs'] / 1e9:.3f}",
        quoted,
    ]
    return f"| {' | '.join(cells)} |"
