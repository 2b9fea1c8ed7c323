# SPDX-License-Identifier: GPL-3.0-or-later
"""What losses need from inside a step and streaming never asks for, taken by hooks so that the step stays one."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ..model.conv_prior import PersonReading
from ..model.human3r import Human3R


class Taps:
    """Within ``with Taps(model) as taps:`` the last step's inner values are attributes."""

    def __init__(self, model: Human3R) -> None:
        self.raw_rotations: Tensor | None = None
        """(n, 318) raw 6-D values with the mean pose added; None when the last step met nobody."""
        self.reading: PersonReading | None = None
        """What the reader of a convolutional prior says; None with a ViT or when the last step met nobody."""
        self.fine: Tensor | None = None
        """(B, 64, R/4, R/4) fine features of a convolutional prior."""
        self.encoded: Tensor | None = None
        """(B, N, encoder width) tokens of the image encoder."""
        self.stream: Tensor | None = None
        """(B, 1 + N + people, D) the refined stream [pose, image, prompts]."""
        self._model = model
        self._handles: list[RemovableHandle] = []

    def clear(self) -> None:
        """Forget the last step, so that what the next one leaves out is None."""
        self.raw_rotations = self.reading = self.fine = self.encoded = self.stream = None

    def __enter__(self) -> Taps:
        model, head = self._model, self._model.downstream_head

        def rotations(_: object, __: object, output: Tensor) -> None:
            self.raw_rotations = output.float() + head.init_body_pose

        def encoded(_: object, __: object, output: Tensor) -> None:
            self.encoded = output

        def stream(_: object, __: object, output: Tensor) -> None:
            self.stream = output

        hooks: list[tuple[nn.Module, Callable[..., None]]] = [
            (head.decpose, rotations),
            (model.enc_norm, encoded),
            (model.dec_norm, stream),
        ]
        if model.config.convolutional:

            def reading(_: object, __: object, output: PersonReading) -> None:
                self.reading = output

            def fine(_: object, __: object, output: tuple[Tensor, Tensor]) -> None:
                self.fine = output[1]

            backbone = model.get_submodule("backbone")
            hooks += [(backbone.get_submodule("reader"), reading), (backbone.get_submodule("encoder"), fine)]
        self._handles = [module.register_forward_hook(hook) for module, hook in hooks]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
