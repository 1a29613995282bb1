# SPDX-License-Identifier: Apache-2.0
"""GVSOC's open `pulp-open` SoC as the simulator of GAP9's cluster.

Its cycles are cycle-approximate and its own model's. It counts no instructions and offers no limit
of simulated work, so only the wall limit bounds a run; that limit is not for show: reads of some
peripheral registers (0x10200008, for one) hang GVSOC without a word.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.files import read_json
from touchstone.process import ProcessRegistry, ProcessResult, run_limited
from touchstone.simulators.base import Fault, Limits, RunStatus, SimulatorRun
from touchstone.simulators.console import split_console
from touchstone.simulators.gvsoc_config import GvsocError, GvsocSettings, configure
from touchstone.simulators.gvsoc_console import Console
from touchstone.simulators.gvsoc_install import (
    TARGET,
    Installation,
    installation_at,
    load_configuration,
    prepare,
)

# The cluster's L1 and the addresses that it can have.
L1 = 0x10000000
CLUSTER_BYTES = 0x100000
PREPARED = "gvsoc"
LOG_TAIL_BYTES = 8 * 1024
MEMORY_MEGABYTES = 4096
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# GVSOC's own messages: "<time>: <cycles>: [<component>] <text>".
MESSAGE = re.compile(r"^\d+: \d+: \[(?P<component>[^\]]*)\] (?P<text>.*)$", re.MULTILINE)
BAD_ACCESS = re.compile(r"Invalid access \(pc: (0x[0-9a-f]+), offset: (0x[0-9a-f]+)")
BAD_FETCH = re.compile(r"Invalid fetch request \(addr: (0x[0-9a-f]+)")
CLUSTER_CORE = re.compile(r"/cluster/pe(\d+)/")
FABRIC_CONTROLLER = 8
# The firmware's trap handler (targets/gap9/board.c).
TRAP = re.compile(r"trap: hart (0x[0-9a-f]+), mcause (0x[0-9a-f]+), pc (0x[0-9a-f]+)")
CORE_MASK = 31


def settings(target: Mapping[str, Any]) -> dict[str, Any]:
    """What of a target.yaml's document a run depends on: how much of L1 its memory map uses.

    What can be set (`simulator_settings`) comes beside it, as `options`: see GvsocSettings.
    """
    ends = [region["origin"] + region["bytes"] - L1 for region in target["memory"].values()]
    used = max((end for end in ends if 0 < end <= CLUSTER_BYTES), default=0)
    if used == 0:
        raise UserError(f"target {target['name']} has no memory in L1: GVSOC cannot run it")
    return {"l1_used": used}


def fingerprint(program: str, memory: Path) -> str:
    """Hash of what of an installation runs; prepared and remembered beside `memory`."""
    folder = memory.with_name(PREPARED)
    return prepare(_installation_of(program), folder, ProcessRegistry(), os.environ).fingerprint


def make(name: str, settings: Mapping[str, Any], files: Sequence[Path]) -> GvsocSimulator:
    """The simulator whose program `gvsoc` is files[0]; it keeps what it prepares in files[1]."""
    installation = _installation_of(str(files[0]))
    chosen = GvsocSettings.from_options(settings["options"], settings["l1_used"])
    return GvsocSimulator(name, installation, chosen, Path(files[1]) / PREPARED)


def version(folder: Path) -> str:
    """Which GVSOC was prepared in `folder`."""
    known = read_json(folder / PREPARED / "prepared.json")
    return str(known["version"]) if isinstance(known, dict) and "version" in known else "unknown"


def clock(folder: Path) -> str:
    """Whose time the cycles are, with the version that was prepared in `folder`."""
    return f"GVSOC {TARGET}'s own timing model, version {version(folder)}; no silicon"


def _installation_of(program: str) -> Installation:
    return installation_at(Path(program).resolve().parents[1])


@dataclass(frozen=True)
class GvsocSimulator:
    """An installed GVSOC with its settings, and the folder of what it prepares once."""

    name: str
    installation: Installation
    settings: GvsocSettings
    prepared: Path

    def run(
        self, image: bytes, limits: Limits, directory: Path, registry: ProcessRegistry
    ) -> SimulatorRun:
        """Run `image`; every way of dying is a status, never an exception."""
        try:
            result, console = self._launch(image, limits, directory, registry)
        except (GvsocError, OSError, ValueError) as error:
            return SimulatorRun(RunStatus.CRASH, str(error), b"", "", None, None)
        return interpret(result, console, limits)

    def _launch(
        self, image: bytes, limits: Limits, directory: Path, registry: ProcessRegistry
    ) -> tuple[ProcessResult, bytes]:
        """How the simulator ended, and what the firmware wrote."""
        image_path = directory / "image.elf"
        image_path.write_bytes(image)
        prepared = prepare(self.installation, self.prepared, registry, os.environ)
        document = configure(load_configuration(prepared), self.settings, image_path)
        configuration = directory / "configuration.json"
        configuration.write_text(json.dumps(document), "ascii")
        with Console(directory) as console:
            result = run_limited(
                (str(self.installation.launcher), f"--config={configuration}"),
                directory,
                limits.wall_seconds,
                registry,
                environment=self.installation.environment(os.environ),
                memory_megabytes=MEMORY_MEGABYTES,
            )
        return result, console.data


def interpret(result: ProcessResult, console: bytes, limits: Limits) -> SimulatorRun:
    """Turn what a GVSOC process left behind into a run."""
    stream, log_bytes = split_console(console)
    said = COLOUR.sub("", result.output)
    log = log_bytes[-LOG_TAIL_BYTES:].decode("utf-8", "replace")
    status, reason, fault = _judge(result, said, log, limits)
    if status is RunStatus.COMPLETED and not stream:
        status, reason = RunStatus.NO_OUTPUT, "the firmware ended without a result"
    died = result.returncode < 0 and not (result.interrupted or result.timed_out)
    return SimulatorRun(status, reason, stream, log + said, None, None, fault, infrastructure=died)


def _judge(
    result: ProcessResult, said: str, log: str, limits: Limits
) -> tuple[RunStatus, str, Fault | None]:
    if result.interrupted:
        return RunStatus.CRASH, "interrupted", None
    if result.timed_out:
        reason = (
            f"wall limit of {limits.wall_seconds:g} s reached (an endless loop or a core that "
            "waits for ever: GVSOC does not say which)"
        )
        return RunStatus.TIMEOUT, reason, None
    if result.returncode == 0:
        return RunStatus.COMPLETED, "", None
    if result.returncode < 0:
        reason = f"the simulator was killed by signal {-result.returncode}"
        return RunStatus.CRASH, reason, None
    return _explain(result.returncode, said, log)


def _explain(returncode: int, said: str, log: str) -> tuple[RunStatus, str, Fault | None]:
    """A non-zero end: GVSOC's complaint, else a trap that the firmware caught, else its code."""
    complaint = MESSAGE.search(said)
    if complaint is not None:
        component, text = complaint["component"].strip(), complaint["text"].strip()
        return RunStatus.CRASH, f"{component}: {text}", _fault(component, text)
    trap = TRAP.search(log)
    if trap is not None:
        hart, cause, pc = (int(word, 16) for word in trap.groups())
        fault = Fault("trap", hart & CORE_MASK, pc, None, f"mcause {cause:#x}")
        reason = f"trap on core {fault.core}, pc {pc:#010x} ({fault.detail})"
        return RunStatus.CRASH, reason, fault
    return RunStatus.CRASH, f"the firmware exited with {returncode}", None


def _fault(component: str, text: str) -> Fault | None:
    """Where GVSOC says that something went wrong, None where it does not say."""
    found = CLUSTER_CORE.search(component)
    core = int(found[1]) if found else FABRIC_CONTROLLER
    access = BAD_ACCESS.search(text)
    if access is not None:
        return Fault("memory-access", core, int(access[1], 16), int(access[2], 16), "")
    fetch = BAD_FETCH.search(text)
    if fetch is not None:
        return Fault("instruction-fetch", core, int(fetch[1], 16), None, "")
    return None
