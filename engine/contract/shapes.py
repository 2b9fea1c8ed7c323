# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of arrays that belong together: a size is a number, or a name that stands for the same size in all of them."""

from __future__ import annotations

Shape = tuple[int | str, ...]


def has_shape(actual: tuple[int, ...], wanted: Shape, sizes: dict[str, int]) -> bool:
    """Whether a shape is the wanted one. Names that are new get their sizes in `sizes`, where others have them."""
    return len(actual) == len(wanted) and all(
        size == (sizes.setdefault(name, size) if isinstance(name, str) else name)
        for name, size in zip(wanted, actual, strict=True)
    )
