# SPDX-License-Identifier: Apache-2.0
"""Expected failures and quarantine: what a verdict counts as, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from touchstone.errors import UserError
from touchstone.expectations import Expectations, load_expectations, today
from touchstone.results import FINE

CELL = "gap9/fwsa/S4-E32-P32-H8/c8"
FILE = """\
schema: 1
expected_failures:
  - {cell: "gap9/fwsa/*", status: FAIL, reason: rounds half up, expires: 2027-01-31}
quarantine:
  - {cell: "*/gvsoc", reason: dies now and then, expires: 2027-01-31}
"""


def loaded(tmp_path: Path, text: str = FILE, day: str = "2026-12-01") -> Expectations:
    path = tmp_path / "expectations.yaml"
    path.write_text(text)
    return load_expectations(path, tmp_path / "cache", day)


def judged(
    expectations: Expectations, status: str, cell: str = CELL, reason: str = "why"
) -> tuple[str, str]:
    verdict: Mapping[str, str] = {"status": status, "reason": reason, "log": "kept"}
    counted = expectations.judge(cell, verdict)
    assert counted["log"] == "kept"
    return counted["status"], counted["reason"]


def test_an_expected_failure_is_none(tmp_path: Path) -> None:
    status, reason = judged(loaded(tmp_path), "FAIL")
    assert (status, reason) == ("XFAIL", "expected (rounds half up): FAIL why")
    assert status in FINE


def test_an_expected_failure_that_passes_is_an_error(tmp_path: Path) -> None:
    status, reason = judged(loaded(tmp_path), "PASS", reason="")
    assert status == "XPASS"
    assert status not in FINE
    assert reason.endswith(
        "expectations.yaml: expected_failures[0] expects a failure: rounds half up"
    )


@pytest.mark.parametrize("status", ["TIMEOUT", "CRASH", "NO_OUTPUT", "BUILD_ERROR"])
def test_another_failure_than_the_expected_one_counts(tmp_path: Path, status: str) -> None:
    counted, reason = judged(loaded(tmp_path), status)
    assert counted == status
    assert "why (" in reason and "expects FAIL)" in reason


def test_quarantine_hides_no_status(tmp_path: Path) -> None:
    cell = f"{CELL.replace('fwsa', 'mhsa')}/gvsoc"
    expectations = loaded(tmp_path)
    status, reason = judged(expectations, "CRASH", cell)
    assert (status, reason) == ("QUARANTINED", "quarantined (dies now and then): CRASH why")
    assert judged(expectations, "PASS", cell, "") == ("PASS", "")


@pytest.mark.parametrize("status", ["SKIP", "NOT_RUN"])
def test_what_did_not_run_is_not_judged(tmp_path: Path, status: str) -> None:
    assert judged(loaded(tmp_path), status) == (status, "why")


def test_other_cells_are_what_they_are(tmp_path: Path) -> None:
    assert judged(loaded(tmp_path), "FAIL", "stm32l4/fwsa/S4/c1") == ("FAIL", "why")


@pytest.mark.parametrize(("day", "counts"), [("2027-01-30", True), ("2027-01-31", False)])
def test_entries_expire(tmp_path: Path, day: str, counts: bool) -> None:
    expectations = loaded(tmp_path, day=day)
    status, reason = judged(expectations, "FAIL")
    assert (status == "XFAIL") == counts
    assert ("expired on 2027-01-31" in reason) == (not counts)
    assert judged(expectations, "PASS")[0] == ("XPASS" if counts else "PASS")


def test_the_day_can_be_said() -> None:
    assert today({"SOURCE_DATE_EPOCH": "86400"}) == "1970-01-02"
    assert today({}) > "2025-01-01"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("status: FAIL", "status: PASS", "found 'PASS', allowed"),
        (", expires: 2027-01-31}", "}", "'expires' is missing"),
        ("2027-01-31}\nq", "2027-02-31}\nq", r"expected_failures\[0\].expires: found '2027-02-31'"),
        ("reason: rounds half up, ", "", "'reason' is missing"),
        ("reason:", "reasn:", "did you mean reason"),
    ],
)
def test_bad_entries_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in FILE
    with pytest.raises(UserError, match=message):
        loaded(tmp_path, FILE.replace(old, new, 1))


def test_no_file_expects_nothing(tmp_path: Path) -> None:
    nothing = load_expectations(tmp_path / "none.yaml", tmp_path, "2026-12-01")
    assert judged(nothing, "FAIL") == ("FAIL", "why")
