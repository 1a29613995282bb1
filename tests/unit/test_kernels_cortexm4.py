# SPDX-License-Identifier: Apache-2.0
"""The Cortex-M4 variants, in Unicorn, bit for bit against the golden models."""

from __future__ import annotations

from typing import Any

import arm_kernels
import pytest
import softmax_traps
from host_kernels import manifests_with

from golden.generate import generate
from tests.conftest import Once

VARIANTS = ("cortexm4", "cortexm4_bytes")
CLASSES = ["random", "extremes", "saturating", "constant", "one_hot"]
NUMERICS = [
    {"rounding": "floor", "per_channel": False, "softmax": "authors", "gelu": "i_gelu"},
    {"rounding": "half_up", "per_channel": True, "softmax": "accurate", "gelu": "accurate"},
    {"rounding": "half_up", "per_channel": False, "softmax": "wide", "gelu": "i_gelu"},
    {"rounding": "floor", "per_channel": True, "softmax": "authors", "gelu": "i_gelu"},
    {"rounding": "floor", "per_channel": False, "softmax": "authors", "gelu": "accurate"},
]
# S, E, P, H: single rows and channels, odd sizes, every remainder by 4; reductions of 1, 15, 16,
# 17, 32 and 33 steps, at which the loops change.
SHAPES = [
    (1, 1, 1, 1),
    (1, 5, 3, 2),
    (2, 4, 1, 16),
    (3, 7, 5, 3),
    (3, 6, 1, 4),
    (4, 2, 1, 5),
    (4, 32, 32, 8),
    (7, 6, 2, 12),
    (9, 33, 6, 5),
    (8, 9, 9, 1),
    (12, 10, 7, 4),
    (17, 9, 31, 2),
    (21, 18, 16, 1),
    (30, 34, 33, 1),
    (33, 64, 30, 2),
    (34, 31, 36, 1),
    (66, 16, 2, 3),
    (67, 65, 8, 1),
    (70, 10, 2, 4),
]
MANIFESTS = {variant: manifests_with(variant) for variant in VARIANTS}
KERNELS = [(variant, kernel) for variant, found in MANIFESTS.items() for kernel in sorted(found)]
Machines = dict[str, arm_kernels.Machine]


@pytest.fixture(scope="session")
def machines(once: Once) -> Machines:
    """One for each variant."""
    made = {}
    for variant in VARIANTS:
        program = arm_kernels.build_once(once, "cortex_m4", variant)
        made[variant] = arm_kernels.Machine(program, "cortex_m4", variant)
    return made


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "S{}-E{}-P{}-H{}".format(*shape))
@pytest.mark.parametrize(("variant", "kernel"), KERNELS)
def test_cortexm4_equals_golden(
    machines: Machines, variant: str, kernel: str, shape: tuple[int, int, int, int]
) -> None:
    machine, manifest = machines[variant], MANIFESTS[variant][kernel]
    spec: dict[str, Any] = {
        "kernel": manifest["golden"],
        "shape": dict(zip("SEPHF", (*shape, 2 * shape[1] + 1), strict=True)),
        "seed": 1,
        "numerics": NUMERICS[SHAPES.index(shape) % len(NUMERICS)],
        "data": "random",
        "classes": CLASSES,
    }
    inputs, golden = generate(spec)
    packed = machine.packed(manifest, inputs)
    for case, expected in zip(packed.cases, golden.cases, strict=True):
        for poison in (0xA5, 0x5A):
            found = machine.run_case(manifest, packed, case, poison)
            assert found == expected.operands[0].data, case.value_class


@pytest.mark.parametrize("limit", softmax_traps.LIMITS)
def test_softmax_divides_exactly(machines: Machines, limit: int) -> None:
    machine, manifest = machines["cortexm4"], MANIFESTS["cortexm4"]["softmax"]
    vectors, expected, _ = softmax_traps.softmax_case(limit)
    packed = machine.packed(manifest, vectors)
    found = machine.run_case(manifest, packed, packed.cases[0], 0xA5)
    assert found == expected
