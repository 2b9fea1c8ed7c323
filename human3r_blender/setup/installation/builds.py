# SPDX-License-Identifier: GPL-3.0-or-later
"""The builds of torch: what each needs of a machine, where it comes from, and which one fits.

PyPI has one build of torch for each system: CUDA 13 for Linux, Metal for macOS, the processor for Windows. Their
hashes, and those of everything else, are in ``requirements/lock/engine.txt``. The other builds are on PyTorch's own
index only. For Linux' processor build the hashes are locked too (``torch-cpu-linux.txt``). For the rest no hash is
published: ``unlisted`` names the exact version, and what was installed first is recorded (see ``recorded.py``).
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from .hardware import Hardware, NvidiaDevice

TORCH_VERSION = "2.13.0"
TORCH_INDEX_VARIABLE = "HUMAN3R_TORCH_INDEX"
"""Environment variable that names a mirror of PyTorch's index."""
TORCH_INDEX = "https://download.pytorch.org/whl"

CUDA13_DRIVER = (580,)
CUDA12_DRIVER = (525,)
"""Lowest driver for any CUDA 13 (12) build: NVIDIA's rule of minor version compatibility."""
CUDA13_CAPABILITY = (7, 5)
CUDA12_CAPABILITIES = ((5, 0), (9, 0))
"""What the builds' kernels cover: Turing and newer; Maxwell to Hopper."""
ROCM_TARGETS = frozenset(
    {
        "gfx908",
        "gfx90a",
        "gfx942",
        "gfx950",
        "gfx1030",
        "gfx1100",
        "gfx1101",
        "gfx1102",
        "gfx1150",
        "gfx1151",
        "gfx1200",
        "gfx1201",
    }
)
"""Targets that torch's ROCm 7.2 build has kernels and matrix libraries for."""

GPU_UNPACK_FACTOR = 2.2
"""Kernels hardly compress: measured 2.08 for torch with CUDA on Linux, 1.35 for cuDNN."""

KINDS = ("cpu", "cuda", "cuda12", "rocm", "metal")
CHOICES = ("auto", *KINDS)


@dataclass(frozen=True)
class Build:
    """One build of torch for one system."""

    kind: str
    """``cpu``, ``cuda`` (13), ``cuda12``, ``rocm`` or ``metal``."""
    title: str
    locks: tuple[str, ...] = ("engine.txt",)
    """Files of ``requirements/lock`` that together list every package and hash, but for ``unlisted``."""
    channel: str = ""
    """Folder of PyTorch's index that torch comes from; empty: from PyPI as everything else."""
    unlisted: str = ""
    """Requirement whose hash no lock has."""
    torch_bytes: int = 0
    """Download size of what comes from PyTorch's index; 0 where all comes from PyPI and is counted there."""
    unpack_factor: float = 3.7
    """Unpacked size over download size, at most. Measured for torch: 3.65 for the processor, 2.08 for CUDA on Linux."""

    @property
    def index(self) -> str:
        """Address of the index besides PyPI; empty when PyPI has it all."""
        base = os.environ.get(TORCH_INDEX_VARIABLE) or TORCH_INDEX
        return f"{base.rstrip('/')}/{self.channel}" if self.channel else ""

    @property
    def is_hash_locked(self) -> bool:
        """Whether every byte is known before the first installation."""
        return not self.unlisted


def _unlisted(kind: str, title: str, channel: str, torch_bytes: int) -> Build:
    return Build(
        kind, title, ("base.txt",), channel, f"torch=={TORCH_VERSION}+{channel}", torch_bytes, GPU_UNPACK_FACTOR
    )


# Sizes of wheels that only PyTorch's index has are those of Python 3.11 to 3.13 as recorded by others; of the
# processor's as measured.
_CPU_LINUX = Build("cpu", "the CPU", ("base.txt", "torch-cpu-linux.txt"), "cpu", "", 191_794_682)
_CUDA12 = _unlisted("cuda12", "NVIDIA GPUs (CUDA 12.6)", "cu126", 2_594_548_547)
_CUDA_LINUX = Build("cuda", "NVIDIA GPUs (CUDA 13.0)", unpack_factor=GPU_UNPACK_FACTOR)
_METAL = Build("metal", "Apple silicon (Metal)")

