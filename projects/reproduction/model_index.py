"""`model-index.yml` and its metafiles: count all configs, check the entries, write the table.

People write name, config, data, input and the paper's results into the metafiles; parameters and
MACs are counted. ``python -m projects.reproduction.model_index`` updates them and
``configs/README.md``.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from glore_seg.apis import load_config
from glore_seg.apis.complexity import count_config
from glore_seg.cli import run_tool
from glore_seg.errors import ConfigError

ROOT = Path(__file__).parents[2]
Metafiles = dict[Path, dict[str, Any]]  # the content of each


def read_model_index(root: Path = ROOT) -> Metafiles:
    """Read the metafiles that ``root/model-index.yml`` imports.

    Raises:
        ConfigError: A config is missing, is listed twice or not at all, or has another name than
            its file.
    """
    names = yaml.safe_load((root / "model-index.yml").read_text("utf-8"))["Import"]
    metafiles = {root / name: yaml.safe_load((root / name).read_text("utf-8")) for name in names}
    files = (file.relative_to(root) for file in (root / "configs").rglob("*.py"))
    unlisted = {file.as_posix() for file in files if "_base_" not in file.parts}
    for metafile, content in metafiles.items():
        for model in content["Models"]:
            config, name = model["Config"], model["Name"]
            where = f"{metafile.relative_to(root)}: Config {config!r}"
            if config not in unlisted:
                raise ConfigError(f"{where} is no config below {root}, or listed twice")
            if Path(config).stem != name:
                raise ConfigError(f"{where} has the Name {name!r}; expected the file's")
            unlisted.remove(config)
    if unlisted:
        raise ConfigError(f"no metafile lists {', '.join(sorted(unlisted))}; add entries")
    return metafiles


def update_counts(models: Iterable[dict[str, Any]], root: Path = ROOT) -> list[str]:
    """Set ``Parameters`` and ``FLOPs`` of entries, in memory; one line for each change."""
    changes = []
    for model in models:
        meta = model["Metadata"]
        # a text, as mim expects
        shape = tuple(int(size) for size in meta["Input"].split(" x "))
        counts = count_config(load_config(str(root / model["Config"])), shape)
        for key, value in {"Parameters": counts.params, "FLOPs": counts.macs}.items():
            if meta.get(key) != value:
                changes.append(f"{model['Config']}: {key} {meta.get(key)} -> {value}")
                meta[key] = value
    return changes


def config_table(metafiles: Metafiles) -> str:
    """`configs/README.md`: all configs by folder, with counts and the paper's results."""
    lines = [
        "# Configs",
        "",
        "Written by `python -m projects.reproduction.model_index` from `model-index.yml` and the",
        "metafiles. Parameters are the trainable ones; MACs are those of one forward pass at the",
        "given input, the unit's products included. Results are quoted from the paper or from the",
        "publisher of the weights; they were not measured here.",
    ]
    for content in metafiles.values():
        collection = content["Collections"][0]
        lines += ["", f"## {collection['Name']}", "", collection["Description"].strip(), ""]
        lines += ["| config | data | input | parameters, M | MACs, G | quoted |"]
        lines += ["| --- | --- | --- | --- | --- | --- |", *map(_row, content["Models"])]
    return "\n".join(lines) + "\n"


def _row(model: dict[str, Any]) -> str:
    meta = model["Metadata"]
    link = model["Config"].removeprefix("configs/")
    quoted = "; ".join(
        f"{', '.join(f'{key} {value}' for key, value in result['Metrics'].items())} "
        f"({result['Source']})"
        for result in model.get("Results", [])
    )
    macs = f"{meta['FLOPs'] / 1e9:.{1 if meta['FLOPs'] >= 1e11 else 3}f}"
    cells = [f"[`{link}`]({link})", meta["Training Data"], meta["Input"]]
    cells += [f"{meta['Parameters'] / 1e6:.3f}", macs, quoted]
    return f"| {' | '.join(cells)} |"


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Update, or exit with 1 where a check finds something."""
    parser = argparse.ArgumentParser(
        prog="python -m projects.reproduction.model_index",
        description="Count parameters and MACs of every config of model-index.yml, write them to "
        "the metafiles, and write the table in configs/README.md.",
        epilog="example: %(prog)s --check",
    )
    text = "write nothing; exit with 1 if something is outdated"
    parser.add_argument("--check", action="store_true", help=text)
    args = parser.parse_args(argv)
    metafiles = read_model_index(root)
    models = [model for content in metafiles.values() for model in content["Models"]]
    outdated = update_counts(models, root)
    table = config_table(metafiles)
    readme = root / "configs" / "README.md"
    if not readme.is_file() or readme.read_text() != table:
        outdated.append("configs/README.md differs from what the metafiles give")
    print("\n".join([*outdated, f"{len(models)} configs counted"]))
    if args.check:
        return 1 if outdated else 0
    for metafile, content in metafiles.items():
        metafile.write_text(yaml.safe_dump(content, sort_keys=False, width=100))
    readme.write_text(table)
    return 0


if __name__ == "__main__":
    run_tool(main)
