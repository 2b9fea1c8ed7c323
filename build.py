#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands for working from a checkout. Each sets up what it needs, then runs.

    python3 build.py demo                          convert a clip of real people and a synthetic one, with images
    python3 build.py blender [PATH] [arguments]    start Blender (PATH, or blender on the PATH) with this checkout
    python3 build.py convert VIDEO --output OUT.blend [options]
    python3 build.py test [--blender 4.2,5.0] [pytest arguments]
    python3 build.py test --readers [arguments]    exports, read by programs that are not Blender
    python3 build.py test --farm [arguments]       jobs for farms, run by the farms' own programs
    python3 build.py evaluate [options]            measure a model: --real FOLDER, or on synthetic clips (--help)
    python3 build.py lint                          run ruff, mypy and the import contracts
    python3 build.py lint --quick                  run ruff alone, as the commit hook does
    python3 build.py zip                           build the installable extension in dist/
    python3 build.py farm CLIPS --bundle FOLDER    write a job for a render farm, without Blender (--help)
    python3 build.py engine ARGUMENTS              run python -m engine ARGUMENTS in the engine's environment
    python3 build.py install-engine [options]      install the engine as the add-on does for its users (--help, --yes)
    python3 build.py lock                          update requirements/lock/ after a change of requirements/engine.txt

Everything is installed once into .environments/ in the checkout, pinned by requirements/.
This file uses only syntax that old Pythons can read, so that they can tell which Python is needed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENTS = ROOT / ".environments"
FOOTAGE = ENVIRONMENTS / "footage"
BLENDERS = ("5.0", "4.5", "4.2")
NEWEST = BLENDERS[0]
DEMO_FRAME = 41
PEOPLE_RANGE = (60, 206, 1)  # first frame, the one to stop before, frame step: a man's jump and somersault off a wall
PEOPLE_FRAMES = (144, 176)  # shown in the picture: about to jump, and upside down
NO_TESTS_COLLECTED = 5  # pytest's exit code
TESTS_OF_THE_ENGINE, TESTS_OF_BLENDER = (
    ("engine", "window"),
    ("blender", "cases", "system", "compatibility"),
)  # others: of both
SYSTEMS = ("linux", "win32", "darwin")


class SetupError(Exception):
    """Something the person at the keyboard has to change first."""


