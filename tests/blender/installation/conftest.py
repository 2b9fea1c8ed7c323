# SPDX-License-Identifier: GPL-3.0-or-later
"""A package index on loopback with wheels made here, lock files for them, and the real uv in a wheel of its own."""

import base64
import hashlib
import importlib
import importlib.metadata
import io
import json
import os
import shutil
import sys
import threading
import urllib.parse
import zipfile
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.waiting import HANG_S

EXTENSION = "bl_ext.user_default.human3r_blender"
NAMES = (
    "builds",
    "commands",
    "fetching",
    "hardware",
    "installer",
    "integrity",
    "locks",
    "meter",
    "recorded",
    "steps",
    "store",
    "whereabouts",
    "import_failures",
    "uv_program",
    "wheels",
)


@pytest.fixture(scope="session")
def modules():
    """The installation's modules by their names, and what they raise."""
    room = f"{EXTENSION}.human3r_blender.setup.installation"
    found = {name: importlib.import_module(f"{room}.{name}") for name in NAMES}
    return SimpleNamespace(
        api=importlib.import_module(room),
        **found,
        UserError=importlib.import_module(f"{EXTENSION}.engine.contract.errors").UserError,
    )


def make_wheel(name, version, files, requires=(), tag="py3-none-any"):
    """(file name, bytes) of a wheel with these files, ``{path: bytes}``."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {needed}\n" for needed in requires)
    files = dict(files) | {
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o100755 if "/scripts/" in path else 0o100644) << 16
            archive.writestr(entry, content)
    return f"{name}-{version}-{tag}.whl", packed.getvalue()


def _digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


class Index:
    """What the server has: ``files[channel][name][file name] = bytes``; what was asked for; and where it stalls."""

    def __init__(self):
        self.files, self.requests = {}, []
        self.agents, self.login, self.speaks_json, self.cuts, self.status = set(), "", False, set(), 0
        self.stalls, self.stalled, self.go_on = set(), threading.Event(), threading.Event()
        self.address = ""

    def add(self, wheel, channel="simple"):
        name = wheel[0].partition("-")[0].replace("_", "-")
        self.files.setdefault(channel, {}).setdefault(name, {})[wheel[0]] = wheel[1]
        return wheel

    def downloads(self):
        """Names of the packages whose files were asked for, in order."""
        return [path.rpartition("/")[2].partition("-")[0] for path in self.requests if path.endswith(".whl")]

    def answer(self, path):
        channel, _, rest = path.strip("/").partition("/")
        name, _, file = rest.partition("/")
        known = self.files.get(channel, {}).get(name)
        if known is None or (file and file not in known):
            return None, b""
        if file:
            return "application/octet-stream", known[file]
        if self.speaks_json:
            listed = [{"filename": item, "url": f"/{channel}/{name}/{item}", "hashes": {}} for item in known]
            return "application/vnd.pypi.simple.v1+json", json.dumps({"files": listed}).encode()
        links = "".join(f'<a href="/{channel}/{name}/{item}">{item}</a>' for item in known)
        return "text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        index = self.server.index
        path = urllib.parse.urlsplit(
            self.path.replace("%2B", "+")
        ).path  # whole addresses are what a proxy is asked for
        kind, content = index.answer(path)
        index.agents.add(self.headers.get("User-Agent", ""))
        wanted = f"Basic {base64.b64encode(index.login.encode()).decode()}"
        if index.status or (index.login and self.headers.get("Authorization") != wanted):
            self.send_error(index.status or 401)
            return
        if self.command == "GET":
            index.requests.append(path)
        self.send_response(200 if kind else 404)
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if path.rpartition("/")[2].partition("-")[0] in index.stalls and path.endswith(".whl"):
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            index.stalled.set()
            index.go_on.wait(HANG_S)
            self.close_connection = True
            return
        if path.rpartition("/")[2].partition("-")[0] in index.cuts and path.endswith(".whl"):
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        self.wfile.write(content)

    def do_HEAD(self):
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def index():
    """A running server; nothing is on it yet."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.index = Index()
    server.index.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server.index
    server.index.go_on.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def uv_wheel():
    """The installed uv, packed as the wheel that it came from."""
    package = importlib.metadata.distribution("uv")
    tag = next(line[5:].strip() for line in package.read_text("WHEEL").splitlines() if line.startswith("Tag: "))
    program = Path(sys.executable).with_name("uv").read_bytes()
    return make_wheel("uv", package.version, {f"uv-{package.version}.data/scripts/uv": program}, tag=tag)


