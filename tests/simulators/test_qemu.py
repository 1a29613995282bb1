# SPDX-License-Identifier: Apache-2.0
"""`sim=qemu`: the same outputs and the same instructions as on the embedded simulator, and every
way of dying is a status of that cell alone."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from firmware import Workshop
from installed import CONFIG, DEFAULT_MATRIX, QEMU, STM32, Row, needs, passed
from test_firmware_e2e import KERNELS_ROOT, ROOT, Job, make_job

from tests.e2e.project import Project
from touchstone.elf import read_elf, write_elf
from touchstone.errors import UserError
from touchstone.image import compose
from touchstone.job import with_run_id
from touchstone.manifest import load_kernel, load_target
from touchstone.process import ProcessRegistry, ProcessResult
from touchstone.records import parse_stream
from touchstone.simulators import qemu
from touchstone.simulators.base import Limits, RunStatus, SimulatorRun

LIMITS = Limits(instructions=20_000_000, wall_seconds=20)
CORES = {"stm32l4": "cortex-m4", "stm32h7": "cortex-m7"}
TOOLCHAINS = ("llvm", pytest.param("gnu", marks=needs("arm-none-eabi-gcc")))


def counts(rows: dict[str, Row]) -> dict[str, object]:
    return {name: row["instructions"] for name, row in rows.items()}


def compare_with_unicorn(project: Project, toolchain: str, config: str) -> int:
    words = (f"toolchain={toolchain}", STM32)
    ours = passed(project, *words, config=config)
    theirs = passed(project, "sim=qemu", *words, config=config)
    assert None not in counts(ours).values()
    assert counts(ours) == counts(theirs)
    for row in theirs.values():
        assert row["timing"] == "instruction-count"
        not_measured = ("cycles", "cycles_cold", "mac_per_cycle", "peak_share", "energy_uj")
        assert [row[name] for name in not_measured] == [None] * 5
    return len(theirs)


@needs(QEMU)
@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_outputs_and_instructions_are_unicorns(checkout: Project, toolchain: str) -> None:
    assert compare_with_unicorn(checkout, toolchain, CONFIG) >= 8


@pytest.mark.nightly
@needs(QEMU)
@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_default_matrix(checkout: Project, toolchain: str) -> None:
    assert compare_with_unicorn(checkout, toolchain, DEFAULT_MATRIX) > 100


@needs(QEMU)
def test_table_calls_instructions_by_their_name(checkout: Project) -> None:
    words = ("sim=qemu", "target=stm32l4", "kernel=layernorm", "seed=7")
    ended = checkout.run(*words, config=CONFIG)
    (row,) = ended.cells.values()
    header = next(line.split() for line in ended.output.splitlines() if line.startswith("cell "))
    assert header[:5] == ["cell", "status", "cycles", "instructions", "change"]
    count = f"{row['instructions']:,}".replace(",", " ")
    assert ended.table[0][:3] == [row["id"], "PASS", count]
    line = "instructions of qemu: executed instructions, exact; QEMU has no pipeline"
    assert line in ended.output.splitlines()


def test_a_core_that_qemu_lacks() -> None:
    with pytest.raises(UserError, match="target gap9: QEMU has no board for xpulpv2"):
        qemu.settings({"name": "gap9", "isas": ["xpulpv2", "rv32imc"]})


class Bench:
    """Firmware for QEMU's boards, and runs of it."""

    def __init__(self, directory: Path, cache: Path) -> None:
        self.directory = directory
        self._workshop = Workshop(ROOT, KERNELS_ROOT, cache)
        self._kernel = load_kernel(KERNELS_ROOT, "identity", directory / "manifests")
        self.registry = ProcessRegistry()

    def loadable(self, target: str, variant: str) -> bytes:
        manifest = load_target(ROOT, target, self.directory / "manifests")
        chosen = self._kernel.variant(variant)
        folder = self.directory / target / variant
        return self._workshop.loadable(manifest, self._kernel, chosen, folder, "qemu")

    def image(self, target: str, variant: str, job: Job) -> bytes:
        loadable = self.loadable(target, variant)
        return compose(loadable, with_run_id(job.block, loadable))

    def run(self, target: str, image: bytes, limits: Limits = LIMITS) -> SimulatorRun:
        folder = self.directory / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        program = shutil.which(QEMU)
        assert program is not None
        settings = qemu.settings({"name": target, "isas": [CORES[target]]})
        simulator = qemu.make("qemu", settings, [Path(program)])
        return simulator.run(image, limits, folder, self.registry)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory, checkout: Project) -> Bench:
    return Bench(tmp_path_factory.mktemp("qemu"), checkout.path("build/zig"))


@needs(QEMU)
@pytest.mark.parametrize("target", CORES)
def test_right_kernel(bench: Bench, target: str) -> None:
    job = make_job()
    run = bench.run(target, bench.image(target, "portable", job))
    assert (run.status, run.reason, run.log) == (RunStatus.COMPLETED, "", "")
    result = parse_stream(run.stream, job.expected(bench.loadable(target, "portable")))
    assert [case.output for case in result.cases] == job.outputs
    assert bench.run(target, bench.image(target, "portable", job)) == run