def main(arguments):
    """Run one command; returns the exit code."""
    commands = {
        "demo": demo,
        "blender": blender,
        "convert": convert,
        "evaluate": evaluate,
        "test": test,
        "lint": lint,
        "zip": make_zip,
        "engine": engine,
        "farm": farm,
        "install-engine": install_engine,
        "lock": lock,
    }
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    try:
        check_platform()
        return commands[arguments[0]](arguments[1:])
    except SetupError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def check_platform():
    """Blender's Python module exists for CPython 3.11 on 64-bit Linux here; say so instead of failing in pip."""
    if sys.platform != "linux":
        raise SetupError(
            f"These commands need Linux, where Blender's Python module runs (this is {sys.platform}).\n"
            "Remedy: on other systems, install the extension's zip file in Blender (README, 'Install in Blender')."
        )
    if sys.version_info[:2] != (3, 11):
        other = shutil.which("python3.11")
        if other and subprocess.call([other, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            sys.exit(subprocess.call([other, str(ROOT / "build.py"), *sys.argv[1:]]))
        raise SetupError(
            "Python 3.11 is needed (the bpy wheels are built for it); this is {}.{}, with no python3.11 on the PATH.\n"
            "Remedy: install Python 3.11 with its venv module (Debian 12: apt install python3.11-venv; elsewhere: "
            "pyenv or uv) and run  python3.11 build.py ...".format(*sys.version_info[:2])
        )


def environment(name, requirement):
    """The Python of one virtual environment with requirements/<requirement>.txt installed, set up when needed."""
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    stamp = folder / (requirement + ".sha256")
    every = b"".join(path.read_bytes() for path in sorted((ROOT / "requirements").glob("*.txt")))
    wanted = hashlib.sha256(every).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return str(python)
    print(f"build.py: setting up .environments/{name} (once; downloads packages)", file=sys.stderr, flush=True)
    if not python.exists():
        shutil.rmtree(str(folder), ignore_errors=True)
        if subprocess.call([sys.executable, "-m", "venv", str(folder)]) != 0:
            shutil.rmtree(str(folder), ignore_errors=True)
            raise SetupError(
                "The virtual environment could not be created.\n"
                "Remedy: install Python's venv module (Debian: apt install python3-venv), then try again."
            )
    source = ROOT / "requirements" / (requirement + ".txt")
    if (
        subprocess.call(
            [
                str(python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
                str(source),
            ]
        )
        != 0
    ):
        raise SetupError(
            f"Installing the packages in {source.relative_to(ROOT)} failed (see above).\n"
            "Remedy: check the network and the free disk space, then run the same command again."
        )
    stamp.write_text(wanted)
    return str(python)


def blender_python():
    """The Python that has Blender as a module."""
    return environment("blender-" + NEWEST, "blender-" + NEWEST)


def blender_module(arguments):
    """Run the add-on's own command line inside Blender's Python module; returns its exit code."""
    return run([blender_python(), str(ROOT / "tools" / "run_in_module.py"), *arguments])


def run(command, folder=None, **more):
    """Run a command, telling Blender's side where the engine's Python is; returns its exit code."""
    variables = dict(os.environ, PYTHONPATH=str(ROOT), HUMAN3R_ENGINE_PYTHON=environment("engine", "engine"), **more)
    return subprocess.call(command, cwd=folder, env=variables)


def demo(arguments):
    """Convert and picture real people, then the bundled synthetic clip, which is also measured against its truth."""
    (ROOT / "outputs").mkdir(exist_ok=True)
    return people_demo(arguments) or synthetic_demo(arguments)


def people_demo(arguments):
    """A clip of real people, out of a pinned wheel: footage, the bodies over it, and the scene from outside."""
    folder, tools, python = ROOT / "outputs", ROOT / "tools", environment("engine", "engine")
    clip = subprocess.run([python, str(tools / "demo_clip.py"), str(FOOTAGE)], stdout=subprocess.PIPE, text=True)
    if clip.returncode:
        print("build.py: the demo goes on without real people, with the bundled synthetic clip.", file=sys.stderr)
        return 0
    footage = clip.stdout.strip()
    output, picture, take = (folder / ("demo-people" + ending) for ending in (".blend", ".png", ".h3r"))
    first, last, step = PEOPLE_RANGE
    chosen = ["--start", str(first), "--end", str(last), "--stride", str(step), "--body", "mannequin"]
    frames = ",".join(str(number + 1) for number in PEOPLE_FRAMES)
    code = (
        convert([footage, "--output", str(output), "--take", str(take), "--overwrite", *chosen, *arguments])
        or run([blender_python(), str(tools / "render_overview.py"), str(folder), frames, str(output)])
        or run([python, str(tools / "compose_people.py"), str(folder), output.stem, footage, frames, str(picture)])
    )
    if code == 0:
        print(f"Real people: open {output} in Blender {NEWEST} or newer.")
        print(f"{picture} shows footage, the bodies over it, and the scene from outside.", flush=True)
    return code


def synthetic_demo(arguments):
    """The bundled clip, measured, and pictured beside footage and ground truth."""
    clip, true = ROOT / "demo" / "demo.mp4", ROOT / "demo" / "demo_truth.npz"
    folder, tools, python = ROOT / "outputs", ROOT / "tools", environment("engine", "engine")
    output, picture, take, report = (folder / ("demo" + ending) for ending in (".blend", ".png", ".h3r", ".json"))
    truth, true_take = folder / "truth.blend", folder / "truth.h3r"
    body = ["--body", "mannequin"]
    points = ["--point-maps", "--stride", "2"]  # to measure depth; every second frame, for they make the take large
    composed = [str(folder), str(clip), str(DEMO_FRAME - 1), str(report), str(picture)]
    code = (
        convert([str(clip), "--output", str(output), "--take", str(take), "--overwrite", *points, *body, *arguments])
        or engine(["evaluate", "--take", str(take), "--truth", str(true), "--json", str(report), *body])
        or run([python, str(tools / "truth_take.py"), str(true), str(clip), str(true_take)])
        or blender_module(["import", str(true_take), "--output", str(truth), "--overwrite", *body, "--clean", "0"])
        or run([blender_python(), str(tools / "render_overview.py"), str(folder), str(DEMO_FRAME), truth, output])
        or run([python, str(tools / "compose_overview.py"), *composed])
    )
    if code == 0:
        print(f"Synthetic people, with known truth: open {output} in Blender {NEWEST} or newer.")
        print(f"{picture} shows footage, ground truth and reconstruction.")
    return code


def blender(arguments):
    """A Blender with a set-up of its own, in which this checkout is the extension: an edit needs a reload, no zip."""
    named = [arguments[0]] if arguments and not arguments[0].startswith("-") else []
    wanted = (named or [os.environ.get("HUMAN3R_BLENDER") or "blender"])[0]
    program = shutil.which(wanted)
    if program is None:
        raise SetupError(
            f"Blender was not found: {wanted} is not a program.\n"
            "Remedy: give its path:  python3 build.py blender /path/to/blender"
        )
    folder = ENVIRONMENTS / "blender-user"
    link(folder / "extensions" / "user_default" / "human3r_blender", ROOT)
    start = ["--python-exit-code", "1", "--python", str(ROOT / "tools" / "start_in_blender.py")]
    return run([program, *start, *arguments[len(named) :]], BLENDER_USER_RESOURCES=str(folder))


def convert(arguments):
    """A video becomes a .blend: the add-on's command, run through the bpy wheel."""
    return blender_module(["convert", *arguments])


def engine(arguments):
    """python -m engine ARGUMENTS."""
    # -P: whatever lies in the current folder, a folder called engine included, is not the engine.
    return run([environment("engine", "engine"), "-P", "-m", "engine", *arguments])


def farm(arguments):
    """python -m engine farm ARGUMENTS."""
    return engine(["farm", *arguments])


def install_engine(arguments):
    """The add-on's own installation, through the bpy wheel; who types this wants it online."""
    return blender_module(["--online-mode", "install-engine", *arguments])


def lock(arguments):
    """requirements/lock/ from requirements/engine.txt, with the hash of every file."""
    return run([environment("engine", "engine-tests"), str(ROOT / "tools" / "lock_engine.py")], ROOT)


def evaluate(arguments):
    """python -m engine evaluate ARGUMENTS; clips out of wheels are kept in the checkout, beside the environments."""
    return engine(["evaluate", "--footage-cache", str(FOOTAGE), *arguments])


def test(arguments):
    """The whole suite: once in the engine's environment, once in each Blender asked for."""
    if arguments[:1] == ["--readers"]:
        return test_readers(arguments[1:])
    if arguments[:1] == ["--farm"]:
        return test_farm(arguments[1:])
    versions = [NEWEST]
    if arguments[:1] == ["--blender"] and len(arguments) > 1:
        versions, arguments = arguments[1].split(","), arguments[2:]
        unknown = set(versions) - set(BLENDERS)
        if unknown:
            text = "Blender {} is not among the tested versions.\nRemedy: choose from {}."
            raise SetupError(text.format(unknown.pop(), ", ".join(BLENDERS)))
    runs = [("engine", "engine-tests", arguments_for(arguments, TESTS_OF_BLENDER))]
    runs += [("blender-" + one, "blender-" + one, arguments_for(arguments, TESTS_OF_THE_ENGINE)) for one in versions]
    codes = [run_tests(environment(*place), wanted) for *place, wanted in runs if wanted is not None]
    collected = [code for code in codes if code != NO_TESTS_COLLECTED]
    return max(collected) if collected else NO_TESTS_COLLECTED


def run_tests(python, arguments):
    """pytest on two processes, files side by side, each with one thread: more would only get into each other's way."""
    spread = ["-n", "2", "--dist", "loadfile", "--max-worker-restart", "0"]
    return run([python, "-m", "pytest", *spread, *arguments], ROOT, OMP_NUM_THREADS="1")


def arguments_for(arguments, foreign):
    """pytest's arguments without the paths in those folders of tests; None where that leaves none of the paths."""
    folders = [ROOT / "tests" / name for name in foreign]
    places = {argument: ROOT / argument.partition("::")[0] for argument in arguments if not argument.startswith("-")}
    paths = {argument: place.resolve() for argument, place in places.items() if place.exists()}
    elsewhere = {name for name, path in paths.items() if any(one in (path, *path.parents) for one in folders)}
    if elsewhere and elsewhere == set(paths):
        return None
    return [argument for argument in arguments if argument not in elsewhere]


def test_readers(arguments):
    """Exports, made in Blender and read by other programs in an environment of their own."""
    python = environment("readers", "readers")
    environment("engine", "engine-tests")  # which has smplx
    modules = ENVIRONMENTS / "readers-node"
    npm = shutil.which("npm")
    if npm is None:
        print("build.py: without npm, Khronos's validator is skipped.", file=sys.stderr)
    elif not (modules / "node_modules" / "gltf-validator").is_dir():
        modules.mkdir(exist_ok=True)
        shutil.copy(str(ROOT / "tests" / "readers" / "package.json"), str(modules))
        subprocess.call([npm, "install", "--silent", "--prefix", str(modules)])
    blender = os.environ.get("HUMAN3R_BLENDER_PYTHON") or blender_python()
    places = {"HUMAN3R_BLENDER_PYTHON": blender, "HUMAN3R_NODE_MODULES": str(modules / "node_modules")}
    command = [python, "-m", "pytest", "tests/readers", "-rP", *arguments]
    return run(command, ROOT, OMP_NUM_THREADS="1", **places)


def test_farm(arguments):
    """Jobs, written by the engine and run by Open Job Description, Deadline, Slurm and node, where there."""
    places = {"HUMAN3R_BLENDER_PYTHON": os.environ.get("HUMAN3R_BLENDER_PYTHON") or blender_python()}
    command = [environment("farm", "farm"), "-m", "pytest", "tests/farm", "-rs", *arguments]
    return run(command, ROOT, OMP_NUM_THREADS="1", **places)


def lint(arguments):
    """ruff, mypy and the contracts on imports, as configured in pyproject.toml; all of them, whatever one finds."""
    python = environment("engine", "lint")
    style = [[python, "-m", "ruff", *command] for command in (("check", "."), ("format", "--check", "."))]
    codes = [run(command, ROOT) for command in style]
    if arguments != ["--quick"]:
        # The root is a package whose relative imports the checkers have to follow: give it a name that is an
        # identifier, whatever the checkout's folder is called.
        package = ENVIRONMENTS / "lint" / "human3r_extension"
        link(package, ROOT)
        settings = str(ROOT / "pyproject.toml")
        checked = [str(package / room) for room in ("engine", "human3r_blender", "weights_downloader")]
        contracts = [str(Path(python).with_name("lint-imports")), "--no-logo", "--no-cache", settings]
        for system in SYSTEMS:  # each with a cache of its own
            command = [python, "-m", "mypy", "--config-file", settings, "--platform", system]
            codes.append(run([*command, "--cache-dir", ".mypy_cache-" + system, *checked], package.parent))
        codes.append(run(contracts, package.parent))
    return max(codes)


def link(place, target):
    """A link to a folder of this checkout, also where another checkout left its own."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink() and place.resolve() != target:
        place.unlink()
    if not place.is_symlink():
        place.symlink_to(target, target_is_directory=True)


def make_zip(arguments):
    """The installable extension, made and validated by Blender's own tool from the manifest's rules."""
    python = environment("blender-" + NEWEST, "blender-" + NEWEST)
    where = subprocess.check_output(
        [python, "-c", "import bpy, pathlib; print(pathlib.Path(bpy.utils.script_paths(subdir='addons_core')[0]))"]
    )
    tool = Path(where.decode().strip().splitlines()[-1]) / "bl_pkg" / "cli" / "blender_ext.py"
    (ROOT / "dist").mkdir(exist_ok=True)
    return run([python, str(tool), "build", "--source-dir", str(ROOT), "--output-dir", str(ROOT / "dist")])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
