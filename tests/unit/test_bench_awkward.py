# SPDX-License-Identifier: Apache-2.0
"""tests/bench/bench_awkward.py: what is padded, what is nearest, what is below half."""

import sys
from pathlib import Path

import pytest
import yaml

sys.path.append(str(Path(__file__).resolve().parents[1] / "bench"))

import bench_awkward as bench

EEG, TR, ECG, LARGE = bench.TABLE


def row(shape: bench.Letters, cycles: int | None, cores: int = 1) -> dict[str, object]:
    return {"shape": dict(zip("SEPH", shape, strict=True)), "cores": cores, "cycles": cycles}


@pytest.mark.parametrize(
    ("shape", "whole"), [((1, 5, 3, 7), (4, 8, 4, 7)), ((4, 32, 32, 8), (4, 32, 32, 8))]
)
def test_padding_is_to_tiles_of_four(shape: bench.Letters, whole: bench.Letters) -> None:
    assert bench.padded(shape) == whole


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((3, 33, 17, 8), TR),
        ((64, 15, 1, 8), ECG),
        ((90, 31, 29, 8), EEG),
        ((120, 60, 61, 16), LARGE),
    ],
)
def test_nearest_is_by_factors(shape: bench.Letters, expected: bench.Letters) -> None:
    assert bench.nearest(shape) == expected


def test_rates_compare_with_the_nearest_on_as_many_cores() -> None:
    shape = (4, 29, 32, 8)  # TR, if padded
    rows = [row(TR, 1000), row(TR, 100, cores=8), row(shape, 2001), row(shape, 150, cores=8)]
    rows += [row(LARGE, None)]  # did not fit
    low, high = bench.rates(rows)
    assert (low.cores, low.nearest, low.part) == (1, TR, pytest.approx(1000 / 2001))
    assert (high.cores, high.part) == (8, pytest.approx(100 / 150))
    assert low.part < bench.HALF < high.part


def test_the_matrix_has_the_table_for_each_number_of_cores() -> None:
    text = bench.matrix([((1, 5, 3, 2), 1), ((2, 5, 3, 2), 3)])
    entries = yaml.safe_load(text)["cells"]
    assert [entry["cores"] for entry in entries] == [1, 3]
    for entry in entries:
        assert len(entry["shapes"]) == len(bench.TABLE) + 1
