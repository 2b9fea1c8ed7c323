# SPDX-License-Identifier: GPL-3.0-or-later
"""What every program here ends with, for scripts; argparse ends with 2 by itself, for options that do not exist."""

DONE = 0
FAILED = 1
"""Of an error that was explained."""
AGAIN = 75
"""Of a farm's task that another worker, or the same one later, can do: the device is busy, memory is short, the take is
locked. It is what mail programs and Slurm have for "try later"."""
CANCELLED = 130
"""As shells have it for Ctrl-C, whatever the request to stop came through."""

EXPLANATION = "Exit codes: 0 done, 1 failed (the error is explained), 2 wrong options, 130 canceled."
"""For the help texts."""
