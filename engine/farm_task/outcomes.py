# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error means for a farm: whether trying again helps, and whose fault it is, the clip's or the worker's."""

from __future__ import annotations

import re

from ..contract.errors import UserError, lacks_package
from ..contract.exit_codes import AGAIN, FAILED
from ..contract.logs import log

_TRY_AGAIN = frozenset(
    (
        "take-busy",
        "take-lost",
        "not-enough-memory",
        "device-missing",
        "device-differs",
        "device-busy",
        "gpu-missing",
    )
)
"""Errors that pass, or that another worker does not have."""

_DEVICE_ERRORS = re.compile("CUDA|cuDNN|HIP|MPS|busy or unavailable")


def exit_code(error: UserError) -> int:
    """What a task ends with after an error."""
    return AGAIN if error.code in _TRY_AGAIN else FAILED


def is_of_the_footage(error: UserError) -> bool:
    """Whether every worker will find the same in this clip, whatever else becomes of the job."""
    return error.code.startswith("footage-")


def is_of_the_worker(error: UserError) -> bool:
    """Whether the clips that follow would only meet the same error."""
    return not (is_of_the_footage(error) or error.code.startswith("take-") or error.code == "not-a-take")


def explained(error: Exception) -> UserError:
    """An error that nobody explained, as one that farms can act on."""
    if isinstance(error, ImportError):
        return lacks_package(error)
    if _DEVICE_ERRORS.search(str(error)):
        return UserError(
            "device-busy",
            "The GPU of this worker refused the work: {error}",
            "Try again when nothing else uses it, or on another worker.",
            error=error,
        )
    log.error("the task failed", exc_info=error)
    return UserError(
        "engine-failed",
        "The engine stopped with an unexpected error: {name}: {error}.",
        "Run the task again with the environment variable HUMAN3R_LOG=debug, and report what is printed.",
        name=type(error).__name__,
        error=error,
    )
