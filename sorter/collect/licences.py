"""Filter by licence, in the terms of each source."""

from __future__ import annotations

from dataclasses import dataclass

from sorter.types import UsageError

CODES = ("by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd", "cc0", "pdm")
PUBLIC_DOMAIN = frozenset({"cc0", "pdm"})
COMMERCIAL = frozenset(code for code in CODES if "nc" not in code.split("-"))
MODIFICATION = frozenset(code for code in CODES if "nd" not in code.split("-"))
GROUPS = {
    "public-domain": PUBLIC_DOMAIN,
    "commercial": COMMERCIAL,
    "modification": MODIFICATION,
    "commercial,modification": COMMERCIAL & MODIFICATION,
}
# The names of these groups in image searches.
WEB_FILTERS = {
    "public-domain": "Public",
    "commercial": "ShareCommercially",
    "modification": "Modify",
    "commercial,modification": "ModifyCommercially",
}


@dataclass(frozen=True)
class Licences:
    """The licences that are accepted.

    Attributes:
        codes: Creative Commons codes, with `cc0` and `pdm` (public domain mark). None accepts everything, also
            pictures without a licence.
    """

    codes: frozenset[str] | None = None

    @classmethod
    def parse(cls, words: tuple[str, ...]) -> Licences:
        """Parse `--licence`. `commercial` and `modification` together require both.

        Raises:
            UsageError: a word is neither a code nor a group.
        """
        given = [word for text in words for word in text.lower().replace(",", " ").split()]
        if not given or given == ["any"]:
            return cls()
        purposes = [word for word in given if word in ("commercial", "modification")]
        codes = frozenset().union(
            *(GROUPS.get(word, {word}) for word in given if word not in purposes)
        ) or frozenset(CODES)
        for word in purposes:
            codes &= GROUPS[word]
        unknown = sorted(codes - set(CODES))
        if unknown:
            choices = ", ".join(["any", "public-domain", "commercial", "modification", *CODES])
            raise UsageError(f"--licence: {unknown[0]} is none of {choices}")
        if not codes:
            raise UsageError(f"--licence: no licence is all of {', '.join(given)}")
        return cls(codes)

    def allow(self, licence: str) -> bool:
        """Whether a licence such as `by-sa 4.0` or `CC BY-SA` is accepted. An unknown one is not."""
        if self.codes is None:
            return True
        words = licence.lower().removeprefix("cc ").removeprefix("cc-").split()
        return bool(words) and words[0] in self.codes

    @property
    def openverse(self) -> str:
        """The value of Openverse's `license` parameter; empty for any."""
        return ",".join(code for code in CODES if self.codes and code in self.codes)

    @property
    def web(self) -> str | None:
        """The filter of an image search; None for any licence.

        Raises:
            UsageError: no filter stands for exactly these licences.
        """
        if self.codes is None:
            return None
        for name, codes in GROUPS.items():
            if codes == self.codes:
                return WEB_FILTERS[name]
        raise UsageError(
            "--licence: a web search filters by public-domain, commercial and modification only; "
            "choose one of these, or --source openverse"
        )
