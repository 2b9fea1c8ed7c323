# SPDX-License-Identifier: GPL-3.0-or-later
"""One endless video through the model: chunks of a fixed number of frames, chained by their camera poses.

Paper section 3.2 (Test-Time Sequence Length Adaptation). After the last frame of a chunk the
state starts anew and the SAME frame is processed again as the first of the next chunk. That replay is not emitted, but
tracked like any other; it runs when the next frame arrives, so that a clip which ends there never pays for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..contract.errors import UserError
from ..geometry.rigid import matrix_from_pose
from ..resuming.state_reader import MOST, StateReader
from .human3r import Human3R
from .prediction import FramePrediction, SceneState, StepOptions, drop_nonfinite


@dataclass(frozen=True)
class RolloutSettings:
    """How a video is rolled out."""

    reset_interval: int = 100
    """Frames of a chunk; 0 for one endless chunk."""
    options: StepOptions = StepOptions()
    """How each step runs."""
    autocast: torch.dtype | None = None
    """Reduced precision for the network (``torch.bfloat16`` or ``torch.float16``); None computes in float32."""

    def __post_init__(self) -> None:
        if self.reset_interval < 0 or self.reset_interval == 1:
            raise UserError(
                "bad-setting",
                "The setting reset_interval is {reset_interval}.",
                "Use 0 for never, or 2 or more frames.",
                reset_interval=self.reset_interval,
            )


@dataclass(frozen=True)
class RolloutFrame:
    """One pass of a frame through the model."""

    index: int
    """0, 1, 2, ... in the order in which frames were pushed; a replay has the index of the frame it repeats."""
    emitted: bool
    """False for the replay of a chunk's last frame: to be tracked, not to be shown."""
    prediction: FramePrediction
    """On the model's device; nothing in it that is not finite."""
    world_from_camera: np.ndarray
    """(4, 4) float64 pose of the camera in the world of the first chunk, which the network puts at the first camera."""
    motion: np.ndarray | None = None
    """(4, 4) float64 pose in the world of its own chunk; None for a replay, and for a frame that was passed over."""


@dataclass(frozen=True)
class PoseChain:
    """Chains the poses of chunks: each chunk's world is the camera of the last frame emitted before it."""

    base: np.ndarray = field(default_factory=lambda: np.eye(4))
    """(4, 4) pose of the current chunk's world in the world of the whole video."""
    pose: np.ndarray = field(default_factory=lambda: np.eye(4))
    """(4, 4) last camera pose in the world of the whole video."""

    def advance(self, motion: np.ndarray) -> PoseChain:
        """The chain after a camera whose (4, 4) pose in its chunk is given."""
        return PoseChain(self.base, self.base @ motion)

    def start_chunk(self) -> PoseChain:
        """The chain in which all that follows is relative to the last camera."""
        return PoseChain(self.pose, self.pose)


class ChunkedRollout:
    """Feeds frames to :meth:`.human3r.Human3R.step` and keeps what goes from frame to frame.

    What it keeps is replaced and never changed in place, so that a shallow copy can go its own way.
    """

    def __init__(self, model: Human3R, settings: RolloutSettings | None = None) -> None:
        self.model = model
        self.settings = settings or RolloutSettings()
        self._state: SceneState | None = None
        self._replay: Tensor | None = None
        self._chain = PoseChain()
        self._count = 0

    def fits(self, width: int, height: int) -> bool:
        """Whether what is remembered goes with pictures of this size."""
        return self._replay is None or self._replay.shape[1:] == (height, width)

    def begin_chunk(self, first: int, replay: Tensor) -> None:
        """Go on with frame `first`, where a chunk begins, after the (3, H, W) image of the frame before it.

        Poses are relative to that frame's camera then, since nobody knows where it was."""
        self._count, self._replay, self._state, self._chain = first, replay, None, PoseChain()

    def push(self, image: Tensor) -> list[RolloutFrame]:
        """Process the next frame, a (3, H, W) image in [-1, 1]; before it the replay of the last one where due."""
        frames = self.finish_chunk()
        frames.append(self._pass(image, emitted=True))
        self._count += 1
        interval = self.settings.reset_interval
        if interval and self._count % interval == 0:
            self._chain = self._chain.start_chunk()
            self._replay = image
            self._state = None
        return frames

    def finish_chunk(self) -> list[RolloutFrame]:
        """Run the replay that is due, if one is. :meth:`push` does this by itself."""
        if self._replay is None:
            return []
        image, self._replay = self._replay, None
        return [self._pass(image, emitted=False)]

    def _pass(self, image: Tensor, emitted: bool) -> RolloutFrame:
        model, settings = self.model, self.settings
        parameter = next(model.parameters())
        images = image[None].to(parameter.device, parameter.dtype)
        with (
            torch.inference_mode(),
            torch.autocast(parameter.device.type, dtype=settings.autocast, enabled=settings.autocast is not None),
        ):
            state = self._state or model.initial_state()
            prediction, state = model.step(images, state, settings.options)
            prediction = drop_nonfinite(prediction)
            usable = all(bool(part.isfinite().all()) for part in (prediction.camera_pose, state.tokens, state.memory))
        motion = None
        if usable:
            # A frame that would break the state is passed over: the camera stays, the state forgets the frame.
            self._state = state
            if emitted:  # what a replay says about the camera is dropped: its chunk's world begins at that camera
                motion = matrix_from_pose(prediction.camera_pose[0].cpu().double()).numpy()
                self._chain = self._chain.advance(motion)
        index = self._count if emitted else self._count - 1
        return RolloutFrame(index, emitted, prediction, self._chain.pose, motion)

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays. Small at a chunk boundary, possible anywhere."""
        arrays = {"base": self._chain.base, "pose": self._chain.pose, "count": np.array(self._count)}
        if self._state is not None:
            arrays["tokens"] = self._state.tokens.float().cpu().numpy()
            arrays["memory"] = self._state.memory.float().cpu().numpy()
        if self._replay is not None:
            arrays["replay"] = self._replay.float().cpu().numpy()
        return arrays

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. The model and the settings must be those of the exporter.

        Raises UserError (``resume-unreadable``) for what is no such state.
        """
        config, parameter = self.model.config, next(self.model.parameters())
        state = StateReader("the model", arrays)

        def tensor(name: str, *shape: int | str, most: float = MOST) -> Tensor | None:
            if name not in state:
                return None
            values = state.array(name, np.float32, *shape, most=most)
            return torch.tensor(values, dtype=parameter.dtype).to(parameter.device)

        self._chain = PoseChain(state.pose("base"), state.pose("pose"))
        self._count = state.count("count")
        self._replay = tensor("replay", 3, "height", "width", most=1.0)
        tokens = tensor("tokens", 1, config.state_tokens, config.decoder_width)
        memory = tensor("memory", 1, config.memory_slots, 2 * config.decoder_width)
        self._state = None if tokens is None or memory is None else SceneState(tokens, memory, is_first=False)
