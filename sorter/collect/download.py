"""Read a response body into memory or a file, up to a limit. A file has to begin like an image."""

from __future__ import annotations

import os
from pathlib import Path

import aiohttp

from sorter.collect.records import PictureStatus, Refused
from sorter.photos.formats import sniff

HEAD = 64  # bytes that identify an image format
BLOCK = 1 << 16


async def read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The first `most` bytes of the body."""
    body = b""
    async for block in response.content.iter_chunked(BLOCK):
        body += block
        if len(body) >= most:
            break
    return body[:most]


async def save(response: aiohttp.ClientResponse, target: Path, most: int) -> None:
    """Write the body to `target`, synced. A failure leaves no file.

    Raises:
        Refused: the body is empty, has more than `most` bytes, or does not begin like an image.
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
    """Only the bytes count. A server's Content-Type is often wrong."""
    if not head:
        raise Refused(PictureStatus.BROKEN, "the response is empty")
    if sniff(head[:HEAD]) is None:
        raise Refused(PictureStatus.NOT_AN_IMAGE, "the response is not an image")
