# SPDX-License-Identifier: GPL-3.0-or-later
"""Real HTTP servers on loopback that stand in for the publishers: a hub with its CDN, and a site with a login form.

They do what they are told to: cut, stall, lie, refuse. What they are not told about they do as the real ones do.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from engine.installed.registry import HubFile
from tests.waiting import HANG_S, wait_until

REVISION = "1902f6b702547870994f15413ed4c61b19dca6b6"
HUB = HubFile("someone/weights", REVISION)
SILENCE_S = 3.0
"""A client gives a server that has fallen silent so long: many times what the next bytes take on loopback."""
USERNAME, PASSWORD = "someone@example.org", "correct horse & battery=staple ü"


def no_one_is_told() -> None:
    """Nothing happens."""


@dataclass
class Trick:
    """What to do instead of the right thing, once."""

    status: int = 0
    """Answer this status and nothing else."""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    """Send so many bytes of the answer, then drop the connection."""
    politely: bool = False
    """Drop it by closing (FIN) instead of resetting it (RST)."""
    stall_after: int | None = None
    """Send so many bytes, then nothing until the server is told to go on."""
    content: bytes | None = None
    """Send this in the place of the file."""
    ignores_range: bool = False
    """Send all of it, whatever was asked for."""
    raw: Iterable[bytes] | None = None
    """Send these bytes, head and all, until they or the connection end."""
    before: Callable[[], None] = no_one_is_told
    """Called before the answer."""


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    path: str
    range: str
    headers: dict[str, str]
    body: bytes
    time_s: float
    at: str
    """``hub``, ``cdn`` or ``form``."""


class Publisher:
    """A hub (``endpoint``) that redirects to a CDN at another origin, and a download form (``form``)."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content
        self.etag: str | None = None
        """In the place of the content's own SHA-256."""
        self.size: int | str | None = None
        """In the place of the content's own length."""
        self.hub_tricks: list[Trick] = []
        self.content_tricks: list[Trick] = []
        self.form_redirect = 0
        """A redirect's status, for the form to lead to the CDN."""
        self.refusal = (401, b"Unauthorized")
        """How the form refuses a login."""
        self.requests: list[Request] = []
        self.go_on = threading.Event()
        self.stalling = threading.Event()
        self._servers = [_Server(self, role) for role in ("hub", "cdn")]
        self.endpoint, self.cdn = (f"http://127.0.0.1:{server.server_address[1]}" for server in self._servers)
        self.form = f"{self.endpoint}/download.php?sfile={name}&resume=1"
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def content_requests(self) -> list[Request]:
        """Requests for the file itself."""
        return [request for request in self.requests if request.at in ("cdn", "form") and request.method != "HEAD"]

    def close(self) -> None:
        self.go_on.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, publisher: Publisher, role: str) -> None:
        self.publisher, self.role = publisher, role
        super().__init__(("127.0.0.1", 0), _Handler)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        """Close without the FIN that would come before a reset."""
        self.close_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are what this is about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """The tests look at `Publisher.requests`."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        publisher = self.server.publisher
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path  # a proxy is asked for whole addresses
        at = "form" if path == "/download.php" else self.server.role
        publisher.requests.append(
            Request(self.command, path, self.headers.get("Range", ""), dict(self.headers), body, time.monotonic(), at)
        )
        if at == "form":
            self._form(body)
        elif at == "cdn":
            self._content(f'"{publisher.etag or publisher.sha256}"')
        elif path == f"/{HUB.repository}/resolve/{REVISION}/{publisher.name}":
            self._resolve()
        else:
            self._short(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": REVISION})

    def _resolve(self) -> None:
        publisher = self.server.publisher
        trick = publisher.hub_tricks.pop(0) if publisher.hub_tricks else Trick()
        trick.before()
        if trick.status:
            return self._short(trick.status, trick.headers)
        size = publisher.size if publisher.size is not None else len(publisher.content)
        self._short(
            302,
            {
                "X-Repo-Commit": REVISION,
                "X-Linked-Size": str(size),
                "ETag": '"pointer"',
                "X-Linked-Etag": f'"{publisher.etag or publisher.sha256}"',
                "Location": f"{publisher.cdn}/blobs/{publisher.sha256}?signature=abc",
            },
        )

    def _form(self, body: bytes) -> None:
        publisher = self.server.publisher
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if form != {"username": USERNAME, "password": PASSWORD}:
            status, text = publisher.refusal
            return self._short(status, {}, text)
        if publisher.form_redirect:
            return self._short(publisher.form_redirect, {"Location": f"{publisher.cdn}/file"})
        self._content(f'"{publisher.sha256[:12]}"')

    def _content(self, etag: str) -> None:
        publisher = self.server.publisher
        trick = publisher.content_tricks.pop(0) if publisher.content_tricks else Trick()
        trick.before()
        if trick.status:
            return self._short(trick.status, trick.headers)
        if trick.raw is not None:
            return self._pour(trick.raw)
        content = publisher.content if trick.content is None else trick.content
        begin, asked = 0, self.headers.get("Range", "")
        if asked and not trick.ignores_range and self.headers.get("If-Range", etag) == etag:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
            if begin >= len(content):
                return self._short(416, {"Content-Range": f"bytes */{len(content)}"})
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.send_header("ETag", etag)
        self.end_headers()
        self._send(content[begin:], trick)

    def _send(self, content: bytes, trick: Trick) -> None:
        with contextlib.suppress(OSError):
            if trick.stall_after is not None:
                self.wfile.write(content[: trick.stall_after])
                self.server.publisher.stalling.set()
                self.server.publisher.go_on.wait(HANG_S)
                self.wfile.write(content[trick.stall_after :])
            elif trick.cut_after is not None:
                self.wfile.write(content[: trick.cut_after])
                if not trick.politely:
                    time.sleep(0.05)  # a reset throws away what has not been read yet
                    wait_until(lambda: not self._unread(), "the client", self._unread)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
            else:
                self.wfile.write(content)

    def _pour(self, pieces: Iterable[bytes]) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            for piece in pieces:
                self.wfile.write(piece)

    def _unread(self) -> int:
        """Bytes that the client has not read yet; 0 where the system does not tell (it is not Linux)."""
        ours, theirs = (f"{address[1]:04X}" for address in (self.connection.getsockname(), self.client_address))
        try:
            rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        except OSError:
            return 0
        queues = {(row[1][-4:], row[2][-4:]): [int(size, 16) for size in row[4].split(":")] for row in rows}
        return queues.get((ours, theirs), [0, 0])[0] + queues.get((theirs, ours), [0, 0])[1]

    def _short(self, status: int, headers: dict[str, str], text: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)
