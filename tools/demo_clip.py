# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's clip of real people: read out of a pinned wheel on PyPI, which is installed by nothing.

    python tools/demo_clip.py FOLDER

Prints where the clip is; FOLDER keeps it from then on. Without a network it ends with an exit code and a message. The
clip is a member of sports2d 0.8.34 (BSD-3-Clause): a man somersaults off a wall, a woman walks past. Run in the
engine's environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout, whose engine this belongs to

from engine.contract.errors import UserError
from engine.evaluation.real.footage_files import wheel_member

PACKAGE, MEMBER = "sports2d==0.8.34", "Sports2D/Demo/demo.mp4"
SHA256 = "733b6db70742636ae9c35d870c22bd416582f579abd5881bee93a14bb0e2655d"
"""Of the wheel."""


def main(folder: Path) -> int:
    try:
        print(wheel_member(PACKAGE, MEMBER, folder, SHA256))
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
