"""Keywords in XMP sidecars: added to what is there, found again, and taken away.

Sources: ISO 16684-1 for XMP; dc:subject for keywords, lr:hierarchicalSubject as Lightroom and digiKam:TagsList as
digiKam write them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sorter.types import UsageError

if TYPE_CHECKING:
    from lxml.etree import _Element, _ElementTree

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}
FLAT, BY_BARS, BY_SLASHES, RATING = "dc:subject", "lr:hierarchicalSubject", "digiKam:TagsList", "xmp:Rating"
CONTAINERS = tuple(f"{{{RDF}}}{name}" for name in ("Bag", "Seq", "Alt"))
STARS = range(-1, 6)  # of xmp:Rating; -1 is rejected
MOST = 16 << 20  # bytes of a sidecar
EMPTY = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="sorter">
  <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description rdf:about=""/>
  </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
""".encode()


class SidecarError(ValueError):
    """A sidecar that cannot be read. The message says why."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A value of a property of a sidecar, such as one keyword.

    Attributes:
        name: of the property, such as `dc:subject`.
    """

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class TagSettings:
    """What is written for a class.

    Attributes:
        prefix: keywords above that of the class, from the top.
        ratings: class and its stars.
    """

    prefix: tuple[str, ...] = ()
    ratings: tuple[tuple[str, int], ...] = ()

    @classmethod
    def parse(cls, prefix: str, ratings: tuple[str, ...]) -> TagSettings:
        """Of `--tag-prefix` and `--rating`. Raises UsageError."""
        above = tuple(part.strip() for part in re.split(r"[|/]", prefix)) if prefix else ()
        if not all(above):
            raise UsageError(
                f"--tag-prefix: {prefix!r} has a keyword without a name; write it as in sorter/photos"
            )
        return cls(above, tuple(map(_rating, ratings)))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TagSettings:
        return cls(tuple(data["prefix"]), tuple((label, stars) for label, stars in data["ratings"]))

    def to_json(self) -> dict[str, Any]:
        return {"prefix": list(self.prefix), "ratings": [list(each) for each in self.ratings]}

    def tags(self, label: str) -> tuple[Tag, ...]:
        """What belongs into the sidecar of a photo of a class."""
        above = [*self.prefix, re.sub(r"[|/]", "-", label)]
        stars = dict(self.ratings).get(label)
        return (
            Tag(FLAT, label),
            Tag(BY_BARS, "|".join(above)),
            Tag(BY_SLASHES, "/".join(above)),
            *(() if stars is None else (Tag(RATING, str(stars)),)),
        )


NO_TAGS = TagSettings()


@dataclass(frozen=True, slots=True)
class Tagged:
    """A sidecar with tags.

    Attributes:
        data: its bytes.
        added: the tags that were not there before.
    """

    data: bytes
    added: tuple[Tag, ...]


def add_tags(data: bytes | None, tags: tuple[Tag, ...]) -> Tagged:
    """Add tags to a sidecar; None for a new one. What is there stays, a rating too. Raises SidecarError."""
    tree = _parse(EMPTY if data is None else data)
    added = tuple(tag for tag in tags if _add(tree, tag))
    if not added and data is not None:
        return Tagged(data, ())
    if data is not None:
        return Tagged(_bytes(tree, data), added)
    _etree().indent(tree)
    made = _bytes(tree, EMPTY)  # lxml leaves out what separates a packet from what is around it
    return Tagged(made.replace(b"?><x:", b"?>\n<x:").replace(b"><?x", b">\n<?x"), added)


def remove_tags(data: bytes, tags: tuple[Tag, ...]) -> bytes:
    """Take tags away, and nothing else. Raises SidecarError."""
    tree = _parse(data)
    removed = [_remove(tree, tag) for tag in tags]
    return _bytes(tree, data) if any(removed) else data


def _rating(text: str) -> tuple[str, int]:
    label, _, stars = text.rpartition("=")
    if not label or not re.fullmatch(r"-?\d", stars) or int(stars) not in STARS:
        raise UsageError(f"--rating: {text!r} is no class and its stars, -1 to 5; write it as in car=4")
    return label, int(stars)


