# SPDX-License-Identifier: Apache-2.0
"""QEMU's MPS2 boards as the simulator of the Cortex-M targets.

QEMU has no pipeline and no DWT cycle counter. With `-icount` an executed instruction takes a fixed
time of the board's clock, so that a counter of the board, which the firmware reads in place of
CYCCNT (`cycle_counter` in target.yaml), counts instructions. They are exact: one instruction takes
3.2 counts, and the difference of two reads is off by less than one count, so that rounding gives
the whole number. `sleep=off` keeps the host's clock out: every run answers the same bytes.
Instructions that an IT block skips count as executed, as on the embedded simulator.

QEMU has no limit of executed instructions either: the wall limit is made from it, with a speed that
a loaded machine still reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.fingerprint import binary_digest
from touchstone.process import ProcessRegistry, ProcessResult, run_limited
from touchstone.simulators.base import Counter, Limits, RunStatus, SimulatorRun, Unit
from touchstone.simulators.cortexm_fault import find_fault
from touchstone.simulators.embedded import describe_fault

MACHINES = {"cortex-m4": "mps2-an386", "cortex-m7": "mps2-an500"}
# One instruction takes 2**SHIFT ns, the board's counter counts every 40 ns.
SHIFT = 7
COUNT_NANOSECONDS = 40
COUNTER = Counter(Unit.INSTRUCTIONS, COUNT_NANOSECONDS / (1 << SHIFT))
# QEMU needs 0.1 s to start and executes 200 million instructions in a second and more.
START_SECONDS = 10.0
INSTRUCTIONS_PER_SECOND = 20e6
MEMORY_MEGABYTES = 4096
LOG_TAIL_BYTES = 8 * 1024
OPTIONS = (
    *("-nodefaults", "-no-user-config", "-no-reboot"),
    *("-display", "none", "-serial", "none", "-monitor", "none"),
    *("-accel", "tcg,tb-size=64"),
    *("-icount", f"shift={SHIFT},sleep=off"),
    *("-semihosting-config", "enable=on,target=native"),
)
OWN_MESSAGE = "qemu-system-arm: "
WARNING = f"{OWN_MESSAGE}warning: "


def settings(target: Mapping[str, Any]) -> dict[str, Any]:
    """What of a target.yaml's document a run depends on: which board has its core."""
    core = target["isas"][0]
    if core not in MACHINES:
        raise UserError(f"target {target['name']}: QEMU has no board for {core}")
    return {"machine": MACHINES[core]}


def fingerprint(program: str, memory: Path) -> str:
    """Hash of what runs."""
    return binary_digest(Path(program).resolve(), memory)


def clock(folder: Path) -> str:
    """What its counter counts."""
    return "executed instructions, exact; QEMU has no pipeline"


def make(name: str, settings: Mapping[str, Any], files: Sequence[Path]) -> QemuSimulator:
    """The simulator whose program is files[0]."""
    return QemuSimulator(name, files[0], settings["machine"])


def wall_seconds(limits: Limits) -> float:
    """The wall limit that stands for the limit of instructions."""
    scaled = START_SECONDS + limits.instructions / INSTRUCTIONS_PER_SECOND
    return min(limits.wall_seconds, scaled)


@dataclass(frozen=True)
class QemuSimulator:
    """One board: the record stream is its standard output, the log its standard error."""

    name: str
    program: Path
    machine: str

    def run(
        self, image: bytes, limits: Limits, directory: Path, registry: ProcessRegistry
    ) -> SimulatorRun:
        """Run `image`; every way of dying is a status, never an exception."""
        image_path, stream = directory / "image.elf", directory / "stream.bin"
        image_path.write_bytes(image)
        seconds = wall_seconds(limits)
        result = run_limited(
            (str(self.program), "-M", self.machine, *OPTIONS, "-kernel", str(image_path)),
            directory,
            seconds,
            registry,
            memory_megabytes=MEMORY_MEGABYTES,
            stdout=stream,
        )
        return interpret(result, stream.read_bytes(), limits, seconds)


KILLED = "the simulator was killed by signal"


def interpret(result: ProcessResult, stream: bytes, limits: Limits, seconds: float) -> SimulatorRun:
    """Turn what a QEMU process left behind into a run."""
    # The board's network has no peer, and QEMU never fails to say so.
    lines = result.output[-LOG_TAIL_BYTES:].splitlines(keepends=True)
    log = "".join(line for line in lines if not line.startswith(WARNING))
    fault = find_fault(log)
    status = RunStatus.CRASH
    if result.interrupted:
        reason = "interrupted"
    elif result.timed_out:
        status = RunStatus.TIMEOUT
        reason = f"no end within the {seconds:.0f} s given to {limits.instructions} instructions"
    elif result.returncode < 0:
        reason = _killed(-result.returncode, log)
    elif result.returncode != 0:
        reason = _ended(result.returncode, log) if fault is None else describe_fault(fault)
    elif not stream:
        status, reason = RunStatus.NO_OUTPUT, "the firmware ended without a result"
    else:
        status, reason = RunStatus.COMPLETED, ""
    died = reason.startswith(KILLED)
    return SimulatorRun(status, reason, stream, log, None, None, fault, COUNTER, died)


def _killed(number: int, log: str) -> str:
    """QEMU ends itself by a signal where a core locks up; it says so before."""
    said = next((line for line in log.splitlines() if line.startswith("qemu: fatal: ")), None)
    return f"{KILLED} {number}" if said is None else said


def _ended(code: int, log: str) -> str:
    own = next((line for line in log.splitlines() if line.startswith(OWN_MESSAGE)), None)
    return f"the firmware exited with {code}" if own is None else own
