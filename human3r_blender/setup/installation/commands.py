# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the installer's programs: a clean environment, every line as it comes, and an end on request."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import urllib.parse
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ...blender import child_process

LOG_LINES = 40
KILL_GRACE_S = 2.0

_UV_KEPT = frozenset(
    {
        "UV_DEFAULT_INDEX",
        "UV_INDEX",
        "UV_INDEX_URL",
        "UV_EXTRA_INDEX_URL",
        "UV_FIND_LINKS",
        "UV_NO_INDEX",
        "UV_KEYRING_PROVIDER",
        "UV_HTTP_TIMEOUT",
        "UV_HTTP_RETRIES",
        "UV_CONCURRENT_DOWNLOADS",
        "UV_SYSTEM_CERTS",
        "UV_NATIVE_TLS",
        "UV_OFFLINE",
        "UV_PYTHON_INSTALL_MIRROR",
    }
)
"""Where things come from is the user's business; everything else could steer uv elsewhere or weaken its checks."""
_PIP_DROPPED = frozenset(
    {
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_REQUIREMENT",
        "PIP_CONSTRAINT",
        "PIP_TRUSTED_HOST",
        "PIP_NO_BINARY",
        "PIP_REQUIRE_HASHES",
        "PIP_PYTHON",
        "PIP_DRY_RUN",
    }
)
_PIP_TO_UV = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CERT": "SSL_CERT_FILE",
}
"""Who set a mirror for pip means it for uv as well."""


class Cancelled(Exception):
    """The user asked for the end."""


class CommandFailed(Exception):
    """A program ended with an error; ``lines`` is the end of what it said."""

    def __init__(self, command: Sequence[str], code: int, lines: Sequence[str]) -> None:
        super().__init__(f"{Path(command[0]).name} ended with {code}")
        self.code = code
        self.lines = tuple(lines)

    def __str__(self) -> str:
        said = " ".join(line.strip() for line in self.lines if line.strip())
        return f"{self.args[0]}: {said}" if said else str(self.args[0])


def installer_environment() -> dict[str, str]:
    """The variables for uv: proxies, certificates and mirrors stay; what would weaken a check goes."""
    variables = {
        name: value
        for name, value in child_process.clean_environment().items()
        if (not name.startswith("UV_") or name in _UV_KEPT or name.startswith("UV_INDEX_"))
        and name not in _PIP_DROPPED
        and name not in ("VIRTUAL_ENV", "CONDA_PREFIX")
    }
    for pip_name, uv_name in _PIP_TO_UV.items():
        if variables.get(pip_name):
            variables.setdefault(uv_name, variables[pip_name])
    variables.setdefault("UV_SYSTEM_CERTS", "true")  # a company's proxy signs with a certificate that the system knows
    return variables | {
        "UV_NO_CONFIG": "1",
        "NO_COLOR": "1",
    }


def package_source() -> str:
    """Where most packages come from, in a person's words: PyPI, which uv knows, or the host of a mirror."""
    variables = installer_environment()
    mirror = variables.get("UV_DEFAULT_INDEX") or variables.get("UV_INDEX_URL")
    return host(mirror) if mirror else "PyPI"


def host(address: str) -> str:
    """The part of an address that a person recognizes, without the password that a mirror's address may have."""
    parts = urllib.parse.urlsplit(address)
    return parts.hostname or address


class Runner:
    """Runs one program after the other; :meth:`cancel`, from any thread, ends the present one and refuses the next."""

    def __init__(self) -> None:
        self._keep_open: tuple[int, ...] = ()
        self._cancelled = threading.Event()
        self._guard = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def keep_open(self, descriptor: int) -> None:
        """Let children hold a file open as well: the folder's lock, which then outlives Blender with them."""
        if sys.platform != "win32":
            self._keep_open = (descriptor,)

    def check(self) -> None:
        """Raises :class:`Cancelled` when the end was asked for."""
        if self._cancelled.is_set():
            raise Cancelled

    def run(
        self,
        command: Sequence[str | Path],
        folder: Path,
        on_line: Callable[[str], None] = lambda line: None,
    ) -> list[str]:
        """The lines that the program wrote. Raises :class:`Cancelled`, :class:`CommandFailed`, :class:`OSError`."""
        words = [str(word) for word in command]
        said: deque[str] = deque(maxlen=LOG_LINES)
        lines = []
        with self._running(words, folder) as process:
            for line in process.stdout:  # type: ignore[union-attr]
                lines.append(line.rstrip("\n"))
                said.append(lines[-1])
                on_line(lines[-1])
            code = process.wait()
        self.check()
        if code != 0:
            raise CommandFailed(words, code, said)
        return lines

    def cancel(self) -> None:
        self._cancelled.set()
        with self._guard:
            process = self._process
        if process is not None:
            end_group(process)

    @contextlib.contextmanager
    def _running(self, command: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
        with self._guard:
            self.check()
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=installer_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                pass_fds=self._keep_open,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        try:
            with self._process as process:
                yield process
        finally:
            self._process = None


def end_group(process: subprocess.Popen[str]) -> None:
    """End a program and what it started: ask, then insist after a moment."""
    if sys.platform == "win32":
        subprocess.run(
            ["taskkill", "/T", "/F", "/PID", str(process.pid)],
            capture_output=True,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        return
    for insist in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, insist)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILL_GRACE_S)
            return
