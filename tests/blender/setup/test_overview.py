# SPDX-License-Identifier: GPL-3.0-or-later
"""From facts to rows and one next step, over all combinations that matter."""

import itertools
from dataclasses import replace

import pytest

GIGABYTE = 1e9
DOWNLOADS = {"human3r.install_engine", "human3r.update_engine", "human3r.repair_engine", "human3r.get_weights"}


@pytest.fixture(scope="module")
def every(addon):
    """All combinations of what can be found."""
    state = addon.overview
    models = (
        state.ModelFacts(recommended="896L", needs_bytes=5 * GIGABYTE),
        state.ModelFacts(("896L",), (), "896L", 5 * GIGABYTE),
        state.ModelFacts((), ("672S",), "896L", 5 * GIGABYTE),
    )
    engines = [
        state.EngineFacts(*parts[:2], "", 6 * GIGABYTE, parts[2])
        for parts in itertools.product(
            ("absent", "unfinished", "broken", "outdated", "ready"),
            ("own", "chosen", "environment"),
            ("unknown", "passed", "failed"),
        )
    ]
    return [
        state.Facts(engine, model, body, "body.npz", online, locked, free, task)
        for engine, model, body, (online, locked), free, task in itertools.product(
            engines,
            models,
            ("mannequin", "installed", "chosen", "absent"),
            ((True, False), (False, False), (False, True)),
            (1 * GIGABYTE, 100 * GIGABYTE),
            ("", "Getting 896L"),
        )
    ]


def test_there_is_always_a_sentence_and_a_button_wherever_one_can_help(addon, every):
    for facts in every:
        view = addon.overview.overview(facts)
        assert view.rows[0].what == "Engine" and {"Model", "Body"} <= {row.what for row in view.rows}
        assert all(row.detail.endswith(".") for row in view.rows) and view.step.sentence.endswith(".")
        assert bool(view.step.operator) == bool(view.step.label)
        if not view.step.operator:
            assert (
                facts.task or view.step == addon.overview.READY or (facts.is_online_locked and not facts.is_online)
            ), facts


def test_ready_is_said_exactly_when_nothing_is_missing(addon, every):
    for facts in every:
        view = addon.overview.overview(replace(facts, task=""))
        nothing_is_missing = all(row.mark in (addon.overview.OK, addon.overview.OPTIONAL) for row in view.rows)
        assert nothing_is_missing == (view.step == addon.overview.READY), facts


def test_nothing_is_downloaded_offline_or_onto_a_full_disk(addon, every):
    for facts in every:
        if not facts.is_online or facts.free_bytes < 5 * GIGABYTE:
            assert addon.overview.overview(facts).step.operator not in DOWNLOADS, facts


def test_the_buttons_pressed_one_after_the_other_lead_to_ready(addon, every):
    """Each operator's effect on the facts; from everywhere, ready is at most six buttons away."""

    def press(facts, step):
        engine, model = facts.engine, facts.model
        if step.operator in ("human3r.install_engine", "human3r.update_engine", "human3r.repair_engine"):
            return replace(facts, engine=replace(engine, state="ready", self_test="unknown"))
        if step.operator == "human3r.choose_python":
            return replace(facts, engine=replace(engine, state="ready", origin="chosen", self_test="unknown"))
        if step.operator == "human3r.self_test":
            return replace(facts, engine=replace(engine, self_test="passed"))
        if step.operator == "human3r.get_weights":
            return replace(facts, model=replace(model, installed=(step.name,), damaged=()))
        effects = {
            "human3r.clear_body_file": {"body": "mannequin"},
            "human3r.allow_online": {"is_online": True},
            "human3r.open_data_folder": {"free_bytes": 100 * GIGABYTE},
        }
        return replace(facts, **effects[step.operator])

    for start in every:
        facts = replace(start, task="", is_online_locked=False)
        for _ in range(7):
            step = addon.overview.overview(facts).step
            if step == addon.overview.READY:
                break
            facts = press(facts, step)
        assert step == addon.overview.READY, start


def test_from_nothing_on_a_usual_machine(addon):
    state = addon.overview
    facts = state.Facts(state.EngineFacts(needs_bytes=6 * GIGABYTE), state.ModelFacts((), (), "896L", 5 * GIGABYTE))
    view = state.overview(facts)
    assert [(row.mark, row.what) for row in view.rows] == [
        (state.MISSING, "Engine"),
        (state.OK, "Model"),
        (state.OPTIONAL, "Body"),
    ]
    assert view.step.operator == "human3r.install_engine" and "6.0 GB" in view.step.sentence
    assert "Mannequin (SMPL-X not installed)" in view.rows[2].detail
    assert "free for commercial use" in view.rows[1].detail

    offline = state.overview(replace(facts, is_online=False))
    assert offline.step.operator == "human3r.allow_online" and "Allow Online Access" in offline.step.sentence
    assert offline.rows[-1].what == "Network"
    full = state.overview(replace(facts, free_bytes=2 * GIGABYTE))
    assert full.step.operator == "human3r.open_data_folder" and "4.5 GB" in full.step.sentence
    assert full.rows[-1] == state.Row(state.PROBLEM, "Disk", "2.0 GB free, 6.5 GB needed.")


def test_a_chosen_python_is_never_repaired_by_us(addon, every):
    for facts in every:
        if facts.engine.origin != "own":
            assert addon.overview.overview(facts).step.operator not in DOWNLOADS - {"human3r.get_weights"}


def test_non_commercial_is_said_before_and_after(addon):
    state = addon.overview
    ready = state.EngineFacts("ready", self_test="passed")
    before = state.overview(state.Facts(ready, state.ModelFacts((), (), "896L")))
    assert any("free for commercial use" in row.detail for row in before.rows if row.what == "Model")
    assert before.step == state.READY, "the built-in model needs nothing else"
    view = state.overview(state.Facts(ready, state.ModelFacts(("896L",)), "installed"))
    assert all("non-commercial" in row.detail for row in view.rows if row.what in ("Model", "Body"))
