# SPDX-License-Identifier: Apache-2.0
"""`gdb=1`: one cell under a simulator that speaks GDB's protocol, stopped at `main`.

The simulator stands ahead of the first instruction. A GDB that knows the core, where one is
installed, is attached, sets a breakpoint on `main` and goes there. Where there is none, the
commands for one are printed and the simulator waits until it is ended.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from touchstone.cells import Cell
from touchstone.errors import UserError
from touchstone.flash import write_images
from touchstone.graph import CellPlan
from touchstone.plan import PlannedCell, planned_cell
from touchstone.simulators.gdb_servers import SERVERS, Debuggee, Served
from touchstone.simulators.registry import EXTERNAL, PLATFORM, find_external

DEBUGGERS = {
    "cortex-m4": ("gdb-multiarch", "arm-none-eabi-gdb"),
    "cortex-m7": ("gdb-multiarch", "arm-none-eabi-gdb"),
    "xpulpv2": ("gdb-multiarch", "riscv32-unknown-elf-gdb", "riscv64-unknown-elf-gdb"),
}
SCRATCH = "build/tmp"


def with_debugger(cells: Sequence[PlannedCell]) -> list[PlannedCell]:
    """The one cell to stop, on a simulator that can; UserError says what to select or install."""
    running = [planned for planned in cells if planned.skip is None]
    if len(running) != 1:
        raise UserError(f"gdb=1: found {len(running)} cells that run, allowed one: cell=...")
    cell = running[0].cell
    name = _server_of(cell)
    if cell.simulator == name:
        return list(cells)
    return [planned_cell(replace(cell, simulator=name, settings=(), command=None))]


def _server_of(cell: Cell) -> str:
    """The cell's own simulator where it speaks GDB, else the first of its target's that does."""
    if cell.simulator in SERVERS:
        platform = dict(cell.settings).get(PLATFORM)
        if platform not in (None, "pulp_open"):
            raise UserError(f"gdb=1: found settings={PLATFORM}:{platform}, allowed pulp_open")
        if find_external(EXTERNAL[cell.simulator]) is None:
            advice = EXTERNAL[cell.simulator].advice
            raise UserError(f"gdb=1: {cell.simulator} is not installed; {advice}")
        return cell.simulator
    able = [name for name in SERVERS if name in cell.target.simulators]
    for name in able:
        if find_external(EXTERNAL[name]) is not None:
            return name
    if not able:
        raise UserError(f"gdb=1: no simulator of {cell.target.name} speaks GDB's protocol")
    advice = "; or ".join(f"{name}: {EXTERNAL[name].advice}" for name in able)
    raise UserError(
        f"gdb=1: found no simulator of {cell.target.name} that speaks GDB here; {advice}"
    )


def debug(root: Path, plan: CellPlan) -> int:
    """Serve or attach until the debugger ends; the simulator's or the debugger's status."""
    (image,) = write_images(root, plan, ["elf"])
    cell = plan.cell
    program = find_external(EXTERNAL[cell.simulator])
    if program is None:
        raise UserError(f"gdb=1: {cell.simulator} is gone")
    scratch = root / SCRATCH
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="gdb-") as folder:
        settings = json.loads(plan.run_spec)["settings"]
        build = root / Path(SCRATCH).parent
        debuggee = Debuggee(
            image, settings, Path(program), Path(folder).resolve(), build, _free_port()
        )
        with SERVERS[cell.simulator](debuggee) as served:
            return _attach(root, plan, served)


def _attach(root: Path, plan: CellPlan, served: Served) -> int:
    names = DEBUGGERS[plan.cell.target.isas[0]]
    debugger = next((found for name in names if (found := shutil.which(name))), None)
    words = [debugger or names[0], plan.firmware.path("firmware.elf")]
    for step in (f"target remote 127.0.0.1:{served.port}", "tbreak main", "continue"):
        words += ["-ex", step]
    print(
        f"{plan.cell.id} is stopped ahead of its first instruction under {plan.cell.simulator}, "
        f"GDB at 127.0.0.1:{served.port}"
    )
    print(f"  {shlex.join(words)}", flush=True)
    # The debugger has the terminal; without one, the simulator is ended by its debugger or Ctrl-C.
    if debugger is None:
        try:
            return served.wait()
        except KeyboardInterrupt:
            return 0
    with _interrupts_for_the_debugger():
        return subprocess.run(words, cwd=root).returncode


@contextlib.contextmanager
def _interrupts_for_the_debugger() -> Iterator[None]:
    """Ctrl-C stops the firmware, not us who wait for the debugger."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
