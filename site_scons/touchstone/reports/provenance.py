# SPDX-License-Identifier: Apache-2.0
"""provenance.json: where results come from and what they took. Nothing reads it to decide.

Fingerprints and flags of toolchains, fingerprints of simulators, git's state, the machine, and when
each stage ran. Everything that differs between two runs of the same inputs is here and only here.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from touchstone.graph import BUILD, CellPlan
from touchstone.nodes import commands, compile_words, link_words
from touchstone.session import Session, Span
from touchstone.simulators.registry import EMBEDDED, external_of, find_external

SCHEMA = 1
GIT_SECONDS = 10.0
CELL_STAGES = ("simulate", "check")


def provenance_of(
    root: Path,
    words: Mapping[str, str],
    plans: Sequence[CellPlan],
    verdicts: Mapping[str, Mapping[str, Any]],
    session: Session,
) -> dict[str, Any]:
    """The document for provenance.json."""
    running = [plan for plan in plans if plan.planned.skip is None]
    return {
        "schema": SCHEMA,
        "command": [f"{key}={value}" for key, value in words.items()],
        "git": git_state(root),
        "host": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "python": platform.python_version(),
            "processors": os.cpu_count(),
        },
        "started": datetime.fromtimestamp(session.started, timezone.utc).isoformat("T", "seconds"),
        "seconds": round(session.elapsed(), 3),
        "toolchains": _toolchains(running),
        "simulators": _simulators(running),
        "stamps": dict(sorted(session.stamps.items())),
        "cells": _cells(running, verdicts, session.spans),
        "timeline": [
            [span.stage, span.node, span.lane, round(span.start, 3), round(span.seconds, 3)]
            for span in sorted(session.spans, key=lambda span: (span.start, span.node))
        ],
    }


def git_state(root: Path) -> dict[str, Any] | None:
    """The commit and whether files differ from it; None outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        ended = subprocess.run(
            command, cwd=root, capture_output=True, text=True, timeout=GIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    commit, _, dirty = ended.stdout.strip().partition("-")
    return {"commit": commit, "dirty": bool(dirty)} if ended.returncode == 0 else None


def _toolchains(plans: Iterable[CellPlan]) -> dict[str, Any]:
    """The words of each set of flags, by the folder of what it makes."""
    found: dict[str, Any] = {}
    for plan in plans:
        compiler = plan.firmware.compiler
        if compiler.directory not in found:
            found[compiler.directory] = {
                "program": commands(compiler).program,
                "compile": compile_words(plan.firmware.objects[0]),
                "link": [*link_words(plan.firmware)[0], *link_words(plan.firmware)[1]],
            }
    return found


def _simulators(plans: Iterable[CellPlan]) -> dict[str, Any]:
    """Each simulator and the program that it is."""
    found: dict[str, Any] = {}
    for plan in plans:
        name = plan.cell.simulator
        if name in EMBEDDED:
            found[name] = {"program": f"{BUILD}/simulators/{EMBEDDED[name].program}"}
        else:
            external = external_of(name, dict(plan.cell.settings))
            found[external.name] = {
                "program": find_external(external) if external.program else None
            }
    return dict(sorted(found.items()))


def _cells(
    plans: Iterable[CellPlan], verdicts: Mapping[str, Mapping[str, Any]], spans: Sequence[Span]
) -> dict[str, Any]:
    """Each cell's image, by the hash of firmware and job, and what its stages took."""
    taken = stage_seconds(spans)
    return {
        plan.cell.id: {
            "image": verdicts.get(plan.cell.id, {}).get("run_id"),
            "toolchain": plan.firmware.compiler.directory,
            **{
                f"{stage}_seconds": round(taken[stage, node], 3) if (stage, node) in taken else None
                for stage, node in (("simulate", plan.run), ("check", plan.verdict))
            },
        }
        for plan in plans
    }


def stage_seconds(spans: Iterable[Span]) -> dict[tuple[str, str], float]:
    """What each node's action took, by (stage, node)."""
    return {(span.stage, span.node): span.seconds for span in spans}


def seconds_by_cell(document: Mapping[str, Any], stages: Sequence[str]) -> dict[str, float]:
    """What the stages named took for each cell, from a provenance document; known ones only."""
    found: dict[str, float] = {}
    for entry in documents(document):
        for cell, known in entry.get("cells", {}).items():
            taken = [known.get(f"{stage}_seconds") for stage in stages]
            numbers = [value for value in taken if isinstance(value, (int, float))]
            if numbers:
                found[cell] = sum(numbers)
    return found


def documents(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """One command's document; those of all shards, if it is that of a merge."""
    return list(document["shards"]) if "shards" in document else [document]
