"""The six networks, loaded once."""

import pytest
import torch

from engine.landmarks.networks.networks import Networks


@pytest.fixture(scope="session")
def networks() -> Networks:
    return Networks.load(torch.device("cpu"))
