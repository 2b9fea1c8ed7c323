"""The networks in torch say what they say in the runtimes that they were made for."""

import numpy as np
import pytest
import torch

from engine.landmarks.networks.convolution import Convolution
from engine.landmarks.networks.graph import Graph
from engine.landmarks.networks.networks import ASSET, NAMES, _build, _read
from tests.engine.landmarks.references import CPU, REFERENCES, given, thinned

OUTPUTS = [tuple(name.split(".")) for name in REFERENCES if name != "detector.people"]
TOLERANCE = 5e-4
"""Of the largest value of an output: both sides sum in float32, in another order."""


@pytest.mark.parametrize(("name", "output"), OUTPUTS)
def test_a_network_equals_its_own_runtime(networks, name, output):
    values = getattr(networks, name)(torch.from_numpy(given(name))[None])[output][0]
    expected = REFERENCES[f"{name}.{output}"]
    assert np.abs(thinned(name, output, values) - expected).max() < TOLERANCE * max(np.abs(expected).max(), 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_what_its_pictures_are(networks, name):
    one = torch.from_numpy(given(name))[None]
    both = torch.cat([one.flip(2), one])
    graph = getattr(networks, name)
    together, alone = graph(both), graph(one)
    for output, value in alone.items():
        assert together[output].shape[0] == 2
        assert torch.allclose(together[output][1], value[0], rtol=1e-3, atol=1e-3 * float(value.abs().max()))
        assert not torch.equal(together[output][0], together[output][1])


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_close(networks, name):
    half = built(name).prepare(CPU, torch.float16)
    picture = torch.from_numpy(given(name))[None]
    for output, value in getattr(networks, name)(picture).items():
        found = half(picture)[output]
        assert found.dtype == torch.float32
        assert (found - value).abs().mean() < 0.01 * max(float(value.abs().max()), 0.1), output


def test_bfloat16_runs(networks):
    picture = torch.from_numpy(given("face"))[None]
    found = built("face").prepare(CPU, torch.bfloat16)(picture)["landmarks"]
    assert (found - networks.face(picture)["landmarks"]).abs().mean() < 2


def test_without_onednn_it_is_the_same(networks):
    graph = built("body").prepare(CPU, torch.float32)
    for step in graph.steps:
        if isinstance(step, Convolution):
            step.fused = False
    picture = torch.from_numpy(given("body"))[None]
    expected = networks.body(picture)
    for output, value in graph(picture).items():
        assert torch.allclose(value, expected[output], rtol=1e-3, atol=1e-3 * float(value.abs().max()))


def test_pictures_of_many_sizes_are_what_they_are_alone():
    """More sizes than kernels are kept for, each twice."""
    graph, other = (built("detector").prepare(CPU, torch.float32) for _ in range(2))
    for step in other.steps:
        if isinstance(step, Convolution):
            step.fused = False
    picture = torch.from_numpy(given("detector"))[None]
    for side in (160, 64, 96, 128, 32, 160, 32):
        part = picture[:, :side, :side].contiguous()
        found, expected = graph(part)["centre"], other(part)["centre"]
        assert torch.allclose(found, expected, rtol=1e-3, atol=1e-2)


def test_only_what_is_wanted_is_computed():
    stored, tensors = _read(ASSET)
    own = {key.removeprefix("body."): tensor for key, tensor in tensors.items() if key.startswith("body.")}
    whole, part = Graph(stored["body"], own), Graph(stored["body"], own, ("presence",))
    assert len(part.steps) < len(whole.steps)
    assert set(part.prepare(CPU, torch.float32)(torch.from_numpy(given("body"))[None])) == {"presence"}


def built(name: str) -> Graph:
    stored, tensors = _read(ASSET)
    return _build(stored[name], name, tensors)
