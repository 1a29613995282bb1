# SPDX-License-Identifier: Apache-2.0
"""Mutants of kernel sources: real mistakes, each a piece of text and what takes its place.

A mistake is compiled and linked in a copy of kernels/ and targets/ with the graph's own words; the
objects that it does not concern are those of the build.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from touchstone.errors import UserError
from touchstone.graph import BUILD, ObjectPlan
from touchstone.mutation.trial import Caught, Subject, first_failure
from touchstone.nodes import commands, compile_words, link_words
from touchstone.process import ProcessRegistry
from touchstone.stages import make_loadable, run_tool
from touchstone.toolchains.registry import Programs

ROOMS = ("kernels", "targets")
_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Mistake:
    """`find` stands once in `file` and becomes `replace`.

    `firmware` is a Subject's name.
    """

    name: str
    firmware: str
    file: str
    find: str
    replace: str


@dataclass(frozen=True)
class SourceResult:
    """What caught a mistake, None: nothing did."""

    mistake: Mistake
    caught: Caught | None


def load_mistakes(path: Path) -> list[Mistake]:
    """The committed list; UserError where an entry is not whole."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return [Mistake(**entry) for entry in document["mistakes"]]
    except (TypeError, KeyError) as error:
        raise UserError(f"{path.name}: {error}") from None


def changed(text: str, mistake: Mistake) -> str:
    """The file's text with the mistake in it; UserError where it is not about this text."""
    count = text.count(mistake.find)
    if count != 1:
        raise UserError(
            f"mutation: {mistake.name}: {mistake.file}: found {count} times "
            f"{mistake.find.strip()!r}, allowed once: the mistake is out of date"
        )
    return text.replace(mistake.find, mistake.replace)


def mistaken_loadable(
    subject: Subject, mistake: Mistake, programs: Programs, registry: ProcessRegistry
) -> bytes:
    """The subject's firmware with the mistake compiled in."""
    root = subject.root
    before = root / mistake.file
    if not before.is_file():
        raise UserError(f"mutation: {mistake.name}: {mistake.file}: no such file")
    text = changed(before.read_text(encoding="utf-8"), mistake)
    scratch = root / BUILD / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="mistake-") as folder:
        there = Path(folder)
        for room in ROOMS:
            shutil.copytree(root / room, there / room, ignore=shutil.ignore_patterns("__pycache__"))
        (there / mistake.file).write_text(text, encoding="utf-8")
        objects = []
        for item in subject.firmware.objects:
            made = there / item.object
            made.parent.mkdir(parents=True, exist_ok=True)
            if item.generator is None and concerns(there, item, mistake.file):
                _tool(subject, [*compile_words(item), "-c", item.source, "-o", item.object],
                      there, programs, registry)  # fmt: skip
            else:
                shutil.copyfile(root / item.object, made)
            objects.append(os.path.relpath(item.object, subject.firmware.directory))
        return _link(subject, objects, there, programs, registry)


def concerns(root: Path, item: ObjectPlan, file: str) -> bool:
    """Whether an object's source is the file or includes it, over however many others."""
    folders = [Path(name) for name in (*item.compiler.includes, item.compiler.target.directory)]
    todo, seen = [Path(item.source)], set()
    while todo:
        path = Path(os.path.normpath(todo.pop()))
        if path in seen or not (root / path).is_file():
            continue
        seen.add(path)
        if path == Path(file):
            return True
        names = _INCLUDE.findall((root / path).read_text(encoding="utf-8"))
        todo += [folder / name for name in names for folder in (path.parent, *folders)]
    return False


def _link(
    subject: Subject,
    objects: Sequence[str],
    there: Path,
    programs: Programs,
    registry: ProcessRegistry,
) -> bytes:
    folder = there / subject.firmware.directory
    folder.mkdir(parents=True, exist_ok=True)
    layout = subject.root / subject.firmware.path("layout.ld")
    shutil.copyfile(layout, folder / "layout.ld")
    words, tail = link_words(subject.firmware)
    _tool(subject, [*words, *objects, *tail, "-o", "firmware.elf"], folder, programs, registry)
    make_loadable(folder / "firmware.elf", folder / "firmware.load", folder / "firmware.json")
    return (folder / "firmware.load").read_bytes()


def _tool(
    subject: Subject,
    words: Sequence[str],
    folder: Path,
    programs: Programs,
    registry: ProcessRegistry,
) -> None:
    program = commands(subject.firmware.compiler).program
    local = programs.local_words(program, subject.root)
    line = [str(programs.path(program)), *local, *words]
    run_tool(line, folder, registry, programs.environment(program))


def try_mistakes(
    found: Sequence[Subject],
    mistakes: Sequence[Mistake],
    jobs: int,
    registry: ProcessRegistry,
    say: Callable[[SourceResult], None],
) -> list[SourceResult]:
    """Compile and run each, in order."""
    by_name = {subject.name: subject for subject in found}
    for mistake in mistakes:
        if mistake.firmware not in by_name:
            raise UserError(f"mutation: {mistake.name}: no cell uses {mistake.firmware}")
    programs = Programs(found[0].root / BUILD)

    def attempt(mistake: Mistake) -> SourceResult:
        subject = by_name[mistake.firmware]
        loadable = mistaken_loadable(subject, mistake, programs, registry)
        if loadable == subject.loadable:
            raise UserError(f"mutation: {mistake.name}: {mistake.firmware} does not contain it")
        return SourceResult(mistake, first_failure(subject, loadable, registry))

    results = []
    with ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(attempt, mistakes):
            results.append(result)
            say(result)
    return results
