# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was found on this machine to what the preferences say: rows at a glance, and the one next step.

Pure: no ``bpy``, no disk, no network. ``probe.py`` finds the facts, ``page.py`` draws the overview.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.contract.sentences import Sentence
from ..blender.progress import format_bytes

OK, OPTIONAL, MISSING, PROBLEM = "ok", "optional", "missing", "problem"
"""Marks of a row: in order; may be added; needed and not there; there and not usable."""

SPACE_RESERVE_BYTES = 500_000_000
"""What a disk should keep beyond what is installed: nothing works well on a full one."""


@dataclass(frozen=True)
class EngineFacts:
    """The Python that runs the model."""

    state: str = "absent"
    """``absent``, ``unfinished`` (an installation that was interrupted), ``broken``, ``outdated`` or ``ready``."""
    origin: str = "own"
    """Who named it: ``own`` (this add-on installs it), ``chosen`` (the preferences), ``environment`` (a variable)."""
    detail: str = ""
    """One line: versions and build when it is ready, what is wrong with it otherwise."""
    needs_bytes: float = 0.0
    """Disk space that installing takes; 0 where unknown."""
    self_test: str = "unknown"
    """``unknown``, ``passed`` or ``failed``, for this very environment."""
    self_test_detail: str = ""
    """One line: device, precision, memory and rate, or what failed."""


@dataclass(frozen=True)
class ModelFacts:
    """The released weights."""

    installed: tuple[str, ...] = ()
    """Names of the variants that are ready to load."""
    damaged: tuple[str, ...] = ()
    """Names of variants whose files are not what was installed."""
    recommended: str = ""
    """The variant to propose on this machine."""
    needs_bytes: float = 0.0
    """Disk space that getting it takes; 0 where unknown."""


@dataclass(frozen=True)
class Facts:
    """Everything that the overview depends on."""

    engine: EngineFacts = EngineFacts()
    model: ModelFacts = ModelFacts()
    body: str = "mannequin"
    """``mannequin``, ``installed`` (SMPL-X), ``chosen`` (a file in the preferences) or ``absent`` (it is gone)."""
    body_detail: str = ""
    """The chosen file."""
    is_online: bool = True
    """Whether Blender allows add-ons to use the network."""
    is_online_locked: bool = False
    """Whether Blender was started so that this cannot be changed in the preferences."""
    free_bytes: float = float("inf")
    """Free space on the disk of the data folder."""
    task: str = ""
    """Title of what is going on now; empty when nothing is."""


@dataclass(frozen=True)
class Row:
    """One line of the overview."""

    mark: str
    what: str
    detail: str


@dataclass(frozen=True)
class Step:
    """The one thing to do next: a sentence, and the button that does it (no operator where there is none to press)."""

    sentence: str
    operator: str = ""
    label: str = ""
    name: str = ""
    """Which weights the operator is for; empty for operators that take no name."""


@dataclass(frozen=True)
class Overview:
    rows: tuple[Row, ...]
    step: Step


READY = Step(
    "Everything is ready. Choose a video in the Human3R tab of the 3D viewport's sidebar (press N to show it)."
)


def overview(facts: Facts) -> Overview:
    """What to show for these facts."""
    rows = [_engine_row(facts.engine)]
    if facts.engine.state in ("ready", "outdated"):
        rows.append(_self_test_row(facts.engine))
    rows += [_model_row(facts.model), _body_row(facts)]
    return Overview((*rows, *_obstacles(facts)), _next_step(facts))


def _engine_row(engine: EngineFacts) -> Row:
    if engine.state == "ready":
        return Row(OK, "Engine", engine.detail or "Installed.")
    text = {
        "absent": "Not installed. The engine runs the model.",
        "unfinished": "The installation was interrupted. What has been downloaded is kept.",
        "broken": "Does not work.",
        "outdated": "Installed by another version of this add-on.",
    }[engine.state]
    if engine.state == "absent" and engine.origin != "own":
        text = "The chosen Python does not exist."
    mark = MISSING if engine.state in ("absent", "unfinished") and engine.origin == "own" else PROBLEM
    return Row(mark, "Engine", _with_detail(text, engine.detail))


def _with_detail(text: str, detail: str) -> str:
    return Sentence("{text} {detail}", text=Sentence(text), detail=detail) if detail else text


def _self_test_row(engine: EngineFacts) -> Row:
    if engine.self_test == "passed":
        return Row(OK, "Self-Test", engine.self_test_detail or "Passed.")
    if engine.self_test == "failed":
        return Row(PROBLEM, "Self-Test", _with_detail("Failed.", engine.self_test_detail))
    return Row(MISSING, "Self-Test", "Not run yet. It takes a minute at most.")


def _model_row(model: ModelFacts) -> Row:
    if model.damaged:
        return Row(PROBLEM, "Model", Sentence("Damaged files: {names}.", names=", ".join(model.damaged)))
    if model.installed:
        names = ", ".join(model.installed)
        return Row(OK, "Model", Sentence("Released weights {names}, for non-commercial use only.", names=names))
    return Row(OK, "Model", "Built-in (landmarks), free for commercial use.")


