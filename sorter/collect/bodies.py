"""An answer's bytes: into memory or a file, no more than is allowed, and into a file only what begins like an image."""

from __future__ import annotations

import os
from pathlib import Path

import aiohttp

from sorter.collect.records import PictureStatus, Refused
from sorter.photos.decode import sniff

HEAD = 64  # bytes that tell an image
BLOCK = 1 << 16


async def read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, cut off after so many bytes."""
    body = b""
    async for block in response.content.iter_chunked(BLOCK):
        body += block
        if len(body) >= most:
            break
    return body[:most]


async def save(response: aiohttp.ClientResponse, target: Path, most: int) -> None:
    """Write the body to `target`, which is there whole and synced or not at all.

    Raises:
        Refused: it has more than `most` bytes, none, or does not begin like an image.
    """
    too_large = Refused(PictureStatus.FAILED, f"more than {most / 2**20:g} MiB (--max-bytes)")
    if response.content_length is not None and response.content_length > most:
        raise too_large
    part = target.with_name(target.name + ".part")
    size, head = 0, b""
    try:
        with part.open("wb") as file:
            async for block in response.content.iter_chunked(BLOCK):
                if size < HEAD:
                    head += block
                    if len(head) >= HEAD:
                        _check_head(head)
                size += len(block)
                if size > most:
                    raise too_large
                file.write(block)
            if size < HEAD:
                _check_head(head)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _check_head(head: bytes) -> None:
    """The server's Content-Type has no say in this."""
    if not head:
        raise Refused(PictureStatus.BROKEN, "the answer has no bytes")
    if sniff(head[:HEAD]) is None:
        raise Refused(PictureStatus.NOT_AN_IMAGE, "what came is no image")
