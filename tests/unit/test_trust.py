# SPDX-License-Identifier: Apache-2.0
"""docs/trust.md: each fault, complaint and trap is held by tests that exist."""

from __future__ import annotations

from pathlib import Path

from test_peers_table import NAME, names_of

from touchstone.graph import CellPlan

PAGE = Path(__file__).resolve().parents[2] / "docs" / "trust.md"
FAULTS = 18
COMPLAINTS = 15
TRAPS = 12
C_SUFFIXES = {".c", ".h", ".S", ".s", ".i", ".cpp", ".hpp", ".inc"}


def rows(section: str) -> list[list[str]]:
    """The rows of the table below a heading."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[1:]]


def test_every_row_names_tests() -> None:
    for section, least in (
        ("Faults", FAULTS),
        ("Fifteen complaints", 15),
        ("Traps of SCons", TRAPS),
    ):
        found = rows(section)
        assert len(found) >= least, section
        for row in found:
            named = NAME.findall(row[-1])
            assert named, f"{section}: {row[0]} names no test"
            assert row[-1].count("::") == len(named), row[-1]
            for file, test in named:
                assert test in names_of(file), f"{section}: {file} has no {test}"


def test_there_are_fifteen_complaints() -> None:
    assert [int(row[0]) for row in rows("Fifteen complaints")] == list(range(1, COMPLAINTS + 1))


def test_bulk_data_has_no_c_suffix(default_plans: list[CellPlan]) -> None:
    """SCons reads every source with one, in search of what it includes."""
    paths = [
        path
        for plan in default_plans
        for path in (plan.packed.inputs, plan.packed.vectors.path("golden.bin"), plan.run)
    ]
    assert len(paths) > 1000
    assert {Path(path).suffix for path in paths}.isdisjoint(C_SUFFIXES)
