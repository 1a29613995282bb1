# SPDX-License-Identifier: Apache-2.0
"""Work and memory of cells, by hand for one and by rule for all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from touchstone.cellid import parse_cell_id
from touchstone.cells import Cell
from touchstone.job import align16
from touchstone.manifest import Catalogue, Region
from touchstone.plan import PlannedCell
from touchstone.sizes import needs_of, skip_reason

# Cells whose large weights stay in the job because the arena cannot hold everything.
FAR = {
    "gap9/encoder_block/S81-E32-P32-H8-F128/c8",
    "gap9/mhsa/S128-E64-P64-H8/c8",
    "gap9/mhsa/S33-E64-P96-H8/c8",
}


def test_by_hand(catalogue: Catalogue) -> None:
    needs = needs_of(parse_cell_id(catalogue, "gap9/linear_qk.portable/S5-E6-P3-H2/c1", ()))
    assert needs.macs == 5 * 6 * 3 * 2
    assert needs.elements == needs.output_bytes == 2 * 5 * 3
    assert needs.weight_bytes == 2 * 3 * 6 + 4 * 2 * 3 + 2
    assert needs.scratch_bytes == 0
    assert needs.activation_bytes == 5 * 6 + 2 * 5 * 3
    operands = (5 * 6, 2 * 3 * 6, 4 * 2 * 3, 2, 2 * 5 * 3)
    assert needs.arena_bytes == 16 + sum(align16(size) + 16 for size in operands) + 16


def test_layout_scratch_and_channels(catalogue: Catalogue) -> None:
    """Panels: weights padded from 6 to 8 and each head's 3 rows to 4, biases and factors to fours,
    the largest bias ahead; scratch counts as activation."""
    name = "gap9/linear_qk/S5-E6-P3-H2/c8"
    needs = needs_of(parse_cell_id(catalogue, name, ()))
    assert needs.weight_bytes == 2 * 4 * 8 + 4 * (4 + 8) + 2 * 4
    assert needs.scratch_bytes == 5 * 8 + 8 * 4 * 8
    assert needs.activation_bytes == 5 * 6 + 2 * 5 * 3 + 5 * 8 + 8 * 4 * 8
    per_channel = needs_of(parse_cell_id(catalogue, f"{name}/per_channel", ()))
    assert per_channel.weight_bytes - needs.weight_bytes == 2 * (8 - 4)


def test_layout_of_a_wider_type(catalogue: Catalogue) -> None:
    """panels4: int16, three rows of six as one panel of four."""
    needs = needs_of(parse_cell_id(catalogue, "stm32l4/linear_qk/S5-E6-P3-H2/c1", ()))
    assert needs.weight_bytes == 2 * 2 * 4 * 6 + 4 * 2 * 3 + 2


def test_kernels_without_multiplications(catalogue: Catalogue) -> None:
    needs = needs_of(parse_cell_id(catalogue, "stm32l4/softmax/S5-E6-P3-H2/c1", ()))
    assert (needs.macs, needs.elements) == (0, 2 * 5 * 5)


def test_job_memory_bounds_what_is_stored(default_cells: list[PlannedCell]) -> None:
    for planned in default_cells:
        needs = planned.needs
        assert needs.job_bytes > 5 * (needs.weight_bytes - 4 * 256 if needs.macs else 0)
        assert needs.activation_bytes >= needs.output_bytes
        far = needs.arena_bytes < needs.activation_bytes + needs.weight_bytes
        assert planned.skip or far == (planned.cell.id in FAR)
        assert needs.arena_bytes > needs.activation_bytes
        assert min(needs.elements, needs.output_bytes) > 0


def test_skip_names_memory_and_numbers(catalogue: Catalogue) -> None:
    cell = parse_cell_id(catalogue, "gap9/gelu/S40-E64-P1-H1/c8", ())
    needs = needs_of(cell)
    assert skip_reason(cell, needs) is None
    for name, size in (("arena", needs.arena_bytes), ("job", needs.job_bytes)):
        assert skip_reason(with_memory(cell, name, size), needs) is None
        assert skip_reason(with_memory(cell, name, size - 3), needs) == (
            f"does not fit: {name} memory of gap9 has {size - 3} bytes, needed {size} (3 too many)"
        )


@pytest.mark.parametrize("simulator", ["xpulp", "gvsoc"])
def test_a_smaller_l1_takes_from_the_arena(catalogue: Catalogue, simulator: str) -> None:
    cell = parse_cell_id(catalogue, "gap9/mhsa/S7-E18-P6-H3/c8", ())
    cell = replace(cell, simulator=simulator, settings=(("l1_bytes", "65536"),))
    available = cell.target.memory["arena"].bytes - 0x10000
    fits = replace(needs_of(cell), arena_bytes=available)
    assert skip_reason(cell, fits) is None
    said = skip_reason(cell, replace(fits, arena_bytes=available + 1))
    assert f"arena memory of gap9 has {available} bytes" in str(said)


def with_memory(cell: Cell, name: str, size: int) -> Cell:
    memory = {**cell.target.memory, name: Region(0, size)}
    return replace(cell, target=replace(cell.target, memory=memory))


def test_far_weights_take_no_room(catalogue: Catalogue) -> None:
    """With `weights:far` those of at least 64 bytes stay in the job, the others in the arena."""
    cell = parse_cell_id(catalogue, "gap9/linear_qk.portable/S5-E6-P3-H8/c1", ())
    far = replace(cell, settings=(("weights", "far"),))
    weight, bias = 8 * 3 * 6, 4 * 8 * 3
    spared = align16(weight) + align16(bias)
    assert needs_of(cell).arena_bytes - needs_of(far).arena_bytes == spared
    assert needs_of(cell).weight_bytes == needs_of(far).weight_bytes
