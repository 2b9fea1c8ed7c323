# SPDX-License-Identifier: GPL-3.0-or-later
"""Defaults that were changed on purpose, with the reason; everything else has to stay as it was."""

DEFAULTS = {
    "precision": ("float32", "auto", "float32 wastes a GPU; on processors automatic comes to float32"),
}
"""By the setting's name: what it was, what it is, why."""


def is_decided(name: str, before: object, now: object) -> bool:
    """Whether a setting (``precision``, ``--precision``) was given another default on purpose."""
    changed = DEFAULTS.get(name.lstrip("-").replace("-", "_"))
    return changed is not None and (before, now) == changed[:2]
