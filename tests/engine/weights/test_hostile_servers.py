# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are not the file; the `data` fixture looks at the whole folder after each."""

from __future__ import annotations

import gzip
import io
import itertools
import json
from collections.abc import Iterator

import huggingface_hub
import pytest

from engine.contract.errors import UserError
from engine.installed.locations import downloads_folder
from engine.installed.registry import HubFile
from tests.engine.weights.conftest import FILE
from tests.engine.weights.publishers import PASSWORD, USERNAME, Trick
from tests.waiting import HANG_S
from weights_downloader import receiving
from weights_downloader.download import Request, fetch
from weights_downloader.form import Credentials
from weights_downloader.reporting import JsonReporter

MEGABYTE = 1 << 20
PAGE = b"<!DOCTYPE html><html><body>Please log in to the hotel's network</body></html>"
LOGIN = Credentials(USERNAME, PASSWORD)


@pytest.fixture(params=["hub", "form"])
def item(request, hub_item, form_item):
    """A file of either kind of source."""
    return {"hub": hub_item, "form": form_item}[request.param]


def get(item) -> tuple[bytes, list[dict]]:
    """Fetch in this process; the file's content and the events."""
    stream = io.BytesIO()
    path = fetch(item, Request(installed_share=0.0), LOGIN, JsonReporter(stream, item.name)).path
    return path.read_bytes(), [json.loads(line) for line in stream.getvalue().splitlines()]


def refused(item) -> UserError:
    with pytest.raises(UserError) as caught:
        get(item)
    assert caught.value.remedy and PASSWORD not in str(caught.value)
    return caught.value


def part_bytes() -> bytes | None:
    path = downloads_folder() / f"{FILE}.part"
    return path.read_bytes() if path.exists() else None


def head(status: str, *headers: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "Connection: close", "", "")).encode()


def cut_after(item, publisher, count: int) -> bytes:
    """Leave the first bytes of the file in the part, and return them."""
    publisher.content_tricks = [Trick(cut_after=count)] + [Trick(cut_after=0)] * (receiving.RETRIES + 1)
    assert refused(item).code == "connection-lost"
    had = part_bytes()
    assert had and publisher.content.startswith(had)
    publisher.content_tricks.clear()
    return had


@pytest.mark.parametrize("length", [f"Content-Length: {len(PAGE)}", "X-Length: unknown"])
@pytest.mark.parametrize("kind", ["Content-Type: text/html", "Content-Type: application/octet-stream"])
def test_a_login_page_in_the_place_of_the_rest_leaves_the_part_as_it_was(data, publisher, item, length, kind):
    had = cut_after(item, publisher, 2 * MEGABYTE)
    publisher.content_tricks = [Trick(raw=[head("200 OK", kind, length), PAGE])]
    assert refused(item).code in ("wrong-body", "wrong-length", "login-refused")
    assert part_bytes() == had
    assert get(item)[0] == publisher.content
    assert publisher.content_requests[-1].range == f"bytes={len(had)}-"


def test_a_login_page_at_the_start_leaves_nothing(data, publisher, item):
    publisher.content_tricks = [Trick(raw=[head("200 OK", "Content-Type: text/html"), PAGE])]
    assert refused(item).code in ("wrong-body", "login-refused")
    assert not part_bytes()


@pytest.mark.parametrize("span", ["bytes 100-{last}/{size}", "bytes 0-99/{size}", "bytes */*", "letters 1-2/3", ""])
def test_a_range_that_nobody_asked_for_is_not_kept(data, publisher, item, span):
    size = len(publisher.content)
    answer = head("206 Partial Content", f"Content-Range: {span.format(last=size - 1, size=size)}")
    publisher.content_tricks = [Trick(raw=[answer, publisher.content[100:300]])]
    assert get(item)[0] == publisher.content


def test_a_range_at_another_byte_is_not_appended(data, publisher, item):
    had, size = cut_after(item, publisher, 2 * MEGABYTE), len(publisher.content)
    answer = head("206 Partial Content", f"Content-Range: bytes {len(had) + 1}-{size - 1}/{size}")
    publisher.content_tricks = [Trick(raw=[answer, publisher.content[len(had) + 1 :]])]
    assert get(item)[0] == publisher.content


def _counted(pieces: Iterator[bytes], count: list[int]) -> Iterator[bytes]:
    for piece in pieces:
        count.append(len(piece))
        yield piece


def test_the_rest_without_an_end_is_left_at_the_size_that_is_known(data, publisher, item):
    had, size, sent = cut_after(item, publisher, 2 * MEGABYTE), len(publisher.content), []
    answer = head("206 Partial Content", f"Content-Range: bytes {len(had)}-{size - 1}/{size}")
    endless = itertools.chain([answer], itertools.repeat(bytes(MEGABYTE)))
    publisher.content_tricks = [Trick(raw=_counted(endless, sent))]
    assert refused(item).code == "wrong-length"
    assert part_bytes() is None and sum(sent) < size + 64 * MEGABYTE  # what fits in buffers on the way
    assert get(item)[0] == publisher.content


