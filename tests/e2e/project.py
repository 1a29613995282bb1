# SPDX-License-Identifier: Apache-2.0
"""A small project to build, edit and build again: a copy of this checkout with a tiny matrix.

Everything in it is real: compiler, simulators, golden models. Commands run as a user would type
them, with the interpreter that runs the tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "tiny.yaml"
MATRIX = """\
# SPDX-License-Identifier: Apache-2.0
schema: 1
cells:
  - name: two targets
    targets: [gap9, stm32l4]
    kernels: [gelu, linear_qk, softmax]
    shapes: [{S: 4, E: 6, P: 3, H: 2}]
  - name: a second user of the softmax table
    targets: gap9
    kernels: attention_scores
    shapes: [{S: 4, E: 6, P: 3, H: 2}]
"""
SHAPE = "S4-E6-P3-H2"
GAP9 = tuple(
    f"gap9/{kernel}/{SHAPE}/c8" for kernel in ("gelu", "linear_qk", "softmax", "attention_scores")
)
STM32L4 = tuple(f"stm32l4/{kernel}/{SHAPE}/c1" for kernel in ("gelu", "linear_qk", "softmax"))
CELLS = (*GAP9, *STM32L4)
FIRMWARES = {
    "gap9": ("gelu.portable", "linear_qk.xpulp", "softmax.xpulp", "attention_scores.xpulp"),
    "stm32l4": ("gelu.portable", "linear_qk.armv7em", "softmax.armv7em"),
}
SECONDS = 120.0

Built = dict[str, set[str]]


@dataclass(frozen=True)
class Ended:
    """A command that has ended. `built` has the nodes of each stage whose action really ran."""

    status: int
    output: str
    error: str
    seconds: float
    built: Built
    document: Mapping[str, Any]

    @cached_property
    def cells(self) -> Mapping[str, Mapping[str, Any]]:
        """The rows of results.json by cell id."""
        return {row["id"]: row for row in self.document["cells"]}

    @cached_property
    def statuses(self) -> Mapping[str, str]:
        """The status of each cell."""
        return {name: row["status"] for name, row in self.cells.items()}

    @property
    def simulated(self) -> set[str]:
        """The cells that a simulator ran for."""
        runs = self.built.get("simulate", ())
        return {path.split("/", 2)[2].removesuffix("/cell.run") for path in runs}

    @cached_property
    def table(self) -> list[list[str]]:
        """The printed table's cells: id, status, cycles and so on; the change column is empty
        where nothing changed."""
        lines = self.output.splitlines()
        rule = next(number for number, line in enumerate(lines) if line.startswith("-----"))
        rows = lines[rule + 1 : lines.index("", rule)]
        return [re.split(r"\s{2,}", line.strip()) for line in rows]


class Project:
    """A checkout in a folder of its own."""

    def __init__(self, folder: Path, seconds: float = SECONDS) -> None:
        self.folder = folder
        self.seconds = seconds  # that a command may take

    def path(self, name: str) -> Path:
        """A file of the project."""
        return self.folder / name

    def run(self, *words: str, config: str | None = CONFIG, **environment: str) -> Ended:
        """`scons WORDS` with the tiny matrix unless another is named; what came of it."""
        if config is not None:
            words = (f"config={config}", *words)
        self.path("build/report/nodes.json").unlink(missing_ok=True)
        start = time.monotonic()
        ended = subprocess.run(
            scons_command(*words),
            cwd=self.folder,
            env=environment_of(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self.seconds,
        )
        seconds = time.monotonic() - start
        return Ended(
            ended.returncode,
            ended.stdout,
            ended.stderr,
            seconds,
            self._built(),
            self._document(),
        )

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """The same command, still running, in a session of its own."""
        return subprocess.Popen(
            scons_command(f"config={CONFIG}", *words),
            cwd=self.folder,
            env=environment_of(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def replace(self, name: str, old: str, new: str) -> None:
        """Change the one place where a file says `old`."""
        path = self.path(name)
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has {text.count(old)} times {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        """Add text to the end of a file."""
        with self.path(name).open("a", encoding="utf-8") as file:
            file.write(text)

    def prepend(self, name: str, text: str) -> None:
        """Add text to the start of a file: every line below moves."""
        path = self.path(name)
        path.write_text(text + path.read_text(encoding="utf-8"), encoding="utf-8")

    def cell(self, cell: str, name: str) -> Path:
        """A file of a cell."""
        return self.path(f"build/cells/{cell}/{name}")

    def snapshot(self) -> dict[str, tuple[int, int]]:
        """Size and time of every generated file but what remembers checked documents, and the list
        of nodes, which `run` takes away."""
        build = self.path("build")
        files = (path for path in build.rglob("*") if path.is_file())
        kept = {path.relative_to(build).as_posix(): path.stat() for path in files}
        return {
            name: (status.st_size, status.st_mtime_ns)
            for name, status in kept.items()
            if not name.startswith("yaml/") and name not in ("digests.json", "report/nodes.json")
        }

    def _built(self) -> Built:
        built: Built = {}
        try:
            pairs = json.loads(self.path("build/report/nodes.json").read_text())
        except FileNotFoundError:
            return built
        for stage, node in pairs:
            built.setdefault(stage, set()).add(node)
        return built

    def _document(self) -> Mapping[str, Any]:
        try:
            text = self.path("build/report/results.json").read_text()
        except FileNotFoundError:
            return {"cells": [], "summary": {}}
        document: Mapping[str, Any] = json.loads(text)
        return document


def scons_command(*words: str) -> list[str]:
    """What runs SCons without the wrapper."""
    return [sys.executable, "-m", "SCons", "-Q", *words]


def environment_of(extra: Mapping[str, str]) -> dict[str, str]:
    """The tests' environment without what would lead a copy back to this checkout."""
    foreign = ("PYTHONPATH", "SCONSFLAGS", "TOUCHSTONE_", "COVERAGE_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    return {**inherited, **extra}


def processes_below(folder: Path) -> list[int]:
    """The processes that were started from, or run in, a folder."""
    listed = subprocess.run(
        ["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True
    )
    lines = (line.strip().partition(" ") for line in listed.stdout.splitlines())
    found = {int(pid) for pid, _, command in lines if f"{folder}/" in command}
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if Path(os.readlink(entry)).is_relative_to(folder):
                found.add(int(entry.parent.name))
        except OSError:
            continue
    return sorted(found - {os.getpid()})


def kill_below(folder: Path) -> list[int]:
    """Kill the processes of a folder; which there were."""
    found = processes_below(folder)
    for process in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return found


def copy_checkout(folder: Path) -> Project:
    """This checkout's files as git knows them, committed or not, with the tiny matrix.

    Nothing is built in it, but that its compiler finds its own libraries in the tests' cache.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in os.fsdecode(listed.stdout).split("\0"):
        source = ROOT / name
        if name and source.is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (folder / CONFIG).write_text(MATRIX, encoding="utf-8")
    # What the tests edit is gelu's portable variant and those that both Cortex-M have, so these are
    # to be the best.
    for manifest in (folder / "kernels").glob("*/kernel.yaml"):
        text = manifest.read_text(encoding="utf-8").replace("isa: cortex-m4", "isa: no-core")
        if manifest.parent.name == "gelu":
            text = text.replace("isa: xpulpv2", "isa: no-core")
        manifest.write_text(text, encoding="utf-8")
    share_compiler_cache(folder)
    return Project(folder)


def with_all_variants(project: Project) -> Project:
    """The project with every variant that this checkout's kernels have, and time for them."""
    for manifest in (ROOT / "kernels").glob("*/kernel.yaml"):
        shutil.copy2(manifest, project.folder / "kernels" / manifest.parent.name)
    return Project(project.folder, seconds=900)


def share_compiler_cache(folder: Path) -> None:
    """Let a new project's compiler use the cache of tests/conftest.py."""
    cache = os.environ.get("ZIG_GLOBAL_CACHE_DIR")
    if cache is not None:
        (folder / "build").mkdir(exist_ok=True)
        (folder / "build/zig").symlink_to(cache)


def objects(target: str, *sources: str) -> Built:
    """The compile stage's nodes for sources such as kernels/gelu/portable.c."""
    folder = f"build/firmware/{target}/llvm/obj"
    return {"compile": {f"{folder}/{source.rpartition('.')[0]}.o" for source in sources}}


def firmwares(target: str, *names: str) -> Built:
    """The nodes of a link: it is always followed by taking the loadable part out."""
    folders = [f"build/firmware/{target}/llvm/{name}" for name in names or FIRMWARES[target]]
    return {
        "link": {f"{folder}/firmware.elf" for folder in folders},
        "loadable": {f"{folder}/firmware.load" for folder in folders},
    }


def costs(*names: str) -> Built:
    """The nodes that estimate a Cortex-M firmware's instruction costs anew."""
    folder = "build/firmware/stm32l4/llvm"
    return {"costs": {f"{folder}/{name}/firmware.costs" for name in names or FIRMWARES["stm32l4"]}}


def simulations(*cells: str) -> Built:
    """The simulate stage's nodes."""
    return {"simulate": {f"build/cells/{cell}/cell.run" for cell in cells}}


def checks(*cells: str) -> Built:
    """The check stage's nodes."""
    return {"check": {f"build/cells/{cell}/verdict.json" for cell in cells}}


def vectors(*folders: str) -> Built:
    """The vectors stage's nodes for folders such as gelu/S4-E6."""
    return {"vectors": {f"build/vectors/{name}/random-seed42/inputs.bin" for name in folders}}


def assembly(*generators: str) -> Built:
    """The generate stage's nodes for modules of kernels/generators/."""
    return {"generate": {f"build/generated/kernels/generators/{name}.S" for name in generators}}


def both(*parts: Built) -> Built:
    """All nodes of several stages, and the gate, which every command runs."""
    built: Built = {"gate": {"build/report/gate"}}
    for part in parts:
        for stage, nodes in part.items():
            built.setdefault(stage, set()).update(nodes)
    return built


def includers(project: Project, header: str) -> Built:
    """The objects whose source includes `header`, directly or not: found by reading the files."""
    wanted = project.path(header)
    found: set[str] = set()
    for item in project.path("build/firmware").rglob("*.o"):
        node = item.relative_to(project.folder)
        target, stem = node.parts[2], Path(*node.parts[5:])
        names = ("kernels/include", "targets/common", f"targets/{target}")
        folders = [project.path(name) for name in names]
        if stem.parts[:2] == ("kernels", "generators"):
            continue  # assembly of ours, which includes nothing
        source = next(
            project.path(f"{stem.with_suffix(end)}")
            for end in (".c", ".S")
            if project.path(f"{stem.with_suffix(end)}").is_file()
        )
        if wanted in _included(source, folders):
            found.add(node.as_posix())
    return {"compile": found}


def _included(source: Path, folders: Sequence[Path]) -> set[Path]:
    """The files that `source` reaches through #include "...", looked up as a compiler does."""
    seen: set[Path] = set()
    todo = [source]
    while todo:
        path = todo.pop()
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE):
            places = (Path(os.path.normpath(folder / name)) for folder in (path.parent, *folders))
            header = next((place for place in places if place.is_file()), None)
            if header is not None and header not in seen:
                seen.add(header)
                todo.append(header)
    return seen
