"""Find a new picture among those that the dataset has."""

from __future__ import annotations

from dataclasses import dataclass, field

from sorter.photos.fingerprint import MAX_DISTANCE


@dataclass(frozen=True, slots=True)
class KnownPicture:
    """A picture that a dataset has, or had.

    Attributes:
        name: its file, or its URL where it has none.
        sha256: of its bytes, in hex.
        phash: perceptual hash, 64 bits.
    """

    name: str
    sha256: str
    phash: int


@dataclass
class KnownPictures:
    """The hashes of a dataset's pictures.

    Attributes:
        digests: SHA-256 in hex -> file name.
        hashes: perceptual hash, 64 bits -> file name.
    """

    digests: dict[str, str] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)

    def add(self, picture: KnownPicture) -> None:
        self.digests.setdefault(picture.sha256, picture.name)
        self.hashes.setdefault(picture.phash, picture.name)

    def exact(self, sha256: str) -> str | None:
        """The name of the picture with the same bytes, or None."""
        return self.digests.get(sha256)

    def near(self, phash: int, max_distance: int = MAX_DISTANCE) -> str | None:
        """The name of the first picture that looks the same, or None.

        A linear search: it is fast beside a download.
        """
        if phash in self.hashes:
            return self.hashes[phash]
        return next(
            (name for known, name in self.hashes.items() if (known ^ phash).bit_count() <= max_distance), None
        )
