"""Adds the pages that lie outside docs/ to the site and points links at them."""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "report_a_vulnerability.md",
    "configs/README.md": "configs.md",
    "data/README.md": "data.md",
    "projects/synthetic_data/README.md": "synthetic_data.md",
    "projects/reproduction/README.md": "reproduction.md",
    "projects/web_demo/README.md": "web_demo_project.md",
}
_LINK = re.compile(r"(\]\()([^)#:\s]+)")


def on_files(files, config):
    """Add the pages of :data:`PAGES`."""
    for source, name in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=_with_links(text, ROOT / source)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Point links of the pages in docs/ at the pages that were added."""
    source = Path(config["docs_dir"]) / page.file.src_uri
    return _with_links(markdown, source) if source.is_file() else markdown


def _with_links(text: str, source: Path) -> str:
    def new(found: re.Match) -> str:
        target = (source.parent / found[2]).resolve()
        if not target.is_relative_to(ROOT):
            return found[0]
        name = target.relative_to(ROOT).as_posix()
        if name in PAGES:
            return found[1] + PAGES[name]
        if name.startswith("docs/") and source.parent != ROOT / "docs":
            return found[1] + name.removeprefix("docs/")
        return found[0]

    return _LINK.sub(new, text)
