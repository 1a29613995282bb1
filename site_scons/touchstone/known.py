# SPDX-License-Identifier: Apache-2.0
"""What a big build that ended well was made from and made, so that the same one need not be
planned into nodes again: SCons takes longer to hear of 2,000 nodes than to find them up to date.

Contents decide, as they do in SCons: every file that the build can read and every file that it made
is read and hashed anew. Whatever differs, or is missing, or new, and SCons decides as if there were
no record.

    build/known/SLOT.json    the last such build of one selection and command line
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone import nodes
from touchstone.files import canonical_json, read_json, write_atomically
from touchstone.graph import BUILD, CellPlan
from touchstone.stamps import Stamps
from touchstone.toolchains import llvm
from touchstone.toolchains.registry import Programs

FOLDER = f"{BUILD}/known"
# Where the files are that a build reads: planning, stages, golden models, sources, headers.
TREES = ("configs", "golden", "kernels", "site_scons", "targets")
SINGLE = ("SConstruct", "requirements.lock")
COMPILED = "__pycache__"
# Below that many cells SCons is as quick, and an edit of one kernel should not pay for a record.
FEWEST_CELLS = 40
MOST_RECORDS = 16
# Others (-n, -c, --tree=...) ask SCons about its nodes.
PLAIN_OPTION = re.compile(r"-Q|-k|-j\d*|--jobs(=\d+)?")
RECORD = {"seal": str, "made": dict, "stamps": dict}


@dataclass(frozen=True)
class Known:
    """One selection's place in the memory; `holds` says whether all is as it was recorded."""

    path: Path
    key: str
    trees: str
    holds: bool
    stamps: Mapping[str, str]


def plain(words: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a command line says nothing that needs SCons' nodes; `words` without the program."""
    options = [word for word in words if word.startswith("-")]
    return "SCONSFLAGS" not in environment and all(map(PLAIN_OPTION.fullmatch, options))


def look(
    root: Path,
    plans: Sequence[CellPlan],
    words: Mapping[str, str],
    stamps: Stamps,
    programs: Programs,
    signature: Callable[[bytes], str],
) -> Known | None:
    """What is known of this build; None where the build is too small or cannot be known.

    `signature` is how the builder hashes a file's content.
    """
    running = [plan for plan in plans if plan.planned.skip is None]
    trees = trees_digest(root)
    if len(running) < FEWEST_CELLS or trees is None:
        return None
    key = _digest([_selection(running), _machine(running, stamps, programs), dict(words)])
    slot = _digest([dict(words)])[:16]
    path = root / FOLDER / f"{slot}.json"
    record = _whole_record(path)
    holds = (
        record is not None
        and record["seal"] == _seal(key, trees, record)
        and _as_made(root, record["made"], signature)
        and all(nodes.passed_before(root / plan.verdict) for plan in running)
    )
    return Known(path, key, trees, holds, record["stamps"] if record and holds else {})


def note(
    root: Path,
    known: Known,
    made: Mapping[str, str],
    plans: Iterable[CellPlan],
    stamps: Mapping[str, str],
) -> bool:
    """Record a build of which every cell was confirmed. `made` are its files' signatures, as the
    builder took them. Whether it was worth a record: all passed, nothing was edited meanwhile.
    """
    passed = (nodes.passed_before(root / plan.verdict) for plan in plans)
    if not all(passed) or trees_digest(root) != known.trees:
        known.path.unlink(missing_ok=True)
        return False
    record: dict[str, Any] = {"made": made, "stamps": dict(stamps)}
    record["seal"] = _seal(known.key, known.trees, record)
    write_atomically(known.path, canonical_json(record).encode("ascii"))
    files = sorted(known.path.parent.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    for path in files[:-MOST_RECORDS]:
        path.unlink(missing_ok=True)
    return True


def in_trees(path: str) -> bool:
    """Whether `trees_digest` has this file, named from the root, already."""
    return path in SINGLE or path.partition("/")[0] in TREES


def trees_digest(root: Path) -> str | None:
    """One hash over names and contents of all that a build can read in the checkout.

    None where a folder lies elsewhere by a link: what it holds would not be seen.
    """
    digest = hashlib.sha256()
    todo = [os.path.join(root, name) for name in reversed(TREES)]
    files = [os.path.join(root, name) for name in SINGLE]
    while todo:
        folder = todo.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            if not entry.is_dir():
                files.append(entry.path)
            elif entry.is_symlink():
                return None
            elif entry.name != COMPILED:
                todo.append(entry.path)
    base = len(str(root)) + 1
    for name in files:
        data = _content(name)
        if data is None:
            return None
        digest.update(f"{name[base:]}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def _selection(plans: Iterable[CellPlan]) -> list[list[str]]:
    """What is planned, as far as it is no file."""
    return [
        [
            *(plan.cell.id, plan.verdict, plan.run_spec, plan.check_spec),
            *(plan.firmware.directory, plan.packed.inputs, plan.packed.vectors.spec),
        ]
        for plan in plans
    ]


def _machine(plans: Sequence[CellPlan], stamps: Stamps, programs: Programs) -> list[str]:
    """What of this machine takes part: compilers, their words, simulators."""
    compilers = {plan.firmware.compiler.directory: plan.firmware.compiler for plan in plans}
    texts = [programs.stamp(llvm.PROGRAM, llvm.host_command())]
    for compiler in compilers.values():
        said = nodes.commands(compiler)
        texts += [programs.stamp(said.program, words) for words in (said.compile, said.link)]
    runs = {(plan.cell.simulator, plan.cell.target.name): plan for plan in plans}
    return texts + [stamps.run_spec(plan) for plan in runs.values()]


def _whole_record(path: Path) -> dict[str, Any] | None:
    """The record, None where there is none or it is damaged beyond reading."""
    record = read_json(path)
    whole = isinstance(record, dict) and all(
        isinstance(record.get(part), kind) for part, kind in RECORD.items()
    )
    return record if whole else None


def _seal(key: str, trees: str, record: Mapping[str, Any]) -> str:
    """One hash over what was built from and what the record says: a damaged one never holds."""
    return _digest([key, trees, record["made"], record["stamps"]])


def _as_made(root: Path, made: Mapping[str, str], signature: Callable[[bytes], str]) -> bool:
    for name, known in made.items():
        data = _content(os.path.join(root, name))
        if data is None or signature(data) != known:
            return False
    return True


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return None


def _digest(document: Any) -> str:
    return hashlib.sha256(canonical_json(document).encode("ascii")).hexdigest()