def _add(tree: _ElementTree, tag: Tag) -> bool:
    """Add a tag. Returns whether it was missing."""
    if tag.name == RATING:
        if _ratings(tree):
            return False
        _new_property(tree, RATING).text = tag.value
        return True
    found = [item for bag in _bags(tree, tag.name) for item in bag]
    if any((item.text or "").strip() == tag.value for item in found):
        return False
    bags = _bags(tree, tag.name) or [_new_bag(tree, tag.name)]
    item = _etree().SubElement(bags[0], f"{{{RDF}}}li")
    item.text = tag.value
    return True


def _remove(tree: _ElementTree, tag: Tag) -> bool:
    """Take a tag away, and its property if that is empty then. Returns whether it was there."""
    if tag.name == RATING:
        rating = _first(tree).find(_qualified(RATING))
        if rating is None or rating.text != tag.value:
            return False
        _drop(rating)
        return True
    for bag in _bags(tree, tag.name):
        for item in bag:
            if (item.text or "").strip() == tag.value:
                _drop(item)
                if not len(bag):
                    _drop(bag.getparent())
                return True
    return False


def _ratings(tree: _ElementTree) -> list[Any]:
    name = _qualified(RATING)
    descriptions = _descriptions(tree)
    return [each for each in descriptions if name in each.attrib or each.find(name) is not None]


def _bags(tree: _ElementTree, name: str) -> list[_Element]:
    properties = (each.find(_qualified(name)) for each in _descriptions(tree))
    return [bag for each in properties if each is not None for bag in each if bag.tag in CONTAINERS]


def _new_bag(tree: _ElementTree, name: str) -> _Element:
    found = _first(tree).find(_qualified(name))
    bag: _Element = _etree().SubElement(_new_property(tree, name) if found is None else found, CONTAINERS[0])
    return bag


def _new_property(tree: _ElementTree, name: str) -> _Element:
    prefix = name.split(":")[0]
    made: _Element = _etree().SubElement(_first(tree), _qualified(name), nsmap={prefix: SPACES[prefix]})
    return made


def _descriptions(tree: _ElementTree) -> list[_Element]:
    return [each for root in tree.iter(f"{{{RDF}}}RDF") for each in root.findall(f"{{{RDF}}}Description")]


def _first(tree: _ElementTree) -> _Element:
    found = _descriptions(tree)
    if found:
        return found[0]
    root = next(tree.iter(f"{{{RDF}}}RDF"))
    description: _Element = _etree().SubElement(root, f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})
    return description


def _drop(element: _Element | None) -> None:
    """Remove an element, and not the text behind it."""
    parent = None if element is None else element.getparent()
    if element is None or parent is None:
        return
    before = element.getprevious()
    if element.tail and before is not None:
        before.tail = element.tail
    parent.remove(element)


def _qualified(name: str) -> str:
    prefix, local = name.split(":")
    return f"{{{SPACES[prefix]}}}{local}"


def _parse(data: bytes) -> _ElementTree:
    etree = _etree()
    if len(data) > MOST:
        raise SidecarError(f"it has more than {MOST >> 20} MiB")
    # No entity of a hostile file is resolved, and nothing is fetched.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        tree: _ElementTree = etree.fromstring(data, parser).getroottree()
    except etree.XMLSyntaxError as error:
        raise SidecarError(f"it is no XML: {error.msg}") from error
    if next(tree.iter(f"{{{RDF}}}RDF"), None) is None:
        raise SidecarError("it is no XMP: it has no rdf:RDF")
    return tree


def _bytes(tree: _ElementTree, like: bytes) -> bytes:
    """A sidecar as bytes, in the encoding that it had."""
    declared = b"<?xml " in like[:64].replace(b"\0", b"")  # in UTF-16, too
    encoding = tree.docinfo.encoding or "utf-8"
    text: bytes = _etree().tostring(tree, encoding=encoding, xml_declaration=declared)
    return text + b"\n" if like.endswith(b"\n") else text


@lru_cache(maxsize=1)
def _etree() -> Any:
    """lxml, which only this action needs."""
    from lxml import etree

    return etree