def requirement(wheel, version, digest=""):
    """A line of a lock file."""
    name = wheel[0].partition("-")[0].replace("_", "-")
    return f"{name}=={version} \\\n    --hash=sha256:{digest or hashlib.sha256(wheel[1]).hexdigest()}\n"


@dataclass
class World:
    """An index with a tiny engine on it, its lock files, and an empty data folder."""

    modules: SimpleNamespace
    index: Index
    locks: Path
    data: Path

    def lock(self, tiny="1.0", digest=""):
        """Lock ``tiny`` in that version, with a wrong hash if one is given, beside a torch of PyTorch's index."""
        wheel = self.index.files["simple"]["tiny"][f"tiny-{tiny}-py3-none-any.whl"]
        (self.locks / "base.txt").write_text(requirement(("tiny-", wheel), tiny, digest))

    def plan(self, **options):
        found = self.modules.api.plan(self.data, lock_folder=self.locks, **{"python": sys.executable} | options)
        return replace(found, imports=("torch", "tiny"), self_test=False)

    def start(self, plan=None, on_event=None):
        return self.modules.api.start(plan or self.plan(), on_event, online=True, consented=True)

    def run(self, plan=None):
        """Carry a plan out; how it ended."""
        work = self.start(plan)
        assert work.wait(HANG_S)
        return work

    def status(self):
        return self.modules.api.status(self.data, self.locks)

    def tree(self):
        """The engine's files with their contents, without the lock."""
        folder = self.data / "engine"
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "lock" and "__pycache__" not in path.parts
        }


@pytest.fixture(scope="session")
def fetched_tools(modules, uv_wheel, tmp_path_factory):
    """uv as the installer fetches it, once: from an index, with the lock's hash."""
    return {}


@pytest.fixture
def world(modules, index, uv_wheel, fetched_tools, tmp_path, monkeypatch):
    """Everything in place; uv is fetched by the first test that needs it and shared with the others."""
    locks, data = tmp_path / "locks", tmp_path / "Données de l’été"
    locks.mkdir()
    data.mkdir()
    index.add(uv_wheel)
    for version in ("1.0", "2.0"):
        index.add(make_wheel("tiny", version, {"tiny.py": f"version = {version!r}\n".encode()}))
    torch = index.add(
        make_wheel(
            "torch", "2.13.0+cpu", {"torch/__init__.py": b"data = 1\n", "torch/lib.bin": bytes(range(256)) * 256}
        ),
        "cpu",
    )
    made = World(modules, index, locks, data)
    (locks / "uv.txt").write_text(requirement(uv_wheel, uv_wheel[0].split("-")[1]))
    (locks / "torch-cpu-linux.txt").write_text(requirement(torch, "2.13.0+cpu"))
    (locks / "sizes.json").write_text('{"base.txt": {"linux-x86_64": 1000, "linux-arm64": 1000}}')
    made.lock()
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.address}/simple")
    monkeypatch.setenv("HUMAN3R_TORCH_INDEX", index.address)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    for name in ("UV_HTTP_TIMEOUT", "PIP_TIMEOUT"):  # an index that stalls is a test's doing
        monkeypatch.setenv(name, str(int(HANG_S)))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    if fetched_tools:
        shutil.copytree(fetched_tools["folder"], data / "tools", copy_function=os.link)
    yield made
    modules.api.close_all()
    if not fetched_tools and (data / "tools").is_dir():
        fetched_tools["folder"] = tmp_path / "tools"
        (data / "tools").rename(tmp_path / "tools")
