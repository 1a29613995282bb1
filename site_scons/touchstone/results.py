# SPDX-License-Identifier: Apache-2.0
"""Results: one record a cell, made from verdicts after the build, whatever happened in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from touchstone.cells import id_dimensions
from touchstone.files import read_json, write_json, write_rows
from touchstone.graph import BUILD, CellPlan
from touchstone.manifest import DIMENSIONS
from touchstone.plan import PlannedCell
from touchstone.simulators.registry import clock_of, settings_that_apply, timing_of

SCHEMA = 1
STATUSES = (
    *("PASS", "FAIL", "TIMEOUT", "CRASH", "NO_OUTPUT", "BUILD_ERROR", "SKIP"),
    *("XFAIL", "XPASS", "QUARANTINED", "NOT_RUN"),  # see touchstone.expectations, fail_fast
)
# All others are failures.
FINE = ("PASS", "SKIP", "XFAIL", "QUARANTINED")


@dataclass(frozen=True)
class CellResult:
    """One row of results.json; what nobody measured is None."""

    id: str
    target: str
    kernel: str
    variant: str
    shape: Mapping[str, int | None]
    schedule: Mapping[str, int | str | None]
    cores: int
    seed: int
    toolchain: str
    simulator: str
    settings: Mapping[str, str]
    timing: str
    clock: str
    status: str
    cached: bool
    cycles: int | None
    cycles_cold: int | None
    instructions: int | None
    macs: int | None
    mac_per_cycle: float | None
    cycles_per_element: float | None
    peak_share: float | None
    code_bytes: int | None
    weight_bytes: int
    activation_bytes: int
    stack_bytes: int | None
    energy_uj: float | None
    delta_cycles: int | None
    reason: str | None
    baseline_cycles: int | None = None
    retries: Sequence[str] = ()
    """Why earlier attempts of a flaky infrastructure to simulate it came to nothing."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class Outcome:
    """What the build knows of one cell when it ends: was its verdict made or confirmed?"""

    confirmed: bool
    simulated: bool
    failure: str | None = None
    retries: Sequence[str] = ()
    stopped: bool = False
    """The command ended at another cell's failure before this one's turn."""


@dataclass(frozen=True)
class Report:
    """All results of one command."""

    results: tuple[CellResult, ...]
    verdicts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unexpected_skips: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """What else makes the command fail, a line each."""

    @property
    def summary(self) -> dict[str, int]:
        """How many cells of each status, how many in all, how many simulated now."""
        counts = dict.fromkeys(STATUSES, 0)
        for result in self.results:
            counts[result.status] += 1
        cached = sum(result.cached for result in self.results)
        ran = sum(result.status not in ("SKIP", "NOT_RUN") for result in self.results)
        return {"cells": len(self.results), "cached": cached, "ran_or_cached": ran, **counts}

    @property
    def exit_status(self) -> int:
        """0 only if something was verified, everything selected passed, and skips were known."""
        counts = self.summary
        bad = sum(counts[status] for status in STATUSES if status not in FINE)
        if bad or self.unexpected_skips or self.problems:
            return 1
        return 0 if counts["PASS"] + counts["XFAIL"] else 1


def cell_result(
    root: Path,
    plan: CellPlan,
    verdict: Mapping[str, Any],
    *,
    cached: bool,
    last_cycles: int | None,
    baseline_cycles: int | None = None,
    retries: Sequence[str] = (),
) -> CellResult:
    """One row from a cell's plan and its verdict."""
    cell, needs = plan.cell, plan.planned.needs
    target = cell.target
    cycles = verdict.get("cycles")
    macs = needs.macs or None
    rate = macs / cycles if macs and cycles else None
    peak = target.peak.get(cell.kernel.peak)
    options = {**target.simulator_settings.get(cell.simulator, {}), **dict(cell.settings)}
    applied = settings_that_apply(cell.simulator, options)
    settings = {name: str(value) for name, value in applied.items()}
    return CellResult(
        id=cell.id,
        target=target.name,
        kernel=cell.kernel.name,
        variant=cell.variant.name,
        shape={
            name: getattr(cell.shape, name) if name in id_dimensions(cell.kernel) else None
            for name in DIMENSIONS
        },
        schedule={
            "tile": cell.schedule.tile or None,
            "heads": cell.schedule.heads or None,
            "order": cell.schedule.order or None,
        },
        cores=cell.cores,
        seed=cell.seed,
        toolchain=cell.toolchain,
        simulator=cell.simulator,
        settings=settings,
        timing=timing_of(cell.simulator, settings).value,
        clock=clock_of(cell.simulator, root / BUILD, settings),
        status=str(verdict["status"]),
        cached=cached,
        cycles=cycles,
        cycles_cold=verdict.get("cycles_cold"),
        instructions=verdict.get("instructions"),
        macs=macs,
        mac_per_cycle=None if rate is None else round(rate, 4),
        cycles_per_element=None if macs or cycles is None else round(cycles / needs.elements, 4),
        peak_share=None if rate is None or not peak else round(rate / (peak * cell.cores), 4),
        code_bytes=_code_bytes(root, plan),
        weight_bytes=needs.weight_bytes,
        activation_bytes=needs.activation_bytes,
        stack_bytes=verdict.get("stack_bytes"),
        energy_uj=_energy(plan, cycles),
        delta_cycles=None if cycles is None or last_cycles is None else cycles - last_cycles,
        reason=verdict.get("reason") or None,
        baseline_cycles=baseline_cycles,
        retries=list(retries),
    )


