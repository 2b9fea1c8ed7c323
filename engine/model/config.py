# SPDX-License-Identifier: GPL-3.0-or-later
"""Every size of the model, and the named sets of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace

from ..contract.errors import UserError
from ..contract.json_checks import parse_json

PATCH_SIZE = 16
"""Pixels along the edge of a CUT3R patch. The dense heads upsample by exactly this."""

PRIOR_PATCH_SIZE = 14
"""Pixels along the edge of a patch of the released human-prior encoders (see ``Human3RConfig.prior_patch_size``)."""

MLP_RATIO = 4
"""Hidden width of every transformer MLP over its input width."""

ROPE_BASE = 100.0
"""Base of the rotary embedding's frequencies."""

LAYER_NORM_EPS = 1e-6
"""Epsilon of every layer norm."""

MAX_SIZE = 1 << 16
"""Upper bound of every size: a damaged file cannot ask for the impossible."""

MAX_DEPTH = 256
"""Upper bound of every number of blocks."""


@dataclass(frozen=True, kw_only=True)
class Human3RConfig:
    """Sizes of one Human3R. The defaults are the released 896L. Raises :class:`UserError` (``bad-model-config``)."""

    image_size: int = 512
    """Long side of the CUT3R image in pixels."""
    encoder_width: int = 1024
    """Channels of the image encoder."""
    encoder_depth: int = 24
    """Blocks of the image encoder."""
    encoder_heads: int = 16
    """Attention heads of the image encoder."""
    decoder_width: int = 768
    """Channels of both decoder streams; the pose memory's slots are twice as wide."""
    decoder_depth: int = 12
    """Layers of both decoder streams, at least 4, so that the dense heads find four different levels."""
    decoder_heads: int = 12
    """Attention heads of the image stream."""
    state_heads: int = 16
    """Attention heads of the state stream."""
    state_tokens: int = 768
    """Tokens of the persistent state."""
    memory_slots: int = 256
    """Slots of the pose memory."""
    memory_heads: int = 12
    """Attention heads of the pose memory's blocks."""
    prior_width: int = 1024
    """Channels of the human-prior encoder."""
    prior_depth: int = 24
    """Blocks of the human-prior encoder."""
    prior_heads: int = 16
    """Attention heads of the human-prior encoder."""
    prior_resolution: int = 896
    """Edge R of the square human-prior image in pixels, a multiple of 14."""
    prior_grid: int = 37
    """Patches along the edge of the grid that the prior's position embedding was learnt on."""
    dense_width: int = 256
    """Channels of the dense heads' fusion path."""
    dense_level_widths: tuple[int, int, int, int] = (96, 192, 384, 768)
    """Channels to which the dense heads project their four levels, finest first."""
    ray_map_depth: int = 2
    """Blocks of the ray-map encoder, which checkpoints hold and nothing uses."""
    convolutional: bool = False
    """Whether convolutions take the place of the prior's ViT and of the image encoder's linear patch embedding, and
    absolute positions are added before encoder and decoders: what a small model needs to learn from little. The
    released models have none of it. With it a prior patch has 16 pixels, and ``prior_depth``, ``prior_heads`` and
    ``prior_grid`` mean nothing."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "convolutional":
                _require(type(value) is bool, item.name, value, "true or false")
                continue
            several = item.name == "dense_level_widths"
            _require(not several or (isinstance(value, tuple) and len(value) == 4), item.name, value, "four widths")
            whole = all(type(size) is int and 1 <= size <= MAX_SIZE for size in (value if several else (value,)))
            _require(whole, item.name, value, f"whole numbers from 1 to {MAX_SIZE}")
        for name in ("encoder_depth", "decoder_depth", "prior_depth", "ray_map_depth"):
            _require(getattr(self, name) <= MAX_DEPTH, name, getattr(self, name), f"{MAX_DEPTH} or less")
        _require(self.decoder_depth >= 4, "decoder_depth", self.decoder_depth, "4 or more")
        _require(self.dense_width % 2 == 0, "dense_width", self.dense_width, "an even width")
        _require(
            self.prior_resolution % self.prior_patch_size == 0,
            "prior_resolution",
            self.prior_resolution,
            f"a multiple of {self.prior_patch_size}",
        )
        for name, width, heads, divisor in (
            ("encoder_heads", self.encoder_width, self.encoder_heads, 4),
            ("decoder_heads", self.decoder_width, self.decoder_heads, 4),
            ("state_heads", self.decoder_width, self.state_heads, 4),
            ("memory_heads", 2 * self.decoder_width, self.memory_heads, 1),
            ("prior_heads", self.prior_width, self.prior_heads, 1),
        ):
            # A rotated head holds sine and cosine of rows and of columns, hence the 4.
            _require(width % (heads * divisor) == 0, name, heads, f"a divisor of {width // divisor}")

    @property
    def score_grid(self) -> int:
        """Prior patches along the edge of the human-prior image: S."""
        return self.prior_resolution // self.prior_patch_size

    @property
    def prior_patch_size(self) -> int:
        """Pixels along the edge of a patch of the human-prior encoder."""
        return PATCH_SIZE if self.convolutional else PRIOR_PATCH_SIZE

    def to_json(self) -> str:
        """The configuration as one line of JSON, for a file's metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Human3RConfig:
        """The inverse of :meth:`to_json`. Raises :class:`UserError` for anything else."""
        try:
            values = parse_json(text)
            values["dense_level_widths"] = tuple(values["dense_level_widths"])
            return cls(**values)
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(
                "bad-model-config",
                "The model's configuration cannot be read: {error}.",
                "Download the weights again.",
                error=error,
            ) from error


