# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of clip to make: the settings, and the tiers from easy to hard."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..contract.errors import UserError

HELD_OUT_SEED = 1_000_000
"""Seeds from here on are for evaluation and demonstration only; training never draws them."""

PLACES = ("studio", "room", "street")
CAMERAS = ("fixed", "drift", "orbit", "dolly", "jumps", "pan")


@dataclass(frozen=True)
class ClipSettings:
    """Settings of a synthetic clip; checked once, when made. Ranges are (least, most). Raises UserError."""

    tier: str = "studio"
    """Name, for reports only; the other fields say what it means."""
    size: tuple[int, int] = (128, 96)
    """Width and height in pixels; higher than wide for upright pictures."""
    frames: int = 4
    """Frames per clip."""
    frame_rate: float = 15.0
    """Frames per second of the footage that the clip is taken from."""
    frame_gap: tuple[int, int] = (1, 1)
    """A clip takes every n-th frame of its footage, n drawn from this range."""
    people: tuple[int, int] = (1, 2)
    """How many people a clip has. Those that leave the picture still count."""
    field_of_view_deg: tuple[float, float] = (46.0, 58.0)
    """Angle of view along the longer side."""
    distance_m: tuple[float, float] = (2.3, 5.5)
    """Nearest and farthest a person comes to the camera's first position."""
    roaming_m: tuple[float, float] = (0.2, 0.9)
    """Radius of the disc in which a person walks around."""
    walking: float = 0.5
    """Share of time that people walk, 0..1."""
    energy: tuple[float, float] = (0.8, 1.1)
    """Factor on the speed of everything that people do."""
    sitting: float = 0.0
    """Share of people who sit on something and rise, 0..1."""
    entering: float = 0.0
    """Share of people whose disc lies at the picture's left or right edge, so that they come and go, 0..1."""
    shape_spread: float = 1.0
    """Standard deviation of the betas."""
    cues: bool = True
    """Whether colours tell left from right (orange, blue) and front from back (light, dark), and noses are red."""
    place: str = "studio"
    """`studio` (plain room), `room` (furnished) or `street` (open, under the sky)."""
    furniture: int = 2
    """Most boxes standing around."""
    camera_weights: tuple[float, ...] = (0.3, 0.7, 0.0, 0.0, 0.0)
    """Shares of the kinds in `CAMERAS`: fixed, drift, orbit, dolly, jumps, pan; 0 for those left out at the end."""
    camera_motion: float = 1.0
    """Factor on the camera's motion."""
    light_change: float = 0.0
    """Change of brightness over time, 0..1."""
    effects: float = 0.15
    """Strength of blur, noise and colour casts, 0..1."""
    supersample: int = 1
    """Rays per pixel along each side for the colours, odd; depth and masks always belong to the pixel's centre."""
    labels: bool = False
    """Whether part labels and canonical coordinates are made for each pixel."""

    def __post_init__(self) -> None:
        width, height = self.size
        ranges = {name: getattr(self, name) for name in
                  ("frame_gap", "people", "field_of_view_deg", "distance_m", "roaming_m", "energy")}  # fmt: skip
        shares = ("walking", "sitting", "entering", "light_change", "effects")
        checks = [
            ("size", min(width, height) >= 16 and max(width, height) <= 4096, "Use 16 to 4096 pixels."),
            ("frames", self.frames >= 1, "Use 1 or more."),
            ("frame_rate", self.frame_rate > 0, "Use frames per second above 0."),
            ("frame_gap", self.frame_gap[0] >= 1, "Use 1 or more."),
            ("people", self.people[0] >= 0 and self.people[1] <= 8, "Use 0 to 8."),
            ("field_of_view_deg", self.field_of_view_deg[0] >= 5 and self.field_of_view_deg[1] <= 120, "Use 5 to 120."),
            ("distance_m", self.distance_m[0] >= 0.8, "Use 0.8 meters or more."),
            ("roaming_m", self.roaming_m[0] >= 0, "Use 0 or more."),
            ("place", self.place in PLACES, f"Use one of {', '.join(PLACES)}."),
            ("camera_weights", 1 <= len(self.camera_weights) <= len(CAMERAS) and sum(self.camera_weights) > 0
             and min(self.camera_weights) >= 0, f"Give a share for each of {', '.join(CAMERAS)}."),
            ("furniture", 0 <= self.furniture <= 16, "Use 0 to 16."),
            ("supersample", self.supersample >= 1 and self.supersample % 2 == 1, "Use an odd number."),
            *((name, low <= high, "Give the smaller value first.") for name, (low, high) in ranges.items()),
            *((name, 0 <= getattr(self, name) <= 1, "Use a share between 0 and 1.") for name in shares),
        ]  # fmt: skip
        for name, holds, remedy in checks:
            if not holds:
                raise UserError(
                    "bad-setting",
                    "The clip setting {name} is {value}.",
                    remedy,
                    name=name,
                    value=repr(getattr(self, name)),
                )

    def upright(self) -> ClipSettings:
        """The same with width and height exchanged."""
        return replace(self, size=self.size[::-1])

    def with_camera(self, kind: str) -> ClipSettings:
        """The same with nothing but cameras of one kind out of `CAMERAS`."""
        return replace(self, camera_weights=tuple(float(kind == other) for other in CAMERAS))


TIERS = {
    "studio": ClipSettings(),
    "room": ClipSettings(
        tier="room", people=(1, 3), field_of_view_deg=(42.0, 68.0), distance_m=(1.8, 6.0), roaming_m=(0.2, 1.2),
        sitting=0.2, entering=0.2, shape_spread=1.2, cues=False, place="room", furniture=5,
        camera_weights=(0.2, 0.45, 0.2, 0.15, 0.0), light_change=0.3, effects=0.5,
    ),
    "street": ClipSettings(
        tier="street", people=(1, 4), field_of_view_deg=(35.0, 80.0), distance_m=(2.0, 9.0), roaming_m=(0.4, 2.2),
        walking=0.75, energy=(0.8, 1.3), entering=0.35, shape_spread=1.4, cues=False, place="street", furniture=4,
        camera_weights=(0.15, 0.3, 0.25, 0.3, 0.0), camera_motion=1.5, light_change=0.5, effects=1.0,
    ),
    "camera": ClipSettings(
        tier="camera", people=(0, 0), place="room", furniture=10, field_of_view_deg=(46.0, 62.0),
        camera_weights=(0.0, 0.0, 0.0, 0.0, 1.0), frame_gap=(1, 3),
    ),
    "camera-people": ClipSettings(
        tier="camera-people", people=(1, 2), place="room", furniture=8, distance_m=(2.6, 6.0), roaming_m=(0.2, 0.5),
        camera_weights=(0.0, 0.0, 0.0, 0.0, 1.0), frame_gap=(1, 6),
    ),
}  # fmt: skip
"""Ready settings by name. `studio` is the gentle one that figures are measured on first; `camera` teaches motion of the
camera alone: 0.2 to 0.5 m and 5 to 15 degrees between frames."""


def tier_settings(name: str) -> ClipSettings:
    """The settings of a tier, to be changed with `dataclasses.replace`. Raises UserError for an unknown tier."""
    if name not in TIERS:
        raise UserError(
            "bad-setting",
            "There is no tier called {name}.",
            "Use one of {tiers}.",
            name=repr(name),
            tiers=", ".join(TIERS),
        )
    return TIERS[name]
