# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera's motion from the picture itself, instead of the network's: for a network that has not learnt it.

Corners of a reference picture get the model's depth there; each later picture is located against them: by
Lucas-Kanade from the reference itself, so that nothing adds up while it lasts, and by PnP with RANSAC. Poses and depths
are then adjusted together (`place_adjustment`): after some motion the views say more about depth than the network does,
and its depth of later pictures, which flickers, moves nothing. When too few corners are left, the present picture is
the next reference, and the points that are still seen hand the scale on to it.

A pose changes only where the tracks say so: while the last pose explains them as well, it stays exactly. Where nothing
can be followed the camera stays too. The focal length is taken to be constant (the mean of all estimates so far): a
zoom looks like a motion along the optical axis. The network's resets mean nothing here: there is one world, that of the
first camera.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from ..contract.errors import UserError
from ..resuming.state_reader import StateReader
from .anchor import Anchor
from .camera_reference import MOST_LOG, Located, Reference, new_reference, read_located, read_reference
from .place_adjustment import adjust, huber_costs, project, rays, transform
from .place_depth import PlaceDepth
from .point_tracking import COARSE_LEVELS, FINE_LEVELS, corner_gap, corners, even_light, follow, nearest, well_inside

AGREEMENT_PX = 1.5
"""A track this far from where its point should be belongs to something that moves, or was lost."""

LEAST_AGREEING = 0.4
"""Least share of the tracks that have to agree on a pose."""

SURE_SHARE = 0.6
"""Share of the last picture's tracks with which a search near the last pose is believed at once."""

HOLD_GAIN = 40.0
"""The last pose stays unless another one lowers the cost by more: far above chance for six unknowns (22 is 0.1 %)."""

NOISE_FLOOR_PX = 0.03
"""Tracks are never taken to be better than this."""

VIEW_PX = 1.0
"""A picture becomes a view that depths are adjusted to when the tracks moved so far from all earlier ones."""

POOR_SHARE = 0.2
"""A reference with less than this share of the most points gives way to a picture with twice as many corners, as
when a film fades in from black."""

_FOCAL_MEMORY = 50
"""Frames that the mean focal length is taken over, about."""

_RANSAC_TRIES, _RANSAC_CONFIDENCE = 100, 0.999


@dataclass(frozen=True)
class CameraTrackerSettings:
    """Settings of :class:`CameraTracker`; checked once. Raises UserError (``bad-setting``)."""

    most_points: int = 300
    """Most points that are followed."""
    least_points: int = 12
    """Fewer tracks locate no camera."""
    least_survivors: float = 0.5
    """Share of a reference's points; when fewer are seen the picture becomes the next reference."""
    most_views: int = 8
    """Most pictures that a reference's depths are adjusted to."""
    patience: int = 3
    """Pictures in a row that may be lost (blurred, covered) before the place is taken to be another one."""

    def __post_init__(self) -> None:
        if not (
            self.most_points >= self.least_points >= 6
            and 0 < self.least_survivors < 1
            and self.most_views >= 1
            and self.patience >= 1
        ):
            raise UserError(
                "bad-setting",
                "The camera cannot be tracked with {settings}.",
                "Use 6 or more points, a share between 0 and 1, 1 or more views, and a patience of 1 or more frames.",
                settings=self,
            )


