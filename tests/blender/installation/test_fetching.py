# SPDX-License-Identifier: GPL-3.0-or-later
"""uv comes from a real server over HTTP, by Python's own means: from an index, a mirror, a proxy or a folder."""

import os
import stat
import subprocess

import pytest

from .conftest import make_wheel

WHEELS = [
    "uv-1.2.3-py3-none-linux_armv6l.whl",
    "uv-1.2.3-py3-none-macosx_10_12_x86_64.whl",
    "uv-1.2.3-py3-none-macosx_11_0_arm64.whl",
    "uv-1.2.3-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "uv-1.2.3-py3-none-manylinux_2_28_aarch64.whl",
    "uv-1.2.3-py3-none-manylinux_2_31_riscv64.whl",
    "uv-1.2.3-py3-none-musllinux_1_1_x86_64.whl",
    "uv-1.2.3-py3-none-win32.whl",
    "uv-1.2.3-py3-none-win_amd64.whl",
    "uv-1.2.3-py3-none-win_arm64.whl",
    "uv-1.2.3.tar.gz",
    "uv-1.2.4-py3-none-win_amd64.whl",
]


@pytest.mark.parametrize(
    ("machine", "tag"),
    [
        (("linux", "x86_64", (2, 39)), "manylinux_2_17_x86_64.manylinux2014_x86_64"),
        (("linux", "x86_64", ()), "manylinux_2_17_x86_64.manylinux2014_x86_64"),
        (("linux", "x86_64", (1, 2), True), "musllinux_1_1_x86_64"),
        (("linux", "aarch64", (2, 28)), "manylinux_2_28_aarch64"),
        (("linux", "aarch64", (2, 17)), None),
        (("darwin", "aarch64", (14, 2)), "macosx_11_0_arm64"),
        (("darwin", "x86_64", (10, 15)), "macosx_10_12_x86_64"),
        (("win32", "x86_64"), "win_amd64"),
        (("win32", "aarch64"), "win_arm64"),
        (("freebsd", "x86_64"), None),
    ],
)
def test_the_wheel_for_each_machine(modules, machine, tag):
    found = modules.wheels.fitting(WHEELS, "uv", "1.2.3", modules.wheels.Machine(*machine))
    assert found == (tag and f"uv-1.2.3-py3-none-{tag}.whl")


def test_the_real_wheel_fits_the_machine_that_it_is_from(modules, uv_wheel):
    names = [*WHEELS, uv_wheel[0]]
    assert modules.wheels.fitting(names, "uv", uv_wheel[0].split("-")[1], modules.wheels.this_machine()) == uv_wheel[0]


@pytest.mark.parametrize("page", [b"{", b"[]", b'{"files": 5}', b'{"files": [{}]}'])
def test_a_list_of_files_that_is_none_is_refused(modules, page):
    with pytest.raises(ValueError):
        modules.wheels.files_in(page, modules.wheels.JSON_KIND, "http://index/simple/uv/")


@pytest.fixture
def fetch(world):
    """Fetch uv anew; the program and what was said on the way."""
    world.modules.store.remove_tree(world.data / "tools")
    store = world.modules.store.Store(world.data)

    def run():
        said = []
        runner = world.modules.commands.Runner()
        return world.modules.uv_program.get_uv(runner, store, said.append, world.locks), said

    return run


def assert_is_uv(program):
    assert program.stat().st_mode & stat.S_IXUSR
    assert subprocess.run([program, "--version"], capture_output=True, text=True).stdout.startswith("uv ")


def test_no_pip_is_needed(world, fetch):
    program, said = fetch()
    assert_is_uv(program)
    assert world.index.agents and not any("pip/" in agent for agent in world.index.agents), world.index.agents
    assert said == [f"Downloading {next(iter(world.index.files['simple']['uv']))} from 127.0.0.1"]
    world.index.requests.clear()
    assert fetch()[0] == program and not world.index.requests, "what is there was fetched again"


