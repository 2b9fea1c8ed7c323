# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions of other programs: files of AMASS and of SMPL-X's relatives, and the results of motion capture.

`reading` is the way in to what a file holds, `importing` makes people in a scene of it. A new layout is a function in
`results.py`. Only `importing` needs Blender.
"""
