# SPDX-License-Identifier: Apache-2.0
"""What every simulator adapter takes and gives, so that the graph knows none of them by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from touchstone.process import ProcessRegistry


class RunStatus(str, Enum):
    """How a simulation ended. Only COMPLETED may ever be cached."""

    COMPLETED = "COMPLETED"
    TIMEOUT = "TIMEOUT"
    CRASH = "CRASH"
    NO_OUTPUT = "NO_OUTPUT"


class Timing(str, Enum):
    """What a simulator's cycle column means; a column is never called cycles if it is not."""

    CYCLE_APPROXIMATE = "cycle-approximate"
    INSTRUCTION_COUNT = "instruction-count"
    NONE = "none"


class Unit(str, Enum):
    """What the counter counts that firmware reads before and after a kernel."""

    CYCLES = "cycles"
    INSTRUCTIONS = "instructions"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Counter:
    """The counter of a machine: its unit, and how many of it one count stands for."""

    unit: Unit = Unit.CYCLES
    per_count: float = 1.0


@dataclass(frozen=True)
class Limits:
    """Bounds of one run.

    `instructions` is the primary one (independent of the machine's load, all cores together);
    `wall_seconds` is the safety net for a simulator that itself hangs.
    """

    instructions: int
    wall_seconds: float


@dataclass(frozen=True)
class CounterRead:
    """The simulator's counters at one read of the cycle counter by the firmware."""

    cycles: int
    instructions: int


@dataclass(frozen=True)
class Fault:
    """Where and why a core stopped. Addresses only: reports resolve them from the current ELF."""

    kind: str
    core: int
    pc: int
    address: int | None
    detail: str


@dataclass(frozen=True)
class SimulatorRun:
    """What a simulator made of an image.

    `counter_reads` is None where the simulator does not note them; noted ones must agree with
    what the firmware reports. `infrastructure`: the simulator itself died, whatever it ran.
    """

    status: RunStatus
    reason: str
    stream: bytes
    log: str
    counter_reads: tuple[CounterRead, ...] | None
    instructions: int | None
    fault: Fault | None = None
    counter: Counter = Counter()
    infrastructure: bool = False


@dataclass(frozen=True)
class Probe:
    """Whether a simulator can be used here: its fingerprint, or one line saying what to do."""

    fingerprint: str | None
    missing: str | None = None


class Simulator(Protocol):
    """One simulator, ready to run images."""

    @property
    def name(self) -> str:
        """The word used in `sim=`."""
        ...

    def run(
        self, image: bytes, limits: Limits, directory: Path, registry: ProcessRegistry
    ) -> SimulatorRun:
        """Run `image` (an ELF) in `directory` (private, empty) and never outlive `limits`."""
        ...