def _body_row(facts: Facts) -> Row:
    return {
        "mannequin": Row(OPTIONAL, "Body", "Mannequin (SMPL-X not installed)."),
        "installed": Row(OK, "Body", "SMPL-X, for non-commercial use only."),
        "chosen": Row(OK, "Body", Sentence("From the chosen file {path}.", path=facts.body_detail)),
        "absent": Row(PROBLEM, "Body", Sentence("The chosen file {path} does not exist.", path=facts.body_detail)),
    }[facts.body]


def _obstacles(facts: Facts) -> list[Row]:
    """Rows that are there only while something stands in the way of what is still missing."""
    needed = _needed_bytes(facts)
    rows = []
    if _needs_network(facts) and not facts.is_online:
        rows.append(Row(PROBLEM, "Network", "Online access is off in Blender's preferences."))
    if needed and facts.free_bytes < needed:
        free, needs = format_bytes(facts.free_bytes), format_bytes(needed)
        rows.append(Row(PROBLEM, "Disk", Sentence("{free} free, {needed} needed.", free=free, needed=needs)))
    return rows


def _engine_must_be_installed(engine: EngineFacts) -> bool:
    return engine.origin == "own" and (engine.state != "ready" or engine.self_test == "failed")


def _needs_network(facts: Facts) -> bool:
    return _engine_must_be_installed(facts.engine) or bool(facts.model.damaged)


def _needed_bytes(facts: Facts) -> float:
    """What the next download takes, with the reserve; 0 when nothing is to be downloaded, or the size is unknown."""
    if _engine_must_be_installed(facts.engine):
        needed = facts.engine.needs_bytes
    elif facts.model.damaged:
        needed = facts.model.needs_bytes
    else:
        needed = 0.0
    return needed + SPACE_RESERVE_BYTES if needed else 0.0


def _next_step(facts: Facts) -> Step:
    """First what everything else needs: the engine, that it runs, the body file that was chosen, damaged weights."""
    engine, model = facts.engine, facts.model
    if facts.task:
        return Step(Sentence("{task}: wait for it to finish, or cancel it.", task=Sentence(facts.task)))
    if engine.state != "ready" or engine.self_test == "failed":
        if engine.origin != "own":
            return Step(
                "The chosen Python cannot run the engine. Choose another, or clear it and let the add-on "
                "install the engine.",
                "human3r.choose_python",
                "Choose Python",
            )
        return _blocked(facts, "choose a Python that already has the packages (under Engine below)") or _engine_step(
            engine
        )
    if engine.self_test == "unknown":
        return Step("Check that the engine runs on this computer.", "human3r.self_test", "Run Self-Test")
    if facts.body == "absent":
        return Step(
            "Use the installed body or the mannequin instead, or choose the file again.",
            "human3r.clear_body_file",
            "Clear Body File",
        )
    if model.damaged:
        name = model.damaged[0]
        return _blocked(facts, "import the file again (under Model below)") or Step(
            Sentence("Download {name} again.", name=name),
            "human3r.get_weights",
            Sentence("Get {name}", name=name),
            name,
        )
    return READY


def _engine_step(engine: EngineFacts) -> Step:
    if engine.state == "absent":
        text = "Install the engine. You see what will be downloaded, and where to, before it starts."
        if engine.needs_bytes:
            text = Sentence("{text} It takes up to {size}.", text=Sentence(text), size=format_bytes(engine.needs_bytes))
        return Step(text, "human3r.install_engine", "Install Engine")
    if engine.state == "unfinished":
        return Step("Resume the installation where it stopped.", "human3r.install_engine", "Resume Installation")
    if engine.state == "outdated":
        return Step("Update the engine to this version of the add-on.", "human3r.update_engine", "Update Engine")
    return Step(
        "Repair the engine: whatever is damaged or missing is installed again.",
        "human3r.repair_engine",
        "Repair Engine",
    )


def _blocked(facts: Facts, otherwise: str) -> Step | None:
    """The step that has to come before any download, if there is one."""
    if not facts.is_online:
        if facts.is_online_locked:
            offline = "Blender was started in offline mode. Start it without --offline-mode, or {otherwise}."
            return Step(Sentence(offline, otherwise=Sentence(otherwise)))
        return Step(
            Sentence(
                "Check Allow Online Access, or {otherwise}.",
                otherwise=Sentence(otherwise),
            ),
            "human3r.allow_online",
            "Open System Preferences",
        )
    if facts.free_bytes < _needed_bytes(facts):
        return Step(
            Sentence(
                "Free {size} on the disk with the data folder.",
                size=format_bytes(_needed_bytes(facts) - facts.free_bytes),
            ),
            "human3r.open_data_folder",
            "Open Data Folder",
        )
    return None
