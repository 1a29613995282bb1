# SPDX-License-Identifier: Apache-2.0
"""Renode as the simulator of the Cortex-M targets: the images of the embedded simulator, unchanged.

Renode has no pipeline: its cycle counter counts executed instructions, exactly. Those that an IT
block skips count as executed, as on the embedded simulator.

A run must be without a complaint of Renode's: it answers accesses to nowhere with a warning and a
zero, and stops for ever where code runs into nowhere. Not seen are writes to flash.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.files import read_json, write_json
from touchstone.fingerprint import binary_digest
from touchstone.process import ProcessRegistry
from touchstone.simulators.base import Counter, Fault, Limits, RunStatus, SimulatorRun, Unit
from touchstone.simulators.cortexm_fault import find_fault
from touchstone.simulators.embedded import describe_fault
from touchstone.simulators.renode_process import COMMON, MACHINE, Ended, RenodeError, RenodeProcess

OLDEST = (1, 16, 1)
COUNTER = Counter(Unit.INSTRUCTIONS)
LOG_TAIL_BYTES = 8 * 1024
VERSION_SECONDS = 60.0
VERSION = re.compile(r"Renode v(\d+)\.(\d+)\.(\d+)\S*")
SCRATCH = "tmp"
# What of an installation decides a run, wherever its kind keeps it; a lone program has it inside.
PARTS = ("Renode.exe", "Renode.dll", "Infrastructure.dll")
PLACES = (".", "bin", "lib", "output/bin/Release", "../bin", "../lib", "../opt/renode/bin")
ACCESS = re.compile(
    r"\[cpu: (0x[0-9A-Fa-f]+)\] (?:Read|Write)\w+ (?:from|to) (?:a )?non[ -]existing peripheral "
    r"at (0x[0-9A-Fa-f]+)"
)
ABORT = re.compile(r"CPU abort \[PC=(0x[0-9A-Fa-f]+)\]")


def settings(target: Mapping[str, Any]) -> dict[str, Any]:
    """What of a target a run depends on: its machine, and the commands that run an image there."""
    folder = _targets() / target["name"]
    if not (folder / MACHINE).is_file():
        raise UserError(f"target {target['name']}: Renode needs targets/{target['name']}/{MACHINE}")
    digest = sha256()
    for place in (folder, _targets() / COMMON):
        for path in sorted(place.iterdir()):
            if path.suffix in (".repl", ".resc", ".py"):
                digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return {"machine": target["name"], "scripts": digest.hexdigest()}


def fingerprint(program: str, memory: Path) -> str:
    """Hash of what runs; its version is remembered by that hash."""
    place = Path(program).resolve()
    parts = [place, *(place.parent / folder / name for folder in PLACES for name in PARTS)]
    digests = [binary_digest(path, memory) for path in parts if path.is_file()]
    digest = sha256("".join(digests).encode("ascii")).hexdigest()
    known = memory.with_name("renode.json")
    remembered = read_json(known)
    if not isinstance(remembered, dict) or remembered.get("digest") != digest or len(digests) == 1:
        version = ask_version(program)
        write_json(known, {"digest": digest, "version": version})
    else:
        version = str(remembered["version"])
    return sha256(f"{digest} {version}".encode("ascii")).hexdigest()


def ask_version(program: str) -> str:
    """The version that a Renode says it has; UserError where it is too old or says nothing."""
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, timeout=VERSION_SECONDS, text=True
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        raise UserError(f"sim=renode: {program} --version: {error}") from None
    found = VERSION.search(done.stdout)
    if found is None:
        raise UserError(f"sim=renode: {program} --version: found no version in its answer")
    if tuple(map(int, found.groups())) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise UserError(f"sim=renode: found {found[0]}, allowed {wanted} and later ({program})")
    return found[0].removeprefix("Renode v")


def version(folder: Path) -> str:
    """Which Renode was asked last."""
    known = read_json(folder / "renode.json")
    return str(known["version"]) if isinstance(known, dict) and "version" in known else "unknown"


def clock(folder: Path) -> str:
    """What its counter counts."""
    return f"executed instructions, exact; Renode {version(folder)} has no pipeline"


def make(name: str, settings: Mapping[str, Any], files: Sequence[Path]) -> RenodeSimulator:
    """The simulator whose program is files[0]; its processes work below files[1]."""
    return RenodeSimulator(
        name, files[0], _targets() / settings["machine"], Path(files[1]) / SCRATCH
    )


def _targets() -> Path:
    return Path(__file__).resolve().parents[3] / "targets"


@dataclass(frozen=True)
class RenodeSimulator:
    """Renode processes for one target; idle ones wait in the registry."""

    name: str
    program: Path
    scripts: Path
    scratch: Path

    def run(
        self, image: bytes, limits: Limits, directory: Path, registry: ProcessRegistry
    ) -> SimulatorRun:
        """Run `image`; every way of dying is a status, never an exception."""
        key = f"{self.program} {self.scripts}"
        try:
            process = registry.workers.take(key)
            if not isinstance(process, RenodeProcess):
                process = RenodeProcess(self.program, self.scripts, self.scratch, registry)
        except RenodeError as error:
            reason = "interrupted" if registry.interrupted else str(error)
            return SimulatorRun(RunStatus.CRASH, reason, b"", "", None, None)
        ended = Ended("interrupted")
        try:
            ended = process.run(image, limits)
        finally:
            if ended.how == "exit":
                registry.workers.give(key, process)
            else:
                process.end()
        return interpret(ended, limits)


def interpret(ended: Ended, limits: Limits) -> SimulatorRun:
    """Turn what a run left into the run that everybody understands."""
    log = ended.log[-LOG_TAIL_BYTES:]
    fault = find_fault(log)
    status = RunStatus.CRASH
    if ended.how == "interrupted":
        reason = "interrupted"
    elif ended.how == "timeout":
        status, reason = RunStatus.TIMEOUT, f"wall limit of {limits.wall_seconds:g} s reached"
    elif ended.how == "complaint":
        fault = _fault(ended.complaint)
        reason = ended.complaint
    elif ended.how == "instructions" or (ended.instructions or 0) > limits.instructions:
        status = RunStatus.TIMEOUT
        reason = f"limit of {limits.instructions} simulated instructions reached"
    elif ended.code != 0:
        exited = f"the firmware exited with {ended.code}"
        reason = exited if fault is None else describe_fault(fault)
    elif not ended.stream:
        status, reason = RunStatus.NO_OUTPUT, "the firmware ended without a result"
    else:
        status, reason = RunStatus.COMPLETED, ""
    count = ended.instructions if status is RunStatus.COMPLETED else None
    return SimulatorRun(status, reason, ended.stream, log, None, count, fault, COUNTER)


def _fault(complaint: str) -> Fault | None:
    """Where Renode says that something went wrong, None where it does not say."""
    access = ACCESS.search(complaint)
    if access is not None:
        return Fault("memory-access", 0, int(access[1], 16), int(access[2], 16), "")
    abort = ABORT.search(complaint)
    if abort is not None:
        return Fault("instruction-fetch", 0, int(abort[1], 16), None, "")
    return None
