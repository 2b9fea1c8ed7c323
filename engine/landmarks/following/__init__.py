# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who from frame to frame, and where the landmarks of each person are looked for."""
