# SPDX-License-Identifier: Apache-2.0
"""Firmware, job, image, embedded simulator, record stream: the whole way, for every target.

The kernel is `identity` (tests/data/kernels); its variants go wrong in the ways that the harness
promises to notice.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from firmware import Workshop

from touchstone.graph import simulator_settings
from touchstone.image import compose, job_capacity
from touchstone.job import OperandSpec, build_job, data_bytes_needed, run_id, with_run_id
from touchstone.manifest import Target, load_kernel, load_target
from touchstone.nodes import simulator_program
from touchstone.process import ProcessRegistry
from touchstone.records import Expected, JobResult, RecordError, parse_stream
from touchstone.simulators.base import Limits, RunStatus, Simulator, SimulatorRun
from touchstone.simulators.cortexm_costs import build_costs
from touchstone.simulators.factory import make_simulator
from touchstone.simulators.registry import adapter_of
from touchstone.simulators.unicorn import unicorn_library
from touchstone.toolchains.llvm import environment, zig_path
from touchstone.vectors import Case, Container, Operand

ROOT = Path(__file__).parents[2]
KERNELS_ROOT = ROOT / "tests" / "data"
SIMULATORS = {"gap9": "xpulp", "stm32l4": "unicorn", "stm32h7": "unicorn"}
TARGETS = tuple(SIMULATORS)
MULTICORE = "gap9"
LIMITS = Limits(instructions=3_000_000, wall_seconds=60)
# What tests/data/kernels/identity/lost_register.c does to which register.
LOST_ARM = ((1, "r8"), (2, "s20"), (3, "fpscr"))
LOST_RISCV = ((1, "s8"), (2, "gp"), (3, "s11"))
# Unlike what the harness fills memory with, so that unwritten bytes are wrong.
SHAPE = (5, 7)


@dataclass(frozen=True)
class Job:
    """A job for the identity kernel, and what its outputs must be."""

    inputs: Container
    cores: int = 1
    scratch_bytes: int | None = None
    announces: bool = False

    @property
    def outputs(self) -> list[bytes]:
        """The right answers."""
        return [
            bytes((byte + case.params["bias"]) & 0xFF for byte in case.operands[0].data)
            for case in self.inputs.cases
        ]

    @functools.cached_property
    def block(self) -> bytes:
        """The job block, still without a run id."""
        scratch = 16 * self.cores if self.scratch_bytes is None else self.scratch_bytes
        size = len(self.inputs.cases[0].operands[0].data)
        operands = (OperandSpec("input", "activation"), OperandSpec("output", "output", size))
        return build_job(
            self.inputs,
            operands,
            "identity",
            self.cores,
            scratch,
            ["bias"],
            announces=self.announces,
        )

    def expected(self, loadable: bytes) -> Expected:
        """What its report must say."""
        sizes = [len(output) for output in self.outputs]
        return Expected(run_id(self.block, loadable), "identity", self.cores, 1, sizes)


def make_job(
    cores: int = 1, shape: tuple[int, int] = SHAPE, bias: int = 1, scratch: int | None = None
) -> Job:
    """Three cases of different values; the first is the timed one."""
    rows, columns = shape
    cases = []
    for number, value_class in enumerate(("random", "extremes", "one_hot")):
        data = bytes((37 * i + 101 * number + 11) & 0xFF for i in range(rows * columns))
        cases.append(Case(value_class, {"bias": bias}, (Operand("input", "int8", shape, data),)))
    dimensions = {"S": rows, "E": columns, "P": 1, "H": 1, "F": 1}
    return Job(Container("identity", dimensions, tuple(cases)), cores, scratch)


class Bench:
    """Builds firmware and simulators once per session and runs jobs on them."""

    def __init__(self, directory: Path, settings: tuple[tuple[str, str], ...] = ()) -> None:
        self._directory = directory
        self._settings = settings
        self.zig_cache = Path(os.environ["ZIG_GLOBAL_CACHE_DIR"])
        self._workshop = Workshop(ROOT, KERNELS_ROOT, self.zig_cache)
        self._kernel = load_kernel(KERNELS_ROOT, "identity", directory / "manifests")
        self._registry = ProcessRegistry()
        self.target = functools.cache(self._target)
        self.loadable = functools.cache(self._loadable)
        self._program = functools.cache(self._build_program)

    def _target(self, name: str) -> Target:
        return load_target(ROOT, name, self._directory / "manifests")

    def _loadable(self, target: str, variant: str) -> bytes:
        folder = self._directory / target / variant
        return self._workshop.loadable(
            self.target(target), self._kernel, self._kernel.variant(variant), folder
        )

    def _build_program(self, name: str) -> Path:
        plan = simulator_program(ROOT, name)
        program = self._directory / Path(plan.program).name
        words = [str(zig_path()), *plan.words, *plan.sources, *plan.tail, "-o", str(program)]
        done = subprocess.run(
            words, cwd=ROOT, env=environment(self.zig_cache), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return program

    def _simulator(self, target: str, loadable: bytes, folder: Path) -> Simulator:
        name = SIMULATORS[target]
        settings = simulator_settings(self.target(target), name, self._settings)
        files = [self._program(name)]
        if "core" in settings:
            costs = folder / "firmware.costs"
            costs.write_bytes(build_costs(loadable, settings["core"]))
            files += [costs, unicorn_library()]
        return make_simulator(adapter_of(name), name, settings, files)

    def run_image(
        self, target: str, loadable: bytes, image: bytes, limits: Limits = LIMITS
    ) -> SimulatorRun:
        """What the target's embedded simulator makes of an image."""
        folder = self._directory / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return self._simulator(target, loadable, folder).run(image, limits, folder, self._registry)

    def run(self, target: str, variant: str, job: Job, limits: Limits = LIMITS) -> SimulatorRun:
        """Run a job on one variant of the kernel."""
        loadable = self.loadable(target, variant)
        image = compose(loadable, with_run_id(job.block, loadable))
        return self.run_image(target, loadable, image, limits)

    def result(self, target: str, variant: str, job: Job) -> JobResult:
        """The report of a run that is complete."""
        run = self.run(target, variant, job)
        assert (run.status, run.reason) == (RunStatus.COMPLETED, "")
        return parse_stream(run.stream, job.expected(self.loadable(target, variant)))


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("firmware"))


