"""A loopback HTTP server that misbehaves on demand, and remembers what it was asked."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

Reply = Callable[["Handler"], None]


def picture(seed: int, size: tuple[int, int] = (160, 144), kind: str = "JPEG", quality: int = 90) -> bytes:
    """A picture of smooth random blobs: each seed looks like nothing else."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"quality": quality} if kind == "JPEG" else {}))
    return buffer.getvalue()


class Handler(BaseHTTPRequestHandler):
    """Looks up what to do in the server's `replies`; 404 for all else."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.site.asked[self.path] += 1
        self.server.site.agents.add(self.headers.get("User-Agent", ""))
        reply = self.server.site.replies.get(self.path)
        with suppress(ConnectionError):
            if reply is None:
                self.give(b"no such page", status=404, kind="text/plain")
            else:
                reply(self)

    def give(self, body: bytes, status: int = 200, kind: str = "image/jpeg", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            for each in value.split("|"):
                self.send_header(name.replace("_", "-"), each)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    site: Site

    def handle_error(self, *_: object) -> None:
        pass  # a client that hangs up is what some tests want


@dataclass
class Site:
    """What the server does and has seen.

    Attributes:
        url: of its root, without a slash.
        replies: path -> what to do.
        asked: path -> how often.
        agents: user agents that asked.
    """

    url: str
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    agents: set[str] = field(default_factory=set)

    def put(self, path: str, body: bytes, **keywords: object) -> str:
        """Serve these bytes; returns the URL."""
        return self.on(path, lambda handler: handler.give(body, **keywords))  # type: ignore[arg-type]

    def on(self, path: str, reply: Reply) -> str:
        self.replies[path] = reply
        return self.url + path

    def then(self, path: str, *replies: Reply) -> str:
        """One reply after the other; the last one for ever."""
        return self.on(path, lambda handler: replies[min(self.asked[path], len(replies)) - 1](handler))

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        return self.on(path, lambda handler: handler.give(b"", status=status, Location=to))


def status(code: int, **headers: str) -> Reply:
    return lambda handler: handler.give(b"not now", status=code, kind="text/plain", **headers)


def good(body: bytes) -> Reply:
    return lambda handler: handler.give(body)


def truncated(body: bytes) -> Reply:
    """Promises all bytes and gives half of them."""

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    return reply


def endless(head: bytes) -> Reply:
    """Goes on until the client hangs up."""

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        handler.wfile.write(head)
        while True:
            handler.wfile.write(bytes(1 << 16))

    return reply


def dripping(head: bytes) -> Reply:
    """A byte now and then, so that no read ever times out."""

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        handler.wfile.write(head)
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.02)

    return reply


@contextmanager
def serving() -> Iterator[Site]:
    server = Server(("127.0.0.1", 0), Handler)
    server.site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
