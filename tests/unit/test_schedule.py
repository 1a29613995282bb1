# SPDX-License-Identifier: Apache-2.0
"""Schedules: on the command line, in ids, in manifests, and what they cost in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from touchstone.cellid import parse_cell_id
from touchstone.cells import Cell
from touchstone.config import Matrix
from touchstone.errors import UserError
from touchstone.graph import plan_graph
from touchstone.manifest import Catalogue
from touchstone.plan import plan_cells
from touchstone.request import parse_request
from touchstone.schedule import OWN, Schedule, with_word
from touchstone.sizes import needs_of

EEG = "stm32l4/{}/S81-E32-P32-H8/c1"


def planned(catalogue: Catalogue, matrix: Matrix, **words: str) -> list[Cell]:
    return [entry.cell for entry in plan_cells(catalogue, matrix, parse_request(words))]


def eeg_cell(catalogue: Catalogue, kernel: str, variant: str, schedule: Schedule = OWN) -> Cell:
    cell = parse_cell_id(catalogue, EEG.format(kernel), ())
    return replace(cell, variant=cell.kernel.variant(variant), schedule=schedule)


def test_words_of_the_command_line_multiply(catalogue: Catalogue, matrix: Matrix) -> None:
    words = {"kernel": "mhsa_dft", "target": "stm32l4", "variant": "portable", "S": "81"}
    cells = planned(catalogue, matrix, **words, tile="2,4", order="accumulate,recompute", heads="1")
    found = {cell.schedule for cell in cells}
    assert found == {
        Schedule(tile, 1, order) for tile in (2, 4) for order in ("accumulate", "recompute")
    }


def test_an_id_leads_back_to_its_cell(catalogue: Catalogue, matrix: Matrix) -> None:
    words = {"kernel": "mhsa_dft", "target": "gap9", "tile": "3", "order": "context", "heads": "2"}
    for cell in planned(catalogue, matrix, variant="portable", **words):
        assert "tile3/heads2/order_context" in cell.id
        assert parse_cell_id(catalogue, cell.id, ()) == cell


def test_kernels_without_schedules_have_none(catalogue: Catalogue, matrix: Matrix) -> None:
    kernels = {cell.kernel.name for cell in planned(catalogue, matrix, tile="2")}
    assert kernels and all(name.endswith("_dft") for name in kernels)
    with pytest.raises(UserError, match="nothing selected"):
        planned(catalogue, matrix, kernel="softmax", tile="2")
    with pytest.raises(UserError, match="found tile4, allowed no schedule"):
        parse_cell_id(catalogue, EEG.format("mhsa") + "/tile4", ())
    with pytest.raises(UserError, match="order: found 'contxt'"):
        parse_request({"order": "contxt"})
    with pytest.raises(UserError, match="tile=0"):
        parse_request({"tile": "0"})


def test_words_of_an_id() -> None:
    assert with_word(OWN, "tile12") == Schedule(tile=12)
    assert with_word(Schedule(tile=12), "heads3") == Schedule(12, 3)
    assert with_word(Schedule(12, 3), "order_context") == Schedule(12, 3, "context")
    for word in ("tile", "tile0", "order_", "order_other", "tiles4", "order_context4"):
        assert with_word(OWN, word) is None
    assert Schedule(3, 0, "recompute").passes(81, 1) == 27
    assert Schedule(3, 0, "recompute").passes(81, 8) == 4
    assert Schedule(3, 0, "accumulate").passes(81, 1) == 1


def test_vectors_do_not_depend_on_the_schedule(catalogue: Catalogue, matrix: Matrix) -> None:
    words = {"kernel": "mhsa_dft", "target": "gap9", "S": "81", "variant": "portable"}
    cells = plan_cells(catalogue, matrix, parse_request({**words, "cores": "3", "tile": "1,2"}))
    plans = plan_graph(catalogue, cells, ("targets/common/main.c",))
    assert len(plans) == 2 and len({plan.packed.vectors.directory for plan in plans}) == 1
    assert len({plan.firmware.directory for plan in plans}) == 1
    assert len({plan.run_spec for plan in plans}) == 2


def test_the_memory_of_reference(catalogue: Catalogue) -> None:
    """Input, output, queries, keys and values of all heads, and their maps."""
    wide = 2 * 81 * 32 + 3 * 8 * 81 * 32 + 8 * 81 * 81
    cell = eeg_cell(catalogue, "mhsa", "layerwise")
    assert needs_of(cell).activation_bytes == wide == 119_880


@pytest.mark.parametrize(("kernel", "factor"), [("mhsa_dft", 6.2), ("mhsa_fwsa_dft", 7.2)])
def test_depth_first_needs_little_memory(catalogue: Catalogue, kernel: str, factor: float) -> None:
    """With keys and values computed three times; the cells of configs/default.yaml run it."""
    cell = eeg_cell(catalogue, kernel, "portable", Schedule(27, 0, "recompute"))
    assert 119_880 / needs_of(cell).activation_bytes >= factor


def test_terms_name_parts_of_an_expression(catalogue: Catalogue) -> None:
    cell = eeg_cell(catalogue, "mhsa_dft", "portable", Schedule(4, 0, "context"))
    kept = 81 * 32 * 2 + 2 * 81 * 32 + 464 + 81 * 256
    assert needs_of(cell).activation_bytes == kept
    broken = replace(cell.variant, terms={**cell.variant.terms, "group": "H // 0"})
    with pytest.raises(UserError, match=r"portable\.terms\.group: found a division by zero"):
        needs_of(replace(cell, variant=broken))
