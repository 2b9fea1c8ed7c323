# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes average their gradients; one alone needs no group."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.training.parallel import average_gradients, join_group, leave_group

CPU = torch.device("cpu")


def test_one_process_joins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert join_group(CPU) == (0, 1)
    leave_group()


def _work(rank: int, port: int, folder: str) -> None:
    os.environ.update(WORLD_SIZE="2", RANK=str(rank), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    assert join_group(CPU) == (rank, 2)
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(1))
    (used * (rank + 1)).sum().backward()
    average_gradients([used, unused])
    torch.save([used.grad, unused.grad], Path(folder) / f"{rank}.pt")
    leave_group()


@pytest.mark.slow
def test_two_processes_average_their_gradients(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(_work, (port, str(tmp_path)), nprocs=2)
    for rank in range(2):
        used, unused = torch.load(tmp_path / f"{rank}.pt")
        assert used.tolist() == [1.5, 1.5] and unused.tolist() == [0.0]
