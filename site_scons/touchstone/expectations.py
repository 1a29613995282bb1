# SPDX-License-Identifier: Apache-2.0
"""Cells that are known to fail, and cells that are not trusted: each with a reason and an expiry.

    schema: 1
    expected_failures:
      - {cell: gap9/fwsa.next/*, status: FAIL, reason: "rounds half up", expires: 2027-01-31}
    quarantine:
      - {cell: "*/gvsoc", reason: "dies now and then on the build server", expires: 2027-01-31}

A cell that fails as expected is XFAIL; one that passes though it is expected to fail is XPASS, an
error: the entry has to go. A quarantined cell runs and is shown, but QUARANTINED is no failure.
From the day of its expiry on an entry means nothing: its cells fail again.

Only reports look at the day, never a build: nothing that is built, simulated or cached depends on
it. SOURCE_DATE_EPOCH, if set, is the day.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.schema import load_validated
from touchstone.textfile import shown

FAILURES = ("FAIL", "TIMEOUT", "CRASH", "NO_OUTPUT", "BUILD_ERROR")


@dataclass(frozen=True)
class Entry:
    """What is said of the cells whose id matches `cell`; `status` None: whatever failure."""

    cell: str
    status: str | None
    reason: str
    expires: str
    where: str


@dataclass(frozen=True)
class Expectations:
    """The entries of one file, and the day that expiries are compared with (YYYY-MM-DD)."""

    expected: tuple[Entry, ...] = ()
    quarantined: tuple[Entry, ...] = ()
    day: str = ""

    def judge(self, cell: str, verdict: Mapping[str, Any]) -> Mapping[str, Any]:
        """The verdict as it counts: with another status and reason where an entry is about it."""
        expected = _find(self.expected, cell)
        quarantined = _find(self.quarantined, cell)
        entry = expected or quarantined
        status = verdict["status"]
        if entry is None or status not in (*FAILURES, "PASS"):
            return verdict
        if entry.expires <= self.day:
            return _expired(verdict, entry)
        if expected is not None:
            return _expected(verdict, expected)
        if status == "PASS":
            return verdict
        reason = f"quarantined ({entry.reason}): {status} {verdict.get('reason') or ''}".rstrip()
        return {**verdict, "status": "QUARANTINED", "reason": reason}


def _find(entries: Sequence[Entry], cell: str) -> Entry | None:
    return next((entry for entry in entries if fnmatchcase(cell, entry.cell)), None)


def _expected(verdict: Mapping[str, Any], entry: Entry) -> Mapping[str, Any]:
    status = verdict["status"]
    if status == "PASS":
        reason = f"passes, but {entry.where} expects a failure: {entry.reason}"
        return {**verdict, "status": "XPASS", "reason": reason}
    if entry.status is not None and status != entry.status:
        reason = f"{verdict.get('reason') or ''} ({entry.where} expects {entry.status})".lstrip()
        return {**verdict, "reason": reason}
    reason = f"expected ({entry.reason}): {status} {verdict.get('reason') or ''}".rstrip()
    return {**verdict, "status": "XFAIL", "reason": reason}


def _expired(verdict: Mapping[str, Any], entry: Entry) -> Mapping[str, Any]:
    if verdict["status"] == "PASS":
        return verdict
    reason = f"{verdict.get('reason') or ''} ({entry.where} expired on {entry.expires})".lstrip()
    return {**verdict, "reason": reason}


def today(environment: Mapping[str, str] = os.environ) -> str:
    """The day, UTC, as YYYY-MM-DD; that of SOURCE_DATE_EPOCH where it is set."""
    said = environment.get("SOURCE_DATE_EPOCH")
    seconds = int(said) if said and said.isdigit() else time.time()
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def load_expectations(path: Path, cache: Path, day: str) -> Expectations:
    """The file's entries; UserError where it is wrong. No file: no entries."""
    if not path.is_file():
        return Expectations()
    document = load_validated(path, "expectations", cache)
    return Expectations(
        _entries(document, "expected_failures", path), _entries(document, "quarantine", path), day
    )


def _entries(document: Mapping[str, Any], key: str, path: Path) -> tuple[Entry, ...]:
    entries = []
    for index, raw in enumerate(document.get(key, ())):
        where = f"{shown(path)}: {key}[{index}]"
        _check_day(raw["expires"], f"{where}.expires")
        entries.append(Entry(raw["cell"], raw.get("status"), raw["reason"], raw["expires"], where))
    return tuple(entries)


def _check_day(text: str, where: str) -> None:
    try:
        time.strptime(text, "%Y-%m-%d")
    except ValueError:
        raise UserError(f"{where}: found {text!r}, allowed a day such as 2027-01-31") from None
