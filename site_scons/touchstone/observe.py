# SPDX-License-Identifier: Apache-2.0
"""`profile=1` and `trace=1`: runs cells again with a simulator that looks on.

This happens after the verdicts and outside the graph, so that a profile never changes what is
cached. A profile that does not add up to the cell's own cycles and instructions is refused.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from touchstone.disassembly import Disassembler
from touchstone.errors import UserError
from touchstone.files import write_atomically, write_json
from touchstone.graph import BUILD, CellPlan
from touchstone.process import ProcessRegistry
from touchstone.profile import Counts, make_profile, read_counts
from touchstone.profile_report import document, folded, listing, render
from touchstone.run_cell import build_image, interpret
from touchstone.runfile import CellRun, RunFileError, read_run
from touchstone.simulators.base import Limits, RunStatus
from touchstone.simulators.embedded import EmbeddedSimulator, make
from touchstone.simulators.registry import EMBEDDED
from touchstone.simulators.unicorn import unicorn_library
from touchstone.symbols import Symbols, read_symbols
from touchstone.trace import read_steps, render_trace
from touchstone.vectors import read_container

MAX_CELLS = 20


class ObservationError(Exception):
    """Why a cell has no profile or trace, in one line."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is asked for."""

    profile: bool
    trace: bool

    @property
    def words(self) -> str:
        """As on the command line."""
        return " ".join(f"{name}=1" for name in ("profile", "trace") if getattr(self, name))


@dataclasses.dataclass(frozen=True)
class Observation:
    """What a run that was looked at left behind; None where it was not asked for."""

    run: CellRun
    counts: Counts | None
    trace: str | None


def check_selection(wanted: Wanted, cells: int) -> None:
    """UserError for more cells than somebody wants to read profiles of."""
    if wanted.words and cells > MAX_CELLS:
        raise UserError(
            f"{wanted.words}: found {cells} cells, allowed up to {MAX_CELLS}; "
            "choose fewer with target=, kernel=, S=, ... or cell="
        )


def observe_cell(root: Path, plan: CellPlan, wanted: Wanted, registry: ProcessRegistry) -> str:
    """Write what is wanted below the cell's folder; the text for the terminal."""
    before = _finished_run(root / plan.run)
    simulator = simulator_of(root, plan)
    observed = run_observed(root, plan, wanted, simulator, registry)
    compare(observed, before)
    symbols = read_symbols(root / plan.firmware.path("firmware.elf"))
    machine = disassembler_of(symbols)
    texts = []
    if observed.counts is not None:
        texts.append(_write_profile(root, plan, observed, symbols, machine))
    if observed.trace is not None:
        texts.append(_write_trace(root, plan, observed, symbols, machine))
    return "\n".join(texts)


def _finished_run(path: Path) -> CellRun:
    try:
        run = read_run(path)
    except (OSError, RunFileError) as error:
        raise ObservationError(f"no run to compare with: {error}") from None
    if run.status is not RunStatus.COMPLETED:
        raise ObservationError(f"its run did not complete: {run.reason}")
    return run


def simulator_of(root: Path, plan: CellPlan) -> EmbeddedSimulator:
    """The simulator that the graph built for the cell."""
    name = plan.cell.simulator
    if name not in EMBEDDED:
        allowed = ", ".join(EMBEDDED)
        raise ObservationError(f"found the simulator {name}, allowed {allowed}")
    files = [root / BUILD / "simulators" / EMBEDDED[name].program]
    library = unicorn_library()
    if EMBEDDED[name].needs_costs and library is not None:
        files += [root / plan.firmware.path("firmware.costs"), library]
    return make(name, json.loads(plan.run_spec)["settings"], files)


