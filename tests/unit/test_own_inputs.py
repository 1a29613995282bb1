# SPDX-License-Identifier: Apache-2.0
"""inputs=FILE.npz: what is taken, what is refused and with which line, what golden makes of it."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.case import GoldenError
from golden.generate import generate
from golden.own import read_arrays
from touchstone import own_inputs
from touchstone.cellid import parse_cell_id
from touchstone.errors import UserError
from touchstone.graph import vectors_directory, vectors_spec
from touchstone.manifest import Catalogue
from touchstone.plan import PlannedCell
from touchstone.vectors import read_container, write_container

GELU = "gap9/gelu/S4-E32-P32-H8/c8"
ADD = "gap9/add/S4-E32-P32-H8/c8"
INPUT = (np.arange(4 * 32, dtype=np.int64) * 7 % 256 - 128).astype(np.int8).reshape(4, 32)


def npz(folder: Path, **arrays: Any) -> str:
    path = folder / "mine.npz"
    np.savez(path, **arrays)
    return str(path)


@pytest.fixture
def gelu(default_cells: list[PlannedCell]) -> PlannedCell:
    return next(planned for planned in default_cells if planned.cell.id == GELU)


@pytest.fixture
def add(default_cells: list[PlannedCell]) -> PlannedCell:
    return next(planned for planned in default_cells if planned.cell.id == ADD)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(UserError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def zipped(path: Path, entry: bytes, padding: int = 0) -> str:
    """An archive of one array; `padding` zeros follow it, which take next to no room."""
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open("input.npy", "w") as file:
        file.write(entry)
        for _ in range(padding >> 20):
            file.write(bytes(1 << 20))
    return str(path)


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_sizes_are_looked_at_before_contents(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.npz", npy(INPUT), own_inputs.MAX_BYTES)
    assert Path(bomb).stat().st_size < 1 << 20
    tracemalloc.start()
    said = refused(own_inputs.read_inputs, bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "bytes when unpacked, allowed at most 268435456" in said
    assert peak < 8 << 20
    huge = npy(INPUT).replace(b"(4, 32), ", b"(9" + b"9" * 9 + b",),")
    said = refused(own_inputs.read_inputs, zipped(tmp_path / "huge.npz", huge))
    assert "int8 [9999999999] in " in said
    long = b"\x93NUMPY\x02\0" + (1 << 30).to_bytes(4, "little") + b"{" * 100_000
    assert "found no .npz of" in refused(own_inputs.read_inputs, zipped(tmp_path / "l.npz", long))


class Runs:
    """Creates a file wherever it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    trap = tmp_path / "it ran"
    data = npy(np.array([Runs(trap)], dtype=object))
    path = zipped(tmp_path / "p.npz", data)
    assert "an array of type |O" in refused(own_inputs.read_inputs, path)
    with pytest.raises(GoldenError):
        read_arrays(path)
    assert not trap.exists()
    np.load(path, allow_pickle=True)["input"]
    assert trap.exists(), "the trap is none"


def test_cells_are_known_by_content(tmp_path: Path, gelu: PlannedCell) -> None:
    own = own_inputs.read_inputs(npz(tmp_path, input=INPUT))
    (found,) = own_inputs.with_inputs([gelu], own)
    assert found.cell.id == f"{GELU}/{own.word}"
    assert own.word in vectors_directory(found.cell)
    assert vectors_spec(found.cell)["inputs"] == f"build/inputs/{own.digest}.npz"
    assert "inputs" not in vectors_spec(gelu.cell)
    other = own_inputs.read_inputs(npz(tmp_path, input=INPUT[::-1]))
    assert other.word != own.word
    own.keep(tmp_path)
    assert (tmp_path / own.kept).read_bytes() == own.data


def test_id_is_read_back(tmp_path: Path, gelu: PlannedCell, catalogue: Catalogue) -> None:
    own = own_inputs.read_inputs(npz(tmp_path, input=INPUT))
    (found,) = own_inputs.with_inputs([gelu], own)
    assert found.cell.rerun == f"./scons cell={found.cell.id} inputs={own.said}"
    cell = parse_cell_id(catalogue, found.cell.id, ())
    again = PlannedCell(cell, gelu.needs, None)
    assert "found no inputs=" in refused(own_inputs.refuse_without_file, [again])
    assert own_inputs.with_inputs([again], own)[0].cell.id == found.cell.id
    other = own_inputs.read_inputs(npz(tmp_path, input=INPUT[::-1]))
    assert f"allowed {own.word}" in refused(own_inputs.with_inputs, [again], other)


