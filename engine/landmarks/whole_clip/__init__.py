# SPDX-License-Identifier: GPL-3.0-or-later
"""The pass over a whole clip that ends a capture."""
