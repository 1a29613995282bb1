# SPDX-License-Identifier: Apache-2.0
"""The Cortex-M7 variants, in Unicorn, bit for bit against the golden models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import arm_kernels
import pytest
from host_kernels import manifests_with

from golden.generate import generate
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
def machine(tmp_path_factory: pytest.TempPathFactory) -> arm_kernels.Machine:
    program = arm_kernels.build(tmp_path_factory.mktemp("cortexm7"), "cortex_m7", VARIANT)
    return arm_kernels.Machine(program, "cortex_m7", VARIANT)


def spec_of(kernel: str, shape: tuple[int, ...], numerics: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kernel": MANIFESTS[kernel]["golden"],
        "shape": dict(zip("SEPHF", shape, strict=False)),
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
    for case, expected in zip(packed.cases, golden.cases, strict=True):
        for poison in (0xA5, 0x5A):
            found = machine.run_case(MANIFESTS[kernel], packed, case, poison, schedule)
            assert found == expected.operands[0].data, case.value_class


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "S{}-E{}-P{}-H{}".format(*shape))
@pytest.mark.parametrize("kernel", sorted(MANIFESTS))
def test_cortexm7_equals_golden(
    machine: arm_kernels.Machine, kernel: str, shape: tuple[int, int, int, int]
) -> None:
    numerics = NUMERICS[SHAPES.index(shape) % len(NUMERICS)]
    check(machine, kernel, *generate(spec_of(kernel, shape, numerics)))


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
