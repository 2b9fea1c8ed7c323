# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes through torch's own launcher (`torchrun`): each makes its own clips, gradients are averaged."""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
import torch.distributed as distributed
from torch import nn


def join_group(device: torch.device) -> tuple[int, int]:
    """(rank, processes), after joining the group that the launcher's environment describes; (0, 1) without one."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return (distributed.get_rank(), processes) if processes > 1 else (0, 1)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over all processes; one that a process lacks counts as zero."""
    listed = list(parameters)
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in listed]
    # One message for all of them: hundreds of small ones would take longer than the step.
    together = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(together)
    together /= distributed.get_world_size()
    for parameter, mean in zip(listed, together.split([g.numel() for g in gradients]), strict=True):
        parameter.grad = mean.view_as(parameter)


def leave_group() -> None:
    """Undo :func:`join_group`."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