def test_a_file_without_an_end_of_unknown_size_is_left_as_well(data, publisher, form_item, monkeypatch):
    monkeypatch.setattr(receiving, "MOST_UNANNOUNCED_B", 8 * MEGABYTE)
    endless = itertools.chain([head("200 OK"), b"PK\3\4"], itertools.repeat(bytes(MEGABYTE)))
    publisher.content_tricks = [Trick(raw=endless)]
    assert refused(form_item).code == "wrong-length"
    assert part_bytes() is None


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate"])
def test_a_compressed_body_is_not_unpacked(data, publisher, item, coding):
    bomb = gzip.compress(bytes(64 * MEGABYTE))
    answer = head("200 OK", f"Content-Encoding: {coding}", f"Content-Length: {len(bomb)}")
    publisher.content_tricks = [Trick(raw=[answer, bomb])]
    assert refused(item).code == "wrong-body"
    assert not part_bytes()


@pytest.mark.parametrize("asked", ["86400", "999999999", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_long_wait_is_capped_and_told(data, publisher, item, monkeypatch, asked):
    monkeypatch.setattr(receiving, "LONGEST_WAIT_S", 0.05)
    publisher.content_tricks = [Trick(503, {"Retry-After": asked})]
    content, events = get(item)
    assert content == publisher.content
    stages = [event["stage"] for event in events if event["event"] == "stage"]
    assert stages == ["download", "busy", "download", "verify"]


@pytest.mark.parametrize("asked", ["-5", "soon", "1e9", "9" * 5000, "Wed, 99 Oct 2099", ""])
def test_a_wait_that_makes_no_sense_is_not_waited_for(data, publisher, item, asked):
    publisher.content_tricks = [Trick(429, {"Retry-After": asked})]
    assert get(item)[0] == publisher.content


def test_the_hub_may_ask_to_wait_before_it_says_what_there_is(data, publisher, hub_item, monkeypatch):
    monkeypatch.setattr(receiving, "LONGEST_WAIT_S", 0.05)
    publisher.hub_tricks = [Trick(429, {"Retry-After": "86400"})]
    content, events = get(hub_item)
    assert content == publisher.content and {"event": "stage", "name": "tiny", "stage": "busy"} in events


@pytest.mark.parametrize("size", [-5, 10**30, "many", "9" * 5000, "1.5"])
def test_sizes_that_make_no_sense_are_refused(data, publisher, hub_item, size):
    publisher.size = size
    assert refused(hub_item).code in ("server-failed", "hash-unknown")
    assert publisher.content_requests == []


@pytest.mark.parametrize("length", ["-5", str(10**30), "many"])
def test_lengths_that_make_no_sense_are_refused(data, publisher, item, length):
    publisher.content_tricks = [Trick(raw=[head("200 OK", f"Content-Length: {length}"), publisher.content])]
    assert refused(item).code == "server-failed"
    assert not part_bytes()


def test_redirects_in_a_circle_end(data, publisher, form_item):
    publisher.form_redirect = 302
    publisher.content_tricks = [Trick(302, {"Location": "/file"})] * 20
    assert refused(form_item).code == "server-failed"


def test_a_server_that_drips_is_left(data, publisher, item, monkeypatch):
    def drip() -> Iterator[bytes]:
        yield head("200 OK", f"Content-Length: {len(publisher.content)}") + publisher.content[:100]
        for place in itertools.count(100):
            if publisher.go_on.wait(0.01):
                return
            yield publisher.content[place : place + 1]

    monkeypatch.setattr(receiving, "RATE_WINDOW_S", 0.1)
    monkeypatch.setattr(receiving, "LEAST_RATE_B_PER_S", MEGABYTE)
    publisher.content_tricks = [Trick(raw=drip()) for _ in range(receiving.RETRIES + 1)]
    assert refused(item).code == "connection-lost"
    monkeypatch.setattr(receiving, "RATE_WINDOW_S", HANG_S)
    publisher.content_tricks.clear()
    assert get(item)[0] == publisher.content


def test_a_mirror_that_is_not_encrypted_is_told(data, publisher, hub_item, monkeypatch, capsys):
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, publisher.endpoint)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    huggingface_hub.close_session()
    try:
        assert isinstance(hub_item.source, HubFile) and get(hub_item)[0] == publisher.content
    finally:
        huggingface_hub.close_session()
    assert "http://hub.invalid is not encrypted" in capsys.readouterr().err
