# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in model for real footage: landmarks of people from public networks, and bodies fitted to them."""