BUILDS: dict[tuple[str, str], tuple[Build, ...]] = {
    ("linux", "x86_64"): (
        _CPU_LINUX,
        _CUDA_LINUX,
        _CUDA12,
        _unlisted("rocm", "AMD GPUs (ROCm 7.2)", "rocm7.2", 6_227_849_000),
    ),
    ("linux", "arm64"): (_CPU_LINUX, _CUDA_LINUX),
    ("windows", "x86_64"): (
        Build("cpu", "the CPU"),
        _unlisted("cuda", "NVIDIA GPUs (CUDA 13.0)", "cu130", 1_915_517_499),
        _CUDA12,
    ),
    ("macos", "arm64"): (_METAL, Build("cpu", "the CPU")),
}
"""By system and processor. A system that is not here has no torch of this version."""


def choose(hardware: Hardware, kind: str = "auto") -> tuple[Build, str]:
    """The build for this machine and, in a sentence, why.

    ``kind`` other than ``auto`` is taken as it is, if the system has it. Raises :class:`UserError`:
    ``machine-unsupported``, ``build-unavailable``.
    """
    available = {build.kind: build for build in BUILDS.get((hardware.system, hardware.machine), ())}
    if hardware.is_translated:
        raise UserError(
            "machine-unsupported",
            "This Blender is the one for Intel Macs, on a Mac with Apple silicon.",
            "Install Blender for Apple silicon (macOS arm64), then install the extension there.",
        )
    if not available:
        raise UserError(
            "machine-unsupported",
            "torch {torch_version} is not available for {system} on {machine}.",
            "Use Linux (x86-64 or ARM), Windows (x86-64) or a Mac with Apple silicon; or choose a Python in the "
            "preferences that has the engine's packages.",
            torch_version=TORCH_VERSION,
            system=hardware.system,
            machine=hardware.machine,
        )
    if kind == "auto":
        fitting, reason = _fitting_kind(hardware)
        if fitting in available:
            return available[fitting], reason
        missing = "{reason} No such build is available for {system} on {machine}."
        return available["cpu"], Sentence(missing, reason=reason, system=hardware.system, machine=hardware.machine)
    if kind not in available:
        raise UserError(
            "build-unavailable",
            "No {kind} build is available for {system} on {machine}.",
            "Choose one of: auto, {available}.",
            kind=kind,
            system=hardware.system,
            machine=hardware.machine,
            available=", ".join(available),
        )
    return available[kind], Sentence("Chosen manually.")


def _fitting_kind(hardware: Hardware) -> tuple[str, str]:
    if hardware.system == "macos":
        return "metal", Sentence("Apple silicon.")
    refusals: list[str] = []
    for device in sorted(hardware.nvidia, key=lambda device: device.capability or (0, 0), reverse=True):
        kind, reason = _cuda_kind(device)
        if kind:
            return kind, reason
        refusals.append(reason)
    for target in hardware.amd:
        if hardware.system == "linux" and target in ROCM_TARGETS:
            return "rocm", Sentence("AMD {target}.", target=target)
        refusals.append(Sentence("torch's ROCm build does not support AMD {target}.", target=target))
    none = Sentence("No GPU was found that torch can use.")
    return "cpu", functools.reduce(_both, refusals) if refusals else none


def _both(first: str, second: str) -> str:
    return Sentence("{first} {second}", first=first, second=second)


def _cuda_kind(device: NvidiaDevice) -> tuple[str, str]:
    """``cuda``, ``cuda12`` or nothing for one card, and why."""
    driver = ".".join(map(str, device.driver))
    found = {"name": device.name, "driver": driver}
    capability = device.capability
    if device.driver >= CUDA13_DRIVER and (capability is None or capability >= CUDA13_CAPABILITY):
        return "cuda", Sentence("{name} with driver {driver}.", **found)
    lowest, highest = CUDA12_CAPABILITIES
    if device.driver >= CUDA12_DRIVER and (capability is None or lowest <= capability <= highest):
        newer = "{name} with driver {driver} (CUDA 13 needs driver 580 or newer and a Turing GPU or newer)."
        return "cuda12", Sentence(newer, **found)
    if capability is not None and capability < lowest:
        return "", Sentence("{name} is too old for torch.", **found)
    outdated = "{name} with driver {driver} needs a newer driver: install 580 or newer from NVIDIA, then install again."
    return "", Sentence(outdated, **found)
