# SPDX-License-Identifier: GPL-3.0-or-later
"""One person in a scene: found, sampled and written here alone, always through the person's own family."""
