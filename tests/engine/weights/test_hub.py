# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads from the hub through whatever networks do; the `data` fixture looks at the whole folder after each."""

from __future__ import annotations

import hashlib
import io
import json
import random
import shutil
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from engine.contract.errors import UserError
from engine.installed.locations import DATA_VARIABLE, downloads_folder
from engine.installed.registry import Item
from tests.engine.weights.conftest import FILE
from tests.engine.weights.publishers import HUB, REVISION, SILENCE_S, Trick
from tests.waiting import HANG_S
from weights_downloader import receiving, records
from weights_downloader.download import Original, Request, fetch
from weights_downloader.records import Figures
from weights_downloader.reporting import JsonReporter

MEGABYTE = 1 << 20


def get(item: Item, offline: bool = False) -> tuple[Original, list[dict]]:
    """Fetch in this process; the original and the events."""
    stream = io.BytesIO()
    original = fetch(item, Request(offline, installed_share=0.0), None, JsonReporter(stream, item.name))
    return original, [json.loads(line) for line in stream.getvalue().splitlines()]


def refused(item: Item, offline: bool = False) -> UserError:
    with pytest.raises(UserError) as caught:
        get(item, offline)
    return caught.value


def part() -> Path:
    return downloads_folder() / f"{FILE}.part"


