# SPDX-License-Identifier: Apache-2.0
"""Figures by commit: one JSON line a command with bench=, in build/history.jsonl.

The file is only ever appended to, can be copied out of a CI job and put together with others of its
kind; a later line for the same commit and cell takes the place of an earlier one. Times are those
of commits, so that the same checkout makes the same line wherever and whenever it is measured.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.files import canonical_json
from touchstone.textfile import shown

FILE = "build/history.jsonl"
GIT_SECONDS = 10.0


@dataclass(frozen=True)
class Commit:
    """Where figures were measured; `time` is the commit's own, in seconds since 1970."""

    name: str
    time: int
    dirty: bool

    @property
    def label(self) -> str:
        """As a chart shows it."""
        return self.name[:9] + ("+" if self.dirty else "")


@dataclass(frozen=True)
class Point:
    """One cell's figures at one commit."""

    commit: Commit
    figures: Mapping[str, int]


def current_commit(root: Path) -> Commit | None:
    """The checkout's commit, None outside a repository."""
    shown_commit = _git(root, "show", "-s", "--format=%H %ct", "HEAD")
    if shown_commit is None:
        return None
    name, _, seconds = shown_commit.strip().partition(" ")
    status = _git(root, "status", "--porcelain", "--untracked-files=no")
    return Commit(name, int(seconds), bool(status and status.strip()))


def _git(root: Path, *words: str) -> str | None:
    try:
        ended = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, timeout=GIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout if ended.returncode == 0 else None


def append(path: Path, commit: Commit, cells: Mapping[str, Mapping[str, int]]) -> None:
    """Add one command's figures; whole lines only, whatever else writes at the same time."""
    document = {
        "commit": commit.name,
        "time": commit.time,
        "dirty": commit.dirty,
        "cells": {cell: dict(figures) for cell, figures in cells.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(canonical_json(document).encode("ascii") + b"\n")


def read(paths: Sequence[Path]) -> dict[str, list[Point]]:
    """Every cell's points in the order of commits.

    A line that a killed command left unfinished is passed over; any other that is no line of ours
    is a UserError.
    """
    found: dict[str, dict[tuple[str, bool], Point]] = {}
    for path in paths:
        for number, line in _lines(path):
            for cell, point in _points(path, number, line):
                found.setdefault(cell, {})[point.commit.name, point.commit.dirty] = point
    return {
        cell: sorted(points.values(), key=lambda point: (point.commit.time, point.commit.dirty))
        for cell, points in sorted(found.items())
    }


def _lines(path: Path) -> Iterable[tuple[int, bytes]]:
    try:
        data = path.read_bytes()
    except OSError:
        raise UserError(
            f"{shown(path)}: found no history; a command with bench= starts one"
        ) from None
    whole, _, _ = data.rpartition(b"\n")
    return enumerate(whole.splitlines(), 1)


def _points(path: Path, number: int, line: bytes) -> list[tuple[str, Point]]:
    try:
        document: dict[str, Any] = json.loads(line)
        commit = Commit(str(document["commit"]), int(document["time"]), bool(document["dirty"]))
        return [
            (str(cell), Point(commit, {str(name): int(value) for name, value in figures.items()}))
            for cell, figures in document["cells"].items()
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{shown(path)}:{number}: found no line of a history") from None
