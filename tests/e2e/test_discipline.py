# SPDX-License-Identifier: Apache-2.0
"""What a status counts as: expected failures, quarantine, retries, only=failed, fail_fast."""

from __future__ import annotations

from pathlib import Path

import pytest
from project import CELLS, GAP9, Project, both
from states import SOFTMAX_GAP9, SOFTMAX_M4, all_pass, break_row_function, others_pass

EXPECTATIONS = "configs/expectations.yaml"
SOURCE = "site_scons/touchstone/simulators/xpulp/main.c"


def expect(project: Project, cell: str, expires: str = "2999-01-01") -> None:
    entry = f"[{{cell: '{cell}', status: FAIL, reason: known, expires: {expires}}}]"
    project.replace(EXPECTATIONS, "expected_failures: []", f"expected_failures: {entry}")


def test_expected_failure(project: Project) -> None:
    break_row_function(project)
    expect(project, SOFTMAX_M4)
    ended = project.run()
    assert ended.status == 0, ended.output + ended.error
    assert ended.statuses[SOFTMAX_M4] == "XFAIL"
    assert others_pass(ended, SOFTMAX_M4)
    assert f"XFAIL {SOFTMAX_M4}: expected (known): FAIL " in ended.output
    assert "6 PASS, 1 XFAIL" in ended.output
    # An entry that is no longer true is a failure, and so is one that is out of date.
    project.replace(EXPECTATIONS, "2999", "2001")
    ended = project.run()
    assert ended.status != 0
    assert ended.statuses[SOFTMAX_M4] == "FAIL"
    assert "expired on 2001-01-01" in ended.cells[SOFTMAX_M4]["reason"]
    assert "simulate" not in ended.built


def test_expected_failure_that_passes(project: Project) -> None:
    expect(project, "stm32l4/softmax/*")
    ended = project.run()
    assert ended.status != 0
    assert ended.statuses[SOFTMAX_M4] == "XPASS"
    assert ended.built == both(), "what is expected rebuilds nothing"


def test_quarantine(project: Project) -> None:
    break_row_function(project)
    entry = f"[{{cell: '{SOFTMAX_M4}', reason: unsure, expires: 2999-01-01}}]"
    project.replace(EXPECTATIONS, "quarantine: []", f"quarantine: {entry}")
    ended = project.run()
    assert ended.status == 0
    assert ended.statuses[SOFTMAX_M4] == "QUARANTINED"
    assert f"QUARANTINED {SOFTMAX_M4}: quarantined (unsure): FAIL" in ended.output


def test_bad_expectations(project: Project) -> None:
    expect(project, SOFTMAX_M4, "soon")
    before = project.snapshot()
    ended = project.run()
    assert ended.status == 2
    assert "expectations.yaml: expected_failures[0].expires: found 'soon'" in ended.error
    assert project.snapshot() == before


def test_only_failed(project: Project) -> None:
    ended = project.run("only=failed")
    assert ended.status == 2
    assert (
        ended.error
        == "touchstone: only=failed: found no selected cell that failed when it last ran\n"
    )
    break_row_function(project)
    assert project.run().status != 0
    assert project.run("target=gap9").status == 0, "another selection forgets nothing"
    ended = project.run("only=failed")
    assert ended.statuses == {SOFTMAX_M4: "FAIL"}
    project.replace(
        "kernels/include/ts_softmax_armv7em.h",
        "for (; i <= n; i++) {\n        const uint32_t t = entries",
        "for (; i < n; i++) {\n        const uint32_t t = entries",
    )
    ended = project.run("only=failed")
    assert ended.status == 0
    assert ended.statuses == {SOFTMAX_M4: "PASS"}
    assert project.run("only=failed").status == 2


