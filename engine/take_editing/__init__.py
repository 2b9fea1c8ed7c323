# SPDX-License-Identifier: GPL-3.0-or-later
"""People of a take by hand: who is who, who stays, what they are called; a take becomes another take. Numpy alone."""
