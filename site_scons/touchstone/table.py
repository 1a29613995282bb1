# SPDX-License-Identifier: Apache-2.0
"""The table on the terminal, the failing cells below it, one line that sums up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tabulate import tabulate

from touchstone.results import FINE, CellResult, Report

HEADERS = (
    "cell",
    "status",
    "cycles",
    "change",
    "MAC/cycle",
    "of peak",
    "code B",
    "activation B",
    "stack B",
)
FLASH_WAIT = "flash_wait_states"
ALIGNMENT = ("left", "left", *["right"] * (len(HEADERS) - 2))


def render_table(report: Report) -> str:
    """One line a cell."""
    rows, headers, alignment = columns(report.results)
    return tabulate(rows, headers, tablefmt="simple", colalign=alignment, disable_numparse=True)


def columns(results: Sequence[CellResult]) -> tuple[list[list[str]], list[str], list[str]]:
    """Rows, headers and alignments; a column of instructions only where a simulator counts no
    cycles."""
    rows = [_row(result) for result in results]
    headers, alignment = [*HEADERS], [*ALIGNMENT]
    if any(result.baseline_cycles is not None for result in results):
        at = HEADERS.index("change") + 1
        headers.insert(at, "to baseline")
        alignment.insert(at, "right")
        for row, result in zip(rows, results, strict=True):
            row.insert(at, _difference(result.cycles, result.baseline_cycles))
    if any(_only_instructions(result) for result in results):
        at = HEADERS.index("change")
        headers.insert(at, "instructions")
        alignment.insert(at, "right")
        for row, result in zip(rows, results, strict=True):
            row.insert(at, _number(result.instructions))
    return rows, headers, alignment


def _only_instructions(result: CellResult) -> bool:
    return result.cycles is None and result.instructions is not None


def _row(result: CellResult) -> list[str]:
    status = result.status + (" (cached)" if result.cached else "")
    status += " (flaky)" if result.retries else ""
    return [
        result.id,
        status,
        _number(result.cycles),
        _change(result),
        _rate(result),
        "" if result.peak_share is None else f"{100 * result.peak_share:.1f} %",
        _number(result.code_bytes),
        _number(result.activation_bytes),
        _number(result.stack_bytes),
    ]


def _rate(result: CellResult) -> str:
    """MAC per cycle; cycles per element where a kernel has no MACs."""
    if result.mac_per_cycle is not None:
        return f"{result.mac_per_cycle:.3f}"
    if result.cycles_per_element is not None:
        return f"({result.cycles_per_element:.2f} c/el)"
    return ""


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}".replace(",", " ")


def _change(result: CellResult) -> str:
    if result.delta_cycles is None or result.cycles is None:
        return ""
    return _difference(result.cycles, result.cycles - result.delta_cycles)


def _difference(now: int | None, before: int | None) -> str:
    """What was added since `before`, in numbers and percent; nothing where nothing was."""
    if now is None or before is None or now == before:
        return ""
    share = f" ({100 * (now - before) / before:+.1f} %)" if before else ""
    return f"{'+' if now > before else '-'}{_number(abs(now - before))}{share}"


def render_clocks(report: Report) -> str:
    """What the counts are: nobody shall take a model for a measurement."""
    lines = set()
    for result in report.results:
        if result.cycles is not None or result.instructions is not None:
            what = "instructions" if _only_instructions(result) else "cycles"
            settings = ", ".join(_settings_that_count(result.settings))
            how = f" ({settings})" if settings else ""
            lines.add(f"{what} of {result.simulator}{how}: {result.clock}")
    return "\n".join(sorted(lines))


_PLAIN = (("over_reads", "allow"), ("barrier_skew", "0"), ("weights", "near"))


def _settings_that_count(settings: Mapping[str, object]) -> list[str]:
    """The settings as words, without those that change no count."""
    words = []
    for name, value in sorted(settings.items()):
        if name == FLASH_WAIT and str(value) == "0":
            words.append("zero-wait memory")
        elif (name, str(value)) not in _PLAIN and not (
            name.startswith("flash_") and str(settings.get(FLASH_WAIT)) == "0"
        ):
            words.append(f"{name} {value}")
    return words


def render_summary(report: Report) -> str:
    """One line: how many of each, and how many came from what was known."""
    counts = report.summary
    named = [
        f"{counts[status]} {status}" for status in counts if status.isupper() and counts[status]
    ]
    text = f"{counts['cells']} cells: {', '.join(named) or 'none'}"
    if counts["cached"]:
        text += f" ({counts['cached']} cached)"
    if not counts["ran_or_cached"]:
        text += "; nothing ran: a failure"
    return text


def render_skips(report: Report) -> str:
    """Why cells were skipped, and which of them nobody has committed to."""
    lines = []
    for result in report.results:
        if result.status == "SKIP":
            unexpected = result.id in report.unexpected_skips
            note = "; not in configs/expected_skips.yaml: a failure" if unexpected else ""
            lines.append(f"SKIP {result.id}: {result.reason}{note}")
    return "\n".join(lines)


def render_notes(report: Report) -> str:
    """Failures that are none because somebody said so, retries, and what else is wrong."""
    lines = []
    for result in report.results:
        if result.status in ("XFAIL", "QUARANTINED"):
            lines.append(f"{result.status} {result.id}: {result.reason}")
        lines += [f"flaky {result.id}: {reason}" for reason in result.retries]
    lines += [f"FAILURE {problem}" for problem in report.problems]
    return "\n".join(lines)


def render_failures(
    report: Report, verdicts: Mapping[str, Mapping[str, Any]], rerun: Mapping[str, str]
) -> str:
    """Each failing cell with where it is wrong, its log and how to run just it again."""
    blocks = [
        "\n".join(_failure(result, verdicts[result.id], rerun[result.id]))
        for result in report.results
        if result.status not in (*FINE, "NOT_RUN")
    ]
    return "\n\n".join(blocks)


def _failure(result: CellResult, verdict: Mapping[str, Any], rerun: str) -> Iterable[str]:
    yield f"{result.status} {result.id}: {result.reason}"
    for difference in verdict.get("differences", ()):
        yield f"  {difference['case']}: {difference['count']} of {difference['total']} wrong"
        for name in ("first", "worst"):
            yield f"    {name} at {_mismatch(difference[name])}"
        sizes = ", ".join(f"{label}: {n}" for label, n in difference["histogram"])
        yield f"    errors by size in LSB  {sizes}"
    if verdict.get("location"):
        yield f"  at {verdict['location']}"
    if result.status != "BUILD_ERROR":
        yield f"  log    build/cells/{result.id}/log.txt"
    yield f"  rerun  {rerun}"


def _mismatch(mismatch: Mapping[str, Any]) -> str:
    where = ", ".join(f"{axis} {index}" for axis, index in mismatch["position"])
    return f"({where}): expected {mismatch['expected']}, found {mismatch['found']}"
