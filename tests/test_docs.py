"""The documents: links lead somewhere, every page can be reached, sentences are short, names are today's."""

from __future__ import annotations

import re
import shlex
from configparser import ConfigParser
from pathlib import Path

import pytest

from sorter.cli import build_parser

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").rglob("*.md"))
PROSE = [README, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *PAGES]
DOCUMENTS = [*PROSE, ROOT / "CHANGELOG.md", *sorted((ROOT / "weights").rglob("*.md"))]
MOST_WORDS = 35
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1\s*?$", re.MULTILINE | re.DOTALL)
# Files of the project in backticks; those of the library may lack `sorter/`.
NAMED = re.compile(r"`((?:sorter|gui|scripts|tests|weights|docs|\.ci)/[\w./-]*\w/?|\w+/[\w/]+\.py)`")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str:
    """A document without its blocks of code."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """What GitHub makes of a document's headings, those of one name numbered."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*$", text_of(path), re.MULTILINE):
        plain = re.sub(r"\]\([^)]*\)", "]", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        numbered = (slug if not number else f"{slug}-{number}" for number in range(1000))
        found.add(next(each for each in numbered if each not in found))
    return found


def links(path: Path) -> list[tuple[Path, str]]:
    """Relative links of a document: the file that each leads to, and the anchor in it or nothing."""
    found = []
    for target in LINK.findall(re.sub(r"`[^`\n]*`", "", text_of(path))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found.append(((path.parent / file).resolve() if file else path, anchor))
    return found


def sentences(path: Path) -> list[str]:
    """Sentences of a document's prose: no code, tables, headings, pictures or targets of links."""
    lines = text_of(path).splitlines()
    prose = "\n".join("" if line.lstrip().startswith(("|", "#", "<", "!")) else line for line in lines)
    prose = re.sub(r"^ {4,}(?![-*\d]).*$", "", prose, flags=re.MULTILINE)
    prose = re.sub(r"`[^`\n]*`", "code", re.sub(r"\]\([^)]*\)", "]", prose))
    parts = re.split(r"(?<=[.!?:])\**\s+|\n\s*\n|\n\s*(?:[-*]|\d+\.)\s", prose)
    return [" ".join(part.split()) for part in parts if part.strip()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_relative_links_lead_somewhere(path: Path) -> None:
    for target, anchor in links(path):
        assert target.exists(), f"{name(path)}: {target} does not exist"
        assert not anchor or anchor in anchors(target), f"{name(path)}: {name(target)} has no #{anchor}"


@pytest.mark.parametrize("path", PROSE, ids=name)
def test_no_sentence_is_long(path: Path) -> None:
    long = [each for each in sentences(path) if len(each.split()) > MOST_WORDS]
    assert not long, f"{name(path)}: over {MOST_WORDS} words: {long}"


@pytest.mark.parametrize("path", [*PROSE, ROOT / "tests/fixtures/version-0.1/README.md"], ids=name)
def test_files_that_are_named_exist(path: Path) -> None:
    named = NAMED.findall(text_of(path))
    missing = [each for each in named if not (ROOT / each).exists() and not (ROOT / "sorter" / each).exists()]
    assert not missing, f"{name(path)}: names files that do not exist: {missing}"


def test_every_page_can_be_reached() -> None:
    reached, waiting = set(), [README, ROOT / "docs/index.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [target for target, _ in links(page) if target.suffix == ".md" and target.exists()]
    assert not [name(page) for page in PAGES if page not in reached]


def test_the_readme_fits_on_a_screen_and_a_half() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 110
    assert len(text.encode()) <= 8000


def test_the_architecture_is_short() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_bytes()) <= 8000


def test_continuous_integration_finds_the_commands_of_the_readme() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert 'pip install -e ".[test]" && pytest' in lines
    assert "pip install . && sorter run ./photos --out ./sorted" in lines
    # .ci/run reads the test command with this very expression, and runs what it captures.
    assert r"sed -n 's/^\(pip install -e .*\) && pytest$/\1/p' README.md" in (ROOT / ".ci/run").read_text()


def commands(path: Path) -> list[list[str]]:
    """Every call of `sorter` in a document's blocks of shell, without its comment."""
    blocks = re.findall(
        r"^```(?:sh|console)\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    calls = [call.partition(" > ")[0].strip() for line in lines for call in line.split(" && ")]
    return [shlex.split(call, comments=True)[1:] for call in calls if call.startswith("sorter ")]


@pytest.mark.parametrize("path", [path for path in PROSE if commands(path)], ids=name)
def test_commands_in_the_documents_are_understood(path: Path) -> None:
    parser = build_parser()
    for call in commands(path):
        parser.parse_args(call)


def test_every_command_has_a_link_in_the_readme() -> None:
    rows = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| `sorter ")]
    (group,) = (each for each in build_parser()._actions if each.dest == "==SUPPRESS==" and each.choices)
    assert group.choices is not None
    for command in group.choices:
        (row,) = (row for row in rows if row.startswith(f"| `sorter {command} "))
        assert "](docs/" in row


def test_the_picture_of_the_house_is_what_the_imports_say() -> None:
    configuration = ConfigParser()
    configuration.read(ROOT / "setup.cfg", encoding="utf-8")
    layers = configuration["importlinter:contract:house"]["layers"].split("\n")[1:]
    drawn = re.findall(
        r"^ *\d+ +(\w.*)$", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [set(line.split()) - {"gui"} for line in drawn] == [
        set(re.findall(r"\w+", each)) for each in layers
    ]
