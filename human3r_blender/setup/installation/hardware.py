# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine has that torch can run on. Parsing is pure; :func:`probe` asks the machine and never fails."""

from __future__ import annotations

import csv
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...blender.child_process import clean_environment

PROBE_TIMEOUT_S = 10.0
KFD_NODES = Path("/sys/class/kfd/kfd/topology/nodes")
"""Where Linux' amdgpu driver lists what it can compute on; no ROCm installation is needed to read it."""

_SYSTEMS = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class NvidiaDevice:
    """One card, as ``nvidia-smi`` names it."""

    name: str
    driver: tuple[int, ...]
    """Version of the driver: ``(580, 95, 5)``."""
    capability: tuple[int, int] | None = None
    """Compute capability, such as ``(8, 9)``; None where the driver is too old to tell."""


@dataclass(frozen=True)
class Hardware:
    """The facts that the choice of torch's build depends on."""

    system: str
    """``linux``, ``windows`` or ``macos``; another system's own name otherwise."""
    machine: str
    """``x86_64`` or ``arm64``; another processor's own name otherwise."""
    nvidia: tuple[NvidiaDevice, ...] = ()
    amd: tuple[str, ...] = ()
    """Targets of AMD's compute driver, such as ``gfx1100`` (Linux only)."""
    is_translated: bool = False
    """Whether this is a program for Intel Macs on a Mac with Apple silicon."""


def parse_nvidia_smi(text: str) -> tuple[NvidiaDevice, ...]:
    """Devices from ``nvidia-smi --query-gpu=name,driver_version[,compute_cap] --format=csv,noheader``.

    Lines that are not of that form (messages of a driver that does not run) name no device.
    """
    devices = []
    for row in csv.reader(text.splitlines(), skipinitialspace=True):
        driver = _numbers(row[1]) if len(row) in (2, 3) else ()
        if driver:
            capability = _numbers(row[2]) if len(row) == 3 else ()
            known = (capability[0], capability[1]) if len(capability) == 2 else None
            devices.append(NvidiaDevice(row[0], driver, known))
    return tuple(devices)


def parse_kfd_properties(text: str) -> str | None:
    """The target in one node's ``properties``: ``gfx_target_version 110000`` is ``gfx1100``. None for a processor."""
    values = dict(line.split(maxsplit=1) for line in text.splitlines() if len(line.split(maxsplit=1)) == 2)
    version = values.get("gfx_target_version", "0").strip()
    if not version.isdigit() or int(version) == 0:
        return None
    major, minor, step = int(version) // 10000, int(version) // 100 % 100, int(version) % 100
    return f"gfx{major}{minor:x}{step:x}"  # the last two are hexadecimal digits: 90010 is gfx90a


def probe() -> Hardware:
    """Ask this machine: its drivers' own tools and files. Takes a second; not for a draw function."""
    system = _SYSTEMS.get(platform.system(), platform.system().lower())
    machine = _MACHINES.get(platform.machine().lower(), platform.machine().lower())
    amd = _read_kfd(KFD_NODES.glob("*/properties")) if system == "linux" else ()
    nvidia = (
        ()
        if system == "macos"
        else (_ask_nvidia("name,driver_version,compute_cap") or _ask_nvidia("name,driver_version"))
    )  # drivers before 2021 do not know compute_cap
    is_translated = system == "macos" and _output(("/usr/sbin/sysctl", "-n", "sysctl.proc_translated")).strip() == "1"
    return Hardware(system, machine, nvidia, amd, is_translated)


def _ask_nvidia(fields: str) -> tuple[NvidiaDevice, ...]:
    for program in nvidia_programs(os.environ):
        if devices := parse_nvidia_smi(_output((program, f"--query-gpu={fields}", "--format=csv,noheader"))):
            return devices
    return ()


def nvidia_programs(variables: Mapping[str, str]) -> list[str]:
    """Where the driver's own tool may be: on the path, and where Windows' drivers put it, old ones in their folder."""
    places = (("SystemRoot", r"System32\nvidia-smi.exe"), ("ProgramFiles", r"NVIDIA Corporation\NVSMI\nvidia-smi.exe"))
    return ["nvidia-smi", *(rf"{variables[name]}\{rest}" for name, rest in places if variables.get(name))]


def _output(command: Sequence[str]) -> str:
    """What a program prints; nothing when it is not there or fails."""
    try:
        return subprocess.run(
            command,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_S,
            check=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""


def _read_kfd(files: Iterable[Path]) -> tuple[str, ...]:
    targets = []
    for path in sorted(files):
        try:
            target = parse_kfd_properties(path.read_text(encoding="ascii", errors="replace"))
        except OSError:  # not every user may read every node
            continue
        if target:
            targets.append(target)
    return tuple(targets)


def _numbers(version: str) -> tuple[int, ...]:
    """``580.95.05`` as numbers; empty where it is not a version."""
    parts = version.strip().split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()