def test_fail_fast(project: Project) -> None:
    break_row_function(project)
    ended = project.run("fail_fast=1", "-j1", "seed=7")
    assert ended.status != 0
    failed = [cell for cell, status in ended.statuses.items() if status == "FAIL"]
    left = [cell for cell, status in ended.statuses.items() if status == "NOT_RUN"]
    assert failed == [f"{SOFTMAX_M4}/seed7"]
    passed = len(CELLS) - len(failed) - len(left)
    assert ended.cells[failed[0]]["reason"].startswith("random: ")
    assert all(
        ended.cells[cell]["reason"] == f"stopped at {failed[0]} (fail_fast=1)" for cell in left
    )
    words = f"{passed} PASS, 1 FAIL" + (f", {len(left)} NOT_RUN" if left else "")
    assert words in ended.output
    assert all_but(project, failed[0])


def test_fail_fast_stops_at_what_cannot_be_built(project: Project) -> None:
    project.prepend("kernels/gelu/portable.c", "no C\n")
    ended = project.run("fail_fast=1", "-j1", "seed=7")
    assert ended.status != 0
    assert "BUILD_ERROR" in ended.statuses.values()
    assert "NOT_RUN" in ended.statuses.values()
    assert set(ended.statuses.values()) <= {"BUILD_ERROR", "NOT_RUN", "PASS"}


def all_but(project: Project, cell: str) -> bool:
    """Whether the next command without fail_fast=1 does the rest."""
    ended = project.run("seed=7")
    bad = {name for name, status in ended.statuses.items() if status != "PASS"}
    return bad == {cell} and len(ended.cells) == len(CELLS)


def dies_once(project: Project, flag: Path, times: int = 1) -> None:
    """The simulator is killed in its first runs: each takes one of the flags away."""
    for number in range(times):
        Path(f"{flag}{number}").write_text("")
    taken = "".join(
        f'    if (remove("{flag}{number}") == 0)\n        abort();\n' for number in range(times)
    )
    place = "    sim *s = calloc("
    project.replace(SOURCE, place, taken + place)


def test_infrastructure_errors_are_tried_again(project: Project, tmp_path: Path) -> None:
    dies_once(project, tmp_path / "flag")
    ended = project.run("-j1")
    assert all_pass(ended), ended.output + ended.error
    (flaky,) = (cell for cell, row in ended.cells.items() if row["retries"])
    assert ended.cells[flaky]["retries"] == ["the simulator was killed by signal 6"]
    assert f"retry {flaky}: the simulator was killed by signal 6" in ended.output
    assert f"flaky {flaky}: the simulator was killed by signal 6" in ended.output
    assert [row[1] for row in ended.table if row[0] == flaky] == ["PASS (flaky)"]


def test_flakiness_can_be_a_failure(project: Project, tmp_path: Path) -> None:
    dies_once(project, tmp_path / "flag")
    ended = project.run("-j1", "flaky=fail")
    assert ended.status != 0
    assert set(ended.statuses.values()) == {"PASS"}
    assert "needed 2 attempts (flaky=fail)" in ended.output


@pytest.mark.nightly
@pytest.mark.parametrize(("retries", "status"), [(0, "CRASH"), (1, "CRASH"), (2, "PASS")])
def test_retries_are_bounded(project: Project, tmp_path: Path, retries: int, status: str) -> None:
    dies_once(project, tmp_path / "flag", 2)
    ended = project.run("-j1", f"retries={retries}", f"cell={SOFTMAX_GAP9}")
    assert ended.statuses == {SOFTMAX_GAP9: status}
    assert len(ended.cells[SOFTMAX_GAP9]["retries"]) == retries


def test_wrong_outputs_are_never_tried_again(project: Project) -> None:
    project.replace(
        "kernels/gelu/portable.c", "    (void)scratch;\n", "    (void)scratch;\n    return;\n"
    )
    ended = project.run("retries=3", "target=gap9")
    assert "FAIL" in {ended.statuses[cell] for cell in GAP9}
    assert not [row for row in ended.cells.values() if row["retries"]]
    assert "retry" not in ended.output
