# SPDX-License-Identifier: GPL-3.0-or-later
"""What was installed first of packages whose hashes nobody publishes, and the refusal of a later difference.

This is weaker than a locked hash: the first download is trusted because of TLS alone. Afterwards the same version on
the same kind of machine has to be the same, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....engine.contract.errors import UserError
from ....engine.contract.json_checks import read_json
from .store import write_json


def check_or_record(path: Path, source: str, found: Mapping[str, str]) -> None:
    """Compare packages with what the first installation of them had, and record those that are new.

    ``source`` names what they came for: requirement, index, Python and platform. ``found`` is of
    :func:`.integrity.fingerprints`. Raises :class:`UserError` (``source-changed``, ``records-unreadable``).
    """
    records = _read(path)
    known = records.setdefault(source, {})
    for name, fingerprint in found.items():
        version = fingerprint.partition(" ")[0]
        earlier = known.get(f"{name}=={version}")
        if earlier is not None and earlier != fingerprint:
            raise UserError(
                "source-changed",
                "{name} {version} differs from what was installed from the same source the first time. Either it was "
                "published again, or files are being changed on the way.",
                "Find out which before you use it. To trust the new one, delete {path} and install again.",
                name=name,
                version=version,
                path=path,
            )
    known.update({f"{name}=={fingerprint.partition(' ')[0]}": fingerprint for name, fingerprint in found.items()})
    write_json(path, records)


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        records = read_json(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(
            "records-unreadable",
            "{path} cannot be read: {error}.",
            "Restore the file, or delete it to trust the next download.",
            path=path,
            error=error,
        ) from error
    if not isinstance(records, dict) or not all(isinstance(entry, dict) for entry in records.values()):
        raise UserError(
            "records-unreadable",
            "{path} is not a valid record of downloads.",
            "Restore the file, or delete it to trust the next download.",
            path=path,
        )
    return records
