# SPDX-License-Identifier: Apache-2.0
"""A thousand cells from cold while one simulator in twenty dies: every status is right, memory is
bounded, nothing is left behind."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from project import Project, copy_checkout, environment_of, processes_below, scons_command
from test_kills import strays

from touchstone.runfile import read_run

BOARD = Path(__file__).with_name("gelu_board.py")
ROWS = 103
CELLS = 10 * ROWS
# Of 1000 jobs so many die: those with an odd number of rows once, the others each time.
SHARE = 50
MEGABYTES = 300
MATRIX = f"""\
# SPDX-License-Identifier: Apache-2.0
schema: 1
cells:
  - name: gelu on every core count
    targets: all
    kernels: gelu
    shapes: [{{S: {list(range(1, ROWS + 1))}, E: 6, P: 1, H: 1}}]
    cores: [1, 2, 3, 4, 5, 6, 7, 8]
"""


@dataclass(frozen=True)
class Soaked:
    status: int
    output: str
    megabytes: float
    cells: dict[str, dict[str, Any]]


def peak_megabytes(process: int) -> float:
    """The most that a process has had so far."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s*([0-9]+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def soak(project: Project, command: str, **faults: str) -> Soaked:
    """One command over all cells, and the most memory that SCons itself had at once: compilers have
    what they need."""
    temporary = project.path("temporary")
    temporary.mkdir(exist_ok=True)
    log = project.path("soak.log")
    with log.open("w+") as file:
        running = subprocess.Popen(
            scons_command("config=soak.yaml", "sim=command", f"command={command} {{elf}}"),
            cwd=project.folder,
            env=environment_of({"TMPDIR": str(temporary), **faults}),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        memory = 0.0
        while running.poll() is None:
            memory = max(memory, peak_megabytes(running.pid))
            time.sleep(0.1)
    assert processes_below(project.folder) == []
    assert strays(project) == []
    assert list(temporary.iterdir()) == []
    rows = json.loads(project.path("build/report/results.json").read_text())["cells"]
    cells = {row["id"]: row for row in rows}
    return Soaked(running.returncode, log.read_text(), memory, cells)


def expected(project: Project, cell: str, row: dict[str, Any]) -> tuple[str, int]:
    """Status and number of retries, as the run id of the cell's job decides."""
    run = read_run(project.cell(cell, "cell.run"))
    drawn = int.from_bytes(bytes.fromhex(run.run_id)[:4], "little") % 1000
    if drawn >= SHARE:
        return "PASS", 0
    return ("PASS", 1) if row["shape"]["S"] % 2 else ("CRASH", 1)


@pytest.mark.nightly
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks at /proc")
def test_a_thousand_cells(tmp_path: Path) -> None:
    project = copy_checkout(tmp_path / "soak")
    project.path("soak.yaml").write_text(MATRIX)
    board = project.path("board")
    board.write_text(f"#!{sys.executable} -SE\n{BOARD.read_text()}")
    board.chmod(0o755)
    notes = tmp_path / "notes"
    notes.mkdir()
    names = ",".join("killed_once" if rows % 2 else "killed" for rows in range(1, ROWS + 1))
    faults = {"FAULTS": names, "FAULT_SHARE": str(SHARE), "FAULT_NOTES": str(notes)}
    first = soak(project, str(board), **faults)
    assert len(first.cells) == CELLS, first.output[-2000:]
    found = {cell: (row["status"], len(row["retries"])) for cell, row in first.cells.items()}
    assert found == {cell: expected(project, cell, row) for cell, row in first.cells.items()}
    died = sum(retries for _, retries in found.values())
    crashed = {cell for cell, (status, _) in found.items() if status == "CRASH"}
    print(f"{CELLS} cells, {died} died, {len(crashed)} each time; {first.megabytes:.0f} MB")
    assert CELLS * SHARE // 2000 < died < CELLS * SHARE // 500
    assert first.status != 0
    assert 10 < first.megabytes < MEGABYTES
    # Without faults: just what crashed is simulated again.
    second = soak(project, str(board))
    assert second.status == 0, second.output[-2000:]
    assert {row["status"] for row in second.cells.values()} == {"PASS"}
    assert {cell for cell, row in second.cells.items() if not row["cached"]} == crashed
    third = soak(project, str(board))
    assert third.status == 0
    assert all(row["cached"] for row in third.cells.values())
    assert max(second.megabytes, third.megabytes) < MEGABYTES
