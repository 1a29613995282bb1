# SPDX-License-Identifier: Apache-2.0
"""`sim=renode`, on a real one: the same images, outputs and instructions as on the embedded
simulator, and every way of dying is a status of that cell alone."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from firmware import Workshop
from installed import CONFIG, DEFAULT_MATRIX, RENODE, STM32, Row, needs, passed
from test_firmware_e2e import KERNELS_ROOT, ROOT, Job, make_job
from test_firmware_e2e import Bench as EmbeddedBench

from tests.e2e.project import Project
from touchstone.elf import read_elf, write_elf
from touchstone.image import compose
from touchstone.job import with_run_id
from touchstone.manifest import load_kernel, load_target
from touchstone.process import ProcessRegistry
from touchstone.records import parse_stream
from touchstone.simulators import renode
from touchstone.simulators.base import Limits, RunStatus, SimulatorRun
from touchstone.simulators.registry import EXTERNAL, find_external
from touchstone.simulators.renode_process import RenodeProcess

pytestmark = needs(RENODE)

LIMITS = Limits(instructions=20_000_000, wall_seconds=60)
TARGETS = ("stm32l4", "stm32h7")
TOOLCHAINS = ("llvm", pytest.param("gnu", marks=needs("arm-none-eabi-gcc")))
# Instructions in a slice of simulated time.
SLICES = range(20, 120, 4)
NANOSECONDS = 10  # of simulated time in an instruction
# A run on a process that has started; far above what it takes, for loaded machines.
WARM_SECONDS = 0.5


def counts(rows: dict[str, Row]) -> dict[str, object]:
    return {name: row["instructions"] for name, row in rows.items()}


def compare_with_unicorn(project: Project, toolchain: str, config: str) -> int:
    words = (f"toolchain={toolchain}", STM32)
    ours = passed(project, *words, config=config)
    theirs = passed(project, "sim=renode", *words, config=config)
    assert None not in counts(ours).values()
    assert counts(ours) == counts(theirs)
    for row in theirs.values():
        assert row["timing"] == "instruction-count"
        not_measured = ("cycles", "cycles_cold", "mac_per_cycle", "peak_share", "energy_uj")
        assert [row[name] for name in not_measured] == [None] * 5
    assert list(project.path("build/tmp").glob("renode-*")) == []
    return len(theirs)


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_outputs_and_instructions_are_unicorns(checkout: Project, toolchain: str) -> None:
    assert compare_with_unicorn(checkout, toolchain, CONFIG) >= 8


@pytest.mark.nightly
@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_default_matrix(checkout: Project, toolchain: str) -> None:
    assert compare_with_unicorn(checkout, toolchain, DEFAULT_MATRIX) > 100


def test_nothing_to_do_asks_nothing(checkout: Project) -> None:
    words = ("sim=renode", "target=stm32l4", "kernel=layernorm")
    passed(checkout, *words)
    again = checkout.run(*words, config=CONFIG)
    assert again.status == 0
    assert "simulate" not in again.built
    assert "instructions of renode: executed instructions, exact; Renode 1." in again.output


class Bench:
    """Firmware for the chips' own memory, and runs of it on one Renode process after the other."""

    def __init__(self, directory: Path, cache: Path) -> None:
        self.directory = directory
        self._workshop = Workshop(ROOT, KERNELS_ROOT, cache)
        self._kernel = load_kernel(KERNELS_ROOT, "identity", directory / "manifests")
        self.registry = ProcessRegistry()
        self.loadable = functools.cache(self._loadable)

    def _loadable(self, target: str, variant: str) -> bytes:
        manifest = load_target(ROOT, target, self.directory / "manifests")
        folder = self.directory / target / variant
        return self._workshop.loadable(
            manifest, self._kernel, self._kernel.variant(variant), folder
        )

    def image(self, target: str, variant: str, job: Job) -> bytes:
        loadable = self.loadable(target, variant)
        return compose(loadable, with_run_id(job.block, loadable))

    def run(self, target: str, image: bytes, limits: Limits = LIMITS) -> SimulatorRun:
        program = find_external(EXTERNAL[RENODE])
        assert program is not None
        settings = renode.settings({"name": target})
        simulator = renode.make(RENODE, settings, [Path(program), self.directory])
        return simulator.run(image, limits, self.directory, self.registry)

    def close(self) -> None:
        self.registry.workers.close()
        assert not self.registry._groups
        assert list((self.directory / "tmp").glob("renode-*")) == []


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, checkout: Project) -> Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("renode"), checkout.path("build/zig"))
    yield bench
    bench.close()


