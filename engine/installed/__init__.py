# SPDX-License-Identifier: GPL-3.0-or-later
"""The released weights and the SMPL-X body: what there is, where it lies, what is installed here.

Standard library only: Blender, the engine, the downloader and a bare Python ask the same files.
"""
