"""`model-index.yml` and its metafiles: count all configs, check the entries, write the table.

People write name, config, data, input and the paper's results into the metafiles; parameters and
MACs are counted. ``python -m projects.reproduction.model_index`` updates them and
``configs/README.md``.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from glore_seg.apis import load_config
from glore_seg.apis.complexity import count_config
from glore_seg.cli import run_tool
from glore_seg.errors import ConfigError

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class IndexedModel:
    """One config of the index: the metafile that lists it, and its entry there."""

    metafile: Path
    entry: dict[str, Any]

    @property
    def config(self) -> str:
        """Path of the config from the project's root."""
        return self.entry["Config"]


def read_model_index(root: Path = ROOT) -> list[IndexedModel]:
    """Read the metafiles that ``root/model-index.yml`` imports.

    Raises:
        ConfigError: A config is missing, is listed twice or not at all, or has another name than
            its file.
    """
    models = [
        IndexedModel(root / name, entry)
        for name in _read(root / "model-index.yml")["Import"]
        for entry in _read(root / name)["Models"]
    ]
    files = (file.relative_to(root) for file in (root / "configs").rglob("*.py"))
    unlisted = {file.as_posix() for file in files if "_base_" not in file.parts}
    for model in models:
        where = f"{model.metafile.relative_to(root)}: Config {model.config!r}"
        if model.config not in unlisted:
            raise ConfigError(f"{where} is no config below {root}, or listed twice")
        if Path(model.config).stem != model.entry["Name"]:
            raise ConfigError(f"{where} has the Name {model.entry['Name']!r}; expected the file's")
        unlisted.remove(model.config)
    if unlisted:
        raise ConfigError(f"no metafile lists {', '.join(sorted(unlisted))}; add entries")
    return models


def update_counts(models: list[IndexedModel], root: Path = ROOT) -> list[str]:
    """Set ``Parameters`` and ``FLOPs`` of the entries, in memory; one line for each change."""
    changes = []
    for model in models:
        # a text, as mim expects
        shape = tuple(int(size) for size in model.entry["Metadata"]["Input"].split(" x "))
        counts = count_config(load_config(str(root / model.config)), shape)
        for key, value in {"Parameters": counts.params, "FLOPs": counts.macs}.items():
            old = model.entry["Metadata"].get(key)
            if old != value:
                changes.append(f"{model.config}: {key} {old} -> {value}")
                model.entry["Metadata"][key] = value
    return changes


def write_metafiles(models: list[IndexedModel]) -> None:
    """Write the entries back into their metafiles."""
    for metafile in {model.metafile: None for model in models}:
        content = _read(metafile)
        content["Models"] = [model.entry for model in models if model.metafile == metafile]
        metafile.write_text(yaml.safe_dump(content, sort_keys=False, width=100))


def config_table(models: list[IndexedModel]) -> str:
    """`configs/README.md`: all configs by folder, with counts and the paper's results."""
    lines = [
        "# Configs",
        "",
        "Written by `python -m projects.reproduction.model_index` from `model-index.yml` and the",
        "metafiles. Parameters are the trainable ones; MACs are those of one forward pass at the",
        "given input, the unit's products included. Results are quoted from the paper or from the",
        "publisher of the weights; they were not measured here.",
    ]
    for metafile in {model.metafile: None for model in models}:
        collection = _read(metafile)["Collections"][0]
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
    macs = f"{meta['FLOPs'] / 1e9:.{1 if meta['FLOPs'] >= 1e11 else 3}f}"
    cells = [f"[`{link}`]({link})", meta["Training Data"], meta["Input"]]
    cells += [f"{meta['Parameters'] / 1e6:.3f}", macs, quoted]
    return f"| {' | '.join(cells)} |"


def _read(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def main(argv: Sequence[str] | None = None) -> int:
    """Update, or exit with 1 where a check finds something."""
    parser = argparse.ArgumentParser(
        description="Count parameters and MACs of every config of model-index.yml, write them to "
        "the metafiles, and write the table in configs/README.md.",
        epilog="example: python -m projects.reproduction.model_index --check",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if something is outdated"
    )
    args = parser.parse_args(argv)
    models = read_model_index()
    outdated = update_counts(models)
    table = config_table(models)
    readme = ROOT / "configs" / "README.md"
    if not readme.is_file() or readme.read_text() != table:
        outdated.append("configs/README.md differs from what the metafiles give")
    print("\n".join([*outdated, f"{len(models)} configs counted"]))
    if args.check:
        return 1 if outdated else 0
    write_metafiles(models)
    readme.write_text(table)
    return 0


if __name__ == "__main__":
    run_tool(main)
