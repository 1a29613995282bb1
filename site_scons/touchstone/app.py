# SPDX-License-Identifier: Apache-2.0
"""One build command from its words to its exit status; SConstruct puts the nodes in between."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from touchstone.bench.baselines import load as load_baselines
from touchstone.cachedir import CachePolicy, prune
from touchstone.ci.costs import costs_of, load_costs
from touchstone.ci.shards import Share, parse_shard, take
from touchstone.config import load_expected_skips, load_matrix
from touchstone.errors import UserError
from touchstone.expectations import Expectations, load_expectations, today
from touchstone.files import write_atomically, write_json
from touchstone.graph import BUILD, CellPlan, common_sources, plan_graph
from touchstone.last_statuses import FILE, only_failed, recall_statuses, remember_statuses
from touchstone.lock import ended
from touchstone.manifest import Catalogue, load_catalogue
from touchstone.nodes import commands, prerequisites
from touchstone.plan import PlannedCell, plan_cells
from touchstone.request import Request, parse_request
from touchstone.results import (
    Outcome,
    Report,
    collect,
    recall_cycles,
    remember_cycles,
    write_results,
)
from touchstone.session import Session
from touchstone.simulators.registry import COMMAND, require
from touchstone.toolchains import llvm

if TYPE_CHECKING:
    from touchstone.bench.gate import Bench
    from touchstone.executors.dask import DaskExecutor as Executor

DEFAULT_CONFIG = "configs/default.yaml"
EXPECTED_SKIPS = "configs/expected_skips.yaml"
EXPECTATIONS = "configs/expectations.yaml"
YAML_CACHE = f"{BUILD}/yaml"
REPORT = f"{BUILD}/report"


@dataclass(frozen=True)
class Command:
    """A build command that is ready to become nodes."""

    root: Path
    request: Request
    catalogue: Catalogue
    plans: tuple[CellPlan, ...]
    known_skips: Mapping[str, str]
    session: Session
    words: Mapping[str, str]
    cache: CachePolicy
    expectations: Expectations
    share: Share | None = None


def plan_request(
    root: Path, arguments: Mapping[str, str]
) -> tuple[Request, Catalogue, list[PlannedCell]]:
    """Check the words and plan their cells; nothing is written but remembered documents."""
    request = parse_request(arguments)
    cache = root / YAML_CACHE
    catalogue = load_catalogue(root, cache)
    config = Path(request.config) if request.config else root / DEFAULT_CONFIG
    cells = _own_inputs(plan_cells(catalogue, load_matrix(config, cache), request), request)
    if request.gdb:
        from touchstone.debug import with_debugger

        cells = with_debugger(cells)
    if request.sim is not None:
        require(request.sim, "sim", dict(request.settings))
    for planned in cells:
        if request.command is not None and planned.cell.simulator != COMMAND:
            raise UserError(f"command={request.command}: only sim={COMMAND} runs one")
        target = planned.cell.target
        if planned.cell.simulator not in target.simulators:
            # A simulator that exists but cannot run this target is as wrong as one that does not.
            allowed = ", ".join(target.simulators)
            raise UserError(f"sim={request.sim}: found {request.sim!r}, allowed {allowed}")
    return request, catalogue, cells


def _own_inputs(cells: list[PlannedCell], request: Request) -> list[PlannedCell]:
    """The cells with the vectors that inputs= names, if it is said."""
    # Imported here, as below: few commands ask for it.
    from touchstone import own_inputs

    if request.inputs is None:
        own_inputs.refuse_without_file(cells)
        return cells
    return own_inputs.with_inputs(cells, own_inputs.read_inputs(request.inputs))


def _keep_inputs(root: Path, request: Request) -> None:
    from touchstone import own_inputs

    if request.inputs is not None:
        own_inputs.read_inputs(request.inputs).keep(root)


def prepare(root: Path, arguments: Mapping[str, str]) -> Command:
    """Everything that is known before a single node exists."""
    request, catalogue, cells = plan_request(root, arguments)
    if request.image is not None:
        _check_formats(request.image)
    if request.profile or request.trace:
        _check_observed(request, cells)
    _keep_inputs(root, request)
    if arguments.get("watch", "0") != "0":
        raise UserError("watch: allowed with ./scons only")
    if request.bench is not None:
        _bench_of(request)
    if request.only:
        cells = only_failed(cells, recall_statuses(root / REPORT / FILE))
    share = None
    if request.shard is not None:
        costs = costs_of(cells, load_costs(root, request.costs))
        cells, share = take(cells, costs, parse_shard(request.shard))
    common = common_sources(root, catalogue.support)
    return Command(
        root=root,
        request=request,
        catalogue=catalogue,
        plans=tuple(plan_graph(catalogue, cells, common)),
        known_skips=load_expected_skips(root / EXPECTED_SKIPS, root / YAML_CACHE),
        session=Session(
            verbose=request.verbose, total=sum(planned.skip is None for planned in cells)
        ),
        words=dict(arguments),
        share=share,
        cache=CachePolicy(
            root / (request.cache or f"{BUILD}/cache"), request.cache_mode, request.cache_size
        ),
        expectations=load_expectations(root / EXPECTATIONS, root / YAML_CACHE, today()),
    )


def prune_cache(command: Command, users: IO[str] | None) -> None:
    """Keep the cache within its size; only a command that made something can have made it grow."""
    if len(command.session.built) > 1:  # the gate always runs
        pruned = prune(command.cache, users)
        if pruned.entries:
            megabytes = pruned.bytes / (1 << 20)
            print(f"cache: pruned {pruned.entries} entries, {megabytes:.0f} MB", flush=True)


def _check_observed(request: Request, cells: Sequence[PlannedCell]) -> None:
    # Imported here, as below: few commands ask for it.
    from touchstone.observe import Wanted, check_selection

    wanted = Wanted(request.profile, request.trace)
    check_selection(wanted, sum(planned.skip is None for planned in cells))


def executor_of(command: Command) -> Executor | None:
    """Who simulates elsewhere, None where it is done here."""
    if command.request.executor == "local":
        return None
    # Imported here: dask is heavy, and few have it.
    from touchstone.executors.dask import connect

    running = (plan for plan in command.plans if plan.planned.skip is None)
    return connect(command.request.executor, sorted({plan.cell.simulator for plan in running}))


def programs_needed(command: Command) -> list[str]:
    """The compilers that this command calls: all must be there before anything is built."""
    firmwares = (plan.firmware.compiler for plan in command.plans if plan.planned.skip is None)
    return list(dict.fromkeys([llvm.PROGRAM, *(commands(plan).program for plan in firmwares)]))


def finish(command: Command, confirmed: Callable[[str], bool]) -> Report:
    """After the build, whatever happened in it: results.json, the table, the exit status."""
    # Imported here: nothing of the report may be needed to build.
    from touchstone import table
    from touchstone.locate import locate_faults

    session = command.session
    memory = command.root / REPORT / "last_cycles.json"
    last = recall_cycles(memory)

    def outcome_of(plan: CellPlan) -> Outcome:
        cell = plan.cell.id
        needed = prerequisites(plan) if session.failures else ()
        said = [session.failures[path] for path in needed if path in session.failures]
        stopped = session.stopped_by is not None and not said
        if session.registry.interrupted:
            said.append("interrupted")
        elif stopped:
            said.append(f"stopped at {session.stopped_by} (fail_fast=1)")
        return Outcome(
            # A failure that ended the command is a verdict all the same.
            confirmed(cell) or (session.stopped_by is not None and cell in session.checked),
            cell in session.simulated,
            said[0] if said else None,
            tuple(session.retried.get(cell, ())),
            stopped,
        )

    baselines = load_baselines(command.root, [plan.cell.target.name for plan in command.plans])
    report = collect(
        *(command.root, command.plans, outcome_of, command.known_skips, last),
        judge=command.expectations.judge,
        baselines={cell: figures.get("cycles") for cell, figures in baselines.items()},
    )
    if command.request.flaky == "fail":
        report = replace(report, problems=(*report.problems, *_flaky(report)))
    report, figures = _judge_figures(command, report, baselines)
    results = command.root / REPORT / "results.json"
    changed = write_results(results, report, _share_document(command))
    write_json(command.root / REPORT / "nodes.json", sorted(session.built))
    remember_cycles(memory, last, report)
    remember_statuses(command.root / REPORT / FILE, report)
    located = locate_faults(command.root, command.plans, report)
    rerun = {plan.cell.id: plan.cell.rerun for plan in command.plans}
    parts = [table.render_table(report), table.render_clocks(report), table.render_skips(report)]
    parts += [table.render_failures(report, located, rerun), table.render_notes(report)]
    parts += [_side_by_side(command, report), figures, table.render_summary(report)]
    print("\n\n".join(part for part in parts if part), flush=True)
    if changed or len(session.built) > 1 or not _published(command):
        _publish(command, report, located, rerun)
    if command.request.dump:
        _dump(command, confirmed)
    if command.request.gdb:
        _debug(command, confirmed)
    if command.request.image is not None:
        _write_images(command, confirmed, command.request.image)
    if command.request.profile or command.request.trace:
        _observe(command, confirmed)
    status = str(report.exit_status).encode("ascii")
    write_atomically(command.root / REPORT / "exit_status", status)
    return report


def _bench_of(request: Request) -> Bench:
    # Imported here, as below: few commands ask for it.
    from touchstone.bench.gate import parse

    return parse(request.bench or "", request.reason, request.thresholds)


def _judge_figures(
    command: Command, report: Report, baselines: Mapping[str, Mapping[str, int]]
) -> tuple[Report, str]:
    if command.request.bench is None:
        return report, ""
    from touchstone.bench.gate import judge

    stamps = command.session.stamps
    bench = _bench_of(command.request)
    return judge(command.root, bench, report, baselines, command.plans, stamps)


def _side_by_side(command: Command, report: Report) -> str:
    if command.request.compare is None:
        return ""
    from touchstone.bench.side_by_side import render

    return render(command.plans, report.results, command.request.compare)


def _flaky(report: Report) -> list[str]:
    return [
        f"{result.id}: needed {len(result.retries) + 1} attempts (flaky=fail)"
        for result in report.results
        if result.retries
    ]


def _share_document(command: Command) -> Mapping[str, Any] | None:
    return None if command.share is None else command.share.document()


def _published(command: Command) -> bool:
    """Whether the reports of these very results are there: they say when cells really ran."""
    if "GITHUB_STEP_SUMMARY" in os.environ:
        return False
    names = ("details.json", "provenance.json", "junit.xml", "report.md", "report.html")
    folder = command.root / REPORT
    results = (folder / "results.json").stat().st_mtime_ns
    try:
        return all((folder / name).stat().st_mtime_ns >= results for name in names)
    except OSError:
        return False


def _publish(
    command: Command,
    report: Report,
    located: Mapping[str, Mapping[str, Any]],
    rerun: Mapping[str, str],
) -> None:
    # Imported here: nothing of a report may be needed to build.
    from touchstone.ci.costs import executed, record_costs
    from touchstone.reports import publish
    from touchstone.reports.details import details_of
    from touchstone.reports.provenance import provenance_of

    root, plans = command.root, command.plans
    details = details_of(root, plans, report, located, rerun)
    provenance = provenance_of(root, command.words, plans, report.verdicts, command.session)
    share = _share_document(command)
    publish.publish(root / REPORT, publish.Publication(report, details, provenance, share))
    simulated = [plan.planned for plan in plans if plan.cell.id in command.session.simulated]
    record_costs(root / REPORT / "costs.json", executed(root, simulated))


def _dump(command: Command, confirmed: Callable[[str], bool]) -> None:
    # Imported here: few commands ask for it.
    from touchstone.dump import dump_cell

    for plan in command.plans:
        if plan.planned.skip is None and confirmed(plan.cell.id):
            folder = dump_cell(command.root, plan)
            print(f"dumped {plan.cell.id} to {folder.relative_to(command.root)}")


def _debug(command: Command, confirmed: Callable[[str], bool]) -> None:
    from touchstone.debug import debug

    for plan in command.plans:
        if plan.planned.skip is None and confirmed(plan.cell.id):
            debug(command.root, plan)


def _check_formats(formats: str) -> None:
    from touchstone.flash import parse_formats

    parse_formats(formats)


def _write_images(command: Command, confirmed: Callable[[str], bool], formats: str) -> None:
    from touchstone.flash import parse_formats, write_images

    for plan in command.plans:
        if plan.planned.skip is None and confirmed(plan.cell.id):
            for path in write_images(command.root, plan, parse_formats(formats)):
                print(f"image of {plan.cell.id}: {path.relative_to(command.root)}")


def _observe(command: Command, confirmed: Callable[[str], bool]) -> None:
    from touchstone.observe import Wanted, observe_cells

    plans = [
        plan for plan in command.plans if plan.planned.skip is None and confirmed(plan.cell.id)
    ]
    wanted = Wanted(command.request.profile, command.request.trace)
    for text in observe_cells(command.root, plans, wanted, command.session.registry):
        print(f"\n{text}", flush=True)


def finish_or_die(
    command: Command,
    confirmed: Callable[[str], bool],
    users: IO[str] | None = None,
    remember: Callable[[], None] = lambda: None,
    lock: IO[str] | None = None,
) -> None:
    """`finish` for an exit hook, with the exit status that the report asks for.

    `users` is the cache's lock; the cache is pruned last. `remember` is called when all is well
    enough that there is a report. `lock` is that of the build.

    An exit hook can neither raise nor return a status: Python would print and end with 0.
    """
    status = 2
    try:
        status = finish(command, confirmed).exit_status
        remember()
        prune_cache(command, users)
        ended(lock)
    except BaseException:
        traceback.print_exc()
    if status != 0:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def processors() -> int:
    """How many jobs at once: the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
