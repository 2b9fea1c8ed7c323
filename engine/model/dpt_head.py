# SPDX-License-Identifier: GPL-3.0-or-later
"""Dense prediction head: four levels of tokens to one map at the image's resolution."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from .config import Human3RConfig
from .precision import in_float32


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


class ResidualUnit(nn.Module):
    """x + conv(ReLU(conv(ReLU(x))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(functional.relu(self.conv1(functional.relu(x))))


class Fusion(nn.Module):
    """Adds one level to the running map and doubles its resolution."""

    def __init__(self, width: int, with_unit1: bool) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(width, width, 1)
        if with_unit1:
            self.resConfUnit1 = ResidualUnit(width)
        self.resConfUnit2 = ResidualUnit(width)

    def forward(self, level: Tensor, running: Tensor | None) -> Tensor:
        """(B, C, h, w) level onto the running map of the same size; None when this level starts it."""
        running = level if running is None else running + self.resConfUnit1(level)
        # A 1x1 convolution commutes with interpolation, whose weights sum to one; before it, it costs a quarter.
        return _double(self.out_conv(self.resConfUnit2(running)))


class Scratch(nn.Module):
    """The fusion path, under the name that checkpoints give it."""

    def __init__(self, config: Human3RConfig, for_inference: bool) -> None:
        super().__init__()
        width = config.dense_width
        layers = [nn.Conv2d(channels, width, 3, padding=1, bias=False) for channels in config.dense_level_widths]
        self.layer1_rn, self.layer2_rn, self.layer3_rn, self.layer4_rn = layers
        if not for_inference:
            self.layer_rn = nn.ModuleList(layers)  # the same tensors under their second name
        self.refinenet1, self.refinenet2, self.refinenet3 = (Fusion(width, with_unit1=True) for _ in range(3))
        # Level 4 starts the map: its first unit is in the checkpoint and never used.
        self.refinenet4 = Fusion(width, with_unit1=not for_inference)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Four (B, C_i, h_i, w_i) levels, finest first, to (B, width, 2 h_1, 2 w_1)."""
        level1, level2, level3, level4 = levels
        running = self.refinenet4(self.layer4_rn(level4), None)
        running = running[:, :, : level3.shape[2], : level3.shape[3]]  # odd grids: half of them was rounded up
        running = self.refinenet3(self.layer3_rn(level3), running)
        running = self.refinenet2(self.layer2_rn(level2), running)
        return self.refinenet1(self.layer1_rn(level1), running)


class _DoubleLayer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return _double(x)


class DenseHead(nn.Module):
    """DPT head without batch-norm."""

    def __init__(self, config: Human3RConfig, channels: int, for_inference: bool = False) -> None:
        super().__init__()
        widths = config.dense_level_widths
        tokens = (config.encoder_width, config.decoder_width, config.decoder_width, config.decoder_width)
        inner = config.dense_width // 2
        self.scratch = Scratch(config, for_inference)
        self.head = nn.Sequential(
            nn.Conv2d(config.dense_width, inner, 3, padding=1),
            _DoubleLayer(),
            nn.Conv2d(inner, inner, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(inner, channels, 1),
        )
        resample: list[nn.Module | None] = [
            nn.ConvTranspose2d(widths[0], widths[0], 4, stride=4),
            nn.ConvTranspose2d(widths[1], widths[1], 2, stride=2),
            None,
            nn.Conv2d(widths[3], widths[3], 3, stride=2, padding=1),
        ]
        self.act_postprocess = nn.ModuleList(
            nn.Sequential(nn.Conv2d(taken, width, 1), *(() if change is None else (change,)))
            for taken, width, change in zip(tokens, widths, resample, strict=True)
        )

    @in_float32
    def forward(self, levels: Sequence[Tensor], rows: int, columns: int) -> Tensor:
        """Four levels of (B, rows * columns, C) image tokens to a (B, 16 rows, 16 columns, channels) map."""
        maps = [level.transpose(1, 2).unflatten(2, (rows, columns)) for level in levels]
        maps = [process(level) for process, level in zip(self.act_postprocess, maps, strict=True)]
        return self.head(self.scratch(maps)).permute(0, 2, 3, 1)
