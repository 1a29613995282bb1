# SPDX-License-Identifier: Apache-2.0
"""The Armv7E-M variants, in Unicorn, bit for bit against the golden models."""

from __future__ import annotations

from typing import Any

import arm_kernels
import pytest
import softmax_traps
from host_kernels import manifests_with

from golden.generate import generate
from tests.conftest import Once

CLASSES = ["random", "extremes", "saturating", "constant", "one_hot"]
NUMERICS = [
    {"rounding": "floor", "per_channel": False, "softmax": "authors", "gelu": "i_gelu"},
    {"rounding": "half_up", "per_channel": True, "softmax": "accurate", "gelu": "accurate"},
    {"rounding": "half_up", "per_channel": False, "softmax": "wide", "gelu": "i_gelu"},
]
# S, E, P, H: every remainder of the reductions by 4 and by 16, single rows and columns, odd sizes.
SHAPES = [
    (1, 1, 1, 1),
    (1, 5, 3, 2),
    (2, 4, 1, 16),
    (3, 7, 5, 3),
    (4, 32, 32, 8),
    (7, 6, 2, 12),
    (9, 33, 6, 5),
    (17, 9, 31, 2),
    (21, 18, 16, 1),
    (66, 16, 2, 3),
]
MANIFESTS = manifests_with(arm_kernels.VARIANT)
OPERATIONS = {
    *("linear_qk", "linear_v", "linear_o", "attention_scores", "attention_context", "softmax"),
    *("fwsa", "mhsa", "mhsa_fwsa"),
}


@pytest.fixture(scope="session", params=["cortex_m4", "cortex_m7"])
def machine(request: pytest.FixtureRequest, once: Once) -> arm_kernels.Machine:
    program = arm_kernels.build_once(once, request.param)
    return arm_kernels.Machine(program, request.param)


def test_every_operation_has_an_armv7em_variant() -> None:
    assert set(MANIFESTS) >= OPERATIONS


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "S{}-E{}-P{}-H{}".format(*shape))
@pytest.mark.parametrize("kernel", sorted(MANIFESTS))
def test_armv7em_equals_golden(
    machine: arm_kernels.Machine, kernel: str, shape: tuple[int, int, int, int]
) -> None:
    spec: dict[str, Any] = {
        "kernel": MANIFESTS[kernel]["golden"],
        "shape": {**dict(zip("SEPH", shape, strict=True)), "F": 2 * shape[1] + 3},
        "seed": 1,
        "numerics": NUMERICS[SHAPES.index(shape) % len(NUMERICS)],
        "data": "random",
        "classes": CLASSES,
    }
    inputs, golden = generate(spec)
    for case, expected in zip(inputs.cases, golden.cases, strict=True):
        for poison in (0xA5, 0x5A):
            found = machine.run_case(MANIFESTS[kernel], inputs, case, poison)
            assert found == expected.operands[0].data, case.value_class


@pytest.mark.parametrize("limit", softmax_traps.LIMITS)
def test_softmax_divides_exactly(machine: arm_kernels.Machine, limit: int) -> None:
    vectors, expected, _ = softmax_traps.softmax_case(limit)
    found = machine.run_case(MANIFESTS["softmax"], vectors, vectors.cases[0], 0xA5)
    assert found == expected
