# SPDX-License-Identifier: GPL-3.0-or-later
"""The online Human3R model: one :meth:`.human3r.Human3R.step` per video frame, used by training and streaming alike."""