def test_an_index_may_answer_in_json_and_ask_for_a_login(world, fetch, monkeypatch):
    world.index.speaks_json, world.index.login = True, "some one:se:cret"
    monkeypatch.setenv("UV_DEFAULT_INDEX", world.index.address.replace("//", "//some%20one:se%3Acret@") + "/simple/")
    program, said = fetch()
    assert_is_uv(program)
    assert "cret" not in "".join(said)


def test_a_login_from_the_netrc_file(world, fetch, monkeypatch, tmp_path):
    world.index.login = "me:mine"
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert_is_uv(fetch()[0])


@pytest.mark.parametrize("variable", ["UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL"])
def test_a_further_index_is_asked_too(world, fetch, monkeypatch, variable):
    world.index.files["own"] = {"uv": world.index.files["simple"].pop("uv")}
    name = "company=" if variable == "UV_INDEX" else ""
    monkeypatch.setenv(variable, f"{name}{world.index.address}/own")
    assert_is_uv(fetch()[0])


@pytest.mark.parametrize("variable", ["UV_FIND_LINKS", "PIP_FIND_LINKS"])
def test_a_folder_of_wheels_will_do(world, fetch, monkeypatch, tmp_path, uv_wheel, variable):
    del world.index.files["simple"]["uv"]
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / uv_wheel[0]).write_bytes(uv_wheel[1])
    monkeypatch.setenv(variable, str(tmp_path / "wheels"))
    assert_is_uv(fetch()[0])


def test_a_proxy_is_used(world, fetch, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", world.index.address)
    monkeypatch.setenv("http_proxy", world.index.address)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://packages.example/simple")
    assert_is_uv(fetch()[0])


def test_a_host_that_is_not_there_is_one_sentence(world, monkeypatch):
    world.modules.store.remove_tree(world.data / "tools")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    work = world.run()
    assert (work.state, work.error.code) == ("failed", "download-failed")
    assert work.error.message == "127.0.0.1 cannot be reached."
    assert any("refused" in str(event.get("line")).lower() for event in work.events), "the report does not say why"


def test_a_host_that_goes_while_packages_are_fetched_is_one_sentence(world, monkeypatch):
    assert world.run().state == "done"
    world.lock(tiny="2.0")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    work = world.run(world.plan(action="update"))
    assert work.error.message == "127.0.0.1 cannot be reached."
    assert any("tiny" in str(event.get("line")) for event in work.events), "the report does not say why"


def test_what_a_server_refuses_is_told_with_its_code(world, fetch):
    world.index.status = 503
    with pytest.raises(world.modules.UserError) as refused:
        fetch()
    assert refused.value.code == "download-failed" and "503" in refused.value.message


def test_a_download_that_is_cut_off_leaves_nothing(world, fetch):
    world.index.cuts = {"uv"}
    with pytest.raises(world.modules.UserError) as refused:
        fetch()
    assert refused.value.code == "download-failed" and not list(world.data.glob("tools/**/uv"))
    world.index.cuts = set()
    assert_is_uv(fetch()[0])


def test_another_wheel_than_the_locked_one_is_refused(world, fetch, uv_wheel):
    version = uv_wheel[0].split("-")[1]
    forged = make_wheel(
        "uv", version, {f"uv-{version}.data/scripts/uv": b"#!/bin/sh"}, tag=uv_wheel[0].split("-", 4)[4][:-4]
    )
    world.index.files["simple"]["uv"] = {uv_wheel[0]: forged[1]}
    with pytest.raises(world.modules.UserError) as refused:
        fetch()
    assert refused.value.code == "hash-mismatch" and not list(world.data.glob("tools/**/uv"))


def test_no_wheel_for_this_machine_is_told(world, fetch):
    world.index.files["simple"]["uv"] = dict.fromkeys(WHEELS, b"")
    with pytest.raises(world.modules.UserError) as refused:
        fetch()
    assert refused.value.code == "no-installer" and os.uname().machine in refused.value.message