def _require(holds: bool, name: str, value: object, wanted: str) -> None:
    if not holds:
        raise UserError(
            "bad-model-config",
            "The value {value} of {name} in the model's configuration is not possible.",
            "Use {wanted}.",
            name=name,
            value=repr(value),
            wanted=wanted,
        )


PRIORS: dict[str, tuple[int, int, int]] = {"S": (384, 12, 6), "B": (768, 12, 12), "L": (1024, 24, 16)}
"""Width, depth and heads of the human-prior encoders that the released models use (ViT-S/14, ViT-B/14, ViT-L/14)."""

RELEASED: tuple[str, ...] = ("672S", "672B", "672L", "896L")
"""The released variants: prior resolution and prior encoder."""


def released(variant: str) -> Human3RConfig:
    """The configuration of a released model, such as ``896L``."""
    if variant not in RELEASED:
        raise UserError(
            "unknown-variant",
            "There is no released variant {variant}.",
            "Use one of {released}.",
            variant=repr(variant),
            released=", ".join(RELEASED),
        )
    width, depth, heads = PRIORS[variant[-1]]
    return replace(
        Human3RConfig(), prior_resolution=int(variant[:-1]), prior_width=width, prior_depth=depth, prior_heads=heads
    )


def variant_of(config: Human3RConfig) -> str | None:
    """The name of the released variant with this configuration; None for other sizes."""
    return next((variant for variant in RELEASED if released(variant) == config), None)


def small() -> Human3RConfig:
    """The released architecture at a small size, 11 million parameters, for recipe weights and tests."""
    return Human3RConfig(
        image_size=128, encoder_width=128, encoder_depth=5, encoder_heads=4,
        decoder_width=128, decoder_depth=4, decoder_heads=4, state_heads=4, state_tokens=64,
        memory_slots=32, memory_heads=4,
        prior_width=128, prior_depth=4, prior_heads=4, prior_resolution=140, prior_grid=10,
        dense_width=64, dense_level_widths=(24, 48, 96, 128), ray_map_depth=1,
    )  # fmt: skip


def embedded() -> Human3RConfig:
    """The model that we train ourselves: 14 million parameters, pictures of 128 pixels, convolutional."""
    return Human3RConfig(
        image_size=128, encoder_width=160, encoder_depth=5, encoder_heads=5,
        decoder_width=128, decoder_depth=4, decoder_heads=4, state_heads=4, state_tokens=64,
        memory_slots=16, memory_heads=4, prior_width=192, prior_resolution=128,
        dense_width=48, dense_level_widths=(24, 48, 96, 128), ray_map_depth=1, convolutional=True,
    )  # fmt: skip
