# SPDX-License-Identifier: GPL-3.0-or-later
"""The pass over a whole clip that follows its camera once more, from the footage and the take's people."""
