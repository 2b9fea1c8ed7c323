"""The picture of tests/fixtures/landmarks, and what the networks' own runtimes make of it."""

import cv2
import numpy as np
import torch

from tests.fixtures.landmarks import make as making

CPU = torch.device("cpu")
REFERENCES = dict(np.load(making.REFERENCES))


def picture() -> np.ndarray:
    """(224, 224, 3) RGB: a woman down to her waist, who looks into the camera and smiles."""
    return np.ascontiguousarray(cv2.imread(str(making.PICTURE))[..., ::-1])


def given(name: str) -> np.ndarray:
    """(height, width, 3) the part of it that a network was given."""
    return making.given(name, picture())


def thinned(name: str, output: str, value: torch.Tensor) -> np.ndarray:
    """One picture's output, channels last and thinned out as the reference is."""
    flat = (value.permute(1, 2, 0) if value.dim() == 3 else value).numpy().ravel()
    return flat[:: making.EVERY_OF_DETECTOR if name == "detector" else making.EVERY.get(output, 1)]
