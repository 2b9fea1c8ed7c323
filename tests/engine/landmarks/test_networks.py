"""The file of the six networks: there, whole, and what it was made to be."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch

from engine.contract.errors import UserError
from engine.landmarks.networks.networks import ASSET, Networks, suited_precision

ROOT = Path(__file__).resolve().parents[3]
CPU = torch.device("cpu")


def test_the_file_is_small_and_the_one_that_notice_names(networks):
    assert ASSET.stat().st_size <= 30_000_000
    (named,) = re.findall(r"landmarks\.safetensors \(SHA-256\s+([0-9a-f]{64})\)", (ROOT / "NOTICE").read_text("utf-8"))
    assert hashlib.sha256(ASSET.read_bytes()).hexdigest() == named
    assert re.fullmatch("[0-9a-f]{8}", networks.fingerprint)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(UserError) as raised:
        Networks.load(CPU, path=tmp_path / "landmarks.safetensors")
    assert raised.value.code == "landmarks-missing"


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "foreign", "other list"])
def test_a_damaged_file_is_said(tmp_path, damage):
    path = tmp_path / "landmarks.safetensors"
    shutil.copyfile(ASSET, path)
    content = path.read_bytes()
    if damage == "foreign":
        safetensors.torch.save_file({"a": torch.zeros(1)}, path)
    elif damage == "other list":
        safetensors.torch.save_file({"a": torch.zeros(1)}, path, {"networks": '{"detector":[]}'})
    else:
        path.write_bytes({"cut": content[: len(content) // 2], "text": b"version https", "empty": b""}[damage])
    with pytest.raises(UserError) as raised:
        Networks.load(CPU, path=path)
    assert raised.value.code == "landmarks-damaged"


def test_the_precision_that_suits_them():
    cuda = torch.device("cuda")
    assert suited_precision(cuda, torch.float32) == torch.float32
    assert suited_precision(cuda, torch.float16) == suited_precision(cuda, torch.bfloat16) == torch.float16
    assert suited_precision(CPU, torch.float16) == torch.float32
