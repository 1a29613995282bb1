# SPDX-License-Identifier: Apache-2.0
"""Profiles and traces of both embedded simulators add up and name the right instructions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cortexm_tools
import pytest
import xpulp_tools
from firmware import Workshop

from touchstone.image import compose, extract_loadable
from touchstone.job import OperandSpec, build_job, with_run_id
from touchstone.manifest import load_kernel, load_target
from touchstone.observe import disassembler_of
from touchstone.profile import Count, Counts, make_profile, read_counts
from touchstone.simulators.cortexm_costs import build_costs
from touchstone.symbols import read_symbols
from touchstone.trace import read_steps
from touchstone.vectors import Case, Container, Operand

ROOT = Path(__file__).parents[2]
KERNELS_ROOT = ROOT / "tests" / "data"
Runner = Callable[..., "cortexm_tools.Outcome | xpulp_tools.Outcome"]


@dataclass(frozen=True)
class Watched:
    """A program's run with everything that was counted; the timed part is its last two reads."""

    counts: Counts
    trace: str
    cycles: int
    instructions: int

    def at(self, pc: int, core: int = 0) -> Count:
        """What the instruction at `pc` did."""
        (found,) = [c for c in self.counts.counts if (c.pc, c.core) == (pc, core)]
        return found

    def stalls(self, pc: int, core: int = 0) -> dict[str, int]:
        """Its cycles by cause."""
        named = zip(self.counts.causes, self.at(pc, core).stalls, strict=True)
        return {cause: cycles for cause, cycles in named if cycles}


def watch(folder: Path, run: Runner, image: bytes, *options: str, **more: object) -> Watched:
    """Run an image with and without observer: the report must not depend on it."""
    words = [f"--{kind}={folder / kind}" for kind in ("profile", "trace")]
    words = [part for word in words for part in word.split("=", 1)]
    outcome = run(image, *options, *words, **more)
    assert outcome.report == run(image, *options, **more).report
    assert outcome.report["status"] == "exit"
    reads = outcome.report["counter_reads"]
    assert len(reads) == 4
    counts = read_counts((folder / "profile").read_bytes())
    watched = Watched(
        counts,
        (folder / "trace").read_text(),
        reads[3][0] - reads[2][0],
        reads[3][1] - reads[2][1],
    )
    assert counts.cycles(0) == watched.cycles
    assert counts.instructions == watched.instructions
    return watched


XPULP = """
    cluster
core:
    csrr s2, mhartid
    barrier_setup
    li s1, 0x10000000
    li a2, -77
    csrr s3, mcycle
    csrr s3, mcycle
    li s5, 2
again:
    addi s5, s5, -1
    barrier
    bnez s5, again
    jal t3, measured
    csrr s4, mcycle
    bnez s2, park
    finish
park: wfi
measured:
    csrr s3, mcycle
    li t1, 5
loop:
    lw a0, 0(s1)
    add a1, a0, a0
    addi t1, t1, -1
    bnez t1, loop
    lw a3, 2(s1)
    jal helper
    barrier
    jr t3
helper:
    div a0, a0, a2
    ret
"""


@pytest.mark.parametrize("options", [(), ("--bank-conflicts", "on", "--icache", "on")])
def test_xpulp(tmp_path: Path, options: tuple[str, ...]) -> None:
    watched = watch(tmp_path, xpulp_tools.run, xpulp_tools.assemble(XPULP), *options)
    by_executions = sorted(watched.counts.counts, key=lambda count: -count.executions)
    loop = min(count.pc for count in by_executions if count.executions == 5 and count.core == 0)
    assert watched.at(loop + 4).executions == 5
    taken, misaligned, jal, barrier, divide = (loop + offset for offset in (12, 16, 20, 24, 32))
    assert watched.at(divide).frame != watched.at(loop).frame
    assert watched.counts.frames[watched.at(divide).frame][1] == jal
    assert watched.stalls(misaligned)["misaligned access"] == 1
    assert watched.stalls(barrier).keys() >= {"waiting, clock-gated"}
    if not options:
        assert watched.stalls(loop + 4) == {"load-use": 5}
        assert watched.stalls(taken) == {"branch or jump": 8}
        assert "multi-cycle multiply or divide" in watched.stalls(divide)
        assert not any("instruction cache" in watched.stalls(c.pc) for c in by_executions[:4])
    else:
        # All cores load the same word; cold code comes from the caches.
        conflicts = sum(watched.stalls(loop, core).get("bank conflict", 0) for core in range(8))
        assert conflicts > 0
        assert any("instruction cache" in watched.stalls(c.pc, c.core) for c in by_executions)
    steps = read_steps(watched.trace)
    assert len(steps) == watched.instructions
    loaded = [step for step in steps if (step.core, step.pc) == (0, loop)]
    assert [step.address for step in loaded] == ["10000000"] * 5
    waits = [step for step in steps if (step.core, step.pc) == (0, barrier)]
    assert [step.results for step in waits] == ["x5=10000"]
    cycles = [step.cycle for step in steps if step.core == 0]
    assert cycles == sorted(set(cycles))


