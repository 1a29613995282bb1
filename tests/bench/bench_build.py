# SPDX-License-Identifier: Apache-2.0
"""How long a developer waits: nothing to do in a big matrix, and a one-line edit of a kernel.

    ./scons; build/env/bin/python tests/bench/bench_build.py [CELLS]

Works on a copy of this checkout in a temporary folder, with a generated matrix of CELLS (500) tiny
cells over all targets and kernels, and runs commands as a user types them. Wall times are the best
of some runs, since other work on the machine only ever makes them longer; processor time is of the
command and all that it started. Status 1 where a goal is missed.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "site_scons"), str(ROOT / "tests" / "e2e")]

from project import Project, copy_checkout, environment_of  # noqa: E402

CELLS = 500
GOAL_SECONDS = 1.0
GOAL_MEGABYTES = 150.0
RUNS = 5
MATRIX = "bench.yaml"
KERNEL = "kernels/fwsa/xpulp.c"
# A line in which every kernel of ours differs from no other: a NOP with a number.
EDITED = re.compile(r"^(void ts_fwsa_xpulp\(.*\{)$", re.MULTILINE)
EDIT_WORDS = ("target=gap9", "kernel=fwsa", "S=81")
# Runs a command and says what it cost. The system counts the memory of the process that a child was
# forked from as the child's, so that a big parent would be measured instead.
SMALL_PARENT = """
import os, sys, time
start = time.monotonic()
words, actions = sys.argv[1:], [(os.POSIX_SPAWN_DUP2, 1, 2)]
child = os.posix_spawn(words[0], words, os.environ, file_actions=actions)
_, status, usage = os.wait4(child, 0)
wall, processor = time.monotonic() - start, usage.ru_utime + usage.ru_stime
code = os.waitstatus_to_exitcode(status)
sys.stderr.write(f"[{wall}, {processor}, {usage.ru_maxrss}, {code}]")
"""


@dataclass(frozen=True)
class Cost:
    """One command: seconds on the clock and of processors, memory of the biggest process."""

    wall: float
    processor: float
    megabytes: float
    output: str

    def __str__(self) -> str:
        return (
            f"{self.wall:.2f} s, {self.processor:.2f} s of processor time, {self.megabytes:.0f} MB"
        )


def matrix(cells: int) -> str:
    """A matrix file with at least `cells` cells of every target and kernel, all of them small."""
    shapes = "".join(
        f"      - {{S: {s}, E: {e}, P: {p}, H: {h}}}\n"
        for s, e, p, h in itertools.islice(_shapes(), cells)
    )
    head = "# SPDX-License-Identifier: Apache-2.0\nschema: 1\ncells:\n  - name: small\n"
    return f"{head}    targets: all\n    kernels: all\n    shapes:\n{shapes}"


def _shapes() -> Iterator[tuple[int, int, int, int]]:
    # Every kernel sees S, so that each shape is a cell of its own for all of them.
    for s in itertools.count(1):
        yield s, 4 + s % 3, 2 + s % 2, 1 + s % 3


def shapes_for(project: Project, cells: int) -> int:
    """How many shapes make `cells` cells."""
    project.path(MATRIX).write_text(matrix(1), encoding="utf-8")
    each = len(run(project, "list", f"config={MATRIX}").output.splitlines())
    return -(-cells // each)


def run(project: Project, *words: str, status: int = 0) -> Cost:
    """`./scons WORDS` in the project's folder."""
    with tempfile.TemporaryFile() as output:
        command = [sys.executable, "-I", "-c", SMALL_PARENT, sys.executable, "scons", *words]
        measured = subprocess.run(
            command,
            cwd=project.folder,
            env=environment_of({}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        )
        wall, processor, kilobytes, code = json.loads(measured.stderr)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if code != status:
        raise SystemExit(f"bench: {' '.join(words)}: status {code}\n{text}")
    return Cost(wall, processor, kilobytes / (2**20 if sys.platform == "darwin" else 2**10), text)


def best(costs: list[Cost]) -> Cost:
    """The quickest of several runs."""
    return min(costs, key=lambda cost: cost.wall)


def make_project(folder: Path) -> Project:
    """A copy of this checkout that uses its environment and its compiler's cache."""
    project = copy_checkout(folder)
    project.path("build").mkdir()
    for name in ("env", "zig"):
        (ROOT / "build" / name).mkdir(parents=True, exist_ok=True)
        project.path(f"build/{name}").symlink_to(ROOT / "build" / name)
    return project


def null_builds(project: Project, cells: int, runs: int = RUNS) -> tuple[Cost, Cost]:
    """The matrix from nothing, and the best of the builds after it: all of it is known."""
    shapes = shapes_for(project, cells)
    project.path(MATRIX).write_text(matrix(shapes), encoding="utf-8")
    words = (f"config={MATRIX}",)
    cold = run(project, *words)
    warm = [run(project, *words) for _ in range(runs)]
    for cost in warm:
        counted = re.search(r"^(\d+) cells: \1 PASS \(\1 cached\)$", cost.output, re.MULTILINE)
        if counted is None or int(counted[1]) < cells:
            raise SystemExit(f"bench: not everything was known:\n{cost.output[-2000:]}")
    return cold, best(warm)


def edits(project: Project, runs: int = RUNS) -> Cost:
    """The best command after an edit of one line of a tuned kernel: compile, link, simulate."""
    run(project, *EDIT_WORDS)
    path = project.path(KERNEL)
    text = path.read_text(encoding="utf-8")
    costs = []
    for number in range(1, runs + 1):
        line = f'    __asm__ volatile("addi zero, zero, {number}");'
        edited, count = EDITED.subn(rf"\1\n{line}", text)
        if count != 1:
            raise SystemExit(f"bench: {KERNEL} has no line for the edit")
        path.write_text(edited, encoding="utf-8")
        cost = run(project, *EDIT_WORDS)
        if "(cached)" in cost.output or " PASS " not in cost.output:
            raise SystemExit(f"bench: the edit was not simulated:\n{cost.output}")
        costs.append(cost)
    path.write_text(text, encoding="utf-8")
    return best(costs)


def main() -> int:
    """Print the figures; 1 where one of them misses its goal."""
    cells = int(sys.argv[1]) if len(sys.argv) > 1 else CELLS
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project")
        cold, null = null_builds(project, cells)
        print(f"{cells} cells from nothing   {cold}")
        print(f"{cells} cells, nothing to do {null}")
        edit = edits(project)
        print(f"edit to verdict         {edit}")
    met = null.wall < GOAL_SECONDS and edit.wall < GOAL_SECONDS
    return 0 if met and null.megabytes < GOAL_MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
