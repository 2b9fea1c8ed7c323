# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingers, wrists, heads, jaws and eyes of bodies that were fitted without them: one way in for a frame.

`look` says what the frame shows (of the frame before it only knows where hands and faces were); `turns` makes rotations
of it, with fading and smoothing from frame to frame; `apply` puts them on bodies; `update` does all three. A final pass
that fits bodies again applies the same rotations, which are relative to their parents, or keeps what `look` said
(`extremities.stored`) and calls `turns` on a new object, frame by frame in order, with the new bodies and camera: then
palms and faces stay as the picture shows them, however the new forearms and chests are turned.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...contract.body_model import BodyModel
from ...contract.skeleton import LEFT_ELBOW, RIGHT_ELBOW
from ..networks.networks import Networks
from ..observations import FittedBodies, FollowedPeople, Pinhole
from ..turns import transposed, turn_to_ray
from . import extremities, face, hands
from .extremities import Extremities
from .fading import FadeSettings, FadeState, fade, nobody
from .followed_crops import FollowedCrops, nothing_followed
from .hand_fit import FittedHands, SeenHands, fit_hands
from .hand_pauses import HandPauses, no_pauses
from .hand_skeleton import LEFT, HandAnatomy


@dataclass(frozen=True)
class HandsAndFaceSettings:
    """What is looked at."""

    fingers: bool = True
    faces: bool = True
    hands: hands.HandSettings = field(default_factory=hands.HandSettings)
    face: face.FaceSettings = field(default_factory=face.FaceSettings)
    fading: FadeSettings = field(default_factory=FadeSettings)


