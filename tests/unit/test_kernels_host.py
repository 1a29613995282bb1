# SPDX-License-Identifier: Apache-2.0
"""The portable variant of every kernel, on the host, bit for bit against the golden models."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import host_kernels
import numpy as np
import pytest
import softmax_traps

from golden.generate import generate
from tests.conftest import Once
from touchstone.schedule import ORDERS, OWN, Schedule

CLASSES = ["random", "extremes", "saturating", "constant", "one_hot"]
NUMERICS = [
    {"rounding": "floor", "per_channel": False, "softmax": "authors", "gelu": "i_gelu"},
    {"rounding": "half_up", "per_channel": True, "softmax": "accurate", "gelu": "accurate"},
    {"rounding": "half_up", "per_channel": False, "softmax": "wide", "gelu": "i_gelu"},
]
# S, E, P, H and team size: single rows, odd sizes, nothing a multiple of four, one head to
# sixteen, fewer rows than cores, and heads that do not divide evenly into groups.
SHAPES = [
    (1, 1, 1, 1, 1),
    (1, 5, 3, 2, 8),
    (1, 32, 2, 16, 3),
    (2, 4, 2, 1, 8),
    (3, 7, 5, 3, 2),
    (4, 32, 32, 8, 8),
    (5, 8, 2, 12, 8),
    (7, 6, 3, 16, 5),
    (9, 33, 6, 5, 8),
    (16, 16, 4, 1, 4),
    (17, 9, 31, 2, 7),
    (66, 16, 2, 8, 8),
    (81, 32, 32, 3, 8),
]
MANIFESTS = host_kernels.manifests()
OPERATIONS = {
    *("linear_qk", "linear_v", "linear_o", "attention_scores", "attention_context", "softmax"),
    *("fwsa", "mhsa", "mhsa_fwsa", "layernorm", "gelu", "add"),
    *("mhsa_dft", "mhsa_fwsa_dft", "ffn", "encoder_block"),
}
DEPTH_FIRST = ("mhsa_dft", "mhsa_fwsa_dft")
SCHEDULES = [
    Schedule(tile, heads, order)
    for order in ORDERS[1:]
    for tile, heads in ((1, 1), (2, 3), (3, 0), (50, 50))
]


@pytest.fixture(scope="session")
def program(once: Once) -> Path:
    return once("host_kernels", host_kernels.build) / "runner"


def check(
    program: Path,
    kernel: str,
    shape: tuple[int, ...],
    numerics: dict[str, Any],
    tmp_path: Path,
    schedule: Schedule = OWN,
) -> None:
    *dimensions, cores = shape
    spec = {
        "kernel": MANIFESTS[kernel]["golden"],
        "shape": {**dict(zip("SEPH", dimensions, strict=True)), "F": 2 * dimensions[1] + 3},
        "seed": 1,
        "numerics": numerics,
        "data": "random",
        "classes": CLASSES,
    }
    inputs, golden = generate(spec)
    outputs = host_kernels.run(program, MANIFESTS[kernel], inputs, cores, tmp_path, schedule)
    for case, expected, found in zip(inputs.cases, golden.cases, outputs, strict=True):
        reference = expected.operands[0]
        wanted = np.frombuffer(reference.data, dtype=reference.type)
        wrong = np.flatnonzero(wanted != np.frombuffer(found, dtype=reference.type))
        assert wrong.size == 0, (
            f"{case.value_class}: {wrong.size} of {wanted.size} wrong, first at"
            f" {np.unravel_index(wrong[0], reference.shape)} of {reference.shape}"
        )


def test_every_operation_has_a_portable_variant() -> None:
    assert set(MANIFESTS) >= OPERATIONS


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "S{}-E{}-P{}-H{}-c{}".format(*shape))
@pytest.mark.parametrize("kernel", sorted(MANIFESTS))
def test_portable_equals_golden(
    program: Path, kernel: str, shape: tuple[int, int, int, int, int], tmp_path: Path
) -> None:
    numerics = NUMERICS[SHAPES.index(shape) % len(NUMERICS)]
    check(program, kernel, shape, numerics, tmp_path)


@pytest.mark.parametrize("numerics", NUMERICS, ids=lambda numerics: numerics["softmax"])
@pytest.mark.parametrize("kernel", sorted(MANIFESTS))
def test_portable_equals_golden_in_all_numerics(
    program: Path, kernel: str, numerics: dict[str, Any], tmp_path: Path
) -> None:
    for cores in (1, 3, 8):
        check(program, kernel, (11, 10, 3, 4, cores), numerics, tmp_path)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: "-".join(schedule.words()))
@pytest.mark.parametrize("kernel", DEPTH_FIRST)
def test_every_schedule_gives_the_same_result(
    program: Path, kernel: str, schedule: Schedule, tmp_path: Path
) -> None:
    for cores in (1, 3, 8):
        for shape in ((1, 1, 1, 1), (7, 18, 6, 3), (11, 3, 5, 4)):
            check(program, kernel, (*shape, cores), NUMERICS[1], tmp_path, schedule)


def test_argument_checks_find_what_is_wrong(tmp_path: Path) -> None:
    program = host_kernels.build_checks(tmp_path)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("limit", softmax_traps.LIMITS)
def test_softmax_divides_exactly(program: Path, limit: int, tmp_path: Path) -> None:
    vectors, expected, traps = softmax_traps.softmax_case(limit)
    assert (traps > 0) == (limit > 4000)
    assert host_kernels.run(program, MANIFESTS["softmax"], vectors, 3, tmp_path) == [expected]


def test_the_reciprocal_is_exact_for_tables_of_bytes() -> None:
    entries = np.arange(256, dtype=np.int64)
    for total in range(1, 70000):
        possible = entries[: min(total, 255) + 1]
        by_reciprocal = possible * ((255 << 24) // total + 1)
        assert by_reciprocal.max() < 2**32
        assert np.array_equal(by_reciprocal >> 24, 255 * possible // total), total


def test_the_reciprocal_of_a_deviation_is_exact() -> None:
    """A quotient by reciprocal is monotone, so it is right if it steps where the true one does."""
    largest = 255 * 2**15
    for deviation in range(1, 256):
        reciprocal = 2**31 // deviation + 1
        assert reciprocal < 2**32
        steps = np.arange(1, largest // deviation + 1, dtype=np.uint64)
        for below in (0, 1):
            numerators = steps * np.uint64(deviation) - np.uint64(below)
            quotients = (numerators * np.uint64(reciprocal)) >> np.uint64(31)
            assert np.array_equal(quotients, steps - np.uint64(below)), deviation


def test_variances_are_within_the_range_of_the_square_root() -> None:
    """The extreme row: half of it at each end of the range."""
    for width in range(1, 70):
        for high in range(width + 1):
            total = 127 * high - 128 * (width - high)
            mean = abs(total) // width * (1 if total >= 0 else -1)
            squares = high * (127 - mean) ** 2 + (width - high) * (-128 - mean) ** 2
            assert squares // width + 1 <= 127.5**2 + 2
