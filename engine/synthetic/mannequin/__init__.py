# SPDX-License-Identifier: GPL-3.0-or-later
"""The licence-free body, made by a program: `python -m engine.synthetic.mannequin OUT.npz`."""
