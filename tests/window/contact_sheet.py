# SPDX-License-Identifier: GPL-3.0-or-later
"""One sheet of the pictures that `drive_contact_sheet.py` takes: a column for each state, dark above light."""

from pathlib import Path

import cv2
import numpy as np

MARGIN, HEADING = 8, 28
GRAY = 128
THEMES = ("dark", "light")


def make_sheet(pictures: Path, sheet: Path) -> set[str]:
    """Write the sheet of a folder's pictures, THEME-NUMBER-STATE.png each; returns the states."""
    rows, states = [], set[str]()
    for theme in THEMES:
        files = sorted(pictures.glob(f"{theme}-*.png"))
        names = [file.stem.split("-", 2)[2] for file in files]
        states |= set(names)
        rows.append(_row([_labeled(cv2.imread(str(file)), name) for file, name in zip(files, names, strict=True)]))
    widest = max(row.shape[1] for row in rows)
    whole = np.concatenate([_padded(row, row.shape[0], widest) for row in rows])
    if not cv2.imwrite(str(sheet), whole):
        raise OSError(f"{sheet} cannot be written")
    return states


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
