# SPDX-License-Identifier: GPL-3.0-or-later
"""What may leave in a report and what may not."""

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

HOME = PurePosixPath("/home/ann.lee")
NAMES = ("ann.lee", "workstation7")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("in /home/ann.lee/clips/a.mp4", "in ~/clips/a.mp4"),
        ("in /home/ann.leeson/clips", "in ~/clips"),
        ("in /home/Bob Ray/clips/a.mp4", "in ~/clips/a.mp4"),
        ("/Users/bob: not found", "~: not found"),
        (r"C:\Users\Bob Ray\AppData\x", r"~\AppData\x"),
        (r"'C:\\Users\\bob\\x'", r"'~\\x'"),
        ("on /mnt/ann.lee/x at workstation7", "on /mnt/<name>/x at <name>"),
        ("proxy http://ann:secret@proxy.example:3128/", "proxy http://<removed>@proxy.example:3128/"),
        (
            "GET https://cdn.example/x.pth?X-Amz-Signature=abc&y=2 failed",
            "GET https://cdn.example/x.pth?<removed> failed",
        ),
        ("signed in as bob@studio.example", "signed in as <e-mail>"),
        ('{"password": "one two"}', '{"password": <removed>'),
        ("HF_TOKEN=hf_abcdefghijkl", "HF_TOKEN=<removed>"),
        ("used hf_abcdefghijkl once", "used <token> once"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: <removed>"),
    ],
)
def test_what_is_removed(addon, text, wanted):
    assert addon.redaction.redact(text, HOME, NAMES) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "torch 2.13.0+cu130 on NVIDIA H100",
        "/usr/lib/python3.11/site-packages/torch/__init__.py, line 5",
        "https://huggingface.co/users/faneggg",
        "1369 tokens per picture",
        "the root user installed it",
        "sha256 1c5d89077d7734476ce74183df178c51ad172cad5e256081e61480cf231a9377",
    ],
)
def test_what_stays(addon, text):
    assert addon.redaction.redact(text, HOME, NAMES) == text


def test_a_windows_home_in_any_spelling(addon):
    home = PureWindowsPath(r"D:\Profiles\Ann Lee")
    for text in (
        r"D:\Profiles\Ann Lee\x.py",
        r"d:\profiles\ann lee\x.py",
        "D:/Profiles/Ann Lee/x.py",
        r"D:\\Profiles\\Ann Lee\\x.py",
    ):
        assert addon.redaction.redact(text, home, ()).startswith("~") and "rofiles" not in addon.redaction.redact(
            text, home, ()
        )


def test_by_default_it_is_this_users_home_and_name(addon, monkeypatch, tmp_path):
    home = tmp_path / "quentin"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("LOGNAME", "q.tarantula")
    text = addon.redaction.redact(f"{home}/x by Q.Tarantula, {Path('/srv/quentin/y')}")
    assert text == "~/x by <name>, /srv/<name>/y"


def test_a_home_at_the_disks_root_removes_nothing(addon):
    assert addon.redaction.redact("/usr/bin/python", PurePosixPath("/"), ()) == "/usr/bin/python"
