# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a model fit into the device's memory, and if not, which would? Asked before loading; running out says the same.

The estimate is the weights in their precision and twice what the largest layers hold at once: tensors alive at the peak
of the human-prior encoder (its MLP) and of the dense head (its last convolution), counted operation by operation, and
as much again for the work space of kernels. ``docs/build/measurements.md`` has it beside measured peaks.
"""

from __future__ import annotations

import contextlib
import functools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import torch

from ..contract.errors import UserError
from ..contract.sentences import Sentence
from ..contract.settings import BUILT_IN, CaptureSettings
from .config import RELEASED, Human3RConfig, released
from .human3r import Human3R
from .precision import DTYPES, bears_half

_PRIOR_COPIES = 13
"""Float32 tensors as large as all prior tokens that are alive at the encoder's peak."""

_DENSE_COPIES = 3
"""Float32 tensors of half the dense width at the picture's resolution that are alive at the dense head's peak."""

_WORK_SPACE = 2.0

_LESS = 0.8
"""Share of a model's need that the proposal may have after that model ran out of memory."""

_EXHAUSTED = re.compile(
    "out of memory|can't allocate memory|not enough memory|DefaultCPUAllocator|Cannot allocate memory|unable to mmap"
    "|ailed to allocate|Insufficient memory"
    "|could not create a primitive(?! descriptor)"
)  # oneDNN: no room for a kernel; a descriptor would be unsupported

_GB = 1e9

BUILT_IN_BYTES = 400_000_000
"""What the built-in model takes with its work on a frame, rounded up from what `benchmarks/landmarks.py` saw."""


@dataclass(frozen=True)
class Proposal:
    """Something that should fit."""

    model: str
    precision: str
    needed_bytes: int

    def __str__(self) -> str:
        return f"the model {self.model} in {self.precision} ({self.needed_bytes / _GB:.1f} GB)"


@functools.cache
def needed_bytes(config: Human3RConfig, precision: str) -> int:
    """Estimate of what a model takes on its device, weights and the work of one frame, for pictures up to square."""
    with torch.device("meta"):
        weights = Human3R(config, for_inference=True).state_dict()
    wide = not _is_half(precision)
    held = sum(
        tensor.numel() * (2 if not wide and bears_half(key, tensor) else tensor.itemsize)
        for key, tensor in weights.items()
    )
    prior = _PRIOR_COPIES * config.score_grid**2 * config.prior_width * 4
    dense = _DENSE_COPIES * config.image_size**2 * config.dense_width // 2 * 4
    return held + round(_WORK_SPACE * (prior + dense))


def free_bytes(device: torch.device) -> int:
    """What a new model could take on this device now."""
    system = psutil.virtual_memory().available
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused
    if device.type == "mps":  # shares the system's memory
        return min(system, torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return system


def require_memory(
    name: str, config: Human3RConfig, precision: str, device: torch.device, free: int | None = None
) -> None:
    """Raises UserError (``not-enough-memory``) with a proposal when the model does not fit into what is free."""
    free = free_bytes(device) if free is None else free
    needed = needed_bytes(config, precision)
    if needed > free:
        raise _too_little(
            Sentence(
                "The model {model} in {precision} needs about {needed} GB of memory, but the device {device} has "
                "{free} GB free.",
                model=name,
                precision=precision,
                needed=f"{needed / _GB:.1f}",
                device=device.type,
                free=f"{free / _GB:.1f}",
            ),
            proposal(name, precision, free),
            device.type,
        )


def proposal(name: str, precision: str, free: float) -> Proposal | None:
    """The best that fits into this much: the same model shortened, smaller released ones, then the built-in one."""
    first = _variant(name)
    if first == BUILT_IN:
        return None
    known = list(reversed(RELEASED))
    for candidate in known[known.index(first) if first in known else len(known) :]:
        for shorter in ("float32", "bfloat16"):
            if candidate == first and (_is_half(precision) or shorter == "float32"):
                continue
            needed = needed_bytes(released(candidate), shorter)
            if needed <= free:
                recipe = name.startswith("recipe:")
                return Proposal(f"recipe:{candidate}" if recipe else candidate, shorter, needed)
    return Proposal(BUILT_IN, "float32", BUILT_IN_BYTES) if free >= BUILT_IN_BYTES else None


@contextlib.contextmanager
def explained_memory_errors(settings: CaptureSettings) -> Iterator[None]:
    """Turn the ways of running out of memory into the same error; what is proposed needs a fifth less, or lesser."""
    try:
        yield
    except Exception as error:  # torch and OpenCV have their own, a failed mapping is an OSError
        if isinstance(error, UserError) or not (
            isinstance(error, MemoryError | torch.OutOfMemoryError) or _EXHAUSTED.search(str(error))
        ):
            raise
        variant, precision = _variant(settings.model), settings.precision
        taken = needed_bytes(released(variant), precision) if variant in RELEASED else math.inf
        raise _too_little(
            Sentence(
                "The device {device} ran out of memory with the model {model} in {precision}.",
                device=settings.device,
                model=settings.model,
                precision=settings.precision,
            ),
            proposal(settings.model, settings.precision, _LESS * taken),
            settings.device,
        ) from error


def _too_little(message: Sentence, instead: Proposal | None, device: str) -> UserError:
    choose = "something smaller, such as {proposal}" if instead else "a smaller model"
    remedy = "Close other programs, or choose " + choose + ("." if device == "cpu" else ", or the device cpu.")
    return UserError("not-enough-memory", message, remedy, proposal=instead or "")


def _is_half(precision: str) -> bool:
    return DTYPES.get(precision) not in (None, torch.float32)  # what "auto" comes to takes no more than float32


def _variant(name: str) -> str:
    """The released variant that a model's name or a checkpoint's file name speaks of, else the name itself."""
    return next((variant for variant in RELEASED if variant in name), name)
