# SPDX-License-Identifier: GPL-3.0-or-later
"""Training: truth in, losses, schedules and the loop around :meth:`engine.model.human3r.Human3R.step`."""
