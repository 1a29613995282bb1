# SPDX-License-Identifier: Apache-2.0
"""How fast the Cortex-M simulators are: simulated instructions per second of processor time.

    python tests/bench/bench_cortexm.py

The embedded one counts cycles meanwhile; beside it those that are here and run the chips' images
(QEMU's board wants others). The images are the attention of the default matrix's largest shape,
portable and tuned, with all value classes, as `./scons` runs them. The best of some runs counts,
since other work on the machine only ever makes them slower. Status 1 where the embedded one misses
its goal.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "site_scons"), str(ROOT)]

from touchstone import app  # noqa: E402
from touchstone.errors import UserError  # noqa: E402
from touchstone.fidelity.cortexm_machines import Machines  # noqa: E402
from touchstone.graph import CellPlan  # noqa: E402
from touchstone.run_cell import build_image  # noqa: E402
from touchstone.simulators.base import Limits, RunStatus  # noqa: E402
from touchstone.vectors import read_container  # noqa: E402

SELECTION = {"target": "stm32l4,stm32h7", "kernel": "mhsa"}
SHAPE = {"S": "81", "E": "32", "P": "32", "H": "8"}
VARIANTS = ({"variant": "portable"}, {})
RUNS = 3
LIMITS = Limits(instructions=10_000_000_000, wall_seconds=600.0)
GOAL_MIPS = 100.0
GOAL_OF = "unicorn"


def main() -> int:
    """A line for each image and simulator."""
    machines = Machines(ROOT)
    slow = False
    for words in VARIANTS:
        selection = {**SELECTION, **SHAPE, **words}
        build(selection)
        for plan in app.prepare(ROOT, selection).plans:
            for name in machines.present:
                if plan.cell.target.memory_map(name) is None:
                    slow |= report(plan, name, machines)
    machines.registry.workers.close()
    return 1 if slow else 0


def build(selection: dict[str, str]) -> None:
    """What the images are made of."""
    words = [f"{name}={value}" for name, value in selection.items()]
    done = subprocess.run(
        [sys.executable, "-m", "SCons", "-Q", *words], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise UserError(f"bench: {done.stdout[-500:]}{done.stderr[-500:]}")


def image_of(plan: CellPlan) -> bytes:
    """What a simulator of the chip's memory runs."""
    inputs = read_container((ROOT / plan.packed.inputs).read_bytes())
    loadable = (ROOT / plan.firmware.path("firmware.load")).read_bytes()
    return build_image(loadable, inputs, json.loads(plan.run_spec)).data


def report(plan: CellPlan, name: str, machines: Machines) -> bool:
    """Run one image, say how fast it was; whether that misses the goal."""
    image = image_of(plan)
    spent, wall, count = float("inf"), float("inf"), 0
    with tempfile.TemporaryDirectory() as place:
        simulator = machines.simulator(image, plan.cell.target.name, name, Path(place))
        for number in range(RUNS):
            folder = Path(place) / str(number)
            folder.mkdir()
            before, start = children_seconds(), time.monotonic()
            ran = simulator.run(image, LIMITS, folder, machines.registry)
            if ran.status is not RunStatus.COMPLETED or ran.instructions is None:
                raise UserError(f"bench: {plan.cell.id} on {name}: {ran.reason}")
            spent = min(spent, children_seconds() - before)
            wall, count = min(wall, time.monotonic() - start), ran.instructions
    # A process that goes on living, as Renode's does, has told nothing of its time.
    seconds = spent if spent > 0.01 else wall
    mips = count / seconds / 1e6
    missed = name == GOAL_OF and mips < GOAL_MIPS
    goal = f", goal {GOAL_MIPS:.0f}{': MISSED' if missed else ''}" if name == GOAL_OF else ""
    print(f"{plan.cell.id} on {name}: {count:,} instructions, {mips:.0f} MIPS{goal}", flush=True)
    return missed


def children_seconds() -> float:
    """Processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
