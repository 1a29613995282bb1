# SPDX-License-Identifier: Apache-2.0
"""How fast the GAP9 simulators are: simulated instructions per second of processor time.

    python tests/bench/bench_xpulp.py      GVSOC_HOME=... for both side by side

Both run the same images: a long one, where starting costs nothing, and a frozen kernel. GVSOC
counts no instructions; an image retires the same ones on both. The best of some runs counts, since
other work on the machine only ever makes them slower. Status 1 where an image misses a goal.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "site_scons"))

from touchstone.errors import UserError  # noqa: E402
from touchstone.fidelity.assembly import assemble  # noqa: E402
from touchstone.fidelity.compare import CONFLICTS  # noqa: E402
from touchstone.fidelity.machines import Machines  # noqa: E402
from touchstone.fidelity.mnemonics import lines, load_post, three  # noqa: E402
from touchstone.fidelity.oracle import cases  # noqa: E402
from touchstone.fidelity.programs import ALL, Program  # noqa: E402
from touchstone.simulators.base import Limits, RunStatus, Simulator  # noqa: E402

KERNEL = "image/mhsa_S81-E32-P32-H8_c8"
ITERATIONS = 400_000
RUNS = 3
LIMITS = Limits(instructions=1_000_000_000, wall_seconds=600.0)
GOAL_MIPS = 40.0
GOAL_RATIO = 2.0


def long_program() -> Program:
    """Eight cores at a loop of loads, dot products, stores and a branch."""
    body = f"    li t1, {ITERATIONS}\n    mv t2, s1\n1:\n"
    body += load_post("lw", "a0", "t2", 4) + load_post("lw", "a1", "t2", 4)
    body += three("pv.sdotsp.b", "a2", "a0", "a3") + three("pv.sdotsp.b", "a4", "a1", "a3")
    body += three("p.mac", "a5", "a0", "a1") + lines("addi t2, t2, -8", "sw a2, 64(s1)")
    body += lines("addi t1, t1, -1", "bnez t1, 1b", "li t2, 0")
    return Program("bench/long", body, cores=ALL)


def seconds(simulator: Simulator, image: bytes, machines: Machines) -> tuple[float, int]:
    """Processor time of the best run, and the instructions that it counted."""
    best, counted = float("inf"), 0
    for _ in range(RUNS):
        before = _spent()
        with tempfile.TemporaryDirectory() as folder:
            ran = simulator.run(image, LIMITS, Path(folder), machines.registry)
        spent = _spent() - before
        if ran.status is not RunStatus.COMPLETED:
            raise UserError(f"bench: {simulator.name}: {ran.reason}")
        best = min(best, spent)
        counted = ran.instructions or 0
    return best, counted


def _spent() -> float:
    """Processor seconds of all simulators so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compare(name: str, image: bytes, conflicts: str, machines: Machines, beside: bool) -> bool:
    """Print a line; whether it reaches the goals."""
    ours, instructions = seconds(machines.xpulp_simulator(conflicts), image, machines)
    mips, ratio = instructions / ours / 1e6, None
    text = f"{name}, bank conflicts {conflicts}: {instructions / 1e6:.1f} million instructions"
    text += f", xpulp {mips:.1f} MIPS"
    if beside:
        theirs, _ = seconds(machines.gvsoc_simulator(conflicts), image, machines)
        ratio = theirs / ours
        text += f", GVSOC {instructions / theirs / 1e6:.1f} MIPS, {ratio:.1f} times"
    good = mips >= GOAL_MIPS and (ratio is None or ratio >= GOAL_RATIO)
    print(text if good else f"{text}: too slow", flush=True)
    return good


def installed(ask: Callable[[], object]) -> bool:
    """Whether GVSOC is here; says what to do where it is not."""
    try:
        ask()
    except UserError as error:
        print(error)
        return False
    return True


def main() -> int:
    """Both images under both settings."""
    machines = Machines(ROOT)
    beside = installed(lambda: machines.gvsoc_version)
    program = long_program()
    image = assemble([program], machines.compiler, machines.cache)[program.id]
    kernel = next(case.image for case in cases(ROOT, machines) if case.id.startswith(KERNEL))
    images = {"long program": image, KERNEL: kernel}
    good = [
        compare(name, images[name], conflicts, machines, beside)
        for name in images
        for conflicts in CONFLICTS
    ]
    goal = f"at least {GOAL_MIPS:g} MIPS"
    goal += f" and {GOAL_RATIO:g} times GVSOC" if beside else "; GVSOC is not here: not compared"
    print(f"{'PASS' if all(good) else 'FAIL'}: {goal}")
    return 0 if all(good) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(f"bench: {error}")
