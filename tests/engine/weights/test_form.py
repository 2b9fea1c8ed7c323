# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads behind a login; the `data` fixture looks at the whole folder after each."""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace
from functools import partial

import pytest

from engine.contract.errors import UserError
from engine.installed.locations import downloads_folder
from engine.installed.registry import FormFile, Item
from tests.engine.weights.conftest import FILE
from tests.engine.weights.publishers import PASSWORD, SILENCE_S, USERNAME, Trick
from tests.waiting import HANG_S
from weights_downloader import receiving, records
from weights_downloader.download import Request, fetch
from weights_downloader.form import Credentials
from weights_downloader.records import Figures
from weights_downloader.reporting import JsonReporter

LOGIN = Credentials(USERNAME, PASSWORD)
KILOBYTE = 1024


def get(item: Item, login: Credentials = LOGIN) -> bytes:
    """Fetch in this process; the file's content."""
    return fetch(item, Request(installed_share=0.0), login, JsonReporter(io.BytesIO())).path.read_bytes()


def refused(item: Item, login: Credentials = LOGIN) -> UserError:
    with pytest.raises(UserError) as caught:
        get(item, login)
    assert PASSWORD not in str(caught.value) and caught.value.__cause__ is None
    return caught.value


def test_a_file_arrives_and_is_recorded(data, publisher, form_item):
    assert get(form_item) == publisher.content
    assert records.known(form_item) == Figures(len(publisher.content), publisher.sha256)
    (request,) = publisher.content_requests
    assert request.method == "POST" and "password" not in request.path


@pytest.mark.parametrize("refusal", [(401, b"Unauthorized"), (200, b"<!DOCTYPE html><p>Wrong</p>"), (403, b"")])
def test_a_wrong_password_is_explained_and_leaves_nothing(data, publisher, form_item, refusal):
    publisher.refusal = refusal
    error = refused(form_item, Credentials(USERNAME, "guess"))
    assert error.code == "login-refused" and form_item.register in error.remedy
    assert not downloads_folder().exists()


def test_cuts_at_random_bytes_are_gone_on_from(data, publisher, form_item):
    dice = random.Random(13)
    publisher.content_tricks = [
        Trick(cut_after=dice.randrange(KILOBYTE * KILOBYTE), politely=number % 2 == 0) for number in range(8)
    ]
    assert get(form_item) == publisher.content
    begins = [int(request.range.removeprefix("bytes=").rstrip("-") or 0) for request in publisher.content_requests]
    assert begins == sorted(begins) and len(set(begins)) > 4


def test_another_file_under_way_starts_anew(data, publisher, form_item):
    publisher.content_tricks = [Trick(cut_after=3_000_000)] + [Trick(cut_after=0)] * 6
    assert refused(form_item).code == "connection-lost"
    part, note = downloads_folder() / f"{FILE}.part", downloads_folder() / f"{FILE}.part.json"
    assert part.stat().st_size > 2_000_000
    part.write_bytes(b"PK another file")
    note.write_text(json.dumps({"size": len(publisher.content), "validator": '"another"'}))
    assert get(form_item) == publisher.content  # If-Range does not hold, so the server sends all of it
    assert publisher.content_requests[-1].headers["If-Range"] == '"another"'


@pytest.mark.parametrize(
    "note",
    [
        {"size": "many", "validator": '"x"'},
        {"size": -1, "validator": ""},
        {"size": 1.5, "validator": ""},
        {"size": True, "validator": ""},
        {"size": 9, "validator": ["x"]},
        {"size": 9, "validator": "x\r\nRange: bytes=3-"},
        {"size": 9, "validator": "ü語"},
        {"size": 10**400, "validator": ""},
        [],
        None,
    ],
    ids=repr,
)
def test_a_forged_note_beside_a_part_leads_to_a_new_start(data, publisher, form_item, note):
    folder = downloads_folder()
    folder.mkdir(parents=True)
    (folder / f"{FILE}.part").write_bytes(b"PK" + bytes(100))
    (folder / f"{FILE}.part.json").write_text(json.dumps(note))
    assert get(form_item) == publisher.content


def test_without_a_validator_the_zips_own_checksums_tell(data, publisher, form_item):
    folder = downloads_folder()
    folder.mkdir(parents=True)
    (folder / f"{FILE}.part").write_bytes(b"PK" + bytes(1_000_000))
    (folder / f"{FILE}.part.json").write_text(json.dumps({"size": len(publisher.content), "validator": ""}))
    assert refused(form_item).code == "archive-damaged"
    assert records.known(form_item) == Figures()
    assert get(form_item) == publisher.content


@pytest.mark.parametrize("trick", [Trick(416), Trick(ignores_range=True)])
def test_servers_that_refuse_or_ignore_ranges_are_asked_for_all(data, publisher, form_item, trick):
    publisher.content_tricks = [Trick(cut_after=3_000_000), trick]
    assert get(form_item) == publisher.content


def test_too_many_requests_waits_as_long_as_it_is_told(data, publisher, form_item):
    publisher.content_tricks = [Trick(429, {"Retry-After": "1"})]
    assert get(form_item) == publisher.content
    first, second = (request.time_s for request in publisher.content_requests)
    assert second - first >= 1.0 and publisher.requests[1].body == publisher.requests[0].body


@pytest.mark.parametrize(("status", "code"), [(404, "not-published"), (507, "server-failed")])
def test_refusals_are_explained(data, publisher, form_item, status, code):
    publisher.content_tricks = [Trick(status)] * (receiving.RETRIES + 1)
    assert refused(form_item).code == code


def test_a_server_that_falls_silent_is_left_and_asked_again(data, publisher, form_item, monkeypatch):
    monkeypatch.setattr(receiving, "TIMEOUT_S", SILENCE_S)
    patiently = partial(monkeypatch.setattr, receiving, "TIMEOUT_S", HANG_S)
    publisher.content_tricks = [Trick(stall_after=2_000_000, before=patiently)]
    assert get(form_item) == publisher.content


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirect_is_followed_without_the_login(data, publisher, form_item, status):
    publisher.form_redirect = status
    publisher.content_tricks = [Trick(cut_after=3_000_000)]
    assert get(form_item) == publisher.content
    elsewhere = [request for request in publisher.requests if request.at == "cdn"]
    assert len(elsewhere) == 2 and elsewhere[1].range
    assert all(request.method == "GET" and request.body == b"" for request in elsewhere)


def test_another_size_later_is_refused_before_a_byte_is_kept(data, publisher, form_item, content):
    get(form_item)
    (downloads_folder() / FILE).unlink()
    publisher.content = content + b"more"
    assert refused(form_item).code == "file-changed"
    assert not (downloads_folder() / f"{FILE}.part").exists()
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    publisher.content = bytes(changed)  # the size is right now, and the hash is not
    assert refused(form_item).code == "file-changed"


def test_a_certificate_that_nobody_vouches_for_gets_no_login(data, form_item, untrusted):
    item = replace(form_item, source=FormFile(f"{untrusted}/download.php"))
    assert refused(item).code == "certificate-invalid"


def test_a_login_does_not_show_itself():
    assert PASSWORD not in repr(LOGIN) and USERNAME not in repr(LOGIN)