class CameraTracker:
    """World poses of a moving camera from pictures and the predicted depth of the place in them."""

    def __init__(self, settings: CameraTrackerSettings | None = None) -> None:
        self.settings = settings or CameraTrackerSettings()
        self._world_from_camera = np.eye(4)
        self._log_focal, self._focal_count = 0.0, 0
        self._missed = 0
        self._reference: Reference | None = None
        self._last: Located | None = None

    def begin_at(self, world_from_camera: np.ndarray) -> None:
        """Go on from this (4, 4) pose: the next picture is taken there, whatever came before."""
        self._world_from_camera = np.array(world_from_camera, np.float64)
        self._missed, self._reference, self._last = 0, None, None

    def begin_from(self, anchor: Anchor, place: PlaceDepth, world_from_camera: np.ndarray) -> None:
        """Go on from the corners of an earlier picture, where nothing is seen to be at this (4, 4) pose already.

        `place` is what is known of the place as seen from the anchor.
        """
        self.begin_at(world_from_camera)
        known = np.isfinite(place.depth[nearest(anchor.pixel, place.depth)])
        chosen, nothing = anchor.kept & anchor.last_found & known, (np.empty((0, 2)), np.empty(0))
        self._set_reference(
            anchor.last_grey,
            new_reference(
                anchor.picture, anchor.camera, anchor.world_from_anchor, nothing, anchor.pixel[chosen], place
            ),
        )
        if self._last is not None:
            camera_from_anchor = np.linalg.inv(world_from_camera) @ anchor.world_from_anchor
            self._last = replace(self._last, camera_from_reference=camera_from_anchor, pixel=anchor.last_pixel[chosen])

    def update(self, grey: np.ndarray, depth: np.ndarray, camera: np.ndarray) -> np.ndarray:
        """As :meth:`follow` with depths that a model gives picture by picture, whatever the pose is.

        `depth` is (h, w) metres, NaN for people and where nothing is known.
        """
        return self.follow(grey, np.isfinite(depth), lambda _: PlaceDepth(depth), camera)

    def follow(
        self,
        grey: np.ndarray,
        free: np.ndarray,
        depth_at: Callable[[np.ndarray], PlaceDepth],
        camera: np.ndarray,
    ) -> np.ndarray:
        """The (4, 4) float64 pose `world_from_camera` of the next picture, the first one's being the identity.

        `grey` is (h, w) uint8, always of one size; `free` (h, w) bool: no people; `depth_at` tells the depth of the
        place as seen from a pose, and is asked for new references alone; `camera` (3, 3) is the pinhole with the focal
        length as predicted for this picture.
        """
        picture, camera = even_light(grey), self._steadied(camera)
        located = self._locate(grey, picture, free)
        if located is not None:
            assert self._reference is not None
            self._missed = 0
            located = self._hold(self._adjusted(located))
            self._last = located
            self._world_from_camera = self._reference.world_from_reference @ np.linalg.inv(
                located.camera_from_reference
            )
        else:
            self._missed += 1
        if self._needs_reference(picture, free):
            place = depth_at(self._world_from_camera.copy())
            self._begin_reference(grey, picture, _cut_out(place, free), camera, located)
        return self._world_from_camera.copy()

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        state = {
            "world_from_camera": self._world_from_camera,
            "log_focal": np.array(self._log_focal),
            "counters": np.array([self._focal_count, self._missed]),
        }
        for name, part in (("reference", self._reference), ("last", self._last)):
            if part is not None:
                state |= {f"{name}_{item.name}": getattr(part, item.name) for item in fields(part)}
        return state

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the camera", arrays)
        self._world_from_camera = state.pose("world_from_camera")
        self._log_focal = float(state.array("log_focal", np.float64, most=MOST_LOG))
        self._focal_count, self._missed = state.counts("counters", 2)
        self._reference = self._last = None
        if "reference_picture" in state:
            self._reference, self._last = read_reference(state), read_located(state)

    def fits(self, width: int, height: int) -> bool:
        """Whether what is remembered goes with pictures of this size."""
        return self._last is None or self._last.grey.shape == (height, width)

    def _steadied(self, camera: np.ndarray) -> np.ndarray:
        """The camera with the mean focal length in place of this picture's."""
        self._focal_count = min(self._focal_count + 1, _FOCAL_MEMORY)
        self._log_focal += (np.log(camera[0, 0]) - self._log_focal) / self._focal_count
        steadied = np.array(camera, np.float64)
        steadied[[0, 1], [0, 1]] *= np.exp(self._log_focal) / camera[0, 0]
        return steadied

    def _locate(self, grey: np.ndarray, picture: np.ndarray, free: np.ndarray) -> Located | None:
        """Find the picture's pose: near the last one at first, then wherever the whole picture seems to have gone."""
        reference, last = self._reference, self._last
        if reference is None or last is None:
            return None
        guess = project(transform(last.camera_from_reference, reference.points), reference.camera)
        near = self._locate_from(guess, reference, last, grey, picture, free)
        if near is not None and near.seen.sum() >= SURE_SHARE * last.seen.sum():
            return near
        # Large motions show in the picture as it came; in its detail alone far places look alike.
        moved, found = follow(last.grey, grey, last.pixel, last.pixel, COARSE_LEVELS)
        found &= last.seen
        if found.any():
            guess = guess + np.median((moved - last.pixel)[found], axis=0)
        guess[found] = moved[found]
        far = self._locate_from(guess, reference, last, grey, picture, free)
        return max((way for way in (near, far) if way is not None), key=lambda way: way.seen.sum(), default=None)

    def _locate_from(
        self,
        guess: np.ndarray,
        reference: Reference,
        last: Located,
        grey: np.ndarray,
        picture: np.ndarray,
        free: np.ndarray,
    ) -> Located | None:
        pixel, found = follow(reference.picture, picture, reference.pixel, guess, FINE_LEVELS)
        found &= free[nearest(pixel, free)]  # somebody stands before the others
        tracked = np.flatnonzero(found)
        if len(tracked) < self.settings.least_points:
            return None
        points = reference.points
        cv2.setRNGSeed(0)  # the same tracks give the same pose in every run
        turn, _ = cv2.Rodrigues(last.camera_from_reference[:3, :3])
        solved, turn, shift, agreeing = cv2.solvePnPRansac(
            points[tracked],
            pixel[tracked],
            reference.camera,
            None,
            turn,
            last.camera_from_reference[:3, 3:].copy(),
            True,
            _RANSAC_TRIES,
            AGREEMENT_PX,
            _RANSAC_CONFIDENCE,
            flags=cv2.SOLVEPNP_ITERATIVE,
        )
        if not solved or agreeing is None or len(agreeing) < self.settings.least_points:
            return None
        chosen = tracked[agreeing.ravel()]
        turn, shift = cv2.solvePnPRefineLM(points[chosen], pixel[chosen], reference.camera, None, turn, shift)
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = cv2.Rodrigues(turn)[0], shift.ravel()
        error = np.linalg.norm(project(transform(pose, points), reference.camera) - pixel, axis=-1)
        seen = found & (error < AGREEMENT_PX)
        if seen.sum() < max(self.settings.least_points, LEAST_AGREEING * len(tracked)):
            return None
        return Located(grey, pose, pixel, seen)

    def _adjusted(self, located: Located) -> Located:
        """Adjust the pose, the views and the depths together; keep the picture as a view where it tells something."""
        reference = self._reference
        assert reference is not None
        pixel = np.concatenate([reference.view_pixel, located.pixel[None]])
        seen = np.concatenate([reference.view_seen, located.seen[None]])
        adjusted = adjust(
            np.concatenate([reference.view_from_reference, located.camera_from_reference[None]]),
            reference.log_depth,
            rays(reference.pixel, reference.camera),
            reference.camera,
            pixel,
            seen,
            reference.prior,
            reference.prior_sigma,
        )
        poses = adjusted.view_from_reference
        kept = np.ones(len(poses), bool)
        earlier = np.concatenate([reference.pixel[None], pixel[:-1]])
        both = np.concatenate([np.ones_like(seen[:1]), seen[:-1]]) & located.seen
        if (
            min(_median_motion(before, located.pixel, common) for before, common in zip(earlier, both, strict=True))
            < VIEW_PX
        ):
            kept[-1] = False
        elif len(poses) > self.settings.most_views:
            # The view that is nearest to the one before it goes.
            steps = [
                _median_motion(pixel[view], pixel[view + 1], seen[view] & seen[view + 1])
                for view in range(len(poses) - 1)
            ]
            kept[int(np.argmin(steps))] = False
        self._reference = replace(
            reference,
            log_depth=adjusted.log_depth,
            view_from_reference=poses[kept],
            view_pixel=pixel[kept],
            view_seen=seen[kept],
        )
        return replace(located, camera_from_reference=poses[-1])

    def _hold(self, located: Located) -> Located:
        """Keep the last pose where the tracks do not speak against it: a still camera stays still."""
        reference, last = self._reference, self._last
        assert reference is not None and last is not None
        points, pixel = reference.points[located.seen], located.pixel[located.seen]
        new, held = (
            project(transform(pose, points), reference.camera) - pixel
            for pose in (located.camera_from_reference, last.camera_from_reference)
        )
        noise = max(NOISE_FLOOR_PX, 1.4826 * float(np.median(np.abs(new))))
        gain = huber_costs(held, noise).sum() - huber_costs(new, noise).sum()
        return replace(located, camera_from_reference=last.camera_from_reference) if gain < HOLD_GAIN else located

    def _needs_reference(self, picture: np.ndarray, free: np.ndarray) -> bool:
        reference, settings = self._reference, self.settings
        if reference is None or self._last is None or self._missed >= settings.patience:
            return True
        if self._missed:
            return False
        count = len(reference.pixel)
        if self._last.seen.sum() < settings.least_survivors * count:
            return True
        return (
            count < POOR_SHARE * settings.most_points
            and len(corners(picture, well_inside(free), settings.most_points)) > 2 * count
        )

    def _begin_reference(
        self, grey: np.ndarray, picture: np.ndarray, place: PlaceDepth, camera: np.ndarray, located: Located | None
    ) -> None:
        """Make this picture the reference; there is none when it has too few corners."""
        usable = well_inside(np.isfinite(place.depth))
        old, old_depth = self._still_seen(located, usable)
        free = usable.copy()
        for x, y in old:
            cv2.circle(free, (round(x), round(y)), corner_gap(picture), 0, -1)
        new = corners(picture, free, self.settings.most_points - len(old))
        self._set_reference(grey, new_reference(picture, camera, self._world_from_camera, (old, old_depth), new, place))

    def _set_reference(self, grey: np.ndarray, reference: Reference) -> None:
        self._missed, self._reference, self._last = 0, None, None
        if len(reference.pixel) >= self.settings.least_points:
            everything = np.ones(len(reference.pixel), bool)
            self._reference, self._last = reference, Located(grey, np.eye(4), reference.pixel, everything)

    def _still_seen(self, located: Located | None, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (n, 2) and log depths (n,), in the present camera, of the reference's points that go on."""
        if located is None or self._reference is None:
            return np.empty((0, 2)), np.empty(0)
        depth = transform(located.camera_from_reference, self._reference.points)[:, 2]
        kept = located.seen & (depth > 0) & (usable[nearest(located.pixel, usable)] > 0)
        return located.pixel[kept], np.log(depth[kept])


def _cut_out(place: PlaceDepth, free: np.ndarray) -> PlaceDepth:
    """What is known of the place where `free`."""
    return replace(place, depth=np.where(free, place.depth, np.float32(np.nan)))


def _median_motion(before: np.ndarray, after: np.ndarray, common: np.ndarray) -> float:
    """Median distance in pixels of those (N, 2) points that are in `common`; infinity where there are none."""
    return float(np.median(np.linalg.norm((after - before)[common], axis=-1))) if common.any() else float("inf")
