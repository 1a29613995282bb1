# SPDX-License-Identifier: Apache-2.0
"""From a matrix and the words of a command line to cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from touchstone.config import Matrix, load_matrix
from touchstone.errors import UserError
from touchstone.manifest import Catalogue
from touchstone.plan import REFERENCE_SHAPE, plan_cells
from touchstone.request import parse_request

TEXT = """\
schema: 1
cells:
  - name: plain
    targets: [gap9, stm32l4]
    kernels: [gelu, linear_qk]
    shapes: [{S: 4, E: 6, P: 3, H: 2}, {S: 5, E: 6, P: 3, H: 2}]
  - name: half up, every variant
    kernels: linear_qk
    variants: all
    shapes: [{S: 5, E: 7, P: 3, H: 2}]
    numerics: {rounding: half_up, per_channel: true, softmax: wide}
  - name: cores
    targets: gap9
    kernels: gelu
    cores: [1, 3]
    shapes: [{S: 4, E: 6, P: 3, H: 2}]
"""


@pytest.fixture
def small(tmp_path: Path) -> Matrix:
    path = tmp_path / "small.yaml"
    path.write_text(TEXT)
    return load_matrix(path, tmp_path / "cache")


def ids(catalogue: Catalogue, matrix: Matrix, **words: str) -> list[str]:
    return [planned.cell.id for planned in plan_cells(catalogue, matrix, parse_request(words))]


def test_whole_matrix_in_its_order(catalogue: Catalogue, small: Matrix) -> None:
    found = ids(catalogue, small)
    assert found[:4] == [
        "gap9/gelu/S4-E6-P3-H2/c8",
        "gap9/gelu/S5-E6-P3-H2/c8",
        "gap9/linear_qk/S4-E6-P3-H2/c8",
        "gap9/linear_qk/S5-E6-P3-H2/c8",
    ]
    assert found[-2:] == ["gap9/gelu/S4-E6-P3-H2/c1", "gap9/gelu/S4-E6-P3-H2/c3"]
    assert len(found) == len(set(found))


def test_variants_run_where_their_isa_does(catalogue: Catalogue, small: Matrix) -> None:
    found = [name for name in ids(catalogue, small) if "/half_up/per_channel" in name]
    kernels = {tuple(name.split("/")[:2]) for name in found}
    assert ("gap9", "linear_qk.portable") in kernels
    assert ("stm32h7", "linear_qk.portable") in kernels
    assert not any("armv7em" in kernel for target, kernel in kernels if target == "gap9")
    assert not any("xpulp" in kernel for target, kernel in kernels if target != "gap9")
    assert not any("softmax_wide" in name for name in found), "linear_qk has no softmax"


def test_selection_keeps_the_order_of_the_matrix(catalogue: Catalogue, small: Matrix) -> None:
    everything = ids(catalogue, small)
    chosen = ids(catalogue, small, target="stm32l4,gap9", kernel="gelu")
    assert chosen == [name for name in everything if "/gelu/" in name]


def test_dimension_that_the_matrix_has(catalogue: Catalogue, small: Matrix) -> None:
    found = ids(catalogue, small, S="5", target="gap9", variant="default")
    assert found == [
        "gap9/gelu/S5-E6-P3-H2/c8",
        "gap9/linear_qk/S5-E6-P3-H2/c8",
        "gap9/linear_qk/S5-E7-P3-H2/c8/half_up/per_channel",
    ]


def test_dimension_that_the_matrix_lacks(catalogue: Catalogue, small: Matrix) -> None:
    shape = REFERENCE_SHAPE
    found = ids(catalogue, small, S="9", kernel="gelu", target="gap9")
    assert found == [f"gap9/gelu/S9-E{shape.E}-P{shape.P}-H{shape.H}/c8"]


def test_cores(catalogue: Catalogue, small: Matrix) -> None:
    found = ids(catalogue, small, kernel="gelu", cores="2")
    assert {name.split("/")[0] for name in found} == {"gap9"}, "what others lack is left out"
    assert all(name.split("/")[3] == "c2" for name in found)
    with pytest.raises(UserError, match="cores=2: found 2, allowed 1 to 1 on stm32l4"):
        ids(catalogue, small, kernel="gelu", cores="2", target="stm32l4")
    with pytest.raises(UserError, match="cores=9: found 9"):
        ids(catalogue, small, cores="9")


def test_seed_simulator_and_flags_are_in_the_id(catalogue: Catalogue, small: Matrix) -> None:
    words = {"target": "stm32l4", "kernel": "gelu", "S": "4"}
    (plain,) = ids(catalogue, small, **words)
    assert ids(catalogue, small, **words, seed="42") == [plain]
    assert ids(catalogue, small, **words, seed="7") == [f"{plain}/seed7"]
    assert ids(catalogue, small, **words, sim="unicorn", toolchain="llvm") == [plain]
    (one,) = ids(catalogue, small, **words, cflags="-O1")
    (other,) = ids(catalogue, small, **words, cflags="-O1 -g")
    assert len({plain, one, other}) == 3


def test_one_cell_needs_no_matrix(catalogue: Catalogue, small: Matrix) -> None:
    name = "stm32h7/mhsa/S66-E16-P2-H8/c1/ecg"
    assert ids(catalogue, small, cell=name) == [name]


def test_glob_of_cells_is_of_the_matrix(catalogue: Catalogue, small: Matrix) -> None:
    found = ids(catalogue, small, cell="*/gelu/S4-*")
    assert len(found) == 4
    assert set(found) == {name for name in ids(catalogue, small) if "/gelu/S4-" in name}


@pytest.mark.parametrize(
    "words",
    [
        {"cell": "*/gelu/S6-*"},
        {"kernel": "fwsa"},
        {"target": "stm32h7", "kernel": "gelu"},
        {"variant": "xpulp", "target": "stm32l4"},
    ],
)
def test_no_cell_is_an_error(catalogue: Catalogue, small: Matrix, words: dict[str, str]) -> None:
    with pytest.raises(UserError, match=r"nothing selected: no cell of .*small\.yaml"):
        ids(catalogue, small, **words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"kernel": "gelo"}, "kernel: found 'gelo'.* did you mean gelu"),
        ({"target": "stm32"}, "target: found 'stm32'.* did you mean stm32"),
        ({"variant": "portabel"}, "variant: found 'portabel'.* did you mean portable"),
        ({"compare": "portable,xpulq"}, "compare: found 'xpulq'.* did you mean xpulp"),
        ({"toolchain": "clang"}, "toolchain .*found 'clang'"),
    ],
)
def test_unknown_names(
    catalogue: Catalogue, small: Matrix, words: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        ids(catalogue, small, **words)
