"""A strict reader of HTML pages: what is not closed, and what would be loaded from elsewhere."""

from html.parser import HTMLParser
from typing import Any

_VOID = {"meta", "img", "br", "hr", "link", "input", "source"}
_LOADED = {"src", "srcset", "data", "poster", "background", "action"}


class Page(HTMLParser):
    """Reads a page.

    Raises:
        AssertionError: A tag is closed that is not the last one opened, or one stays open.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.loaded: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.loaded += [v for k, v in attributes.items() if k in _LOADED]
        if tag in ("link", "script", "iframe", "object", "embed", "base"):
            self.loaded.append(f"<{tag}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] != "style":
            self.text.append(data)

    def attributes(self, tag: str) -> list[dict[str, Any]]:
        """Attributes of every tag of that name."""
        return [attributes for name, attributes in self.tags if name == tag]

    def assert_self_contained(self) -> None:
        """Nothing is loaded but data URIs, and no style reaches outside."""
        assert [s for s in self.loaded if not s.startswith("data:image/")] == []
        style = self.html.partition("<style>")[2].partition("</style>")[0]
        assert style
        assert "url(" not in style
        assert "@import" not in style
        ids = {a["id"] for _, a in self.tags if "id" in a}
        assert all(a["href"].removeprefix("#") in ids for a in self.attributes("a"))
