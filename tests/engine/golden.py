# SPDX-License-Identifier: GPL-3.0-or-later
"""The golden files: finding them, building their model, comparing with their tolerance."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engine.model.config import PRIORS, Human3RConfig
from engine.model.human3r import Human3R
from engine.model.recipe_weights import Recipe, fill_with_recipe

RMS_TOLERANCE = 2e-5
"""RMS of the difference over RMS of the golden."""

WORST_TOLERANCE = 1e-4
"""Largest difference over RMS of the golden."""

_SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "golden"


def golden_folder() -> Path:
    """The folder named by HUMAN3R_GOLDEN_DIR, else the shared one."""
    return Path(os.environ.get("HUMAN3R_GOLDEN_DIR") or _SHARED)


def golden_runs() -> list[Path]:
    """All golden runs of the network."""
    return sorted(golden_folder().glob("golden_*.npz"))


def config_from_golden_meta(meta: dict) -> Human3RConfig:
    """The configuration that a golden file's ``meta_json`` describes; unknown entries are an error."""
    given = dict(meta["config"])
    fixed = {
        "state_pe": "2d",
        "pos_embed": "RoPE100",
        "rgb_head": True,
        "pose_head": True,
        "msk_head": True,
        "patch_embed_cls": "PatchEmbedDust3R",
        "head_type": "dpt",
        "output_mode": "pts3d+pose+smpl",
        "depth_mode": ["exp", "-inf", "inf"],
        "conf_mode": ["exp", 1, "inf"],
        "pose_mode": ["exp", "-inf", "inf"],
        "landscape_only": False,
    }
    given.pop("freeze", None)
    for name, value in fixed.items():
        assert given.pop(name, value) == value, name
    width, depth, heads = PRIORS[given.pop("backbone")[len("dinov2_vit")].upper()]
    names = {
        "state_size": "state_tokens",
        "local_mem_size": "memory_slots",
        "enc_embed_dim": "encoder_width",
        "enc_depth": "encoder_depth",
        "enc_num_heads": "encoder_heads",
        "dec_embed_dim": "decoder_width",
        "dec_depth": "decoder_depth",
        "dec_num_heads": "decoder_heads",
        "mhmr_img_res": "prior_resolution",
        "ray_enc_depth": "ray_map_depth",
    }
    values = {ours: given.pop(theirs) for theirs, ours in names.items() if theirs in given}
    # The files so far leave these two to their defaults; their entries' names can only be guessed at.
    for theirs in [name for name in given if name.endswith("heads") and ("state" in name or "mem" in name)]:
        values["state_heads" if "state" in theirs else "memory_heads"] = given.pop(theirs)
    values.setdefault("memory_heads", values["decoder_heads"])
    image_size = max(given.pop("img_size"))
    assert not given, f"the golden's configuration has entries that are not understood: {given}"
    return Human3RConfig(image_size=image_size, prior_width=width, prior_depth=depth, prior_heads=heads, **values)


def recipe_model(config: Human3RConfig, recipe: Recipe, for_inference: bool = True) -> Human3R:
    """A model on recipe weights; nothing but the weights themselves is ever in memory."""
    with torch.device("meta"):
        model = Human3R(config, for_inference)
    model = model.to_empty(device="cpu").eval().requires_grad_(False)
    fill_with_recipe(model, recipe)
    return model


@dataclass
class Comparison:
    """Collects what differs, so that one failure shows the whole picture."""

    compared: int = 0
    worst_rms: float = 0.0
    worst_element: float = 0.0

    def __post_init__(self) -> None:
        self.failures: list[str] = []

    def close(self, name: str, actual: object, golden: np.ndarray) -> None:
        """Within the goldens' tolerance."""
        actual = np.asarray(actual.detach().cpu() if isinstance(actual, torch.Tensor) else actual, np.float64)
        golden = np.asarray(golden, np.float64)
        self.compared += 1
        if not golden.size and not actual.size:
            return
        if actual.shape != golden.shape:
            self.failures.append(f"{name}: shape {actual.shape}, golden {golden.shape}")
            return
        scale = np.sqrt(np.mean(golden**2)) or 1.0
        difference = actual - golden
        rms, element = np.sqrt(np.mean(difference**2)) / scale, np.abs(difference).max() / scale
        self.worst_rms, self.worst_element = max(self.worst_rms, rms), max(self.worst_element, element)
        if not (rms <= RMS_TOLERANCE and element <= WORST_TOLERANCE):
            self.failures.append(f"{name}: RMS {rms:.2e}, worst {element:.2e}")

    def equal(self, name: str, actual: object, golden: np.ndarray) -> None:
        """Exactly, for indices and identities."""
        actual = np.asarray(actual.cpu() if isinstance(actual, torch.Tensor) else actual)
        self.compared += 1
        if (actual.size or golden.size) and not np.array_equal(actual, golden):
            self.failures.append(f"{name}: {actual.tolist()}, golden {golden.tolist()}")

    def finish(self) -> None:
        assert self.compared, "nothing was compared"
        assert not self.failures, f"{len(self.failures)} of {self.compared} differ:\n" + "\n".join(self.failures)


def read_meta(data: np.lib.npyio.NpzFile) -> dict:
    return json.loads(str(data["meta_json"]))
