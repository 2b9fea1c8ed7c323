# SPDX-License-Identifier: GPL-3.0-or-later
"""Files appear whole or not at all, whatever comes in between."""

import os
from pathlib import Path

import pytest

from engine.contract.disk_space import is_full, require_space
from engine.contract.errors import UserError
from engine.contract.whole_file import explained_write_errors, replace_file, whole_file, whole_folder


@pytest.mark.parametrize("synced", [False, True])
def test_a_file_takes_the_place_of_the_one_before_and_missing_folders_are_made(tmp_path: Path, synced: bool) -> None:
    path = tmp_path / "new" / "motion.npz"
    for text in ("first", "second"):
        with whole_file(path, synced) as written:
            assert written.name == path.name and written.parent.parent == path.parent
            written.write_text(text)
        assert path.read_text() == text and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_in_between_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type) -> None:
    path = tmp_path / "take.h3r"
    path.write_text("before")
    with pytest.raises(error), whole_file(path) as written:
        written.write_text("half")
        (written.parent / "beside it").touch()
        raise error
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_a_writer_that_wrote_nothing_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "take.h3r"
    path.write_text("before")
    with pytest.raises(FileNotFoundError), whole_file(path):
        pass
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_what_a_disk_refuses_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "take.h3r"
    with pytest.raises(UserError) as refused, explained_write_errors(f"{path} cannot be written", "take-unwritable"):
        whole_file(path).__enter__()
    assert refused.value.code == "take-unwritable" and str(path) in refused.value.message and refused.value.remedy


def test_a_folder_without_permission_is_explained(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write everywhere")
        with pytest.raises(UserError) as refused, explained_write_errors("no", "take-unwritable"):
            whole_file(tmp_path / "take.h3r").__enter__()
    finally:
        tmp_path.chmod(0o700)
    assert refused.value.code == "take-unwritable" and "Permission denied" in refused.value.message


def test_a_full_disk_has_one_code_whoever_writes(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused, explained_write_errors("The take cannot be written", "take-unwritable"):
        Path("/dev/full").write_bytes(b"x")
    assert refused.value.code == "disk-full"
    assert refused.value.message == "The take cannot be written: No space left on device."
    errors = (OSError, RuntimeError)  # as Blender and safetensors put it, and a limit on the size of files
    for error in (RuntimeError("Cannot write: No space left on device"), OSError(27, "File too large")):
        with pytest.raises(UserError) as refused, explained_write_errors("no", "output-unwritable", errors=errors):
            raise error
        assert refused.value.code == "disk-full"
    assert not is_full(PermissionError(13, "Permission denied")) and not is_full(RuntimeError("it is broken"))
    with pytest.raises(UserError) as refused:
        require_space(tmp_path / "not" / "made yet", 1 << 62, "The model", "Free some space.")
    assert refused.value.code == "disk-full" and "4611686018.43 GB" in refused.value.message
    require_space(tmp_path, 1, "The model", "Free some space.")


class SharingViolations:
    """Stands in for `os.replace` on a Windows where somebody has the target open for the first few tries."""

    def __init__(self, count: int, number: int | None) -> None:
        self.left, self.number, self.replace = count, number, os.replace

    def __call__(self, source: Path, target: Path) -> None:
        if self.left:
            self.left -= 1
            error = PermissionError(13, "The process cannot access the file")
            error.winerror = self.number  # type: ignore[attr-defined]
            raise error
        self.replace(source, target)


@pytest.mark.parametrize("number", [5, 32, 33])
def test_a_file_that_somebody_looks_at_is_replaced_a_moment_later(tmp_path: Path, monkeypatch, number: int) -> None:
    monkeypatch.setattr(os, "replace", SharingViolations(4, number))
    with whole_file(tmp_path / "installed.json") as written:
        written.write_text("{}")
    assert (tmp_path / "installed.json").read_text() == "{}"


def test_a_file_that_stays_open_and_one_without_permission_are_given_up(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("engine.contract.whole_file._PAUSES_S", (0.0, 0.0))
    for lasting, left in ((SharingViolations(10, 32), 7), (SharingViolations(10, None), 9)):
        monkeypatch.setattr(os, "replace", lasting)
        with pytest.raises(PermissionError):
            replace_file(tmp_path / "a", tmp_path / "b")
        assert lasting.left == left


def test_a_folder_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "new" / "masks"
    for name in ("first", "second"):
        with whole_folder(path) as written:
            (written / name).mkdir()
        assert [item.name for item in path.iterdir()] == [name] and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_in_between_leaves_the_old_folder_and_nothing_else(tmp_path: Path, error: type) -> None:
    path = tmp_path / "masks"
    (path / "old").mkdir(parents=True)
    with pytest.raises(error), whole_folder(path) as written:
        (written / "half").touch()
        raise error
    assert [item.name for item in path.iterdir()] == ["old"] and list(tmp_path.iterdir()) == [path]