def teams(bench: Bench, target: str) -> list[int]:
    return [1, *(cores for cores in (2, 3, 8) if cores <= bench.target(target).max_cores)]


@pytest.mark.parametrize("target", TARGETS)
def test_right_kernel(bench: Bench, target: str) -> None:
    for cores in teams(bench, target):
        job = make_job(cores)
        run = bench.run(target, "portable", job)
        result = parse_stream(run.stream, job.expected(bench.loadable(target, "portable")))
        assert result.status_text == "ok"
        assert [case.output for case in result.cases] == job.outputs
        assert run.log == ""
        assert 0 < result.stack_bytes < 400
        # The firmware's own arithmetic on the counter, and the simulator's note of each read.
        assert len(run.counter_reads) == 4
        cycles = [read.cycles for read in run.counter_reads]
        assert result.cycles_cold == cycles[1] - cycles[0]
        assert result.cycles_warm == cycles[3] - cycles[2]


@pytest.mark.parametrize("target", TARGETS)
def test_same_image_gives_the_same_run(bench: Bench, target: str) -> None:
    job = make_job(bench.target(target).max_cores)
    assert bench.run(target, "portable", job) == bench.run(target, "portable", job)


@pytest.mark.parametrize("shape", [(1, 1), (1, 15), (1, 16), (1, 17), (3, 64)])
def test_any_size(bench: Bench, shape: tuple[int, int]) -> None:
    for target in TARGETS:
        job = make_job(shape=shape, bias=200)
        result = bench.result(target, "portable", job)
        assert [case.output for case in result.cases] == job.outputs


def test_more_cores_take_less_time(bench: Bench) -> None:
    cycles = [
        bench.result(MULTICORE, "portable", make_job(cores, (8, 32))).cycles_warm
        for cores in (1, 2, 4, 8)
    ]
    assert all(a is not None and b is not None and b < a for a, b in pairwise(cycles))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("variant", "status", "operand", "offset"),
    [
        ("overrun", "guard overwritten", 1, 35),
        ("underrun", "guard overwritten", 0, -1),
        ("scratch_overrun", "guard overwritten", 2, 116),
        ("input_changer", "input changed", 0, 3),
        ("unwritten", "runs differ", 1, 0),
        ("scratch_reader", "runs differ", 1, 0),
    ],
)
def test_wrong_kernel(
    bench: Bench, target: str, variant: str, status: str, operand: int, offset: int
) -> None:
    run = bench.run(target, variant, make_job())
    result = parse_stream(run.stream, make_job().expected(bench.loadable(target, variant)))
    first = result.cases[0]
    assert (first.status_text, first.operand, first.offset) == (status, operand, offset)
    assert result.status_text == status
    assert run.log.startswith("case 0: ")
    assert len(result.cases) == 3, "the other cases are run all the same"


