# SPDX-License-Identifier: Apache-2.0
"""The real GVSOC, where it is installed: the same images as on the embedded simulator."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from test_firmware_e2e import Bench, Job, make_job
from xpulp_tools import CODE, assemble

from touchstone.image import compose
from touchstone.job import with_run_id
from touchstone.process import ProcessRegistry
from touchstone.records import JobResult, parse_stream
from touchstone.simulators.base import Limits, RunStatus, SimulatorRun
from touchstone.simulators.gvsoc import GvsocSimulator
from touchstone.simulators.gvsoc_config import GvsocError, GvsocSettings
from touchstone.simulators.gvsoc_install import Installation, find_installation

L1_BYTES = 0x20000
LIMITS = Limits(instructions=3_000_000, wall_seconds=60)
SHORT = Limits(instructions=3_000_000, wall_seconds=2)
# Both instruction caches on, the cluster started at `core`, its traps reported in exit codes.
START = f"""
    li t0, -1
    li t1, 0x1A108800
    sw t0, 0(t1)
    li t1, 0x10201400
    sw t0, 0(t1)
    cluster
    .balign 256
trap:
    csrr a0, mcause
    addi a0, a0, 64
    j leave
leave:  # ends with a0 as the exit code
    li t0, 0x80000000
    or a0, a0, t0
    li t0, 0x1A1040A0
    sw a0, 0(t0)
    j .
