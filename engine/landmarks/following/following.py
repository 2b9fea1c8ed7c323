# SPDX-License-Identifier: GPL-3.0-or-later
"""Following people through the footage: where the landmarks look in each frame, and whom to believe.

The detector finds people in the whole frame, but costs as much as the landmarks of one or two people. So the landmarks
carry on from frame to frame by themselves, and the detector looks every so often: it says who is there, and its
keypoints are the witness that a crop still shows its person.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np

from ...resuming.state_reader import StateReader
from ..networks.crops import crops_from_keypoints
from ..observations import BodyLandmarks, Detections, FollowedPeople
from .believing import SURELY_PRESENT, Landmarker, Seen, see, without_slid
from .carrying import Carried, Subjects, joined_crops, with_crop
from .clothes import clothes_of
from .identities import Identities, Track
from .likeness import agreement, box_overlap
from .looking import QUALITIES, FollowingSettings, look
from .second_opinion import is_doubtful, opinions
from .tiles import Detector, nobody

_SEARCHED_S = 0.5
"""After somebody was lost, the detector looks in every frame for so long."""

_CARRIED_S = 0.4
"""The landmarks carry on for no longer than this where the detector does not find the person."""

_DRIFTS = 0.55
"""Agreement with the detector under which the crop comes from it."""

_SURE_SCORE, _SURE_AGREEMENT, _SURE_PRESENCE = 0.3, 0.6, 0.8
"""Of somebody who gets an identity at the first sighting, where nobody else is or was near."""

_NEAR = 0.5
"""That is: within so many of the larger edge of the box round it."""

_DOUBTS, _DOUBTED_PERIOD = 3, 5
"""What the landmarks did not believe so often in a row is looked at only in every so many looks of the detector."""


class Follower:
    """Finds people and follows them. All state is replaced, so a shallow copy goes its own way.

    People are given from the frame on in which they have an identity: at the first sighting where detector and
    landmarks are sure of them and nobody else is near, else at the third. While somebody waits for it, the detector
    looks in every frame.
    """

    def __init__(self, detector: Detector, landmarker: Landmarker, settings: FollowingSettings | None = None) -> None:
        self.settings = settings or FollowingSettings()
        self._detector, self._landmarker = detector, landmarker
        self._identities = Identities(self.settings.detection_threshold)
        self._carried = Carried.nobody()
        self._frames_since_look = self._looks = self._frames = 0

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All who are followed or remembered."""
        return self._identities.tracks

    def update(self, rgb: np.ndarray, time_s: float) -> FollowedPeople:
        """The people of the next frame, (H, W, 3) uint8 RGB, shown at ``time_s`` seconds."""
        self._identities = copy.copy(self._identities)
        self._frames_since_look += 1
        self._frames += 1
        if not self._look_is_due(time_s):
            subjects = Subjects.carried_on(self._carried)
            seen = see(self._landmarker, rgb, subjects, nobody())
            if not seen.is_lost.any():
                return self._kept(rgb, subjects, seen)
        people = self._look(rgb, time_s)
        keys = self._identities.update(people, clothes_of(rgb, people), time_s, self._carried.places())
        subjects = self._subjects(people, keys, time_s)
        seen = see(self._landmarker, rgb, subjects, people)
        self._judge(subjects, people, seen)
        return self._kept(rgb, subjects, seen)

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        looks = np.array([self._frames_since_look, self._looks, self._frames], np.int64)
        return {**self._identities.export_state(), **self._carried.export_state(), "looks_of_detector": looks}

    def restore_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the people", arrays)
        identities = Identities(self.settings.detection_threshold)
        identities.restore_state(state)
        carried, looks = Carried.from_state(state), state.counts("looks_of_detector", 3)
        known = np.isin(carried.key, [track.key for track in identities.tracks])
        state.require(bool(known.all()) and len(np.unique(carried.key)) == len(known), "nobody knows who is carried")
        self._identities, self._carried = identities, carried
        self._frames_since_look, self._looks, self._frames = looks

    def _look_is_due(self, time_s: float) -> bool:
        """Whether the detector looks at this frame."""
        if not len(self._carried.key) or self._frames_since_look >= QUALITIES[self.settings.quality].period:
            return True
        return any(
            (track.hits > 0 and not track.has_identity)  # it waits for its identity
            or (track.has_identity and not track.is_seen and time_s - track.seen_s <= _SEARCHED_S)
            or (track.has_identity and track.is_seen and self._carried.row_of(track.key) < 0)  # the landmarks lost it
            for track in self.tracks
        )

    def _look(self, rgb: np.ndarray, time_s: float) -> Detections:
        """What the detector sees in a frame."""
        looks, self._looks = self._looks, self._looks + 1
        self._frames_since_look = 0
        return look(self._detector, rgb, self.settings, self.tracks, self._carried, time_s, looks)

    def _subjects(self, people: Detections, keys: np.ndarray, time_s: float) -> Subjects:
        """Whom the landmarks look at after a look of the detector, and where."""
        tracks = {track.key: track for track in self.tracks}
        rows = np.array([row for row, key in enumerate(keys) if key >= 0 and _is_worth_a_look(tracks[int(key)])], int)
        crops, is_carried = crops_from_keypoints(people.select(rows)), np.zeros(len(rows), bool)
        for place, row in enumerate(rows):
            before = self._carried.row_of(int(keys[row]))
            if before < 0:
                continue
            still = agreement(self._carried.keypoint_px[before], people.keypoint_px[row], people.keypoint_score[row])
            if still >= _DRIFTS:
                crops, is_carried[place] = with_crop(crops, place, self._carried.crop, before), True
        lost = [row for row, key in enumerate(self._carried.key) if _carries_on(tracks.get(int(key)), time_s)]
        alone = np.array(lost, int)
        key = np.concatenate([keys[rows], self._carried.key[alone]])
        return Subjects(
            key=key,
            detection=np.concatenate([rows, np.full(len(alone), -1)]),
            crop=joined_crops(crops, self._carried.crop.select(alone)),
            is_carried=np.concatenate([is_carried, np.ones(len(alone), bool)]),
            is_known=np.array([tracks[int(one)].hits > 0 for one in key], bool),
            before_px=self._carried.keypoints_of(key),
        )

    def _judge(self, subjects: Subjects, people: Detections, seen: Seen) -> None:
        """Tell the identities which of the detections the landmarks believe."""
        believed, sure = {}, set()
        for row in np.flatnonzero(subjects.detection >= 0):
            key, detection = int(subjects.key[row]), int(subjects.detection[row])
            believed[key] = bool(seen.is_believed[row])
            if (
                people.score[detection] >= _SURE_SCORE
                and seen.agreement[row] >= _SURE_AGREEMENT
                and seen.landmarks.presence[row] >= _SURE_PRESENCE
                and self._is_alone(key)
            ):
                sure.add(key)
        self._identities.judge(believed, frozenset(sure))

    def _is_alone(self, key: int) -> bool:
        """Whether nobody else who is followed or remembered is, or was, near."""
        (track,) = [one for one in self.tracks if one.key == key]
        edge = (track.box_px[2:] - track.box_px[:2]).max() * _NEAR
        near = track.box_px + np.array([-edge, -edge, edge, edge])
        return all(box_overlap(near, one.box_px) == 0 for one in self.tracks if one.key != key and one.has_identity)

    def _kept(self, rgb: np.ndarray, subjects: Subjects, seen: Seen) -> FollowedPeople:
        """Carry on whom the landmarks show; give those who have an identity."""
        tracks = {track.key: track for track in self.tracks}
        hits = np.array([tracks[int(key)].hits for key in subjects.key], np.int64)
        missed = np.array([not tracks[int(key)].is_seen for key in subjects.key], bool)
        rows = without_slid(seen, hits)
        rows = rows[~missed[rows] | (seen.landmarks.presence[rows] >= SURELY_PRESENT)]
        self._carried = Carried.of(subjects.key[rows], seen.landmarks.select(rows))
        known = rows[[tracks[int(key)].has_identity for key in subjects.key[rows]]] if len(rows) else rows
        people = [tracks[int(key)] for key in subjects.key[known]]
        landmarks = seen.landmarks.select(known)
        return FollowedPeople(
            track_id=np.array([track.track_id for track in people], np.int64),
            score=np.minimum([track.score for track in people], landmarks.presence),
            landmarks=landmarks,
            inside=seen.inside[known],
            sides=opinions(self._detector, rgb, landmarks, self._asked(landmarks)),
        )

    def _asked(self, landmarks: BodyLandmarks) -> np.ndarray:
        """(n,) bool: about whose sides the detector is asked in this frame."""
        is_turn = self._frames % QUALITIES[self.settings.quality].sides_period == 0
        return is_doubtful(landmarks) & is_turn


def _is_worth_a_look(track: Track) -> bool:
    """Whether the landmarks look at a detection: seldom at what they did not believe again and again."""
    return track.doubts < _DOUBTS or track.has_identity or track.looks % _DOUBTED_PERIOD == 0


def _carries_on(track: Track | None, time_s: float) -> bool:
    """Whether the landmarks may follow somebody whom the detector has just not found."""
    return track is not None and not track.is_seen and track.has_identity and time_s - track.seen_s <= _CARRIED_S
