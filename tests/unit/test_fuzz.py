# SPDX-License-Identifier: Apache-2.0
"""Random cells from a seed, and the committed grid of awkward ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from touchstone import fuzz
from touchstone.cells import Cell
from touchstone.config import load_matrix
from touchstone.errors import UserError
from touchstone.manifest import Catalogue
from touchstone.plan import plan_cells
from touchstone.request import parse_request
from touchstone.sizes import needs_of, skip_reason

ROOT = Path(__file__).resolve().parents[2]
ANY = parse_request({})
COUNT = 400


@pytest.fixture(scope="module")
def drawn(catalogue: Catalogue) -> list[Cell]:
    return fuzz.draw_cells(fuzz.choices(catalogue, ANY), 1, COUNT)


def test_a_seed_gives_the_same_cells_and_another_seed_others(
    catalogue: Catalogue, drawn: list[Cell]
) -> None:
    found = fuzz.choices(catalogue, ANY)
    assert fuzz.draw_cells(found, 1, 50) == drawn[:50]
    assert not {cell.id for cell in fuzz.draw_cells(found, 2, 50)} & {cell.id for cell in drawn}
    # The stream itself is fixed, whatever the kernels: SHA-256 of "x/1" and "x/2", 64 bits.
    draw = fuzz.Draw("x")
    assert [draw.below(1000), draw.below(1000)] == [924, 239]


def test_drawn_cells_fit_and_are_different(drawn: list[Cell]) -> None:
    assert len({cell.id for cell in drawn}) == COUNT
    for cell in drawn:
        assert skip_reason(cell, needs_of(cell)) is None
        assert cell.settings == (("over_reads", "trap"),)
        assert 1 <= cell.cores <= cell.target.max_cores
        assert cell.schedule.obeyed(cell.variant.schedule)


def test_everything_that_can_vary_does(catalogue: Catalogue, drawn: list[Cell]) -> None:
    pairs = {(cell.kernel.name, cell.variant.name) for cell in drawn}
    every = {(choice.kernel.name, choice.variant.name) for choice in fuzz.choices(catalogue, ANY)}
    assert pairs == every
    assert {cell.target.name for cell in drawn} == set(catalogue.targets)
    assert {cell.cores for cell in drawn} == set(range(1, 9))
    assert len({cell.numerics for cell in drawn}) > 12
    assert {cell.schedule.order for cell in drawn} == {"", "context", "accumulate", "recompute"}
    remainders = {(cell.shape.S % 4, cell.shape.E % 4) for cell in drawn}
    assert len(remainders) == 16
    assert min(cell.shape.S for cell in drawn) == 1 and max(cell.shape.S for cell in drawn) > 60


def test_the_matrix_has_just_these_cells(
    catalogue: Catalogue, drawn: list[Cell], tmp_path: Path
) -> None:
    path = tmp_path / "drawn.yaml"
    path.write_text(fuzz.matrix_text(drawn, "./scons fuzz seed=1"), encoding="ascii")
    request = parse_request({"settings": "over_reads:trap"})
    planned = plan_cells(catalogue, load_matrix(path, tmp_path / "cache"), request)
    assert [entry.cell.id for entry in planned] == [cell.id for cell in drawn]
    assert [entry.cell for entry in planned] == drawn


def test_a_selection_is_kept(catalogue: Catalogue) -> None:
    request = parse_request({"target": "stm32*", "kernel": "mhsa*", "variant": "portable"})
    for cell in fuzz.draw_cells(fuzz.choices(catalogue, request), 3, 20):
        assert cell.target.name.startswith("stm32") and cell.kernel.name.startswith("mhsa")
        assert cell.variant.name == "portable"
    with pytest.raises(UserError, match="nothing selected"):
        fuzz.choices(catalogue, parse_request({"target": "gap9", "variant": "armv7em"}))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ({}, "fuzz: found no seed="),
        ({"seed": "1", "cells": "0"}, "cells=0: found '0', allowed whole numbers 1 to 100000"),
        ({"seed": "-1"}, "seed=-1"),
        ({"seed": "1", "S": "4"}, "fuzz: variable: found 'S'"),
        ({"seed": "1", "kernel": "softmx"}, "kernel: found 'softmx'"),
    ],
)
def test_bad_input_is_one_line(words: dict[str, str], line: str) -> None:
    with pytest.raises(UserError) as caught:
        fuzz.command(ROOT, words)
    assert str(caught.value).startswith(line)


def test_the_awkward_grid(catalogue: Catalogue, tmp_path: Path) -> None:
    """What issue and DESIGN ask of it; each target runs all of it."""
    matrix = load_matrix(ROOT / "configs" / "awkward.yaml", tmp_path)
    cells = [entry.cell for entry in plan_cells(catalogue, matrix, ANY)]
    assert all(skip_reason(cell, needs_of(cell)) is None for cell in cells)
    for target in catalogue.targets.values():
        here = [cell for cell in cells if cell.target.name == target.name]
        blocks = [cell for cell in here if cell.kernel.name == "encoder_block"]
        shapes = {cell.shape for cell in blocks}
        assert len(shapes) >= 300
        assert {shape.S for shape in shapes} == {*range(1, 18), 31, 32, 33}
        assert {shape.H for shape in shapes} == set(range(1, 17))
        assert not any(shape.E % 4 == 0 or shape.P % 4 == 0 for shape in shapes)
        assert {cell.numerics.rounding for cell in blocks} == {"floor", "half_up"}
        assert {cell.numerics.per_channel for cell in blocks} == {False, True}
        assert {cell.cores for cell in here} == set(range(1, target.max_cores + 1))
        assert {cell.kernel.name for cell in here} == set(catalogue.kernels)
        best = {(cell.kernel.name, cell.variant.name) for cell in here}
        for kernel in catalogue.kernels.values():
            variant = kernel.default_variant(target.isas)
            assert variant is not None and (kernel.name, variant.name) in best
