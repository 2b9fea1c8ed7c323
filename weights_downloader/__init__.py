# SPDX-License-Identifier: GPL-3.0-or-later
"""The released weights and the SMPL-X body: found, fetched, verified, installed and removed.

Two ways in, and they import differently. The add-on asks what is there through `locations`, `registry` and `inventory`,
which need the standard library alone and import nothing outside this package, so that they work under whatever name
Blender gives the extension. Everything else is the program ``python -m weights_downloader`` (`__main__`), which runs as
a process of its own in the extension's folder and so knows the engine by its top-level name.
"""