def test_a_file_arrives_whole_from_the_cdn_and_is_recorded(data, publisher, hub_item, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_private")
    original, events = get(hub_item)
    assert original.ours and original.path.read_bytes() == publisher.content
    assert records.known(hub_item) == Figures(len(publisher.content), publisher.sha256)
    assert [event["stage"] for event in events if event["event"] == "stage"] == ["download", "verify"]
    progress = [event for event in events if event["event"] == "progress"]
    assert progress[-1]["done"] == progress[-1]["total"] == len(publisher.content)
    assert [request.at for request in publisher.requests if request.method == "GET"] == ["hub", "cdn"]
    assert not any("authorization" in map(str.lower, request.headers) for request in publisher.requests)
    assert sorted(path.name for path in downloads_folder().iterdir()) == [FILE]


def test_cuts_at_random_bytes_are_gone_on_from(data, publisher, hub_item):
    dice = random.Random(11)
    publisher.content_tricks = [
        Trick(cut_after=dice.randrange(2 * MEGABYTE), politely=number == 1) for number in range(6)
    ]
    original, _ = get(hub_item)
    assert original.path.read_bytes() == publisher.content
    begins = [int(request.range.removeprefix("bytes=").rstrip("-") or 0) for request in publisher.content_requests]
    assert begins[0] == 0 and begins == sorted(begins) and begins[-1] > 0


def test_a_connection_that_never_brings_a_byte_is_given_up_and_gone_on_with_later(data, publisher, hub_item):
    publisher.content_tricks = [Trick(cut_after=3 * MEGABYTE + 5)] + [Trick(cut_after=0)] * 6
    assert refused(hub_item).code == "connection-lost"
    had = part().stat().st_size
    assert had >= MEGABYTE
    original, events = get(hub_item)
    assert original.path.read_bytes() == publisher.content
    assert publisher.content_requests[-1].range == f"bytes={had}-"
    assert next(event for event in events if event["event"] == "progress")["done"] == had


@pytest.mark.parametrize("announced", [5_000_000, 6_000_000])
def test_a_wrong_length_is_refused(data, publisher, hub_item, announced, content):
    publisher.size = announced
    error = refused(hub_item)
    assert error.code == "wrong-length" and error.remedy
    assert not (downloads_folder() / FILE).exists()
    publisher.size = None
    assert get(hub_item)[0].path.read_bytes() == content


def test_a_wrong_hash_is_thrown_away_and_the_next_try_is_right(data, publisher, hub_item):
    spoilt = bytearray(publisher.content)
    spoilt[4_000_000] ^= 1
    publisher.content_tricks = [Trick(content=bytes(spoilt))]
    error = refused(hub_item)
    assert error.code == "wrong-hash" and publisher.sha256 in error.message
    assert not part().exists() and not (downloads_folder() / FILE).exists()
    assert get(hub_item)[0].path.read_bytes() == publisher.content


@pytest.mark.parametrize(("status", "code"), [(401, "access-refused"), (403, "access-refused"), (404, "not-published")])
def test_refusals_are_explained(data, publisher, hub_item, status, code):
    publisher.hub_tricks = [Trick(status)]
    assert refused(hub_item).code == code
    publisher.content_tricks = [Trick(status)]  # the CDN instead
    error = refused(hub_item)
    assert error.code == code and str(status) in error.message and error.remedy


def test_a_server_in_trouble_is_tried_again_and_then_explained(data, publisher, hub_item):
    publisher.content_tricks = [Trick(503)] * 6
    assert refused(hub_item).code == "server-failed"
    publisher.content_tricks = [Trick(500), Trick(cut_after=2 * MEGABYTE), Trick(502)]
    assert get(hub_item)[0].path.read_bytes() == publisher.content


def test_a_range_that_is_refused_starts_anew_once(data, publisher, hub_item):
    publisher.content_tricks = [Trick(cut_after=3 * MEGABYTE), Trick(416)]
    assert get(hub_item)[0].path.read_bytes() == publisher.content
    assert publisher.content_requests[-1].range == ""


def test_a_server_that_ignores_ranges_starts_anew(data, publisher, hub_item):
    publisher.content_tricks = [Trick(cut_after=3 * MEGABYTE)] + [Trick(cut_after=0)] * 6
    refused(hub_item)
    publisher.content_tricks = [Trick(ignores_range=True)]
    assert get(hub_item)[0].path.read_bytes() == publisher.content
    assert publisher.content_requests[-1].range != ""


def test_too_many_requests_waits_as_long_as_it_is_told(data, publisher, hub_item):
    publisher.content_tricks = [Trick(429, {"Retry-After": "1"})]
    assert get(hub_item)[0].path.read_bytes() == publisher.content
    first, second = (request.time_s for request in publisher.content_requests)
    assert second - first >= 1.0


def test_a_server_that_falls_silent_is_left_and_asked_again(data, publisher, hub_item, monkeypatch):
    monkeypatch.setattr(receiving, "TIMEOUT_S", SILENCE_S)
    patiently = partial(monkeypatch.setattr, receiving, "TIMEOUT_S", HANG_S)
    publisher.content_tricks = [Trick(stall_after=2 * MEGABYTE + 77, before=patiently)]
    assert get(hub_item)[0].path.read_bytes() == publisher.content
    assert publisher.content_requests[1].range == f"bytes={2 * MEGABYTE + 77}-"


def test_no_server_is_said_at_once(data, publisher, hub_item, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert refused(hub_item).code == "no-connection"
    assert publisher.requests == []


def test_another_file_later_is_refused_before_a_byte(data, publisher, hub_item):
    original, _ = get(hub_item)
    original.path.unlink()
    count = len(publisher.content_requests)
    publisher.etag = "0" * 64
    error = refused(hub_item)
    assert error.code == "file-changed" and "0" * 64 in error.message and publisher.sha256 in error.message
    publisher.etag, publisher.size = None, 17
    assert refused(hub_item).code == "file-changed"
    assert len(publisher.content_requests) == count


def test_what_the_registry_knows_counts_before_the_first_download(data, publisher, hub_item):
    known = replace(hub_item, size=len(publisher.content), sha256="1" * 64)
    assert refused(known).code == "file-changed"
    assert publisher.content_requests == []


def test_an_unfinished_download_of_another_file_is_not_gone_on_with(data, publisher, hub_item):
    publisher.content_tricks = [Trick(cut_after=3 * MEGABYTE)] + [Trick(cut_after=0)] * 6
    refused(hub_item)
    (downloads_folder() / f"{FILE}.part.json").write_text(json.dumps({"size": 9, "validator": "another"}))
    part().write_bytes(b"another")
    assert get(hub_item)[0].path.read_bytes() == publisher.content


def test_a_damaged_finished_download_is_fetched_again(data, publisher, hub_item):
    path = get(hub_item)[0].path
    path.write_bytes(publisher.content[:-1])
    assert get(hub_item)[0].path.read_bytes() == publisher.content


def test_the_hub_librarys_cache_is_used_in_place(data, publisher, hub_item, tmp_path):
    stored = huggingface_hub.hf_hub_download(
        HUB.repository,
        FILE,
        revision=REVISION,
        endpoint=publisher.endpoint,
        cache_dir=constants.HF_HUB_CACHE,
        token=False,
    )
    count = len(publisher.requests)
    original, _ = get(hub_item, offline=True)
    assert original == Original(Path(stored), ours=False) and len(publisher.requests) == count
    assert not downloads_folder().exists()
    Path(stored).resolve().write_bytes(b"spoilt")
    assert refused(hub_item, offline=True).code == "offline"
    assert get(hub_item)[0].ours


def test_offline_asks_nobody(data, publisher, hub_item):
    error = refused(hub_item, offline=True)
    assert error.code == "offline" and "import" in error.remedy and publisher.requests == []


def test_a_proxy_is_used(data, publisher, hub_item, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, publisher.endpoint)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    huggingface_hub.close_session()
    try:
        assert get(hub_item)[0].path.read_bytes() == publisher.content
    finally:
        huggingface_hub.close_session()


def test_a_certificate_that_nobody_vouches_for_is_refused(data, hub_item, untrusted, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", untrusted)
    assert refused(hub_item).code == "certificate-invalid"


@pytest.fixture
def small_disk(tmp_path, monkeypatch, data):
    """A disk of eight megabytes as the data folder."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], capture_output=True, check=False)
        if shutil.which("mount")
        else None
    )
    if mounted is None or mounted.returncode != 0:
        pytest.skip("no permission to mount a small tmpfs")
    monkeypatch.setenv(DATA_VARIABLE, str(disk / "data"))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_without_room_is_told_before_the_first_byte(small_disk, publisher, hub_item):
    (small_disk / "ballast").write_bytes(bytes(4_000_000))
    error = refused(hub_item)
    assert error.code == "disk-full" and "5.30 MB" in error.message and publisher.content_requests == []


def test_a_disk_that_fills_up_keeps_what_it_has_and_goes_on_later(small_disk, publisher, hub_item):
    ballast = small_disk / "ballast"
    publisher.content_tricks = [Trick(before=lambda: ballast.write_bytes(bytes(5_000_000)))]
    assert refused(hub_item).code == "disk-full"
    had = part().stat().st_size
    assert had > 0 and publisher.content.startswith(part().read_bytes())
    ballast.unlink()
    assert get(hub_item)[0].path.read_bytes() == publisher.content
    assert publisher.content_requests[-1].range == f"bytes={had}-"


def test_a_file_system_that_takes_no_more_is_told_as_well(data, publisher, hub_item):
    """The same where nobody may mount a disk: the system refuses to let the file grow."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * MEGABYTE, limits[1]))
    try:
        assert refused(hub_item).code == "disk-full"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    had = part().stat().st_size
    assert 0 < had <= 3 * MEGABYTE and get(hub_item)[0].path.read_bytes() == publisher.content
    assert publisher.content_requests[-1].range == f"bytes={had}-"


def test_records_that_cannot_be_read_are_not_overwritten(data, publisher, hub_item):
    data.mkdir()
    path = records.records_path()
    path.write_text('{"published": {"weights.bin": {"size": "many"}}}')
    before = hashlib.sha256(path.read_bytes()).digest()
    assert refused(hub_item).code == "records-unreadable"
    assert hashlib.sha256(path.read_bytes()).digest() == before and publisher.content_requests == []
    path.unlink()
