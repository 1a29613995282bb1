# SPDX-License-Identifier: Apache-2.0
"""bench=check, bench=accept, bench=record: what a command does with its figures.

check   regressions, cells without a baseline and what the planner recorded of other cycles make
        the command fail; improvements are shown
accept  writes the baselines of the selected cells and what the planner recorded of them; needs
        reason=
record  neither; as the two others it adds the figures to the history
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from touchstone.bench import baselines, history
from touchstone.bench.fingerprints import made_with
from touchstone.errors import UserError
from touchstone.files import read_json
from touchstone.graph import CellPlan
from touchstone.planner import recorded
from touchstone.results import CellResult, Report

MODES = ("check", "accept", "record")
MAX_NAMED = 5


@dataclass(frozen=True)
class Bench:
    """What the command line says about figures; `thresholds` are in percent by metric."""

    mode: str
    reason: str | None
    thresholds: Mapping[str, float]


def parse(mode: str, reason: str | None, thresholds: Sequence[tuple[str, str]]) -> Bench:
    """Checked before anything is built; UserError with one line."""
    if mode == "accept" and not (reason or "").strip():
        raise UserError("bench=accept: found no reason=, allowed a reason='why they changed'")
    return Bench(mode, reason, baselines.parse_thresholds(thresholds))


def judge(
    root: Path,
    bench: Bench,
    report: Report,
    known: Mapping[str, baselines.Figures],
    plans: Sequence[CellPlan],
    stamps: Mapping[str, str],
) -> tuple[Report, str]:
    """The report with what bench= finds wrong, and the text that says what changed."""
    found = baselines.changes(report.results, known, bench.thresholds)
    better = [change for change in found if not change.worse]
    worse = [change for change in found if change.worse]
    passed = [result for result in report.results if result.status == "PASS"]
    _record(root, passed)
    lines = [f"bench {'worse' if change.worse else 'better'} {change}" for change in found]
    if bench.mode == "accept":
        return report, "\n".join([*lines, *_accept(root, bench, report, plans, stamps)])
    if bench.mode == "record":
        return report, "\n".join(lines)
    problems = [f"bench: {change}" for change in worse]
    missing = [result.id for result in passed if result.id not in known]
    if missing:
        more = f" (+{len(missing) - 1} more)" if len(missing) > 1 else ""
        problems.append(
            f"bench: no baseline of {missing[0]}{more}; bench=accept reason=... adds it"
        )
    stale = recorded.stale(root, _cycles(passed))
    if stale is not None:
        problems.append(f"bench: {stale}")
    lines = [f"bench better {change}" for change in better]
    if better:
        lines.append("bench: accept what got better with bench=accept reason=...")
    if problems:
        lines += _other_tools(root, passed, plans, stamps)
    return replace(report, problems=(*report.problems, *problems)), "\n".join(lines)


def _accept(
    root: Path, bench: Bench, report: Report, plans: Sequence[CellPlan], stamps: Mapping[str, str]
) -> list[str]:
    """Nothing is accepted of a command that failed: figures of wrong kernels mean nothing."""
    if report.exit_status != 0:
        return ["bench: nothing accepted: the command failed"]
    tools = made_with(root, plans, stamps)
    paths = baselines.accept(root, report.results, tools, bench.reason or "")
    names = ", ".join(path.relative_to(root).as_posix() for path in paths)
    moved = recorded.move(root, _cycles(report.results))
    if moved:
        names = ", ".join(filter(None, [names, f"{recorded.FILE} ({moved} cells)"]))
    return [f"bench: wrote {names}" if names else "bench: the baselines are what they were"]


def _cycles(results: Iterable[CellResult]) -> dict[str, int]:
    return {result.id: result.cycles for result in results if result.cycles is not None}


def _record(root: Path, passed: Sequence[CellResult]) -> None:
    commit = history.current_commit(root)
    if commit is not None and passed:
        cells = {result.id: baselines.figures_of(result) for result in passed}
        history.append(root / history.FILE, commit, cells)


def _other_tools(
    root: Path,
    passed: Sequence[CellResult],
    plans: Sequence[CellPlan],
    stamps: Mapping[str, str],
) -> list[str]:
    """Where the tools are not those of the baseline, that may be all that changed."""
    now = made_with(root, plans, stamps)
    lines = []
    for target in dict.fromkeys(result.target for result in passed):
        document = read_json(baselines.path_of(root, target))
        then = document.get("made_with", {}) if isinstance(document, dict) else {}
        for tool, what in now.get(target, {}).items():
            if tool in then and then[tool] != what:
                lines.append(f"bench: {target}: {tool} is {what}, the baseline's was {then[tool]}")
    return lines
