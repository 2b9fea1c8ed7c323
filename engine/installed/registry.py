# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to fetch: where from, how large, under which terms. Data; nothing here touches disk or network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """Terms that the user has to accept before the first byte."""

    name: str
    url: str
    """Where the real text is: nobody here rewords it."""
    terms: str
    """The one thing that everybody must know, and where to read the rest."""


@dataclass(frozen=True)
class HubFile:
    """A file of a repository on Hugging Face, pinned to one revision."""

    repository: str
    revision: str


@dataclass(frozen=True)
class FormFile:
    """A file behind a login: its address takes the form fields ``username`` and ``password``."""

    url: str


@dataclass(frozen=True)
class Item:
    """One thing that can be installed."""

    name: str
    """What the command line calls it, and the stem of what is installed."""
    kind: str
    """``weights`` or ``body``."""
    title: str
    file: str
    """The publisher's file name."""
    source: HubFile | FormFile
    licence: Licence
    size: int | None = None
    """Bytes, where known beforehand; else the server's word counts, and stays (`records`)."""
    sha256: str | None = None
    """Of the publisher's file, where known beforehand."""
    about_bytes: int | None = None
    """Size for people to plan with, where only that is known."""
    register: str = ""
    """Where to make the account that a `FormFile` asks for."""
    variant: str = ""
    """What the converter must recognise in the tensors of weights."""


_HUMAN3R = Licence(
    "License of the Human3R model weights",
    "https://huggingface.co/faneggg/human3r",
    "NON-COMMERCIAL USE ONLY. Only the license's own text is binding: read it on the publisher's "
    "page, under License and in the files there, before you accept it.",
)
_SMPLX = Licence(
    "SMPL-X model license",
    "https://smpl-x.is.tue.mpg.de/modellicense.html",
    "NON-COMMERCIAL USE ONLY. Only the license's own text is binding: read it on the publisher's "
    "site, where you agree to it when you register, before you accept it.",
)
_HUB = HubFile("faneggg/human3r", "1902f6b702547870994f15413ed4c61b19dca6b6")


def _weights(
    name: str, title: str, size: int | None = None, sha256: str | None = None, about_bytes: int | None = None
) -> Item:
    return Item(
        name, "weights", title, f"human3r_{name}.pth", _HUB, _HUMAN3R, size, sha256, about_bytes or size, variant=name
    )


ITEMS: tuple[Item, ...] = (
    _weights(
        "896L",
        "Human3R, human prior ViT-L at 896 pixels: the largest",
        4_670_554_642,
        "1c5d89077d7734476ce74183df178c51ad172cad5e256081e61480cf231a9377",
    ),
    _weights("672L", "Human3R, human prior ViT-L at 672 pixels"),
    _weights("672B", "Human3R, human prior ViT-B at 672 pixels"),
    _weights("672S", "Human3R, human prior ViT-S at 672 pixels: the smallest", about_bytes=3_390_000_000),
    Item(
        "smplx",
        "body",
        "SMPL-X body model 1.1 (without it, the bundled mannequin is used)",
        "models_smplx_v1_1.zip",
        FormFile("https://download.is.tue.mpg.de/download.php?domain=smplx&sfile=models_smplx_v1_1.zip&resume=1"),
        _SMPLX,
        register="https://smpl-x.is.tue.mpg.de",
    ),
)


def find(name: str, items: Sequence[Item] = ITEMS) -> Item | None:
    """The item of that name; None where there is none."""
    return next((item for item in items if item.name == name), None)
