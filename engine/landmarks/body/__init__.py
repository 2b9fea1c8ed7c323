# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies in the SMPL-X format fitted to landmarks, and the shape of each person."""