def test_wrong_kernel_on_a_team(bench: Bench) -> None:
    result = bench.result(MULTICORE, "overrun", make_job(8))
    assert [case.status_text for case in result.cases] == ["guard overwritten"] * 3
    assert [case.output for case in result.cases] == make_job(8).outputs


@pytest.mark.parametrize("target", TARGETS)
def test_kernel_that_never_returns(bench: Bench, target: str) -> None:
    job = make_job(bench.target(target).max_cores)
    run = bench.run(target, "endless", job, dataclasses.replace(LIMITS, instructions=500_000))
    assert run.status is RunStatus.TIMEOUT
    assert run.instructions == 500_000
    with pytest.raises(RecordError, match="without an END"):
        parse_stream(run.stream, job.expected(bench.loadable(target, "endless")))


@pytest.mark.parametrize("target", TARGETS)
def test_store_to_nowhere(bench: Bench, target: str) -> None:
    run = bench.run(target, "wild_store", make_job())
    assert run.status is RunStatus.CRASH
    assert run.fault is not None
    assert (run.fault.kind, run.fault.address) == ("memory-access", 0x60000000)


def test_cores_that_disagree_about_a_barrier(bench: Bench) -> None:
    run = bench.run(MULTICORE, "lost_barrier", make_job(4))
    assert run.status in (RunStatus.CRASH, RunStatus.TIMEOUT)
    assert len(run.counter_reads) < 4, "it stops before it could be taken for measured"


@pytest.mark.parametrize("target", TARGETS)
def test_stack_use_is_the_kernels(bench: Bench, target: str) -> None:
    shallow = bench.result(target, "deep_stack", make_job(bias=2)).stack_bytes
    deep = bench.result(target, "deep_stack", make_job(bias=6)).stack_bytes
    frame = (deep - shallow) // 4
    assert 64 <= frame <= 128
    assert deep == shallow + 4 * frame


def test_stack_overflow_of_a_worker(bench: Bench) -> None:
    """Its neighbour's stack hides it from the memory, not from a simulator that is told of it."""
    frames = bench.target(MULTICORE).raw["stack_bytes"] // 64
    run = bench.run(MULTICORE, "deep_stack", make_job(4, bias=frames))
    assert run.status is RunStatus.CRASH
    assert run.fault is not None and run.fault.kind == "stack-overflow"
    assert re.fullmatch(
        r"the stack of core [1-3] is 0x[0-9a-f]{8}\.\.0x[0-9a-f]{8}", run.fault.detail
    )


@pytest.mark.parametrize("target", TARGETS)
def test_stack_overflow_of_core_0(bench: Bench, target: str) -> None:
    """The stack lies lowest: beyond it there is no memory."""
    frames = bench.target(target).raw["stack_bytes"] // 64 + 8
    run = bench.run(target, "deep_stack", make_job(bias=min(frames, 255)))
    assert run.status is RunStatus.CRASH
    assert run.fault is not None
    origin = bench.target(target).memory["data"].origin
    assert run.fault.address is not None
    assert origin - 256 <= run.fault.address < origin


@pytest.mark.parametrize(
    ("target", "bias", "register"),
    [
        *((target, bias, name) for target in ("stm32l4", "stm32h7") for bias, name in LOST_ARM),
        *(("gap9", bias, name) for bias, name in LOST_RISCV),
    ],
)
def test_a_register_that_is_not_kept(bench: Bench, target: str, bias: int, register: str) -> None:
    run = bench.run(target, "lost_register", make_job(bias=bias))
    assert (run.status, run.reason) == (RunStatus.CRASH, "the firmware exited with 104")
    assert run.log == f"the kernel does not keep register {register}\n"


@pytest.mark.parametrize("target", TARGETS)
def test_registers_that_are_kept(bench: Bench, target: str) -> None:
    job = make_job(bias=0)
    assert [case.output for case in bench.result(target, "lost_register", job).cases] == job.outputs


@pytest.mark.parametrize("target", TARGETS)
def test_scratch_that_differs_from_the_manifest(bench: Bench, target: str) -> None:
    result = bench.result(target, "wrong_scratch", make_job())
    assert (result.status_text, result.cases) == ("scratch size mismatch", ())


