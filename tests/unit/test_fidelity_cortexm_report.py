# SPDX-License-Identifier: Apache-2.0
"""Verdicts, reports and words of the comparison of the Cortex-M simulators; none runs here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from touchstone import cli
from touchstone.fidelity import cortexm_command, cortexm_oracle
from touchstone.fidelity.cortexm_compare import Comparison, Row, Seen, summary
from touchstone.fidelity.cortexm_machines import Machines, seen_in, seen_of
from touchstone.fidelity.cortexm_report import terminal, write_reports
from touchstone.runfile import CaseRun, CellRun
from touchstone.simulators.base import Counter, CounterRead, RunStatus, SimulatorRun, Unit

OURS = Seen("abc", 1000, 1500, 1600)
THEIRS = Seen("abc", 1000)


def row(toolchain: str = "llvm", name: str = "cell", **seen: Seen) -> Row:
    return Row(name, toolchain, seen or {"unicorn": OURS, "qemu": THEIRS, "renode": THEIRS})


def live(*rows: Row) -> Comparison:
    return Comparison("live", {"unicorn": "", "qemu": "7.2", "renode": "1.16.1"}, rows)


# --- verdicts


def test_equal_everywhere() -> None:
    comparison = live(row(), row("gnu"))
    assert comparison.faults == ()
    assert comparison.exit_status == 0
    assert summary(comparison) == [
        "llvm: 1 cells, outputs and instructions equal on unicorn, qemu and renode in 1",
        "gnu: 1 cells, outputs and instructions equal on unicorn, qemu and renode in 1",
        "PASS",
    ]


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        ({"unicorn": OURS, "qemu": Seen("abc", 999)},
         "instructions differ: unicorn 1000, qemu 999"),
        ({"unicorn": OURS, "qemu": Seen("abc", None)},
         "instructions differ: unicorn 1000, qemu None"),
        ({"unicorn": OURS, "renode": Seen("abd", 1000)}, "outputs differ"),
        ({"unicorn": OURS, "renode": Seen(None, 1000)}, "outputs differ"),
        ({"unicorn": OURS, "renode": Seen(None, None, trouble="CRASH: gone")},
         "renode: CRASH: gone"),
        ({"unicorn": OURS}, "there is nothing to compare with"),
    ],
)  # fmt: skip
def test_differences(seen: dict[str, Seen], fault: str) -> None:
    comparison = live(row(), row("gnu", "other", **seen))
    assert comparison.faults == (f"other (gnu): {fault}",)
    assert comparison.exit_status == 1
    assert f"FAIL other (gnu): {fault}" in terminal(comparison)


def test_toolchains_must_agree_about_outputs() -> None:
    other = {name: Seen("abd", 900) for name in ("unicorn", "qemu")}
    assert live(row(), row("gnu", **other)).faults == ("cell: outputs differ between toolchains",)


def test_nothing_is_no_comparison() -> None:
    assert live().exit_status == 1


def test_reports(tmp_path: Path) -> None:
    write_reports(tmp_path, live(row(), row("gnu", qemu=Seen("abc", 1), unicorn=OURS)))
    document = json.loads((tmp_path / "fidelity-stm32.json").read_text())
    assert [cell["fault"] is None for cell in document["cells"]] == [True, False]
    assert document["versions"] == {"unicorn": "", "qemu": "7.2", "renode": "1.16.1"}
    text = (tmp_path / "fidelity-stm32.md").read_text("utf-8")
    assert "| cell   | llvm        | equal     |     1 000 |  1 000 |    1 000 |" in text


# --- what was seen


def test_cells_with_other_bytes_are_other_outputs() -> None:
    def run(output: bytes) -> CellRun:
        case = CaseRun("ok", 1, 0, output)
        return CellRun(
            RunStatus.COMPLETED, "", "", 5, 6, 7, None, None, (case, case), None, ""
        )  # fmt: skip

    assert seen_in(run(b"ab"), None) == seen_in(run(b"ab"), None)
    assert seen_in(run(b"ab"), None).outputs != seen_in(run(b"ac"), None).outputs
    assert seen_in(run(b"ab"), "FAIL wrong").trouble == "FAIL wrong"


def test_runs_that_count_nothing_are_in_trouble() -> None:
    dead = SimulatorRun(RunStatus.CRASH, "gone", b"", "", None, None)
    assert seen_of(dead) == Seen(None, None, trouble="gone")
    empty = SimulatorRun(RunStatus.COMPLETED, "", b"", "", None, None)
    assert seen_of(empty).trouble == "the stream has no output or no end"
    assert empty.counter == Counter(Unit.CYCLES)
    assert CounterRead(1, 2).instructions == 2


# --- words


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("target=stm32l4,gap9",), "fidelity: target=stm32l4,gap9: gap9 is compared alone"),
        (("target=stm32l4", "settings=a:b"), "fidelity: variable: found 'settings'"),
        (("target=stm32l4", "recorded=1", "kernel=gelu"),
         "fidelity: recorded=1 takes all frozen images of a target, no selection"),
        (("target=stm32l4", "recorded=1", "record=1"),
         "fidelity: found recorded and record, allowed one of them"),
    ],
)  # fmt: skip
def test_bad_words(
    words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["fidelity", *words]) == 2
    assert capsys.readouterr().err.startswith(f"touchstone: {complaint}")


def test_which_targets_it_concerns() -> None:
    assert cortexm_command.concerns({"target": "stm32h7"})
    assert not cortexm_command.concerns({"target": "gap9"})
    assert not cortexm_command.concerns({})


def test_a_record_needs_every_simulator(tmp_path: Path) -> None:
    machines = Machines(tmp_path)
    object.__setattr__(machines, "present", ("unicorn",))
    with pytest.raises(Exception, match="record=1 needs every simulator; qemu is not installed"):
        cortexm_oracle.record(tmp_path, ("stm32l4",), machines)
