# SPDX-License-Identifier: Apache-2.0
"""Matrix files in our language, and the list of expected skips."""

from pathlib import Path

import pytest

from touchstone.cells import Numerics, Shape
from touchstone.config import (
    ALL,
    Matrix,
    load_expected_skips,
    load_matrix,
    select_names,
)
from touchstone.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
HEAD = "schema: 1\ncells:\n  - name: x\n    "
SHAPES = "shapes: [{S: 4, E: 32, P: 32, H: 8}]\n"


def load(folder: Path, text: str) -> Matrix:
    path = folder / "m.yaml"
    path.write_text(text)
    return load_matrix(path, folder / "cache")


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_entry_has_defaults(tmp_path: Path) -> None:
    matrix = load(tmp_path, HEAD + SHAPES)
    (entry,) = matrix.entries
    assert matrix.path == "m.yaml"
    assert (entry.name, entry.where) == ("x", "m.yaml: cells[0]")
    assert (entry.targets, entry.kernels, entry.variants) == (ALL, ALL, ())
    assert (entry.cores, entry.seed, entry.data) == ((), 42, "random")
    assert entry.numerics == Numerics()
    assert entry.shapes == (Shape(S=4, E=32, P=32, H=8),)


def test_an_entry_says_more(tmp_path: Path) -> None:
    text = (
        "schema: 1\n"
        "defaults: {seed: 7, numerics: {rounding: half_up, softmax: wide}}\n"
        "cells:\n"
        "  - name: x\n"
        "    targets: [gap9, 'stm32*']\n"
        "    kernels: mhsa\n"
        "    variants: [default, portable]\n"
        "    shapes:\n"
        "      - {S: [1, 2], E: 5, P: [3, 4], H: 1, F: 6}\n"
        "      - {S: 2, E: 5, P: 3, H: 1, F: 6}\n"
        "    cores: [1, 3]\n"
        "    numerics: {softmax: accurate, per_channel: true}\n"
        "    data: ecg\n"
        "  - {name: y, variants: all, seed: 9, cores: 2, shapes: [{S: 1, E: 1, P: 1, H: 1}]}\n"
    )
    first, second = load(tmp_path, text).entries
    assert first.targets == ("gap9", "stm32*")
    assert (first.kernels, first.variants) == (("mhsa",), ("default", "portable"))
    sizes = [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert first.shapes == tuple(Shape(S=s, E=5, P=p, H=1, F=6) for s, p in sizes)
    assert (first.cores, first.seed, first.data) == ((1, 3), 7, "ecg")
    assert first.numerics == Numerics(rounding="half_up", per_channel=True, softmax="accurate")
    assert (second.variants, second.seed, second.cores) == (ALL, 9, (2,))
    assert second.numerics == Numerics(rounding="half_up", softmax="wide")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            HEAD + "kernel: fwsa\n    " + SHAPES,
            "m.yaml: cells[0]: key: found 'kernel', allowed cores, data, kernels, name, "
            "numerics, schedules, seed, shapes, targets, variants; did you mean kernels?",
        ),
        (
            "cells: []\n",
            "m.yaml: top level: found keys 'cells'; 'schema' is missing",
        ),
        (
            "schema: 1\ncells: []\n",
            "m.yaml: cells: found an empty list, allowed a list of at least one entry",
        ),
        (
            HEAD + "kernels: all\n",
            "m.yaml: cells[0]: found keys 'name', 'kernels'; 'shapes' is missing",
        ),
        (
            HEAD + "shapes: [{S: 0, E: 1, P: 1, H: 1}]\n",
            "m.yaml: cells[0].shapes[0].S: found 0, allowed a whole number from 1 to 65535",
        ),
        (
            HEAD + "shapes: [{S: [4, -4], E: 1, P: 1, H: 1}]\n",
            "m.yaml: cells[0].shapes[0].S[1]: found -4, allowed a whole number from 1 to 65535",
        ),
        (
            HEAD + "shapes: [{S: abc, E: 1, P: 1, H: 1}]\n",
            "m.yaml: cells[0].shapes[0].S: found 'abc', allowed a whole number from 1 to 65535 "
            "or a list of them",
        ),
        (
            HEAD + "shapes: [{S: 1, E: 1, P: 1}]\n",
            "m.yaml: cells[0].shapes[0]: found keys 'S', 'E', 'P'; 'H' is missing",
        ),
        (
            HEAD + "shapes: [{S: 1, E: 1, P: 1, H: 1, L: 2}]\n",
            "m.yaml: cells[0].shapes[0]: key: found 'L', allowed E, F, H, P, S",
        ),
        (
            HEAD + "cores: many\n    " + SHAPES,
            "m.yaml: cells[0].cores: found 'many', allowed default, or whole numbers from 1 to "
            "1024",
        ),
        (
            HEAD + "cores: 0\n    " + SHAPES,
            "m.yaml: cells[0].cores: found 0, allowed a whole number from 1 to 1024",
        ),
        (
            HEAD + "numerics: {softmax: authers}\n    " + SHAPES,
            "m.yaml: cells[0].numerics.softmax: found 'authers', allowed accurate, authors, "
            "wide; did you mean authors?",
        ),
        (
            HEAD + "kernels: [fwsa, 'a b']\n    " + SHAPES,
            "m.yaml: cells[0].kernels[1]: found 'a b', allowed a name or a glob",
        ),
        (
            HEAD + "kernels: {a: 1}\n    " + SHAPES,
            "m.yaml: cells[0].kernels: found a mapping, allowed all, or names and globs of kernels",
        ),
        (
            HEAD + "data: eeg\n    " + SHAPES,
            "m.yaml: cells[0].data: found 'eeg', allowed ecg, random; did you mean ecg?",
        ),
        (
            HEAD + "seed: -1\n    " + SHAPES,
            "m.yaml: cells[0].seed: found -1, allowed a whole number from 0 to 2^63-1",
        ),
        (
            HEAD
            + f"shapes: [{{S: {list(range(1, 201))}, E: {list(range(1, 201))}, P: 1, H: 1}}]\n",
            "m.yaml: cells[0].shapes[0]: found 40000 shapes, allowed at most 10000",
        ),
        (
            HEAD + "shapes: [",
            "m.yaml:4: found broken YAML: expected the node content, but found '<stream end>'",
        ),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        load(tmp_path, text)
    assert str(caught.value) == line