def _energy(plan: CellPlan, cycles: int | None) -> float | None:
    """Microjoules: cycles / clock * active power (a whole-chip average, see target.yaml)."""
    if cycles is None:
        return None
    target = plan.cell.target
    return round(cycles / target.clock_hz * target.active_milliwatts * 1000, 4)


def _code_bytes(root: Path, plan: CellPlan) -> int | None:
    if plan.planned.skip is not None:
        return None
    facts = read_json(root / plan.firmware.path("firmware.json"))
    code = facts.get("code_bytes") if isinstance(facts, dict) else None
    return code if isinstance(code, int) else None


def collect(
    root: Path,
    plans: Sequence[CellPlan],
    outcome_of: Callable[[CellPlan], Outcome],
    known_skips: Collection[str],
    last: Mapping[str, int],
    judge: Callable[[str, Mapping[str, Any]], Mapping[str, Any]] = lambda cell, verdict: verdict,
    baselines: Mapping[str, int | None] = MappingProxyType({}),
) -> Report:
    """Read the verdicts of all selected cells; a cell without a confirmed one is not green.

    `judge` makes of a cell's verdict what it counts as (touchstone.expectations); `baselines` are
    committed cycles by cell.
    """
    results = []
    verdicts: dict[str, Mapping[str, Any]] = {}
    for plan in plans:
        outcome = outcome_of(plan)
        verdict = judge(plan.cell.id, _verdict(root, plan, outcome))
        verdicts[plan.cell.id] = verdict
        cached = outcome.confirmed and not outcome.simulated and plan.planned.skip is None
        results.append(
            cell_result(
                root,
                plan,
                verdict,
                cached=cached,
                last_cycles=last.get(plan.cell.id),
                baseline_cycles=baselines.get(plan.cell.id),
                retries=outcome.retries,
            )
        )
    planned = [plan.planned for plan in plans]
    return Report(tuple(results), verdicts, unexpected_skips(planned, known_skips))


def unexpected_skips(cells: Iterable[PlannedCell], known_skips: Collection[str]) -> tuple[str, ...]:
    """The cells that are skipped though nobody has committed to it."""
    known = set(known_skips)
    return tuple(
        planned.cell.id
        for planned in cells
        if planned.skip is not None and not {planned.cell.id, planned.cell.id_by_memory} & known
    )


def _verdict(root: Path, plan: CellPlan, outcome: Outcome) -> Mapping[str, Any]:
    if plan.planned.skip is not None:
        return {"status": "SKIP", "reason": plan.planned.skip}
    if not outcome.confirmed and outcome.stopped:
        return {"status": "NOT_RUN", "reason": outcome.failure or "the command had ended"}
    if not outcome.confirmed:
        return {"status": "BUILD_ERROR", "reason": outcome.failure or "was not built"}
    verdict = read_json(root / plan.verdict)
    if not isinstance(verdict, dict) or verdict.get("status") not in STATUSES:
        return {"status": "NO_OUTPUT", "reason": "the verdict is missing or damaged"}
    return verdict


def write_results(path: Path, report: Report, shard: Mapping[str, Any] | None = None) -> bool:
    """results.json: the one machine-readable result (schemas/results.schema.json).

    `shard` says which part of a plan these cells are (touchstone.ci.shards), None: all of it.
    Whether the file is another than it was.
    """
    return write_rows(
        path,
        {
            "schema": SCHEMA,
            "shard": shard,
            "cells": [result.document() for result in report.results],
            "summary": report.summary,
            "problems": list(report.problems),
            "exit_status": report.exit_status,
        },
        "cells",
    )


def remember_cycles(path: Path, last: Mapping[str, int], report: Report) -> None:
    """Keep the cycles of this command for the next one's change column."""
    cycles = {result.id: result.cycles for result in report.results if result.cycles is not None}
    write_json(path, {**last, **cycles})


def recall_cycles(path: Path) -> dict[str, int]:
    """The cycles that earlier commands measured."""
    known = read_json(path)
    if not isinstance(known, dict):
        return {}
    return {name: value for name, value in known.items() if isinstance(value, int)}