CORTEXM = """
    enable_counter
    count r4
    count r4
    ldr r5, =0x20000100
    movs r6, #5
    movs r7, #100
    movs r2, #3
    bl measured
    count r4
    finish
.thumb_func
measured:
    count r4
    mov r8, lr
again:
    ldr r0, [r5]
    ldr r1, [r5, #4]
    adds r3, r0, r1
    subs r6, #1
    bne again
    bl helper
    bx r8
.thumb_func
helper:
    udiv r0, r7, r2
    cmp r0, #0
    it eq
    moveq r0, #1
    bx lr
"""


@pytest.mark.parametrize("core", [cortexm_tools.M4, cortexm_tools.M7])
def test_cortexm(tmp_path: Path, core: str) -> None:
    image = cortexm_tools.assemble(CORTEXM, core)
    watched = watch(tmp_path, cortexm_tools.run, image, core=core)
    loop = min(count.pc for count in watched.counts.counts if count.executions == 5)
    # ldr, ldr, adds, subs, bne: two bytes each; bl, bx, udiv follow.
    taken, call, divide = loop + 8, loop + 10, loop + 16
    assert watched.counts.frames[watched.at(divide).frame][1] == call
    for count in watched.counts.counts:
        assert count.cycles == count.executions + sum(count.stalls)
    if core == cortexm_tools.M4:
        assert watched.stalls(loop) == {"load or store": 5}
        assert watched.stalls(loop + 2) == {}
        assert watched.stalls(taken) == {"branch refill": 8}
        assert watched.at(divide).cycles == 6
        assert watched.stalls(divide) == {"divide": 5}
    else:
        assert watched.stalls(loop + 2)["dual issue"] < 0
        assert watched.stalls(taken)["branch misprediction"] % 7 == 0
        assert watched.at(divide).cycles == 7
    steps = read_steps(watched.trace)
    assert len(steps) == watched.instructions
    assert [s.results for s in steps if s.pc == taken - 2] == [f"r6={n}" for n in (4, 3, 2, 1, 0)]
    assert [s.results for s in steps if s.pc == divide] == ["r0=21"]
    assert [s.pc for s in steps if s.results == "skipped"] == [divide + 8]


def kernel_job() -> bytes:
    """Many equal rows for the identity kernel."""
    operand = Operand("input", "int8", (8, 64), bytes(range(256)) * 2)
    shape = {"S": 8, "E": 64, "P": 1, "H": 1, "F": 1}
    inputs = Container("identity", shape, (Case("random", {"bias": 1}, (operand,)),))
    operands = (OperandSpec("input", "activation"), OperandSpec("output", "output", 512))
    return build_job(inputs, operands, "identity", 1, 16, ["bias"])


@pytest.mark.parametrize("name", ["gap9", "stm32l4", "stm32h7"])
def test_hot_line_of_a_kernel(tmp_path: Path, name: str) -> None:
    target = load_target(ROOT, name, tmp_path / "manifests")
    kernel = load_kernel(KERNELS_ROOT, "identity", tmp_path / "manifests")
    workshop = Workshop(ROOT, KERNELS_ROOT, Path(os.environ["ZIG_GLOBAL_CACHE_DIR"]))
    elf = workshop.build(target, kernel, kernel.variant("portable"), tmp_path / "firmware")
    loadable = extract_loadable(elf)
    image = compose(loadable, with_run_id(kernel_job(), loadable))
    if name == "gap9":
        watched = watch(tmp_path, xpulp_tools.run, image)
    else:
        regions = (f"{r.origin:#x}:{r.bytes}" for r in target.memory.values())
        memory = [word for region in regions for word in ("--memory", region)]
        core, costs = target.isas[0], build_costs(loadable, target.isas[0])
        watched = watch(tmp_path, run_cortexm, image, *memory, core=core, costs=costs)
    symbols = read_symbols(elf)
    profile = make_profile(watched.counts, symbols, disassembler_of(symbols))
    source = (KERNELS_ROOT / "kernels/identity/portable.c").read_text().splitlines()
    first = next(n for n, line in enumerate(source, 1) if "for (" in line)
    inside = {f"kernels/identity/portable.c:{n}" for n in range(first, first + 11)}
    own = [
        (line.removeprefix("./"), tally.instructions)
        for (function, line), tally in profile.lines.items()
        if function == "ts_identity_portable"
    ]
    hottest = max(own, key=lambda item: item[1])
    assert hottest[0] in inside
    assert hottest[1] >= 512
    assert any("ts_job_run;ts_identity_portable;" in stack for stack in profile.folded)


def run_cortexm(image: bytes, *options: str, core: str, costs: bytes) -> cortexm_tools.Outcome:
    """As cortexm_tools.run, with the costs of the firmware without its job."""
    folder = cortexm_tools.scratch() / "profile"
    folder.mkdir(exist_ok=True)
    done = cortexm_tools.launch(folder, image, *options, core=core, costs=costs)
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "report").read_text())
    return cortexm_tools.Outcome(report, b"", b"")