class HandsAndFace:
    """Completes the bodies of one clip. Its state is replaced and never changed: a copy goes its own way."""

    def __init__(self, networks: Networks, body_model: BodyModel, settings: HandsAndFaceSettings | None = None) -> None:
        self.settings = settings or HandsAndFaceSettings()
        self._networks, self._body_model = networks, body_model
        self._anatomy = HandAnatomy(body_model)
        self._relaxed = extremities.relaxed_fingers(body_model)
        self._state = nobody()
        self._hands_before, self._faces_before = nothing_followed(), nothing_followed()
        self._pauses = no_pauses()

    def update(
        self, rgb: np.ndarray, people: FollowedPeople, bodies: FittedBodies, camera: Pinhole, time_s: float
    ) -> FittedBodies:
        """The same bodies with hands and heads as the frame (H, W, 3) uint8 shows them."""
        seen = self.look(rgb, people, bodies, camera)
        return self.apply(bodies, self.turns(seen, people.track_id, bodies, camera, time_s))

    def apply(self, bodies: FittedBodies, turns: np.ndarray) -> FittedBodies:
        """Bodies with the (n, 37, 3, 3) rotations of :meth:`turns`, which may be those of a body fitted before."""
        return extremities.apply(bodies, turns, self._body_model)

    def without(self, bodies: FittedBodies, turns: np.ndarray, hands: np.ndarray, heads: np.ndarray) -> np.ndarray:
        """The turns with the bodies' own wrists, heads and relaxed hands in rows where they are not to be believed:
        (n,) bool of the hands and of the heads."""
        own = extremities.own_rotations(bodies, self._relaxed)
        is_hand = len(extremities.HANDS) > extremities.GROUP_OF
        wrong = np.where(is_hand, hands[:, None], heads[:, None])
        return np.where(wrong[..., None, None], own, turns)

    def look(self, rgb: np.ndarray, people: FollowedPeople, bodies: FittedBodies, camera: Pinhole) -> Extremities:
        """What one frame shows, a row for each person."""
        seen = extremities.nothing_seen(len(people))
        if self.settings.fingers and len(people):
            seen = self._with_hands(seen, rgb, people, bodies, camera)
        if self.settings.faces and len(people):
            seen = self._with_faces(seen, rgb, people, bodies)
        return seen

    def turns(
        self, seen: Extremities, track_id: np.ndarray, bodies: FittedBodies, camera: Pinhole, time_s: float
    ) -> np.ndarray:
        """(n, 37, 3, 3) rotations of the joints REPLACED with what was seen of them, now or a moment ago, relative to
        their parents; frames must come in order."""
        self._state, rotations = fade(
            self._state, track_id, time_s, seen.seen, extremities.seen_rotations(seen, bodies, camera),
            extremities.own_rotations(bodies, self._relaxed), self.settings.fading,
        )  # fmt: skip
        return rotations

    def _with_hands(
        self, seen: Extremities, rgb: np.ndarray, people: FollowedPeople, bodies: FittedBodies, camera: Pinhole
    ) -> Extremities:
        found = hands.look_at_hands(self._networks, rgb, people, self._hands_before, self.settings.hands, self._pauses)
        refused = hands.refusals(found, rgb.shape[1], rgb.shape[0], self.settings.hands)
        usable = np.nonzero(refused == hands.Refusal.NONE)[0]
        kept = found.select(usable)
        if len(kept):
            fitted = self._fit(kept, bodies, camera)
            refused[usable[fitted.cost >= self.settings.hands.greatest_cost]] = hands.Refusal.COST
            at = (kept.person, kept.side)
            seen = extremities.with_values(
                seen, fingers=(at, fitted.fingers), wrist=(at, fitted.wrist), hand_px=(at, kept.point_px.mean(axis=1))
            )
        used = refused == hands.Refusal.NONE
        self._hands_before = hands.followed_hands(found.select(used), people)
        self._pauses = self._pauses.after(people, found.person, found.side, ~used & ~hands.perhaps(found))
        return extremities.with_values(seen, refusal=((found.person, found.side), refused))

    def _fit(self, found: hands.HandLandmarks, bodies: FittedBodies, camera: Pinhole) -> FittedHands:
        """Against the forearms, turned into the cameras that look at the hands."""
        elbows = np.stack([extremities.rotation_of(bodies.rotations, joint) for joint in (LEFT_ELBOW, RIGHT_ELBOW)], 1)
        ray = turn_to_ray(found.point_px.mean(axis=1), camera)
        forearm = transposed(ray) @ elbows[found.person, np.where(found.side == LEFT, 0, 1)]
        skeletons = self._anatomy.skeletons(bodies.betas[found.person], found.side)
        return fit_hands(skeletons, SeenHands(found.side, found.point_px, found.world, forearm))

    def _with_faces(
        self, seen: Extremities, rgb: np.ndarray, people: FollowedPeople, bodies: FittedBodies
    ) -> Extremities:
        settings = self.settings.face
        found = face.look_at_faces(self._networks, rgb, people, bodies, self._faces_before, settings)
        found = face.believed(found, settings)
        self._faces_before = face.followed_faces(found, people)
        if not len(found):
            return seen
        at, head = found.person, face.head_rotations(found.point)
        jaw = np.where(found.height_px >= settings.least_jaw_px, face.jaw_angles(found.point), np.nan)
        return extremities.with_values(
            seen, face_seen=(at, np.ones(len(at), bool)), head=(at, head), face_px=(at, found.point[..., :2].mean(1)),
            jaw=(at, jaw), gaze=(at, self._gaze(rgb, found, head)),
        )  # fmt: skip

    def _gaze(self, rgb: np.ndarray, found: face.Faces, head: np.ndarray) -> np.ndarray:
        """(f, 2), NaN where eyes are too small, shut or seen from the side."""
        gaze = np.full((len(found), 2), np.nan)
        large = found.height_px >= self.settings.face.least_gaze_px
        clear = np.nonzero(large & face.is_frontal(head) & face.eyes_open(found.point))[0]
        if len(clear):
            gaze[clear] = face.look_at_eyes(self._networks, rgb, found.select(clear))
        return gaze

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        followed = {**self._hands_before.export("hands"), **self._faces_before.export("faces")}
        return {**self._state.export(), **followed, **self._pauses.export()}

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = FadeState.of_arrays(arrays)
        followed = FollowedCrops.of_arrays(arrays, "hands"), FollowedCrops.of_arrays(arrays, "faces")
        pauses = HandPauses.of_arrays(arrays)
        self._state, (self._hands_before, self._faces_before), self._pauses = state, followed, pauses
