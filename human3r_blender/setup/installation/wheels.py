# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a package index has, and which of them is a wheel for this machine. Pure: no network, no disk."""

from __future__ import annotations

import html.parser
import platform
import posixpath
import re
import sys
import urllib.parse
from dataclasses import dataclass

from ....engine.contract.json_checks import BadJson, parse_json

JSON_KIND = "application/vnd.pypi.simple.v1+json"
ACCEPTED = f"{JSON_KIND}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"

_LINUX = re.compile(r"(many|musl)linux_(\d+)_(\d+)_(\w+)")
_OLD_LINUX = {"manylinux1": "manylinux_2_5", "manylinux2010": "manylinux_2_12", "manylinux2014": "manylinux_2_17"}
_MAC = re.compile(r"macosx_(\d+)_(\d+)_(\w+)")
_MACHINES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True)
class Machine:
    """What a wheel has to fit."""

    system: str
    """As `sys.platform`: ``linux``, ``darwin``, ``win32``."""
    processor: str
    """``x86_64``, ``aarch64``, ..."""
    version: tuple[int, ...] = ()
    """Of the C library on Linux, of the system on macOS; empty where unknown."""
    is_musl: bool = False


def this_machine() -> Machine:
    """What this Python runs on."""
    name = platform.machine().lower()
    processor = _MACHINES.get(name, name)
    if sys.platform == "darwin":
        return Machine("darwin", processor, _numbers(platform.mac_ver()[0]))
    library, version = platform.libc_ver()
    return Machine(sys.platform, processor, _numbers(version), is_musl=library not in ("", "glibc"))


def files_in(page: bytes, kind: str, address: str) -> dict[str, str]:
    """Names and addresses of the files on an index's page of one package, as PEP 503 or PEP 691 has it.

    Raises ValueError for a page that is neither.
    """
    if kind.partition(";")[0].strip() == JSON_KIND:
        return _in_json(page, address)
    links = _Links()
    links.feed(page.decode("utf-8", "replace"))
    found = [urllib.parse.urljoin(address, link) for link in links.found]
    return {_file_name(link): link for link in found}


def fitting(names: list[str], package: str, version: str, machine: Machine) -> str | None:
    """The wheel among these file names that holds that version of a package's program for a machine."""
    for name in names:
        parts = name.removesuffix(".whl").split("-")
        is_it = name.endswith(".whl") and len(parts) == 5 and parts[:2] == [package, version]
        if is_it and any(_fits(tag, machine) for tag in parts[4].split(".")):
            return name
    return None


def _in_json(page: bytes, address: str) -> dict[str, str]:
    try:
        listed = parse_json(page)
        return {item["filename"]: urllib.parse.urljoin(address, item["url"]) for item in listed["files"]}
    except (BadJson, KeyError, TypeError) as error:
        raise ValueError("it is no list of files") from error


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _file_name(address: str) -> str:
    return urllib.parse.unquote(posixpath.basename(urllib.parse.urlsplit(address).path))


def _fits(tag: str, machine: Machine) -> bool:
    """Whether what was built for a platform's tag runs on a machine."""
    for old, new in _OLD_LINUX.items():
        tag = tag.replace(f"{old}_", f"{new}_", 1) if tag.startswith(f"{old}_") else tag
    if linux := _LINUX.fullmatch(tag):
        kind, major, minor, processor = linux.groups()
        is_right = machine.system == "linux" and (kind == "musl") == machine.is_musl
        return is_right and processor == machine.processor and _is_enough(machine, int(major), int(minor))
    if mac := _MAC.fullmatch(tag):
        major, minor, processor = mac.groups()
        fits = processor == "universal2" or _MACHINES.get(processor, processor) == machine.processor
        return machine.system == "darwin" and fits and _is_enough(machine, int(major), int(minor))
    words = {"x86_64": "win_amd64", "aarch64": "win_arm64"}
    return tag == "any" or (machine.system == "win32" and tag == words.get(machine.processor))


def _is_enough(machine: Machine, major: int, minor: int) -> bool:
    return not machine.version or machine.version >= (major, minor)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