core:
    la t0, trap
    csrw mtvec, t0
    li s1, {0x10000000:#x}
"""
FIRST_CORE_ONLY = """
    csrr t0, mhartid
    andi t0, t0, 31
    beqz t0, 1f
    wfi
1:
"""


@pytest.fixture(scope="session")
def installation() -> Installation:
    try:
        return find_installation(os.environ)
    except GvsocError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def bench(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("firmware"))


Runner = Callable[..., SimulatorRun]


@pytest.fixture
def simulate(installation: Installation, tmp_path: Path) -> Runner:
    """Runs an image: (image, conflicts="off", limits=LIMITS)."""

    def run(image: bytes, conflicts: str = "off", limits: Limits = LIMITS) -> SimulatorRun:
        settings = GvsocSettings(L1_BYTES, conflicts)
        simulator = GvsocSimulator("gvsoc", installation, settings, tmp_path / "prepared")
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            return simulator.run(image, limits, Path(folder), ProcessRegistry())

    return run


@pytest.fixture
def program(simulate: Runner) -> Callable[..., int]:
    """Runs an assembler program on the cluster; what core 0 leaves in a0 (below 256)."""

    def run(text: str, conflicts: str = "off") -> int:
        ran = simulate(assemble(START + text + "\n j leave"), conflicts)
        if ran.status is RunStatus.NO_OUTPUT:
            return 0
        found = re.fullmatch(r"the firmware exited with (\d+)", ran.reason)
        assert found is not None, (ran.reason, ran.log)
        return int(found[1])

    return run


def image_of(bench: Bench, variant: str, job: Job) -> bytes:
    loadable = bench.loadable("gap9", variant)
    return compose(loadable, with_run_id(job.block, loadable))


def result_of(bench: Bench, ran: SimulatorRun, job: Job) -> JobResult:
    assert (ran.status, ran.reason) == (RunStatus.COMPLETED, ""), ran.log
    return parse_stream(ran.stream, job.expected(bench.loadable("gap9", "portable")))


@pytest.mark.parametrize("cores", [1, 3, 8])
@pytest.mark.parametrize("conflicts", ["off", "on"])
def test_firmware_reports_the_same_as_on_the_embedded_simulator(
    bench: Bench, simulate: Runner, cores: int, conflicts: str
) -> None:
    job = make_job(cores, (8, 32))
    ran = simulate(image_of(bench, "portable", job), conflicts)
    found = result_of(bench, ran, job)
    embedded = bench.result("gap9", "portable", job)
    assert [case.output for case in found.cases] == job.outputs
    assert found.cases == embedded.cases
    assert (found.status, found.stack_bytes) == (embedded.status, embedded.stack_bytes)
    assert found.cycles_cold is not None
    assert found.cycles_warm is not None
    assert found.cycles_cold >= found.cycles_warm > 0
    assert ran.log == ""


def test_same_image_gives_the_same_run(bench: Bench, simulate: Runner) -> None:
    image = image_of(bench, "portable", make_job(8))
    assert simulate(image) == simulate(image)


@pytest.mark.parametrize("variant", ["overrun", "input_changer", "unwritten"])
def test_what_a_wrong_kernel_does_is_reported_alike(
    bench: Bench, simulate: Runner, variant: str
) -> None:
    job = make_job(2)
    image = image_of(bench, variant, job)
    ran, embedded = simulate(image), bench.run("gap9", variant, job)
    expected = job.expected(bench.loadable("gap9", variant))
    found = parse_stream(ran.stream, expected)
    assert found.cases == parse_stream(embedded.stream, expected).cases
    assert ran.log == embedded.log


@pytest.mark.parametrize("variant", ["endless", "lost_barrier"])
def test_a_kernel_that_never_ends_meets_the_wall_limit(
    bench: Bench, simulate: Runner, variant: str
) -> None:
    ran = simulate(image_of(bench, variant, make_job(2)), limits=SHORT)
    assert ran.status is RunStatus.TIMEOUT
    assert "wall limit of 2 s reached" in ran.reason


@pytest.mark.parametrize("offset", [L1_BYTES, L1_BYTES + 0x10000, 0xFFFFC, 0x100000 + L1_BYTES])
@pytest.mark.parametrize("instruction", ["lw a0, 0(t0)", "sw a0, 0(t0)"])
def test_an_access_behind_l1_is_a_fault_and_no_hang(
    simulate: Runner, offset: int, instruction: str
) -> None:
    text = FIRST_CORE_ONLY + f"li t0, {0x10000000 + offset:#x}\n{instruction}\nj leave"
    ran = simulate(assemble(START + text), limits=SHORT)
    assert ran.fault is not None, ran.reason
    assert (ran.fault.kind, ran.fault.core) == ("memory-access", 0)
    assert ran.fault.address == 0x10000000 + offset


def test_all_of_l1_is_there(program: Callable[..., int]) -> None:
    text = FIRST_CORE_ONLY
    for number, offset in enumerate((0, 0xFFFC, 0x10000, L1_BYTES - 4)):
        text += f"li t0, {0x10000000 + offset:#x}\nli t1, {number + 1}\nsw t1, 0(t0)\n"
    text += "li a0, 0\n"
    for offset in (0, 0xFFFC, 0x10000, L1_BYTES - 4):
        text += f"li t0, {0x10000000 + offset:#x}\nlw t1, 0(t0)\nslli a0, a0, 2\nadd a0, a0, t1\n"
    assert program(text) == ((1 * 4 + 2) * 4 + 3) * 4 + 4


def test_an_access_to_nothing_is_a_fault_with_its_pc(simulate: Runner) -> None:
    image = assemble(START + FIRST_CORE_ONLY + "li t0, 0x30000000\nlw a0, 4(t0)\nj leave")
    ran = simulate(image)
    assert ran.status is RunStatus.CRASH
    assert ran.fault is not None
    assert (ran.fault.kind, ran.fault.core) == ("memory-access", 0)
    assert ran.fault.address == 0x30000004
    assert CODE < ran.fault.pc < CODE + 0x1000


def test_an_illegal_instruction_reaches_the_trap_handler(program: Callable[..., int]) -> None:
    assert program(FIRST_CORE_ONLY + ".word 0xffffffff") >= 64


# Every core loads from bank 0, twice: the first time brings the code into the caches.
ONE_BANK = """
    barrier_setup
    li s2, 2
1:
    barrier
    csrr s8, mcycle
    .rept 16
    lw a0, 0(s1)
    .endr
    csrr s9, mcycle
    addi s2, s2, -1
    bnez s2, 1b
    sub a0, s9, s8
    csrr t0, mhartid
    andi t0, t0, 31
    beqz t0, 2f
    j .
2:
"""


def test_bank_conflicts_are_as_set(program: Callable[..., int]) -> None:
    assert program(ONE_BANK, "off") == 17
    assert program(ONE_BANK, "on") > 6 * 16
