# SPDX-License-Identifier: Apache-2.0
"""Every portable variant under AddressSanitizer and UndefinedBehaviorSanitizer, at the shapes of
configs/awkward.yaml, bit for bit against the golden models: a part on every run, all at night."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import host_kernels
import numpy as np
import pytest

from golden.generate import generate
from touchstone.cells import DEFAULT_DATA, DEFAULT_SEED
from touchstone.config import load_matrix

GRID = host_kernels.ROOT / "configs" / "awkward.yaml"
MANIFESTS = host_kernels.manifests()
CLASSES = ["random", "extremes"]
STEPS = [pytest.param(160, id="some"), pytest.param(1, marks=pytest.mark.nightly, id="all")]

Point = tuple[dict[str, int], int, dict[str, Any]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sanitized")
    compiler = host_kernels.sanitizing_compiler(folder)
    if compiler is None:
        pytest.skip("not installed: a compiler with AddressSanitizer and its run-time library")
    return host_kernels.build(folder, compiler, host_kernels.SANITIZED, host_kernels.HEAP)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> list[Point]:
    """Shape, cores and numerics of every point of the grid. Entries for a single core repeat the
    shapes of those with several."""
    matrix = load_matrix(GRID, tmp_path_factory.mktemp("yaml"))
    return [
        (shape.values(), cores, asdict(entry.numerics))
        for entry in matrix.entries
        for shape in entry.shapes
        for cores in entry.cores
    ]


def check(program: Path, kernel: str, point: Point, folder: Path) -> None:
    shape, cores, numerics = point
    spec = {
        "kernel": MANIFESTS[kernel]["golden"],
        "shape": shape,
        "seed": DEFAULT_SEED,
        "numerics": numerics,
        "data": DEFAULT_DATA,
        "classes": CLASSES,
    }
    inputs, golden = generate(spec)
    outputs = host_kernels.run(program, MANIFESTS[kernel], inputs, cores, folder)
    for case, expected, found in zip(inputs.cases, golden.cases, outputs, strict=True):
        reference = expected.operands[0]
        wanted = np.frombuffer(reference.data, dtype=reference.type)
        assert np.array_equal(wanted, np.frombuffer(found, dtype=reference.type)), (
            f"{kernel}, {shape}, {cores} cores, {case.value_class}"
        )


@pytest.mark.parametrize("step", STEPS)
def test_portable_variants(program: Path, points: list[Point], tmp_path: Path, step: int) -> None:
    tried = 0
    # Each kernel starts elsewhere, so that a part of the points has other ones for each.
    for index, kernel in enumerate(sorted(MANIFESTS)):
        for point in points[(7 * index) % step :: step]:
            check(program, kernel, point, tmp_path)
            tried += 1
    print(f"{tried} runs of {len(MANIFESTS)} kernels at {len(points)} points")
    assert tried >= len(MANIFESTS) * (len(points) // step)
    assert len(points) >= 300


def test_the_sanitizers_see_a_kernel_that_is_wrong(program: Path, tmp_path: Path) -> None:
    """With an output one byte shorter than what the kernel writes."""
    manifest = {**MANIFESTS["gelu"], "operands": [*MANIFESTS["gelu"]["operands"]]}
    manifest["operands"][-1] = {**manifest["operands"][-1], "shape": ["S*E - 1"]}
    shape = {"S": 3, "E": 5, "P": 1, "H": 1, "F": 1}
    numerics = {"rounding": "floor", "per_channel": False, "softmax": "authors", "gelu": "i_gelu"}
    spec = {"kernel": "gelu", "shape": shape, "seed": 1, "numerics": numerics}
    inputs, _ = generate({**spec, "data": DEFAULT_DATA, "classes": CLASSES})
    with pytest.raises(AssertionError, match="AddressSanitizer: heap-buffer-overflow"):
        host_kernels.run(program, manifest, inputs, 2, tmp_path)
