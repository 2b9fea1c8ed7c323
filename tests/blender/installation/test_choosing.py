# SPDX-License-Identifier: GPL-3.0-or-later
"""Which build of torch a machine gets, from what its drivers say; and that the lock files are whole."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import HANG_S

# As `nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv,noheader` prints it.
ADA = "NVIDIA GeForce RTX 4090, 580.95.05, 8.9\n"
TURING_OLD_DRIVER = "NVIDIA GeForce RTX 2070, 560.35.03, 7.5\n"
PASCAL = "NVIDIA GeForce GTX 1080 Ti, 580.95.05, 6.1\n"
BLACKWELL_OLD_DRIVER = "NVIDIA GeForce RTX 5090, 572.16, 12.0\n"
KEPLER = "Tesla K80, 470.256.02, 3.7\n"
WINDOWS = "NVIDIA RTX A4000 Laptop GPU, 581.29, 8.6\n"
NO_CAPABILITY = "Quadro P2000, 528.49\n"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest "
    "NVIDIA driver is installed and running.\n"
)
NO_FIELD = 'Field "compute_cap" is not a valid field to query.\n'

KFD_CARD = """cpu_cores_count 0
simd_count 96
gfx_target_version 110000
vendor_id 4098
"""
KFD_PROCESSOR = "cpu_cores_count 16\nsimd_count 0\ngfx_target_version 0\nvendor_id 0\n"


def choose(modules, system, machine="x86_64", smi="", amd=()):
    hardware = modules.hardware.Hardware(system, machine, modules.hardware.parse_nvidia_smi(smi), tuple(amd))
    build, reason = modules.builds.choose(hardware)
    return build.kind, reason


@pytest.mark.parametrize(
    ("system", "smi", "kind"),
    [
        ("linux", ADA, "cuda"),
        ("windows", WINDOWS, "cuda"),
        ("linux", TURING_OLD_DRIVER, "cuda12"),
        ("linux", PASCAL, "cuda12"),
        ("windows", NO_CAPABILITY, "cuda12"),
        ("linux", BLACKWELL_OLD_DRIVER, "cpu"),
        ("linux", KEPLER, "cpu"),
        ("linux", NO_DRIVER, "cpu"),
        ("linux", NO_FIELD, "cpu"),
        ("linux", "", "cpu"),
        ("linux", KEPLER + ADA, "cuda"),
        ("linux", PASCAL + ADA, "cuda"),
    ],
)
def test_nvidia_cards_get_what_card_and_driver_can_use(modules, system, smi, kind):
    assert choose(modules, system, smi=smi)[0] == kind


def test_the_reason_names_the_card_and_what_would_help(modules):
    assert "RTX 4090" in choose(modules, "linux", smi=ADA)[1]
    said = choose(modules, "linux", smi=BLACKWELL_OLD_DRIVER)[1]
    assert "RTX 5090" in said and "580 or newer" in said
    assert "too old" in choose(modules, "linux", smi=KEPLER)[1]


def test_other_makers(modules):
    assert choose(modules, "linux", amd=["gfx1100"])[0] == "rocm"
    assert choose(modules, "linux", amd=["gfx803", "gfx90a"])[0] == "rocm"
    kind, reason = choose(modules, "linux", amd=["gfx803"])
    assert kind == "cpu" and "gfx803" in reason
    assert choose(modules, "macos", "arm64") == ("metal", "Apple silicon.")
    kind, reason = choose(modules, "linux", "arm64", smi="NVIDIA GH200 480GB, 560.35.03, 9.0")
    assert kind == "cpu" and "No such build" in reason
    for system, machine in (("macos", "x86_64"), ("windows", "arm64"), ("freebsd", "x86_64")):
        with pytest.raises(modules.UserError) as refused:
            choose(modules, system, machine)
        assert refused.value.code == "machine-unsupported"


def test_a_build_can_be_chosen_by_hand_where_it_exists(modules):
    linux = modules.hardware.Hardware("linux", "x86_64")
    for kind in ("cpu", "cuda", "cuda12", "rocm"):
        assert modules.builds.choose(linux, kind)[0].kind == kind
    with pytest.raises(modules.UserError) as refused:
        modules.builds.choose(linux, "metal")
    assert refused.value.code == "build-unavailable" and "rocm" in refused.value.remedy


def test_kfd_targets_have_hexadecimal_digits(modules):
    parse = modules.hardware.parse_kfd_properties
    assert parse(KFD_CARD) == "gfx1100" and parse(KFD_PROCESSOR) is None and parse("") is None
    assert parse("gfx_target_version 90010\n") == "gfx90a" and parse("gfx_target_version 100306\n") == "gfx1036"


def test_probing_this_machine_answers(modules):
    found = modules.hardware.probe()
    assert found.system == "linux" and found.machine in ("x86_64", "arm64")


def test_every_build_has_whole_lock_files(modules, root):
    """Every requirement has a hash, every pin of the engine is in every lock, and sizes are known."""
    wanted = dict(modules.locks.pins(root / "requirements" / "engine.txt"))
    for (system, machine), builds in modules.builds.BUILDS.items():
        for build in builds:
            locks = modules.locks.Locks(build)
            locked = {}
            for path in locks.files:
                text = path.read_text()
                for block in re.split(r"(?m)^(?=[a-z0-9])", text)[1:]:
                    assert block.count("--hash=sha256:") >= 1, block
                    name, version = re.match(r"([\w.-]+)==([^\s;\\]+)", block).groups()
                    locked.setdefault(name, set()).add(version)
            if build.unlisted:
                name, _, version = build.unlisted.partition("==")
                locked.setdefault(name, set()).add(version)
            for name, version in wanted.items():
                assert {one.partition("+")[0] for one in locked[modules.locks.normalise(name)]} == {version}, (
                    f"{name} in requirements/lock is not {version}: run python3 build.py lock"
                )
            assert locks.download_bytes(system, machine) > 2e8


def test_the_pins_that_are_written_twice_agree(modules, root):
    assert dict(modules.locks.pins(root / "requirements" / "engine.txt"))["torch"] == modules.builds.TORCH_VERSION
    assert modules.locks.uv_version() == dict(modules.locks.pins(root / "requirements" / "installer.txt"))["uv"]


def test_mirrors_and_proxies_stay_and_what_weakens_checks_goes(modules, monkeypatch):
    kept = {
        "HTTPS_PROXY": "http://proxy:3128",
        "UV_INDEX_COMPANY_PASSWORD": "p",
        "PIP_INDEX_URL": "https://mirror/simple",
        "PIP_CERT": "/certificate.pem",
    }
    dropped = {
        "PYTHONPATH": "/x",
        "UV_NO_VERIFY_HASHES": "1",
        "UV_INSECURE_HOST": "mirror",
        "UV_PYTHON": "2.7",
        "PIP_TRUSTED_HOST": "mirror",
        "PIP_TARGET": "/x",
        "VIRTUAL_ENV": "/x",
        "UV_CONSTRAINT": "/x",
    }
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    for name, value in (kept | dropped).items():
        monkeypatch.setenv(name, value)
    variables = modules.commands.installer_environment()
    assert kept.items() <= variables.items() and not dropped.keys() & variables.keys()
    assert variables["UV_DEFAULT_INDEX"] == "https://mirror/simple" and variables["SSL_CERT_FILE"] == "/certificate.pem"
    assert modules.commands.package_source() == "mirror"
    assert modules.commands.host("https://name:secret@mirror.example/simple") == "mirror.example"


def test_the_plan_says_pypi_unless_a_mirror_is_set(modules, monkeypatch):
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    assert modules.commands.package_source() == "PyPI"


def test_the_meter_counts_what_uv_says(modules, tmp_path):
    meter = modules.meter.Meter(tmp_path, 100 * 2**20, 3.7, lambda *_: None)
    for line in ("Resolved 3 packages in 215ms", "Downloading numpy (16.0MiB)", "Downloading torch (64.0MiB)"):
        meter.read(line)
    assert meter.done_bytes(0) == ("torch", 0)
    meter.read(" Downloaded numpy")
    assert meter.done_bytes(37 * 2**20) == ("torch", 26 * 2**20)
    assert meter.done_bytes(2**40) == ("torch", 80 * 2**20)  # not more than the files that are under way
    meter.read(" Downloaded torch")
    assert meter.done_bytes(0) == ("", 80 * 2**20)


def test_a_blender_for_intel_macs_on_apple_silicon_is_told_apart_from_an_intel_mac(modules):
    for is_translated, said in ((True, "Install Blender for Apple silicon"), (False, "Use Linux")):
        hardware = modules.hardware.Hardware("macos", "x86_64", is_translated=is_translated)
        with pytest.raises(modules.UserError) as refused:
            modules.builds.choose(hardware)
        assert refused.value.code == "machine-unsupported" and said in refused.value.remedy
    with pytest.raises(modules.UserError) as refused:
        modules.builds.choose(modules.hardware.Hardware("windows", "arm64"))
    assert "arm64" in refused.value.message and "x86-64" in refused.value.remedy


def test_the_drivers_tool_is_looked_for_where_windows_has_it(modules):
    windows = {"SystemRoot": r"C:\Windows", "ProgramFiles": r"C:\Program Files"}
    assert modules.hardware.nvidia_programs(windows) == [
        "nvidia-smi",
        r"C:\Windows\System32\nvidia-smi.exe",
        r"C:\Program Files\NVIDIA Corporation\NVSMI\nvidia-smi.exe",
    ]
    assert modules.hardware.nvidia_programs({}) == ["nvidia-smi"]


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (
            "ImportError: DLL load failed while importing _C: The specified module could not be found.",
            "Redistributable",
        ),
        (
            "OSError: [WinError 126] The specified module could not be found. Error loading torch_cpu.dll",
            "Redistributable",
        ),
        (
            "ImportError: DLL load failed while importing cv2: An Application Control policy has blocked this file.",
            "allow",
        ),
        ("ModuleNotFoundError: No module named 'torch'", ""),
    ],
)
def test_what_windows_does_not_load_has_a_remedy(modules, said, word):
    remedy = modules.import_failures.remedy(said)
    assert word in remedy and bool(remedy) == bool(word)


TARGETS = {
    "x86_64-pc-windows-msvc": True,
    "x86_64-unknown-linux-gnu": True,
    "aarch64-unknown-linux-gnu": True,
    "aarch64-apple-darwin": True,
    "aarch64-pc-windows-msvc": False,
    "x86_64-apple-darwin": False,
}
"""Systems, and whether there is a wheel for every locked package; for the others the panel says so."""


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_pypi_has_a_wheel_with_a_locked_hash_for_every_package(modules, tmp_path, target, version):
    command = [Path(sys.executable).with_name("uv"), "pip", "install", "--dry-run", "--no-config", "--system-certs"]
    command += ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--target", tmp_path / "none"]
    command += ["--python-platform", target, "--python-version", version]
    command += ["--requirement", modules.locks.LOCK_FOLDER / "engine.txt"]
    done = subprocess.run(
        command, env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}, capture_output=True, text=True, timeout=HANG_S
    )
    assert done.returncode == (0 if TARGETS[target] else 1), done.stderr
    assert TARGETS[target] or re.search("has no (usable )?wheels", done.stderr), done.stderr
