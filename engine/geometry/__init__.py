# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations, rigid motions and pinhole cameras in torch: differentiable, over any leading batch shape."""
