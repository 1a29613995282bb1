# SPDX-License-Identifier: Apache-2.0
"""A cell's id names that cell and no other: it can be read back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from touchstone.cellid import parse_cell_id
from touchstone.cells import flags_digest
from touchstone.errors import UserError
from touchstone.manifest import Catalogue
from touchstone.plan import PlannedCell

CELL = "gap9/linear_qk.portable/S7-E18-P6-H3/c3/half_up/per_channel"


def test_every_cell_of_the_default_matrix(
    catalogue: Catalogue, default_cells: list[PlannedCell]
) -> None:
    assert len(default_cells) > 200
    for planned in default_cells:
        assert parse_cell_id(catalogue, planned.cell.id, ()) == planned.cell


def test_ids_are_unique(default_cells: list[PlannedCell]) -> None:
    counts = Counter(planned.cell.id for planned in default_cells)
    assert max(counts.values()) == 1


def test_ids_differ_where_cells_do(catalogue: Catalogue) -> None:
    cell = parse_cell_id(catalogue, CELL, ())
    target = catalogue.targets["gap9"]
    others = [
        replace(cell, target=catalogue.targets["stm32l4"], cores=1),
        replace(cell, variant=cell.kernel.default_variant(target.isas)),
        replace(cell, shape=replace(cell.shape, H=4)),
        replace(cell, cores=2),
        replace(cell, seed=1),
        replace(cell, numerics=replace(cell.numerics, rounding="floor")),
        replace(cell, numerics=replace(cell.numerics, per_channel=False)),
        replace(cell, data="ecg"),
        replace(cell, simulator="gvsoc"),
        replace(cell, cflags=("-O1",)),
        replace(cell, cflags=("-O1", "-g")),
        replace(cell, cflags=("-O1 -g",)),
    ]
    assert len({cell.id, *(other.id for other in others)}) == 1 + len(others)
    for other in others[:-3]:
        assert parse_cell_id(catalogue, other.id, ()) == other


def test_flags_come_with_the_command(catalogue: Catalogue) -> None:
    cell = replace(parse_cell_id(catalogue, CELL, ()), cflags=("-O1", "-g"))
    assert cell.id == f"{CELL}/cflags-{flags_digest(('-O1', '-g'))}"
    assert parse_cell_id(catalogue, cell.id, ("-O1", "-g")) == cell
    with pytest.raises(UserError, match="found no such cell"):
        parse_cell_id(catalogue, cell.id, ())
    with pytest.raises(UserError, match="found no such cell"):
        parse_cell_id(catalogue, cell.id, ("-O2",))


def test_unknown_variant(catalogue: Catalogue) -> None:
    with pytest.raises(UserError, match=r"found 'portabel', .*did you mean portable"):
        parse_cell_id(catalogue, "gap9/gelu.portabel/S4-E6-P3-H2/c8", ())


def test_rerun_command(catalogue: Catalogue) -> None:
    cell = parse_cell_id(catalogue, CELL, ())
    assert cell.rerun == f"./scons cell={CELL}"
    assert replace(cell, cflags=("-O1", "-g")).rerun.endswith(" 'cflags=-O1 -g'")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gap9/gelu/S4-E6-P3-H2", "found 3 parts"),
        ("gap8/gelu/S4-E6-P3-H2/c8", "did you mean gap9"),
        ("gap9/gelo/S4-E6-P3-H2/c8", "did you mean gelu"),
        ("gap9/gelu/S4-E6-P3/c8", "found shape"),
        ("gap9/gelu/E6-S4-P3-H2/c8", "found shape"),
        ("gap9/gelu/S04-E6-P3-H2/c8", "found"),
        ("gap9/gelu/S4-E6-P3-H2x/c8", "found"),
        ("gap9/gelu/S4-E6-P3-H2/8", "allowed c1 to c8"),
        ("gap9/gelu/S4-E6-P3-H2/c0", "allowed c1 to c8"),
        ("stm32l4/gelu/S4-E6-P3-H2/c2", "allowed c1 to c1"),
        ("gap9/gelu/S4-E6-P3-H2/c8/quick", "found 'quick'"),
        ("gap9/gelu/S4-E6-P3-H2/c8/seed42", "allowed gap9/gelu/S4-E6-P3-H2/c8"),
        ("gap9/gelu.xpulp/S4-E6-P3-H2/c8", "allowed gap9/gelu/S4-E6-P3-H2/c8"),
        ("gap9/linear_qk/S4-E6-P3-H2/c8/per_channel/half_up", "half_up/per_channel"),
    ],
)
def test_what_is_no_id(catalogue: Catalogue, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        parse_cell_id(catalogue, text, ())
    assert str(caught.value).startswith(f"cell={text}: ")
    assert "\n" not in str(caught.value)
