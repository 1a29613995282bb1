# SPDX-License-Identifier: Apache-2.0
"""The Cortex-M7 variants, in Unicorn, bit for bit against the golden models."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from typing import Any

import arm_kernels
import numpy as np
import pytest
import softmax_traps
from host_kernels import manifests_with

from golden import linear_qk, linear_v, mhsa
from golden.case import Shape
from golden.counter_rng import CounterRng
from golden.generate import as_case, generate
from golden.presets import Numerics
from tests.conftest import Once
from touchstone.schedule import OWN, Schedule
from touchstone.vectors import Container

VARIANT = "cortexm7"
CLASSES = ["random", "extremes", "saturating", "constant", "one_hot"]
NUMERICS = [
    {"rounding": "floor", "per_channel": False, "softmax": "authors", "gelu": "i_gelu"},
    {"rounding": "half_up", "per_channel": True, "softmax": "accurate", "gelu": "accurate"},
    {"rounding": "half_up", "per_channel": False, "softmax": "wide", "gelu": "i_gelu"},
    {"rounding": "floor", "per_channel": True, "softmax": "authors", "gelu": "i_gelu"},
]
# S, E, P, H: every remainder by 4 of every axis, single rows and channels, an odd number of
# channels before a head, and reductions of more than one round of the loop (over 128).
SHAPES = [
    (1, 1, 1, 1),
    (1, 5, 3, 2),
    (2, 4, 1, 16),
    (3, 7, 5, 3),
    (4, 32, 32, 8),
    (7, 6, 2, 12),
    (9, 33, 6, 5),
    (12, 10, 7, 4),
    (17, 9, 31, 2),
    (21, 18, 16, 1),
    (66, 16, 2, 3),
    (131, 6, 3, 1),
    (5, 259, 9, 2),
    (6, 3, 43, 6),
]
MANIFESTS = manifests_with(VARIANT)


@pytest.fixture(scope="session")
def machine(once: Once) -> arm_kernels.Machine:
    program = arm_kernels.build_once(once, "cortex_m7", VARIANT)
    return arm_kernels.Machine(program, "cortex_m7", VARIANT)


def spec_of(kernel: str, shape: tuple[int, ...], numerics: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kernel": MANIFESTS[kernel]["golden"],
        "shape": {**dict(zip("SEPH", shape, strict=True)), "F": 3 * shape[0] + 1},
        "seed": 1,
        "numerics": numerics,
        "data": "random",
        "classes": CLASSES,
    }


def check(
    machine: arm_kernels.Machine,
    kernel: str,
    inputs: Container,
    golden: Container,
    schedule: Schedule = OWN,
) -> None:
    packed = machine.packed(MANIFESTS[kernel], inputs)
    poisons = itertools.cycle((0xA5, 0x5A))
    for case, expected, poison in zip(packed.cases, golden.cases, poisons):  # noqa: B905
        found = machine.run_case(MANIFESTS[kernel], packed, case, poison, schedule)
        assert found == expected.operands[0].data, case.value_class


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "S{}-E{}-P{}-H{}".format(*shape))
@pytest.mark.parametrize("kernel", sorted(MANIFESTS))
def test_cortexm7_equals_golden(
    machine: arm_kernels.Machine, kernel: str, shape: tuple[int, int, int, int]
) -> None:
    numerics = NUMERICS[SHAPES.index(shape) % len(NUMERICS)]
    check(machine, kernel, *generate(spec_of(kernel, shape, numerics)))


@pytest.mark.parametrize("inputs", [1, 2, 3, 4])
@pytest.mark.parametrize("width", [4, 5, 6, 8, 9, 10, 12, 13, 14])
def test_few_input_channels(machine: arm_kernels.Machine, inputs: int, width: int) -> None:
    """Every way through ts_m7_shallow.h: a head's fours of channels and what is left of them."""
    rows = 2 + (inputs + 4 * width) % 7
    shape = (rows, inputs, width, 1 + width % 3)
    check(machine, "mhsa", *generate(spec_of("mhsa", shape, NUMERICS[0])))