def run_observed(
    root: Path,
    plan: CellPlan,
    wanted: Wanted,
    simulator: EmbeddedSimulator,
    registry: ProcessRegistry,
) -> Observation:
    """One more run of the cell, in a private folder that is gone afterwards."""
    spec = json.loads(plan.run_spec)
    loadable = (root / plan.firmware.path("firmware.load")).read_bytes()
    image = build_image(loadable, read_container((root / plan.packed.inputs).read_bytes()), spec)
    limits = Limits(int(spec["max_instructions"]), float(spec["wall_seconds"]))
    scratch = root / BUILD / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="observe-") as folder:
        paths = {name: Path(folder) / name for name in ("profile", "trace")}
        asked = [name for name in paths if getattr(wanted, name)]
        words = [word for name in asked for word in (f"--{name}", str(paths[name]))]
        looking = dataclasses.replace(simulator, options=(*simulator.options, *words))
        ran = interpret(looking.run(image.data, limits, Path(folder), registry), image)
        if ran.status is not RunStatus.COMPLETED:
            raise ObservationError(f"{ran.status.value}: {ran.reason}")
        counts = read_counts(paths["profile"].read_bytes()) if wanted.profile else None
        trace = paths["trace"].read_text(encoding="ascii") if wanted.trace else None
    return Observation(ran, counts, trace)


def compare(observed: Observation, before: CellRun) -> None:
    """ObservationError unless everything adds up to the run that was checked."""
    pairs = [
        ("cycles", observed.run.cycles, before.cycles),
        ("instructions", observed.run.instructions, before.instructions),
    ]
    if observed.counts is not None:
        pairs += [
            ("profiled cycles of core 0", observed.counts.cycles(0), before.cycles),
            ("profiled instructions", observed.counts.instructions, before.instructions),
        ]
    for what, found, wanted in pairs:
        if found != wanted:
            raise ObservationError(f"found {found} {what}, expected {wanted}")


def disassembler_of(symbols: Symbols) -> Disassembler:
    """The language of a firmware."""
    if symbols.machine == "EM_RISCV":
        from touchstone import disassembler_xpulp

        return disassembler_xpulp.disassembler()
    from touchstone import disassembler_thumb

    return disassembler_thumb.disassembler()


def _title(plan: CellPlan) -> str:
    return f"{plan.cell.id} on {plan.cell.simulator} ({EMBEDDED[plan.cell.simulator].clock})"


def _write_profile(
    root: Path, plan: CellPlan, observed: Observation, symbols: Symbols, machine: Disassembler
) -> str:
    assert observed.counts is not None
    profile = make_profile(observed.counts, symbols, machine)
    folder = root / plan.directory / "profile"
    facts = {
        "cell": plan.cell.id,
        "simulator": plan.cell.simulator,
        "clock": EMBEDDED[plan.cell.simulator].clock,
        "cycles": observed.run.cycles,
        "instructions": observed.run.instructions,
    }
    page = render(profile, f"Profile of {_title(plan)}", "github")
    write_json(folder / "profile.json", document(profile, **facts))
    write_atomically(folder / "profile.md", page.encode("utf-8"))
    write_atomically(folder / "folded.txt", folded(profile).encode("utf-8"))
    write_atomically(folder / "listing.txt", listing(profile).encode("utf-8"))
    text = render(profile, f"profile of {_title(plan)}", "simple")
    return f"{text}\nprofile in {plan.directory}/profile/"


def _write_trace(
    root: Path, plan: CellPlan, observed: Observation, symbols: Symbols, machine: Disassembler
) -> str:
    assert observed.trace is not None
    steps = read_steps(observed.trace)
    total = observed.run.instructions or 0
    lines = render_trace(steps, total, symbols, machine, _title(plan))
    path = f"{plan.directory}/trace.txt"
    write_atomically(root / path, "".join(f"{line}\n" for line in lines).encode("utf-8"))
    cut = f", cut after {len(steps)} of {total} instructions" if len(steps) < total else ""
    return f"trace in {path}{cut}"


def observe_cells(
    root: Path, plans: Sequence[CellPlan], wanted: Wanted, registry: ProcessRegistry
) -> list[str]:
    """One text for each cell; a cell that cannot be observed says why."""
    texts = []
    for plan in plans:
        try:
            texts.append(observe_cell(root, plan, wanted, registry))
        except (ObservationError, OSError, ValueError) as error:
            texts.append(f"{wanted.words}: {plan.cell.id}: {error}")
    return texts
