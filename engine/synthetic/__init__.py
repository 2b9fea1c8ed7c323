# SPDX-License-Identifier: GPL-3.0-or-later
"""People and places of our own making: the mannequin (`mannequin*`), and clips with ground truth about them.

A clip, from its seed: `dice` (draws) -> `cameras` (view, homes, path) -> `motion` (`behaviour`, `gait`, `limbs`) ->
`places` and `people` (what is seen) -> `render` (`rasterise`, `textures`, `effects`) -> `clips.Clip`. `settings` holds
the tiers, `dataset` and `truth` the files.
"""
