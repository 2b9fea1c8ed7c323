# SPDX-License-Identifier: GPL-3.0-or-later
"""The downloader's program with the tests' registry in the place of the real one, to be run as a process of its own.

``python -m tests.engine.weights.driver FORM_URL ARGUMENTS``; the hub is where ``HF_ENDPOINT`` says.
"""

import os
import sys

from engine.installed.registry import FormFile, Item, Licence
from engine.standard_streams import claim_stdout
from tests.engine.weights.publishers import HUB
from tests.waiting import HANG_S
from weights_downloader import receiving
from weights_downloader.command import CANCELLED, main

WEIGHTS_FILE, BODY_FILE = "human3r_tiny.pth", "models_smplx_v1_1.zip"
LICENCE = Licence("A licence", "https://example.org/licence", "NON-COMMERCIAL USE ONLY.")


def items(form_address: str) -> tuple[Item, ...]:
    """Small weights on the hub, and a body behind the form."""
    return (
        Item("tiny", "weights", "Small weights", WEIGHTS_FILE, HUB, LICENCE, variant="custom"),
        Item("896L", "weights", "Large weights", "human3r_896L.pth", HUB, LICENCE, variant="896L"),
        Item(
            "body",
            "body",
            "A body",
            BODY_FILE,
            FormFile(form_address),
            LICENCE,
            register="https://example.org/register",
        ),
    )


if __name__ == "__main__":
    stdout = claim_stdout()
    receiving.TIMEOUT_S = HANG_S  # a publisher that stalls is a test's doing
    try:
        exit_code = main(sys.argv[2:], stdout, items(sys.argv[1]))
    except KeyboardInterrupt:
        exit_code = CANCELLED
    os._exit(exit_code)
