"""What a licence must allow, in the words of each source."""

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
# How image searches call these groups.
WEB_FILTERS = {
    "public-domain": "Public",
    "commercial": "ShareCommercially",
    "modification": "Modify",
    "commercial,modification": "ModifyCommercially",
}


@dataclass(frozen=True)
class Licences:
    """Which licences will do.

    Attributes:
        codes: Creative Commons codes, `cc0` and `pdm` (public domain mark) among them; None for any, or none at all.
    """

    codes: frozenset[str] | None = None

    @classmethod
    def parse(cls, words: tuple[str, ...]) -> Licences:
        """`--licence` -> what it means. `commercial` and `modification` together mean both.

        Raises:
            UsageError: a word that is neither a code nor a group.
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
        """Whether a licence, such as `by-sa 4.0` or `CC BY-SA`, will do; an unknown one will not."""
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
        """An image search's filter; None for any.

        Raises:
            UsageError: it has none for exactly these licences.
        """
        if self.codes is None:
            return None
        for name, codes in GROUPS.items():
            if codes == self.codes:
                return WEB_FILTERS[name]
        raise UsageError(
            "--licence: a web search tells only public-domain, commercial and modification apart; "
            "choose one of these, or --source openverse"
        )
