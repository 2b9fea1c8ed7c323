# SPDX-License-Identifier: GPL-3.0-or-later
"""A publisher, an empty data folder, and the hub's library pointed at both."""

from __future__ import annotations

import io
import random
import shutil
import ssl
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from engine.installed.locations import DATA_VARIABLE
from engine.installed.registry import FormFile, Item, Licence
from tests.engine.weights.publishers import HUB, Publisher
from tests.engine.weights.store import assert_right_or_untouched
from tests.waiting import HANG_S
from weights_downloader import receiving

FILE = "weights.bin"
LICENCE = Licence("A licence", "https://example.org/licence", "Non-commercial use only.")


@pytest.fixture(scope="session")
def content() -> bytes:
    """A zip of five megabytes and a bit, for the form's sake; the hub does not look."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("member.bin", random.Random(7).randbytes(5_300_321))
    return stream.getvalue()


@pytest.fixture
def publisher(content: bytes) -> Iterator[Publisher]:
    server = Publisher(FILE, content)
    yield server
    server.close()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, publisher: Publisher) -> Iterator[Path]:
    """The data folder. After each test it must be right or untouched."""
    folder = tmp_path / "data"
    monkeypatch.setenv(DATA_VARIABLE, str(folder))
    monkeypatch.setenv("HF_ENDPOINT", publisher.endpoint)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(receiving, "RETRY_WAIT_S", 0.01)
    huggingface_hub.close_session()
    content = publisher.content
    yield folder
    assert_right_or_untouched(folder, FILE, content)


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[str]:
    """The https address of a server whose certificate nobody vouches for; it answers nothing."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ],
        check=True,
        capture_output=True,
        timeout=HANG_S,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"https://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def hub_item() -> Item:
    """A file of the hub of which nothing is known beforehand."""
    return Item("tiny", "weights", "Something", FILE, HUB, LICENCE, variant="custom")


@pytest.fixture
def form_item(publisher: Publisher) -> Item:
    return Item(
        "body",
        "body",
        "Something behind a form",
        FILE,
        FormFile(publisher.form),
        LICENCE,
        register="https://example.org/register",
    )
