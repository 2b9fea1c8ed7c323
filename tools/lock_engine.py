# SPDX-License-Identifier: GPL-3.0-or-later
"""Write requirements/lock/ anew from requirements/engine.txt and installer.txt: ``python3 build.py lock``.

uv resolves for all systems at once and lists every file's hash. Sizes come from PyPI by way of uv, and the longest path
that is installed on Windows, which allows 260 characters in all, from the wheels' own lists.
``torch-cpu-linux.txt`` is kept by hand, for it lists wheels that PyPI does not have.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import parse_wheel_filename
from wheel_paths import longest_path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS, LOCK = ROOT / "requirements", ROOT / "requirements" / "lock"
PYTHONS = "3.11"  # and newer: the oldest Blender that the add-on runs in
SIZED_PYTHON = "3.11"
PLATFORMS = {  # marker values and the end of a wheel's platform tag
    "linux-x86_64": ("linux", "x86_64", r"manylinux\w*_x86_64|any"),
    "linux-arm64": ("linux", "aarch64", r"manylinux\w*_aarch64|any"),
    "windows-x86_64": ("win32", "AMD64", r"win_amd64|any"),
    "macos-arm64": ("darwin", "arm64", r"macosx_\w*_(?:arm64|universal2)|any"),
}


LIMITED_PLATFORM = "windows-x86_64"
"""Where paths may not be of any length."""


def main() -> None:
    LOCK.mkdir(exist_ok=True)
    compile_lock(REQUIREMENTS / "installer.txt", LOCK / "uv.txt")
    compile_lock(REQUIREMENTS / "engine.txt", LOCK / "engine.txt")
    (LOCK / "base.txt").write_text(without_torch((LOCK / "engine.txt").read_text(encoding="utf-8")), encoding="utf-8")
    packages = locked_packages(REQUIREMENTS / "engine.txt")
    base = set(re.findall(r"^([a-z0-9-]+)==", (LOCK / "base.txt").read_text(encoding="utf-8"), re.MULTILINE))
    sizes = {
        lock: {
            platform: sum(
                size_on(package, *PLATFORMS[platform])
                for package in packages
                if lock == "engine.txt" or package["name"] in base
            )
            for platform in PLATFORMS
        }
        for lock in ("engine.txt", "base.txt")
    }
    sizes["longest_path"] = {LIMITED_PLATFORM: longest_on(packages, *PLATFORMS[LIMITED_PLATFORM])}
    (LOCK / "sizes.json").write_text(json.dumps(sizes, indent=2) + "\n", encoding="utf-8")


def uv_compile(source: Path, output: Path, *options: str) -> None:
    subprocess.run(
        [
            Path(sys.executable).with_name("uv"),
            "pip",
            "compile",
            "--quiet",
            "--no-config",
            "--universal",
            "--system-certs",
            "--python-version",
            PYTHONS,
            *options,
            "--output-file",
            output,
            source,
        ],
        check=True,
        cwd=ROOT,
    )


def compile_lock(source: Path, output: Path) -> None:
    """Every package that the source needs, on every system, with the hash of every file (a fresh resolution)."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder, output.name)
        uv_compile(source, fresh, "--generate-hashes", "--no-header", "--no-annotate")
        head = f"# Made by `python3 build.py lock` from requirements/{source.name}: do not edit.\n"
        output.write_text(head + fresh.read_text(encoding="utf-8"), encoding="utf-8")


def without_torch(lock: str) -> str:
    """The lock less torch and what only its CUDA build for Linux needs: the rest of every other build."""
    head, *blocks = re.split(r"(?m)^(?=[a-z0-9])", lock)
    return head + "".join(
        block
        for block in blocks
        if not block.startswith("torch==") and "sys_platform == 'linux'" not in block.split("\\")[0]
    )


def locked_packages(source: Path) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "pylock.toml")
        uv_compile(source, output, "--format", "pylock.toml")
        return tomllib.loads(output.read_text(encoding="utf-8"))["packages"]


def size_on(package: dict, system: str, machine: str, tag: str) -> int:
    """Bytes of the wheel that one system downloads; 0 when the package is not for it."""
    return max((wheel["size"] for wheel in wheels_on(package, system, machine, tag)), default=0)


def longest_on(packages: list[dict], system: str, machine: str, tag: str) -> int:
    """Characters of the longest path that one system installs."""
    return max(
        longest_path(wheel["url"], wheel["size"])
        for package in packages
        for wheel in wheels_on(package, system, machine, tag)
    )


def wheels_on(package: dict, system: str, machine: str, tag: str) -> list[dict]:
    """The wheels of a package that fit a system; none when the package is not for it."""
    environment = {
        "sys_platform": system,
        "platform_machine": machine,
        "python_version": SIZED_PYTHON,
        "python_full_version": SIZED_PYTHON + ".0",
    }
    if "marker" in package and not Marker(package["marker"]).evaluate(environment):
        return []
    fitting = [wheel for wheel in package.get("wheels", []) if is_for(wheel, tag)]
    if not fitting:
        raise SystemExit(f"{package['name']} {package['version']} has no wheel for {system} {machine}")
    return fitting


def is_for(wheel: dict, tag: str) -> bool:
    name = wheel["url"].rpartition("/")[2].replace("%2B", "+")
    tags = parse_wheel_filename(name)[3]
    return any(fits(one.interpreter, one.abi) and re.fullmatch(tag, one.platform) for one in tags)


def fits(interpreter: str, abi: str) -> bool:
    wanted = "cp" + SIZED_PYTHON.replace(".", "")
    if abi == "abi3":
        return int(interpreter[3:] or 0) <= int(wanted[3:])
    return interpreter in (wanted, "py3") if abi == "none" else interpreter == abi == wanted


if __name__ == "__main__":
    main()