@pytest.fixture
def own(tmp_path: Path, checkout: Project) -> Iterator[Bench]:
    bench = Bench(tmp_path, checkout.path("build/zig"))
    yield bench
    bench.close()


def check_right(bench: Bench, target: str) -> SimulatorRun:
    job = make_job()
    run = bench.run(target, bench.image(target, "portable", job))
    assert (run.status, run.reason, run.log) == (RunStatus.COMPLETED, "", "")
    result = parse_stream(run.stream, job.expected(bench.loadable(target, "portable")))
    assert [case.output for case in result.cases] == job.outputs
    return run


@pytest.mark.parametrize("target", TARGETS)
def test_right_kernel(shared: Bench, target: str) -> None:
    first = check_right(shared, target)
    # Others in between leave no trace.
    shared.run(target, shared.image(target, "scratch_reader", make_job(bias=9)))
    assert check_right(shared, target) == first


@pytest.mark.nightly
@pytest.mark.parametrize("target", TARGETS)
def test_count_wherever_time_slices_end(target: str, shared: Bench, tmp_path: Path) -> None:
    """The end of a slice of simulated time cuts a block of code in two, also where the counter is
    read. In a matrix that is chance; slices of a few instructions have it happen.
    """
    job = make_job()
    loadable = shared.loadable(target, "portable")
    image = compose(loadable, with_run_id(job.block, loadable))
    reads = EmbeddedBench(tmp_path).run_image(target, loadable, image).counter_reads
    assert reads is not None
    cold, warm = (reads[i + 1].instructions - reads[i].instructions for i in (0, 2))
    program = find_external(EXTERNAL[RENODE])
    assert program is not None
    process = RenodeProcess(Path(program), ROOT / "targets" / target, tmp_path, shared.registry)
    counted = {}
    for instructions in SLICES:
        # Half a nanosecond more: the monitor rounds down, and in floating point.
        seconds = (instructions * NANOSECONDS + 0.5) / 1e9
        process._say(f'emulation SetGlobalQuantum "{seconds:.10f}"')
        result = parse_stream(process.run(image, LIMITS).stream, job.expected(loadable))
        counted[instructions] = (result.cycles_cold, result.cycles_warm)
    process.end()
    assert counted == dict.fromkeys(SLICES, (cold, warm))


@pytest.mark.parametrize("target", TARGETS)
def test_warm_run_is_quick(shared: Bench, target: str) -> None:
    check_right(shared, target)
    spent = []
    for _ in range(7):
        start = time.monotonic()
        check_right(shared, target)
        spent.append(time.monotonic() - start)
    assert sorted(spent)[3] < WARM_SECONDS, spent


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("variant", "status"),
    [("overrun", "guard overwritten"), ("input_changer", "input changed"),
     ("unwritten", "runs differ"), ("scratch_reader", "runs differ")],
)  # fmt: skip
def test_wrong_kernel(shared: Bench, target: str, variant: str, status: str) -> None:
    run = shared.run(target, shared.image(target, variant, make_job()))
    result = parse_stream(run.stream, make_job().expected(shared.loadable(target, variant)))
    assert result.status_text == status


def test_kernel_that_never_returns(shared: Bench) -> None:
    limits = Limits(instructions=10_000_000, wall_seconds=60)
    run = shared.run("stm32l4", shared.image("stm32l4", "endless", make_job()), limits)
    reason = "limit of 10000000 simulated instructions reached"
    assert (run.status, run.reason) == (RunStatus.TIMEOUT, reason)
    check_right(shared, "stm32l4")


