"""What holds for every HTML page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree


class Page(HTMLParser):
    """What a browser would load, and whether the elements are well nested."""

    VOID = frozenset({"meta", "img", "br", "link", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in ("src", "data", "srcset"):
                self.loaded.append(value)
            if name in ("href", "xlink:href"):
                (self.links if tag == "a" else self.loaded).append(value)
            if name == "id":
                self.ids.append(value)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check_page(path: Path) -> Page:
    """Assert that a page is whole, loads nothing from elsewhere and takes its colours from its own style."""
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open
    assert all(each.startswith(("data:", "#")) for each in page.loaded)
    assert all(each.startswith("file:") for each in page.links)
    assert not re.findall(r"url\((?!#)|@import", text)
    assert "http:" not in text.replace("http://www.w3.org/", "")
    assert "https:" not in text
    assert not re.search(r"#0[12]0[12]0\d", text), "a colour that does not follow the page's"
    for variable in set(re.findall(r"var\((--[\w-]+)\)", text)):
        # Once for light and once for dark.
        assert text.count(f"{variable}:") == 2, variable
    for svg in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL):
        ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1))
        assert 'role="img" aria-label="' in svg
    return page
