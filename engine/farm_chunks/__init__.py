# SPDX-License-Identifier: GPL-3.0-or-later
"""One long clip in parallel: the network on parts of it, and the one take that they make, the same as in one go."""
