# SPDX-License-Identifier: GPL-3.0-or-later
"""One sheet of the pictures that `drive_contact_sheet.py` takes: the states beside each other, dark above light."""

from pathlib import Path

import cv2
import numpy as np

MARGIN, HEADING = 8, 28
GRAY = 128
THEMES = ("dark", "light")
TABS, CORNER = 32, 20
"""Pixels at the right that the sidebar's tabs take, and at the other edges its rounded corners."""
COLUMN, ACROSS = 1000, 14
"""Pixels of a picture in one column of the sheet, and columns of the sheet."""


def make_sheet(pictures: Path, sheet: Path) -> set[str]:
    """Write the sheet of a folder's pictures, THEME-NUMBER-STATE.png each; returns the states."""
    rows, states = [], set[str]()
    for theme in THEMES:
        columns = []
        for file in sorted(pictures.glob(f"{theme}-*.png")):
            name = file.stem.split("-", 2)[2]
            states.add(name)
            columns += [_labeled(part, name) for part in _parts(cv2.imread(str(file)))]
        rows += [_row(columns[start : start + ACROSS]) for start in range(0, len(columns), ACROSS)]
    widest = max(row.shape[1] for row in rows)
    whole = np.concatenate([_padded(row, row.shape[0], widest) for row in rows])
    if not cv2.imwrite(str(sheet), whole):
        raise OSError(f"{sheet} cannot be written")
    return states


def _parts(image: np.ndarray) -> list[np.ndarray]:
    """A picture (H, W, 3) without what is empty below its panels, in parts that are no higher than a column."""
    inside = image[:-CORNER, CORNER:-TABS]
    full = np.flatnonzero((inside != inside[-1]).any(axis=(1, 2)))
    end = min(len(image), int(full[-1]) + 1 + MARGIN) if len(full) else MARGIN
    return [image[top : min(top + COLUMN, end)] for top in range(0, end, COLUMN)]


def _labeled(image: np.ndarray, name: str) -> np.ndarray:
    """(H, W, 3) picture below its heading."""
    heading = np.full((HEADING, image.shape[1], 3), GRAY, np.uint8)
    cv2.putText(heading, name, (2, HEADING - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA)
    return np.concatenate([heading, image])


def _row(images: list[np.ndarray]) -> np.ndarray:
    """Pictures of any height beside each other."""
    height = max(image.shape[0] for image in images) + MARGIN
    return np.concatenate([_padded(image, height, image.shape[1] + MARGIN) for image in images], axis=1)


def _padded(image: np.ndarray, height: int, width: int) -> np.ndarray:
    padding = (0, height - image.shape[0]), (0, width - image.shape[1]), (0, 0)
    return np.pad(image, padding, constant_values=GRAY)
