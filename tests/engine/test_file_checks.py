# SPDX-License-Identifier: GPL-3.0-or-later
"""`engine self-test --files`: on this machine all holds, and where something does not, the report says so."""

import json
import os
import subprocess
import sys

import filelock
import pytest

from engine import file_checks


def test_all_holds_here_and_nothing_is_left(root, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "engine", "self-test", "--files", "--json"],
        cwd=root,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    answer = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert len(answer["checks"]) == 6 and all(check["passed"] for check in answer["checks"])
    assert "Python" in answer["system"] and list(tmp_path.iterdir()) == []


def test_a_report_for_people_names_each_check(root):
    done = subprocess.run(
        [sys.executable, "-m", "engine", "self-test", "--files"], cwd=root, capture_output=True, text=True
    )
    assert done.stdout.count(": passed") == 6 and "A path of 300 characters" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="stands in for Windows on Linux alone")
def test_under_windows_rules_all_holds_as_well(tmp_path, windows):
    assert [check for check in file_checks.check_files(tmp_path) if not check.passed] == []
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_hold_is_told(tmp_path, monkeypatch):
    class NoLock(filelock.SoftFileLock):
        def _acquire(self):
            self._context.lock_file_fd = 0

        def _release(self):
            self._context.lock_file_fd = None

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(file_checks, "FileLock", NoLock)
    monkeypatch.setattr(file_checks, "replace_file", refuse)
    monkeypatch.setattr(file_checks, "_CHILD", "print('ready', flush=True)\nimport time; time.sleep(60)")
    failed = {check.name: check.detail for check in file_checks.check_files(tmp_path) if not check.passed}
    assert list(failed.values()) == [
        "locked twice",
        "PermissionError: [Errno 13] Permission denied",
        "it ended with code -15",
    ]
