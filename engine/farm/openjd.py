# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as an Open Job Description bundle, which is AWS Deadline Cloud's form too: standard schema, no extensions.

JSON is YAML, so the .yaml files hold JSON. Clips are PATH task parameters: each worker gets them at its own place. The
commands are programs with lists of arguments; there is no shell that could read a name.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..contract.errors import UserError
from ..contract.media import image_sequence
from .clips import Clip, Task
from .job import ENGINE_FOLDER, FOLDER_VARIABLE, LIST, PYTHON_VARIABLE, Job

MOST_ITEMS = 1024
"""Of a parameter's range; longer jobs have several steps."""

MOST_CHARACTERS = 1024
"""Of a parameter's value."""

ARCHIVE = "engine.zip"
_ENTER_S, _GRACE_S = 3600, 120
_TRIES = 5

Values = dict[str, Any]


def write(job: Job, folder: Path) -> None:
    """Write the bundle's files. Raises UserError (``bad-name``), OSError."""
    _check(job)
    values = _values(job)
    for name, content in {
        "template.yaml": _template(job),
        "parameter_values.yaml": {
            "parameterValues": [
                *({"name": name, "value": value} for name, value in values.items()),
                {"name": "deadline:maxRetriesPerTask", "value": _TRIES},
            ]
        },
        "parameters.json": values,
        "asset_references.yaml": _assets(job),
    }.items():
        (folder / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if job.settings.install_engine:
        _write_archive(folder / ARCHIVE)


def _check(job: Job) -> None:
    for text in (*(clip.source for clip in job.clips), str(job.output), *job.capture_words, *job.scene_words):
        if "{{" in text or "}}" in text or len(text) > MOST_CHARACTERS:
            raise UserError(
                "bad-name",
                "{text} cannot be passed on by Open Job Description: it is longer than {most} characters, or has two "
                "braces side by side.",
                "Rename the file or folder.",
                text=text,
                most=MOST_CHARACTERS,
            )


def _values(job: Job) -> Values:
    """What the job's parameters are: all paths of this computer but those of the clips."""
    values: Values = {"Output": str(job.output)}
    if job.settings.engine:
        values |= {"EnginePython": job.settings.engine, "EngineFolder": str(ENGINE_FOLDER)}
    if job.settings.scene:
        values["Blender"] = job.settings.blender
    return values | {name: path for path, name in _file_names(job).items()}


def _file_names(job: Job) -> dict[str, str]:
    """The parameter of each file among the options."""
    return {path: f"File{number}" for number, path in enumerate(sorted(job.files), 1)}


def _template(job: Job) -> Values:
    count = _steps_of(job.tasks)
    template = {
        "specificationVersion": "jobtemplate-2023-09",
        "name": job.name,
        "description": f"{len(job.clips)} clips become takes" + (" and scenes." if job.settings.scene else "."),
        "parameterDefinitions": _definitions(job),
    }
    environments = _environments(job)
    if environments:
        template["jobEnvironments"] = environments
    reconstruct = [_reconstruct(job, part, number) for number, part in enumerate(count)]
    scenes = []
    if job.settings.scene:
        before = [step["name"] for step in reconstruct]
        scenes = [_scene(job, part, number, before[number]) for number, part in enumerate(count)]
    last = [step["name"] for step in scenes or reconstruct]
    template["steps"] = [*reconstruct, *scenes, _report(job, last)]
    return template


def _steps_of(tasks: Sequence[Task]) -> list[Sequence[Task]]:
    """As many tasks as a step may have clips, for the scenes are one clip each."""
    parts: list[list[Task]] = [[]]
    clips = 0
    for task in tasks:
        if clips + len(task) > MOST_ITEMS:
            parts.append([])
            clips = 0
        parts[-1].append(task)
        clips += len(task)
    return list(parts)


def _path(name: str, kind: str, flow: str, text: str, **more: object) -> Values:
    return {"name": name, "type": "PATH", "objectType": kind, "dataFlow": flow, "description": text, **more}


def _definitions(job: Job) -> list[Values]:
    definitions = [
        _path("Output", "DIRECTORY", "OUT", "Folder for takes, scenes and the report"),
        _path("Clips", "FILE", "IN", "The list of clips, for the report", default=LIST),
    ]
    if job.settings.engine:
        definitions += [
            _path("EnginePython", "FILE", "NONE", "Python of the engine, at the same place on all workers"),
            _path("EngineFolder", "DIRECTORY", "NONE", "Folder of the extension, which the engine lies in"),
        ]
    else:
        python = {"name": "Python", "type": "STRING", "default": "python3"}
        definitions.append({**python, "description": "A Python on the workers that finds or installs the engine"})
    if job.settings.install_engine:
        definitions.append(_path("EngineArchive", "FILE", "IN", "The engine and its lock file", default=ARCHIVE))
    if job.settings.scene:
        blender = {"name": "Blender", "type": "STRING", "default": "blender"}
        definitions.append({**blender, "description": "Blender on the workers, with the extension enabled"})
    for path, name in _file_names(job).items():
        kind = "DIRECTORY" if Path(path).is_dir() else "FILE"
        definitions.append(_path(name, kind, "IN", "A file that the options name"))
    return definitions


def _environments(job: Job) -> list[Values]:
    """How tasks find the engine: by a parameter, by variables, or installed when a session begins."""
    if job.settings.engine:
        return [{"name": "Engine", "variables": {"PYTHONPATH": "{{Param.EngineFolder}}"}}]
    script = Path(__file__).with_name("enter.py").read_text(encoding="utf-8")
    if job.settings.install_engine:
        args = ["install", "{{Param.EngineArchive}}", "{{Session.WorkingDirectory}}"]
    else:
        args = ["find", PYTHON_VARIABLE, FOLDER_VARIABLE]
    action = {"command": "{{Param.Python}}", "args": ["{{Env.File.Enter}}", *args], "timeout": _ENTER_S}
    embedded = [{"name": "Enter", "type": "TEXT", "filename": "enter.py", "data": script}]
    return [{"name": "Engine", "script": {"actions": {"onEnter": action}, "embeddedFiles": embedded}}]


def _run(command: str, args: Sequence[str]) -> Values:
    cancel = {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": _GRACE_S}
    return {"actions": {"onRun": {"command": command, "args": list(args), "cancelation": cancel}}}


def _engine(job: Job, words: Sequence[str]) -> Values:
    command = "{{Param.EnginePython}}" if job.settings.engine else "python"
    names = _file_names(job)
    return _run(command, ["-m", "engine", *(_as_parameter(names, word) for word in words)])


def _as_parameter(names: dict[str, str], word: str) -> str:
    return f"{{{{Param.{names[word]}}}}}" if word in names else word


def _reconstruct(job: Job, tasks: Sequence[Task], number: int) -> Values:
    """Clips become takes. A task with fewer clips than the others has its last one again: that is complete by then."""
    together = max(map(len, tasks))
    rows = [(*task, *[task[-1]] * (together - len(task))) for task in tasks]
    parameters, words = [], ["farm-task"]
    for place in range(together):
        clip, name = (f"{kind}{place + 1 if together > 1 else ''}" for kind in ("Clip", "Name"))
        parameters += [
            {"name": clip, "type": "PATH", "range": [row[place].source for row in rows]},
            {"name": name, "type": "STRING", "range": [row[place].name for row in rows]},
        ]
        take = f"{{{{Param.Output}}}}/{{{{Task.Param.{name}}}}}.h3r"
        words += ["--also"] * (place > 0) + [f"{{{{Task.Param.{clip}}}}}"] + ["--take"] * (place == 0) + [take]
    step = {"name": _step_name("Reconstruct", number), "parameterSpace": _together(parameters)}
    if job.settings.gpu:
        step["hostRequirements"] = {"amounts": [{"name": "amount.worker.gpu", "min": 1}]}
    return step | {"script": _engine(job, [*words, *job.task_words("openjd")])}


def _together(parameters: list[Values]) -> Values:
    return {
        "taskParameterDefinitions": parameters,
        "combination": f"({', '.join(one['name'] for one in parameters)})",
    }


def _scene(job: Job, tasks: Sequence[Task], number: int, after: str) -> Values:
    names = [clip.name for task in tasks for clip in task]
    file = "{{Param.Output}}/{{Task.Param.Name}}"
    words = [_as_parameter(_file_names(job), word) for word in job.import_words(f"{file}.h3r", f"{file}.blend")]
    return {
        "name": _step_name("Scene", number),
        "dependencies": [{"dependsOn": after}],
        "parameterSpace": {"taskParameterDefinitions": [{"name": "Name", "type": "STRING", "range": names}]},
        "script": _run("{{Param.Blender}}", words),
    }


def _report(job: Job, after: Sequence[str]) -> Values:
    return {
        "name": "Report",
        "dependencies": [{"dependsOn": name} for name in after],
        "script": _engine(job, job.report_words("{{Param.Clips}}", "{{Param.Output}}")),
    }


def _step_name(name: str, number: int) -> str:
    return f"{name}{number + 1}" if number else name


def _assets(job: Job) -> Values:
    """What Deadline's attachments upload: the clips, for task parameters are not looked at."""
    files, folders = sorted(job.files), []
    for clip in job.clips:
        found = _files_of(clip)
        if found is None:
            folders.append(clip.source)
        else:
            files += found
    return {
        "assetReferences": {
            "inputs": {"filenames": files, "directories": folders},
            "outputs": {"directories": [str(job.output)]},
            "referencedPaths": [],
        }
    }


def _files_of(clip: Clip) -> list[str] | None:
    """The files of a clip; None for a folder, which is meant as a whole."""
    source = Path(clip.source)
    if source.is_dir():
        return None
    sequence = None if source.is_file() else image_sequence(source)
    return [str(path) for path in sequence.paths] if sequence else [clip.source]


def _write_archive(path: Path) -> None:
    """The engine's code and lock file, the same bytes whenever it is written of the same files."""
    wanted = [*(ENGINE_FOLDER / "engine").rglob("*"), ENGINE_FOLDER / "requirements" / "lock" / "engine.txt"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(one for one in wanted if one.is_file() and "__pycache__" not in one.parts):
            entry = zipfile.ZipInfo(file.relative_to(ENGINE_FOLDER).as_posix())
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
