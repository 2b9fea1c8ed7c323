# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes average their gradients; one alone needs no group."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.training.parallel import join_group, leave_group
from tests.waiting import end_of

CPU = torch.device("cpu")


def test_one_process_joins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert join_group(CPU) == (0, 1)
    leave_group()


WORK = """
import sys, torch
from engine.training.parallel import average_gradients, join_group, leave_group
rank, processes = join_group(torch.device("cpu"))
assert processes == 2
used, unused = (torch.nn.Parameter(torch.ones(size)) for size in (2, 1))
(used * (rank + 1)).sum().backward()
average_gradients([used, unused])
assert used.grad.tolist() == [1.5, 1.5] and unused.grad.tolist() == [0.0], (used.grad, unused.grad)
leave_group()
"""


@pytest.mark.slow
def test_two_processes_average_their_gradients() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    root = Path(__file__).parents[3]
    running = [
        subprocess.Popen([sys.executable, "-c", WORK], cwd=root, env=shared | {"RANK": str(rank)}) for rank in range(2)
    ]
    assert [end_of(process) for process in running] == [0, 0]
