# SPDX-License-Identifier: Apache-2.0
"""`gdb=1`: one cell under a simulator that speaks GDB's protocol, stopped at `main`.

QEMU is driven: its boards stand for the Cortex-M targets. It is started frozen; a GDB that knows
the core, where one is installed, is attached, sets a breakpoint on `main` and goes there. Where
there is none, the commands for one are printed and QEMU waits until it is ended.
"""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from touchstone.errors import UserError
from touchstone.flash import write_images
from touchstone.graph import CellPlan
from touchstone.plan import PlannedCell, planned_cell
from touchstone.simulators.qemu import MACHINES, OPTIONS
from touchstone.simulators.registry import EXTERNAL, find_external

QEMU = "qemu"
OTHERS = ("gvsoc", "renode")
DEBUGGERS = ("gdb-multiarch", "arm-none-eabi-gdb")


def with_debugger(cells: Sequence[PlannedCell]) -> list[PlannedCell]:
    """The one cell to stop, on a simulator that can; UserError says what to select or install."""
    running = [planned for planned in cells if planned.skip is None]
    if len(running) != 1:
        raise UserError(f"gdb=1: found {len(running)} cells that run, allowed one: cell=...")
    cell = running[0].cell
    if QEMU not in cell.target.simulators:
        named = [name for name in OTHERS if name in cell.target.simulators]
        raise UserError(
            f"gdb=1: found no simulator of {cell.target.name} that this version attaches a "
            f"debugger to, allowed targets that have {QEMU}; {' and '.join(named) or 'others'} can "
            "be started by hand on the image of `./scons image`"
        )
    if find_external(EXTERNAL[QEMU]) is None:
        raise UserError(f"gdb=1: found no simulator that speaks GDB here; {EXTERNAL[QEMU].advice}")
    if cell.simulator == QEMU:
        return list(cells)
    return [planned_cell(replace(cell, simulator=QEMU, settings=(), command=None))]


def debug(root: Path, plan: CellPlan) -> int:
    """Serve or attach until the debugger ends; QEMU's or the debugger's status."""
    (image,) = write_images(root, plan, ["elf"])
    port = _free_port()
    server = [
        *(find_external(EXTERNAL[QEMU]) or "", "-M", MACHINES[plan.cell.target.isas[0]], *OPTIONS),
        *("-kernel", str(image), "-S", "-gdb", f"tcp:127.0.0.1:{port}"),
    ]
    debugger = next((found for name in DEBUGGERS if (found := shutil.which(name))), None)
    words = [debugger or DEBUGGERS[0], plan.firmware.path("firmware.elf")]
    for step in (f"target remote 127.0.0.1:{port}", "tbreak main", "continue"):
        words += ["-ex", step]
    print(f"{plan.cell.id} is stopped ahead of its first instruction, GDB at 127.0.0.1:{port}")
    print(f"  {shlex.join(words)}", flush=True)
    # The debugger has the terminal; without one, QEMU is ended by its debugger or by Ctrl-C.
    process = subprocess.Popen(
        server, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        if debugger is None:
            return process.wait()
        return subprocess.run(words, cwd=root).returncode
    except KeyboardInterrupt:
        return 0
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