@pytest.mark.parametrize("inputs", [2, 3])
@pytest.mark.parametrize("width", [9, 14])
def test_few_input_channels_with_sums_of_any_size(
    machine: arm_kernels.Machine, inputs: int, width: int
) -> None:
    """Biases up to 2^30, so that requantised sums are beyond 16 bits too."""
    shape = Shape(S=5, E=inputs, P=width, H=2, F=0)
    rng = random.Random(f"{inputs} {width}")
    params, operands = mhsa.make_inputs(
        shape, CounterRng("x"), "random", Numerics("floor", False, "authors", "i_gelu"), "random"
    )
    for shift in (2, 7, 16, 23):
        for name in "qkv":
            bias = [
                rng.choice((-1, 1)) * rng.randint(0, 1 << rng.randint(0, 30))
                for _ in range(2 * width)
            ]
            operands[f"{name}_bias"] = np.array(bias, dtype=np.int32)
            mul = rng.randint(1, min((1 << (shift - 1)) - 1, 65535))
            operands[f"{name}_mul"] = np.array([mul], dtype=np.uint16)
            params[f"{name}_shift"] = shift
        case = as_case("random", params, operands)
        expected = mhsa.golden(shape, params, operands)["output"].tobytes()
        packed = machine.packed(MANIFESTS["mhsa"], Container("mhsa", shape.as_dict(), (case,)))
        assert machine.run_case(MANIFESTS["mhsa"], packed, packed.cases[0], 0xA5) == expected


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(tile=1, order="accumulate"),
        Schedule(tile=6, order="accumulate"),
        Schedule(order="recompute"),
        Schedule(tile=2, order="recompute"),
        Schedule(tile=5, order="recompute"),
        Schedule(tile=99, order="recompute"),
    ],
    ids=lambda schedule: "-".join(schedule.words()),
)
@pytest.mark.parametrize("kernel", ["mhsa_dft", "mhsa_fwsa_dft"])
def test_schedules_equal_golden(
    machine: arm_kernels.Machine, kernel: str, schedule: Schedule
) -> None:
    for shape in ((1, 5, 3, 2), (13, 7, 5, 3), (18, 12, 6, 2), (33, 34, 9, 2)):
        for numerics in NUMERICS[:2]:
            check(machine, kernel, *generate(spec_of(kernel, shape, numerics)), schedule)


@pytest.mark.parametrize("limit", softmax_traps.LIMITS)
def test_softmax_divides_exactly(machine: arm_kernels.Machine, limit: int) -> None:
    vectors, expected, _ = softmax_traps.softmax_case(limit)
    packed = machine.packed(MANIFESTS["softmax"], vectors)
    assert machine.run_case(MANIFESTS["softmax"], packed, packed.cases[0], 0xA5) == expected


@pytest.mark.parametrize("operation", [linear_qk, linear_v], ids=["linear_qk", "linear_v"])
@pytest.mark.parametrize("rounding", ["floor", "half_up"])
@pytest.mark.parametrize("per_channel", [False, True], ids=["per_tensor", "per_channel"])
def test_every_shift(
    machine: arm_kernels.Machine, operation: Any, rounding: str, per_channel: bool
) -> None:
    """Multipliers from 1 to 65535, also those that need more than 31 bits at a small shift."""
    kernel = operation.__name__.rpartition(".")[2]
    shape = Shape(S=5, E=6, P=7, H=2, F=0)
    numerics = Numerics(rounding, per_channel, "authors", "i_gelu")
    rng = random.Random(f"{kernel} {rounding} {per_channel}")
    params, operands = operation.make_inputs(shape, CounterRng("x"), "random", numerics, "random")
    # sums of any size, so that every shift meets results that do not clip
    size = operands["bias"].size
    exponents = [rng.randint(0, 30) for _ in range(size)]
    bias = [rng.choice((-1, 1)) * rng.randint(0, 1 << exponent) for exponent in exponents]
    operands["bias"] = np.array(bias, dtype=np.int32)
    count = operands["requant_mul"].size
    for shift in range(1, 32):
        largest = rng.choice((1 << min(shift, 15), 65535))
        muls = [rng.choice((1, largest, rng.randint(1, largest))) for _ in range(count)]
        operands["requant_mul"] = np.array(muls, dtype=np.uint16)
        params["requant_shift"] = shift
        case = as_case("random", params, operands)
        expected = operation.golden(shape, params, operands)["output"].tobytes()
        packed = machine.packed(MANIFESTS[kernel], Container(kernel, shape.as_dict(), (case,)))
        assert machine.run_case(MANIFESTS[kernel], packed, packed.cases[0], 0xA5) == expected


def test_quotients_of_the_layer_normalisation() -> None:
    """What ts_m7_quotient says of the reciprocals."""
    for deviation in range(1, 256):
        reciprocal = (1 << 31) // deviation + 1
        assert reciprocal % (1 << 9) != 0
        assert deviation < 3 or 2 * reciprocal < 1 << 31
    assert 255 << 15 < 1 << 23
