# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips as tasks for a render farm: which, under which names, and as the files that each kind of farm takes.

The standard library and the contract alone: Blender, the engine and `build.py` write the same bundles.
"""
