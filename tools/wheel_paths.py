# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the paths inside a wheel are, read from the end of the file alone: torch's wheel has 120 MB."""

import io
import urllib.request
import zipfile


class RemoteFile(io.RawIOBase):
    """A file on a server, of which only what is asked for is transferred."""

    def __init__(self, address: str, size: int) -> None:
        self._address, self._size, self._at = address, size, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer) -> int:
        count = min(len(buffer), self._size - self._at)
        if count <= 0:
            return 0
        wanted = {"Range": f"bytes={self._at}-{self._at + count - 1}"}
        with urllib.request.urlopen(urllib.request.Request(self._address, headers=wanted)) as answer:
            if answer.status != 206:
                raise SystemExit(f"The server of {self._address} gives no parts of files.")
            buffer[:count] = answer.read()
        self._at += count
        return count


def longest_path(address: str, size: int) -> int:
    """Characters of the longest path that a wheel unpacks to, below the folder of packages."""
    with zipfile.ZipFile(io.BufferedReader(RemoteFile(address, size), 1 << 16)) as wheel:
        return max(len(_installed(name)) for name in wheel.namelist())


def _installed(name: str) -> str:
    """Where a file of a wheel goes: what lies in its ``.data`` folder for the folder of packages, goes there."""
    top, _, rest = name.partition("/")
    scheme, _, inner = rest.partition("/")
    return inner if top.endswith(".data") and scheme in ("purelib", "platlib") else name
