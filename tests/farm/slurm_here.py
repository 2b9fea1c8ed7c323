# SPDX-License-Identifier: GPL-3.0-or-later
"""A Slurm of one node with a munge of its own, in one folder, as long as a test needs it."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.waiting import wait_until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue")

_CONFIGURATION = """
ClusterName=human3r
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2
ReturnToService=2
KillWait=60
RequeueExit=75
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def found() -> dict[str, str] | None:
    """Slurm's and munge's programs by their names; None where one is missing, or this user may not run them."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    programs = {name: shutil.which(name, path=path) for name in PROGRAMS}
    return programs if all(programs.values()) and os.geteuid() == 0 else None  # type: ignore[return-value]


@contextlib.contextmanager
def running(programs: dict[str, str], folder: Path) -> Iterator[dict[str, str]]:
    """The variables with which its commands reach it."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "munge.key").write_bytes(secrets.token_bytes(1024))
    (folder / "munge.key").chmod(0o600)
    told = _CONFIGURATION.format(host=socket.gethostname().split(".")[0], folder=folder, ports=_free_ports())
    (folder / "slurm.conf").write_text(told)
    variables = dict(os.environ, SLURM_CONF=str(folder / "slurm.conf"), MUNGE_SOCKET=str(folder / "munge.socket"))
    places = {"--socket": "munge.socket", "--key-file": "munge.key", "--pid-file": "munge.pid"}
    places |= {"--log-file": "munge.log", "--seed-file": "munge.seed"}
    munge = [part for option, name in places.items() for part in (f"{option}={folder / name}",)]
    commands = [
        [programs["munged"], "--foreground", "--force", *munge],
        [programs["slurmctld"], "-D"],
        [programs["slurmd"], "-D", "-N", "node"],
    ]
    processes = []
    try:
        for command in commands:
            log = open(folder / f"{Path(command[0]).name}.out", "wb")
            processes.append(subprocess.Popen(command, env=variables, stdout=log, stderr=log))
            if command is commands[0]:
                wait_until((folder / "munge.socket").exists, "munge's socket")
        wait_until(lambda: "idle" in _nodes(programs, variables, processes), "an idle node")
        yield variables
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def _nodes(programs: dict[str, str], variables: dict[str, str], processes: list[subprocess.Popen[bytes]]) -> str:
    ended = [process.args for process in processes if process.poll() is not None]
    assert not ended, ended
    said = subprocess.run([programs["scontrol"], "show", "node"], env=variables, capture_output=True, text=True)
    return said.stdout.lower()


def _free_ports() -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
