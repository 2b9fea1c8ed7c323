"""People in real footage, where it lies beside the checkout, against joints that were noted by eye."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.landmarks.networks.body_landmarks import BodyLandmarker
from engine.landmarks.networks.crops import crops_from_keypoints
from engine.landmarks.networks.detector import Detector

MEDIA = Path(__file__).resolve().parents[4] / "shared" / "media"
CLIPS = ("one-by-one-person-detection.mp4", "worker-zone-detection.gif")
SOMEBODY = 0.18
"""Score from which a detection is followed."""

LANDMARKS = {"shoulder": (11, 12), "elbow": (13, 14), "wrist": (15, 16), "knee": (25, 26), "ankle": (27, 28)}


@pytest.mark.parametrize("clip", CLIPS)
def test_everybody_is_found_and_nobody_else(networks, clip):
    if not (MEDIA / clip).is_file():
        pytest.skip(f"there is no shared/media/{clip} beside the checkout")
    noted = json.loads((MEDIA / "annotations.json").read_text("utf-8"))["clips"][clip]["frames"]
    errors = []
    for frame, rgb in frames(MEDIA / clip, {int(number) for number in noted}).items():
        found = Detector(networks)(rgb, long_side=512)
        found = found.select(found.score >= SOMEBODY)
        assert len(found) == len(noted[str(frame)]), frame
        seen = BodyLandmarker(networks)(rgb, crops_from_keypoints(found))
        errors += [nearest(seen.point_px, person) for person in noted[str(frame)]]
    assert np.median(np.concatenate(errors)) < 0.035


def nearest(points: np.ndarray, person: dict) -> np.ndarray:
    """Distances of the joints of one person from the landmarks of whoever is nearest, in heights of the person."""
    joints = {name: place for name, place in person["joints"].items() if name[2:] in LANDMARKS}
    chosen = [LANDMARKS[name[2:]][name[0] == "r"] for name in joints]
    distances = np.linalg.norm(points[:, chosen] - np.array(list(joints.values())), axis=-1)
    _, top, _, bottom = person["box"]
    return distances[distances.mean(1).argmin()] / (bottom - top)


def frames(path: Path, wanted: set[int]) -> dict[int, np.ndarray]:
    """Some frames of a video, by their numbers."""
    video, found = cv2.VideoCapture(str(path)), {}
    for number in range(max(wanted) + 1):
        good, bgr = video.read()
        assert good, number
        if number in wanted:
            found[number] = np.ascontiguousarray(bgr[..., ::-1])
    return found