def test_a_missing_config_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text("")
    with pytest.raises(UserError) as caught:
        load_matrix(Path("defualt.yaml"), tmp_path / "cache")
    assert str(caught.value) == "defualt.yaml: found no such file; did you mean default.yaml?"


def test_names_and_globs() -> None:
    known = ("mhsa", "fwsa", "mhsa_fwsa")
    assert select_names(("fwsa", "mhsa*"), known, "kernel") == known
    assert select_names(("all",), known, "kernel") == known
    assert select_names(ALL, known, "kernel") == known
    assert select_names(("fwsa", "fwsa"), known, "kernel") == ("fwsa",)
    for word, hint in (("fwas", "; did you mean fwsa?"), ("z*", "")):
        with pytest.raises(UserError) as caught:
            select_names((word,), known, "kernel")
        line = f"kernel: found {word!r}, allowed fwsa, mhsa, mhsa_fwsa{hint}"
        assert str(caught.value) == line


def test_the_default_matrix_has_the_papers_shapes(tmp_path: Path) -> None:
    matrix = load_matrix(ROOT / "configs" / "default.yaml", tmp_path / "cache")
    paper = matrix.entries[0]
    assert (paper.targets, paper.kernels, paper.variants) == (ALL, ALL, ())
    sizes = [(shape.S, shape.E, shape.P, shape.H) for shape in paper.shapes]
    assert sizes == [(4, 32, 32, 8), (81, 32, 32, 8), (66, 16, 2, 8)]
    ecg = [entry for entry in matrix.entries if entry.data == "ecg"]
    assert [(entry.kernels, entry.shapes) for entry in ecg] == [(("mhsa",), paper.shapes[2:])]


def test_expected_skips(tmp_path: Path) -> None:
    path = tmp_path / "skips.yaml"
    path.write_text("schema: 1\nskips:\n  - {cell: gap9/mhsa/S81/c8, reason: too big}\n")
    assert load_expected_skips(path, tmp_path / "c") == {"gap9/mhsa/S81/c8": "too big"}
    load_expected_skips(ROOT / "configs" / "expected_skips.yaml", tmp_path / "c")


@pytest.mark.parametrize(
    ("skips", "line"),
    [
        (
            "[{cell: a/b, reason: r}, {cell: a/b, reason: s}]",
            "skips.yaml: skips[1].cell: found 'a/b' again, allowed once",
        ),
        (
            "[{cell: a/b}]",
            "skips.yaml: skips[0]: found keys 'cell'; 'reason' is missing",
        ),
        (
            "[{cell: a b, reason: r}]",
            "skips.yaml: skips[0].cell: found 'a b', allowed the id of a cell",
        ),
    ],
)
def test_bad_skips_are_one_line(tmp_path: Path, skips: str, line: str) -> None:
    path = tmp_path / "skips.yaml"
    path.write_text(f"schema: 1\nskips: {skips}\n")
    with pytest.raises(UserError) as caught:
        load_expected_skips(path, tmp_path / "cache")
    assert str(caught.value) == line