@needs(QEMU)
def test_kernel_that_never_returns(bench: Bench) -> None:
    limits = Limits(instructions=10_000_000, wall_seconds=1)
    run = bench.run("stm32l4", bench.image("stm32l4", "endless", make_job()), limits)
    reason = "no end within the 1 s given to 10000000 instructions"
    assert (run.status, run.reason) == (RunStatus.TIMEOUT, reason)


@needs(QEMU)
def test_stack_overflow(bench: Bench) -> None:
    """Below the stack is nothing that keeps a return address."""
    run = bench.run("stm32l4", bench.image("stm32l4", "deep_stack", make_job(bias=136)))
    assert run.status is RunStatus.CRASH
    assert run.log.startswith("fault: exception ")


@needs(QEMU)
def test_store_to_nowhere(bench: Bench) -> None:
    """The M7's board has memory there."""
    run = bench.run("stm32l4", bench.image("stm32l4", "wild_store", make_job()))
    assert run.status is RunStatus.CRASH
    assert run.fault is not None
    assert run.reason.startswith("fault at address 0x60000000 on core 0, pc 0x0000")


@needs(QEMU)
@pytest.mark.parametrize("start", [0x5000_0001, 0x2100_0001, 0])
def test_start_in_nowhere(bench: Bench, start: int) -> None:
    """The reset vector leads out of memory, into memory without code, into another state."""
    executable = read_elf(bench.image("stm32l4", "portable", make_job()))
    code, *others = executable.segments
    reset = replace(code, data=code.data[:4] + start.to_bytes(4, "little") + code.data[8:])
    damaged = write_elf(replace(executable, segments=(reset, *others)))
    run = bench.run("stm32l4", damaged, Limits(instructions=10_000_000, wall_seconds=2))
    assert run.status in (RunStatus.CRASH, RunStatus.TIMEOUT), run
    assert run.reason


@needs(QEMU)
def test_no_elf_at_all(bench: Bench) -> None:
    """QEMU loads anything."""
    limits = Limits(instructions=10_000_000, wall_seconds=1)
    run = bench.run("stm32l4", b"\x7fELF\1\1\1" + bytes(9), limits)
    assert run.status in (RunStatus.CRASH, RunStatus.TIMEOUT)


def killed_in_the_middle(bench: Bench, kill: Callable[[int], None]) -> tuple[SimulatorRun, int]:
    image = bench.image("stm32l4", "endless", make_job())
    runs: list[SimulatorRun] = []
    thread = threading.Thread(target=lambda: runs.append(bench.run("stm32l4", image)))
    thread.start()
    end = time.monotonic() + 10
    groups: set[int] = set()
    while not groups and time.monotonic() < end:
        time.sleep(0.05)
        groups = set(bench.registry._groups)
    (group,) = groups
    time.sleep(0.3)
    kill(group)
    thread.join(timeout=10)
    return runs[0], group


@needs(QEMU)
def test_killed_in_the_middle(bench: Bench) -> None:
    run, group = killed_in_the_middle(bench, lambda group: os.kill(group, signal.SIGKILL))
    assert (run.status, run.reason) == (RunStatus.CRASH, "the simulator was killed by signal 9")
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


@needs(QEMU)
def test_interrupted_in_the_middle(tmp_path: Path, checkout: Project) -> None:
    bench = Bench(tmp_path, checkout.path("build/zig"))
    run, group = killed_in_the_middle(bench, lambda _: bench.registry.interrupt())
    assert (run.status, run.reason) == (RunStatus.CRASH, "interrupted")
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


def test_wall_limit_follows_the_instructions() -> None:
    assert qemu.wall_seconds(Limits(20_000_000, 120)) == 11
    assert qemu.wall_seconds(Limits(20_000_000_000, 120)) == 120


@pytest.mark.parametrize(
    ("returncode", "said", "reason"),
    [
        (1, "qemu-system-arm: no such board\n", "qemu-system-arm: no such board"),
        (102, "stack overflow on core 0\n", "the firmware exited with 102"),
        (-6, "qemu: fatal: Lockup\nR00=0\n", "qemu: fatal: Lockup"),
        (-25, "", "the simulator was killed by signal 25"),
    ],
)
def test_reasons(returncode: int, said: str, reason: str) -> None:
    run = qemu.interpret(ProcessResult(returncode, False, False, said), b"", LIMITS, 20)
    assert (run.status, run.reason) == (RunStatus.CRASH, reason)


def test_nothing_said_is_no_output() -> None:
    run = qemu.interpret(ProcessResult(0, False, False, ""), b"", LIMITS, 20)
    assert run.status is RunStatus.NO_OUTPUT


def test_counts_become_whole_instructions() -> None:
    per_count = qemu.COUNTER.per_count
    for instructions in (1, 4, 1000, 10_000_001, 2**30):
        exact = instructions / per_count
        for lost in (-0.99, 0, 0.99):
            assert round(round(exact + lost) * per_count) == instructions
