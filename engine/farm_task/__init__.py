# SPDX-License-Identifier: GPL-3.0-or-later
"""`engine farm-task` and `engine farm-report`: what a worker of a farm does, safe to repeat and to kill anywhere."""
