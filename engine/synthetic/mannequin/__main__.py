# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine.synthetic.mannequin OUT.npz` writes the body that is bundled as `engine/assets/mannequin.npz`."""

from ... import import_path  # noqa: F401 - before any other import

# isort: split
import argparse
from pathlib import Path

from .build import build_arrays, write


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the procedural body in the SMPL-X file format.")
    parser.add_argument("output", type=Path, help="the .npz to write")
    output = parser.parse_args().output
    write(output, build_arrays())
    print(f"{output}: {output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