@pytest.mark.parametrize("target", TARGETS)
def test_arena_is_used_to_its_end(bench: Bench, target: str) -> None:
    arena = bench.target(target).memory["arena"].bytes
    overhead = data_bytes_needed([0, 0], 16)
    largest = (arena - overhead) // 32 * 16
    limits = Limits(instructions=200_000_000, wall_seconds=60)
    for size, status in ((largest, "ok"), (largest + 16, "arena too small")):
        job = make_job(shape=(1, size))
        assert (data_bytes_needed([size, size], 16) <= arena) == (status == "ok")
        run = bench.run(target, "portable", job, limits)
        result = parse_stream(run.stream, job.expected(bench.loadable(target, "portable")))
        assert result.status_text == status


Damage = Callable[[bytearray], None]


def set_word(index: int, value: int) -> Damage:
    """Overwrites one word of a job block."""
    return lambda job: struct.pack_into("<I", job, 4 * index, value)


DAMAGES: dict[str, Damage] = {
    "magic": set_word(0, 0x12345678),
    "abi": set_word(1, 2),
    "too long": set_word(2, 0xFFFFFFF0),
    "too short": set_word(2, 92),
    "crc": set_word(3, 0),
    "kernel": set_word(8, 1),
    "no core": set_word(9, 0),
    "too many cores": set_word(9, 9),
    "unknown flags": set_word(10, 4),
    "no case": set_word(11, 0),
    "too many cases": set_word(11, 1000),
    "too many parameters": set_word(12, 33),
    "too many operands": set_word(13, 33),
    "no such output": set_word(15, 2),
    "shape": set_word(16, 6),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("target", TARGETS)
def test_damaged_job_is_refused(bench: Bench, target: str, damage: Damage) -> None:
    job = make_job()
    loadable = bench.loadable(target, "portable")
    block = bytearray(with_run_id(job.block, loadable))
    damage(block)
    run = bench.run_image(target, loadable, compose(loadable, bytes(block)))
    assert run.status is RunStatus.COMPLETED
    cores = struct.unpack_from("<I", block, 36)[0]
    expected = dataclasses.replace(job.expected(loadable), cores=cores)
    result = parse_stream(run.stream, expected)
    assert (result.status_text, result.cases) == ("bad job", ())


def test_damaged_operand_table_is_refused(bench: Bench) -> None:
    """With a CRC that fits: offsets and sizes are checked on their own."""
    job = make_job()
    loadable = bench.loadable(MULTICORE, "portable")
    table = 24 + 3  # the first case's operands
    for word, value in ((0, 8), (0, 0xFFFFFFF0), (1, 0xFFFFFFFF), (2, 2), (4, 16), (5, 0), (6, 1)):
        block = bytearray(with_run_id(job.block, loadable))
        set_word(table + word, value)(block)
        struct.pack_into("<I", block, 12, zlib.crc32(block[64:]))
        run = bench.run_image(MULTICORE, loadable, compose(loadable, bytes(block)))
        result = parse_stream(run.stream, job.expected(loadable))
        assert result.status_text == "bad job", (word, value)


@pytest.mark.parametrize("target", TARGETS)
def test_stale_image_cannot_pass(bench: Bench, target: str) -> None:
    old, new = make_job(), make_job(bias=2)
    loadable = bench.loadable(target, "portable")
    run = bench.run(target, "portable", old)
    with pytest.raises(RecordError, match="stale result"):
        parse_stream(run.stream, new.expected(loadable))
    with pytest.raises(RecordError, match="stale result"):
        parse_stream(run.stream, old.expected(bench.loadable(target, "overrun")))


@pytest.mark.parametrize("target", TARGETS)
def test_memory_is_as_the_manifest_says(bench: Bench, target: str) -> None:
    assert (
        job_capacity(bench.loadable(target, "portable")) == bench.target(target).memory["job"].bytes
    )


@pytest.mark.parametrize("target", TARGETS)
def test_two_checkouts_build_the_same_bytes(bench: Bench, target: str, tmp_path: Path) -> None:
    built = []
    for name in ("here", "somewhere_else/entirely"):
        root = tmp_path / name
        for folder in ("targets", "kernels/include", "tests/data/kernels"):
            shutil.copytree(ROOT / folder, root / folder)
        kernels_root = root / "tests" / "data"
        kernel = load_kernel(kernels_root, "identity", tmp_path / "manifests")
        workshop = Workshop(root, kernels_root, bench.zig_cache)
        built.append(
            workshop.loadable(
                load_target(root, target, tmp_path / "manifests"),
                kernel,
                kernel.variant("portable"),
                root / "build" / target,
            )
        )
    assert built[0] == built[1] == bench.loadable(target, "portable")
