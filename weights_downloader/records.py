# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes and hashes as they were the first time: what a server offers later must be the same.

One JSON file in the data folder: ``published`` has the publishers' files by name, ``installed`` what was made of them
where no manifest says it. No address in it holds a login, and nothing else of the user's is in it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from engine.contract.errors import UserError
from engine.contract.json_checks import read_json
from engine.contract.whole_file import whole_file
from engine.installed.locations import records_path
from engine.installed.registry import Item


@dataclass(frozen=True)
class Figures:
    """What is known of a file's content; None where it is not."""

    size: int | None = None
    sha256: str | None = None

    def differs(self, other: Figures) -> bool:
        """Whether both know something and disagree."""
        return any(
            mine is not None and theirs is not None and mine != theirs
            for mine, theirs in ((self.size, other.size), (self.sha256, other.sha256))
        )

    def __str__(self) -> str:
        size = "unknown size" if self.size is None else f"{self.size:,} bytes"
        return f"{size}, sha256 {self.sha256 or 'unknown'}"


def known(item: Item) -> Figures:
    """The publisher's file as this program's registry has it, else as it was at the first download.

    Raises UserError (``records-unreadable``).
    """
    recorded = _read("published").get(item.file, Figures())
    return Figures(item.size or recorded.size, item.sha256 or recorded.sha256)


def refuse_difference(item: Item, found: Figures, where: str) -> None:
    """Raises UserError (``file-changed``) where ``found`` is not what is known of the item's file."""
    expected = known(item)
    if expected.differs(found):
        raise UserError(
            "file-changed",
            "{where} has a different {file} than expected ({found}, instead of {expected}), so it was refused.",
            "Download it from the publisher directly (without HF_ENDPOINT), or update this add-on if the publisher "
            "has announced a new file. Expected sizes and hashes are in {records_path}.",
            where=where,
            file=item.file,
            found=found,
            expected=expected,
            records_path=records_path(),
        )


def remember(item: Item, figures: Figures) -> None:
    """Record a publisher's file that was downloaded and verified. A record that exists stays."""
    _add("published", item.file, figures)


def installed(name: str) -> Figures:
    """What was recorded of an installed file that has no manifest."""
    return _read("installed").get(name, Figures())


def remember_installed(name: str, figures: Figures) -> None:
    """Record an installed file, in the place of an earlier one."""
    _add("installed", name, figures, replace=True)


def _content() -> dict[str, dict[str, dict[str, object]]]:
    try:
        content = read_json(records_path())
        for section in ("published", "installed"):
            for entry in content.get(section, {}).values():
                if not isinstance(entry["size"], int) or not isinstance(entry["sha256"], str):
                    raise TypeError("a size or hash has the wrong type")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unreadable(str(error)) from error
    return content


def _read(section: str) -> dict[str, Figures]:
    return {
        name: Figures(entry["size"], entry["sha256"])  # type: ignore[arg-type]
        for name, entry in _content().get(section, {}).items()
    }


def _add(section: str, name: str, figures: Figures, replace: bool = False) -> None:
    from filelock import FileLock

    path = records_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(path.name + ".lock")):
        content = _content()
        entries = content.setdefault(section, {})
        if name in entries and not replace:
            return
        entries[name] = asdict(figures) | {"recorded": datetime.now(UTC).isoformat(timespec="seconds")}
        with whole_file(path, synced=True) as written:
            written.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _unreadable(why: str) -> UserError:
    return UserError(
        "records-unreadable",
        "The record of earlier downloads, {records_path}, cannot be read: {why}.",
        "If you trust the servers that you download from, delete that file; a new one will be written.",
        records_path=records_path(),
        why=why,
    )
