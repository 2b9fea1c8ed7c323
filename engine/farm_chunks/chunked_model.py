# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture of frames that the network has seen already: what is sequential happens here, and nothing is loaded."""

from __future__ import annotations

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.settings import CaptureSettings
from ..estimate import FrameEstimate, States
from ..human3r_estimator import CHAIN, SequenceEstimator
from ..model.rollout import PoseChain
from ..resuming.state_reader import StateReader, unfit
from ..stages.network_sequence import NetworkSequence
from ..video.picture import PictureMap
from ..video.reading import PreparedFrame
from .chunk_file import ChunkHeader
from .chunk_frames import ChunkFrame


class ChunkedModel:
    """The model that some chunk was made with; fulfills :class:`~..estimate.Model`."""

    needs_footage_pixels = False

    def __init__(self, header: ChunkHeader) -> None:
        self.name, self._header = header.model, header

    def picture_map(self, footage_size: tuple[int, int]) -> PictureMap:
        return PictureMap.plan(footage_size, self._header.image_size)

    def begin(self, settings: CaptureSettings, body_model: BodyModel, picture_map: PictureMap) -> ChunkedEstimator:
        sequence = NetworkSequence(settings, body_model, picture_map)
        return ChunkedEstimator(sequence, settings.reset_interval, self._header.token_width)


class ChunkedEstimator(SequenceEstimator):
    """Takes in frames of chunks, in the order of the clip; fulfills :class:`~..estimate.FrameEstimator`."""

    def __init__(self, sequence: NetworkSequence, reset_interval: int, token_width: int) -> None:
        self._sequence, self._reset_interval, self._token_width = sequence, reset_interval, token_width
        self._chain, self._count = PoseChain(), 0

    def predict(self, prepared: PreparedFrame) -> ChunkFrame:
        assert isinstance(prepared, ChunkFrame), "the frames come from chunks"
        return prepared

    def finish(self, predicted: ChunkFrame) -> FrameEstimate:
        if predicted.network.motion is not None:
            self._chain = self._chain.advance(predicted.network.motion)
        self._count += 1
        if self._count % self._reset_interval == 0:
            self._chain = self._chain.start_chunk()
        return self._sequence.take_in(predicted.network, self._chain.pose)

    def export_state(self) -> States:
        chain = {"base": self._chain.base, "pose": self._chain.pose, "count": np.array(self._count)}
        return {CHAIN: chain, **self._sequence.export_state()}

    def restore_state(self, states: States) -> None:
        """Also that of a capture whose network ran here: its chunk is begun again."""
        state = StateReader("the camera", states.get(CHAIN, states.get("rollout", {})))
        self._chain, self._count = PoseChain(state.pose("base"), state.pose("pose")), state.count("count")
        self._sequence.restore_state(states)
        if not self._sequence.fits(self._token_width):
            raise unfit("the model", "it belongs to a model of another size")