def test_wall_limit(shared: Bench) -> None:
    limits = Limits(instructions=2**50, wall_seconds=1)
    run = shared.run("stm32l4", shared.image("stm32l4", "endless", make_job()), limits)
    assert (run.status, run.reason) == (RunStatus.TIMEOUT, "wall limit of 1 s reached")
    check_right(shared, "stm32l4")


@pytest.mark.parametrize("target", TARGETS)
def test_store_to_nowhere(shared: Bench, target: str) -> None:
    run = shared.run(target, shared.image(target, "wild_store", make_job()))
    assert run.status is RunStatus.CRASH
    assert run.fault is not None
    assert (run.fault.kind, run.fault.address) == ("memory-access", 0x60000000)
    check_right(shared, target)


def test_stack_overflow(shared: Bench) -> None:
    run = shared.run("stm32l4", shared.image("stm32l4", "deep_stack", make_job(bias=136)))
    assert run.status is RunStatus.CRASH
    assert run.reason


@pytest.mark.parametrize("start", [0x5000_0001, 0x2100_0001, 0])
def test_start_in_nowhere(shared: Bench, start: int) -> None:
    """The reset vector leads out of memory, into memory without code, into another state."""
    executable = read_elf(shared.image("stm32l4", "portable", make_job()))
    code, *others = executable.segments
    reset = replace(code, data=code.data[:4] + start.to_bytes(4, "little") + code.data[8:])
    damaged = write_elf(replace(executable, segments=(reset, *others)))
    run = shared.run("stm32l4", damaged, Limits(instructions=10_000_000, wall_seconds=20))
    assert run.status in (RunStatus.CRASH, RunStatus.TIMEOUT), run
    assert run.reason
    check_right(shared, "stm32l4")


@pytest.mark.parametrize("data", [b"", b"\x7fELF\1\1\1" + bytes(9), b"text " * 100])
def test_no_elf_at_all(shared: Bench, data: bytes) -> None:
    run = shared.run("stm32l4", data)
    assert run.status is RunStatus.CRASH, run
    check_right(shared, "stm32l4")


def stopped_in_the_middle(bench: Bench, stop: Callable[[int], None]) -> SimulatorRun:
    check_right(bench, "stm32l4")
    (group,) = bench.registry._groups
    image = bench.image("stm32l4", "endless", make_job())
    limits = Limits(instructions=2**50, wall_seconds=60)
    runs: list[SimulatorRun] = []
    thread = threading.Thread(target=lambda: runs.append(bench.run("stm32l4", image, limits)))
    thread.start()
    time.sleep(1)
    stop(group)
    thread.join(timeout=30)
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
    return runs[0]


def test_killed_in_the_middle(own: Bench) -> None:
    run = stopped_in_the_middle(own, lambda group: os.killpg(group, signal.SIGKILL))
    assert run.status is RunStatus.CRASH
    # Its launcher may be a shell that says it in its own way.
    assert run.reason.startswith("the simulator ")
    check_right(own, "stm32l4")


def test_interrupted_in_the_middle(own: Bench) -> None:
    run = stopped_in_the_middle(own, lambda _: own.registry.interrupt())
    assert (run.status, run.reason) == (RunStatus.CRASH, "interrupted")


def test_by_hand(shared: Bench, tmp_path: Path) -> None:
    """renode.resc with its variables, as a user types it."""
    image = tmp_path / "image.elf"
    image.write_bytes(shared.image("stm32l4", "portable", make_job()))
    program = find_external(EXTERNAL[RENODE])
    assert program is not None
    scripts = tmp_path / "targets"
    shutil.copytree(ROOT / "targets", scripts)
    commands = f"$elf=@{image}; $result=@{tmp_path}/result; i @{scripts}/stm32l4/renode.resc; quit"
    done = subprocess.run(
        [program, "--disable-xwt", "--console", "--plain", "-e", commands],
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(tmp_path), "RENODE_CI_MODE": "YES"},
        capture_output=True,
        timeout=120,
    )
    assert b"touchstone: ended by exit, code 0, " in done.stdout, done.stdout
    stream = (tmp_path / "result" / "stream.bin").read_bytes()
    result = parse_stream(stream, make_job().expected(shared.loadable("stm32l4", "portable")))
    assert [case.output for case in result.cases] == make_job().outputs