def test_cells_that_differ_in_nothing_else_are_one(tmp_path: Path, gelu: PlannedCell) -> None:
    own = own_inputs.read_inputs(npz(tmp_path, input=INPUT))
    assert len(own_inputs.with_inputs([gelu, gelu], own)) == 1


@pytest.mark.parametrize(
    ("arrays", "line"),
    [
        (
            {"imput": INPUT},
            "imput (for gelu): found 'imput', allowed input, output, table; did you",
        ),
        ({"input": INPUT.astype("i4")}, "found int32 [4, 32], allowed int8 [4, 32]; the cell is "),
        ({"input": INPUT[:3]}, "input (for gelu): found int8 [3, 32], allowed int8 [4, 32]"),
        ({"output": INPUT.T}, "output (for gelu): found int8 [32, 4], allowed int8 [4, 32]"),
    ],
)
def test_what_does_not_suit(
    tmp_path: Path, gelu: PlannedCell, arrays: dict[str, Any], line: str
) -> None:
    own = own_inputs.read_inputs(npz(tmp_path, **arrays))
    said = refused(own_inputs.with_inputs, [gelu], own)
    assert said.startswith("mine.npz: ")
    assert line in said


def test_parameters_are_numbers(tmp_path: Path, add: PlannedCell) -> None:
    own = own_inputs.read_inputs(npz(tmp_path, shift=np.int64(3)))
    assert own_inputs.with_inputs([add], own)
    own = own_inputs.read_inputs(npz(tmp_path, shift=np.array([1, 2])))
    assert "found int64 [2], allowed one whole number" in refused(
        own_inputs.with_inputs, [add], own
    )


def test_files_that_are_none(tmp_path: Path) -> None:
    assert refused(own_inputs.read_inputs, "none.npz") == (
        "inputs=none.npz: found no readable file (No such file or directory)"
    )
    Path("text.npz").write_text("text")
    assert "text.npz: found no .npz of whole numbers" in refused(own_inputs.read_inputs, "text.npz")
    np.save("plain.npy", INPUT)
    assert "found no .npz of whole numbers" in refused(own_inputs.read_inputs, "plain.npy")
    np.savez("float.npz", input=INPUT.astype(np.float32))
    assert "an array of type <f4" in refused(own_inputs.read_inputs, "float.npz")
    np.savez("empty.npz")
    assert "found no array" in refused(own_inputs.read_inputs, "empty.npz")
    np.savez("objects.npz", input=np.array([object()]))
    assert "an array of type |O" in refused(own_inputs.read_inputs, "objects.npz")


def spec(gelu: PlannedCell, path: str) -> dict[str, Any]:
    (found,) = own_inputs.with_inputs([gelu], own_inputs.read_inputs(path))
    return {**vectors_spec(found.cell), "inputs": path}


def test_golden_takes_them_as_the_timed_case(tmp_path: Path, gelu: PlannedCell) -> None:
    inputs, golden = generate(spec(gelu, npz(tmp_path, input=INPUT)))
    plain_inputs, plain_golden = generate(vectors_spec(gelu.cell))
    assert [case.value_class for case in inputs.cases] == [
        "inputs",
        *(case.value_class for case in plain_inputs.cases[1:]),
    ]
    assert inputs.cases[0].operand("input").data == INPUT.tobytes()
    table = np.frombuffer(inputs.cases[0].operand("table").data, np.int8)
    assert golden.cases[0].operand("output").data == table[INPUT.view(np.uint8)].tobytes()
    assert inputs.cases[1:] == plain_inputs.cases[1:]
    assert golden.cases[1:] == plain_golden.cases[1:]
    assert read_container(write_container(inputs)) == inputs


def test_golden_takes_expected_outputs(tmp_path: Path, gelu: PlannedCell) -> None:
    _, golden = generate(spec(gelu, npz(tmp_path, input=INPUT, output=INPUT)))
    assert golden.cases[0].operand("output").data == INPUT.tobytes()


def test_golden_checks_them_too(tmp_path: Path, gelu: PlannedCell) -> None:
    document = spec(gelu, npz(tmp_path, input=INPUT))
    np.savez(tmp_path / "mine.npz", input=INPUT[:2])
    with pytest.raises(GoldenError, match=r"inputs: input: found int8 \(2, 32\), allowed int8"):
        generate(document)
    np.savez(tmp_path / "mine.npz", nothing=INPUT)
    with pytest.raises(GoldenError, match="inputs: found 'nothing', allowed input, output, table"):
        generate(document)


def test_parameters_out_of_range_are_refused(tmp_path: Path, add: PlannedCell) -> None:
    """By the golden model, with the parameter's name."""
    document = spec(add, npz(tmp_path, shift=np.int64(77)))
    with pytest.raises(GoldenError, match="shift: 77 is outside"):
        generate(document)
