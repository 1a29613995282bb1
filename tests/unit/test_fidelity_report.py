# SPDX-License-Identifier: Apache-2.0
"""Verdicts, reports and words of the comparison with GVSOC; no simulator runs here."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest

from touchstone import cli
from touchstone.errors import UserError
from touchstone.fidelity import command
from touchstone.fidelity.compare import Comparison, Row
from touchstone.fidelity.mnemonics import ONE_OPERAND, REGISTERS, three, two
from touchstone.fidelity.observe import read_stream
from touchstone.fidelity.report import terminal, write_reports
from touchstone.fidelity.suite import programs
from touchstone.records import END, HEADER, MAGIC, OUTPUT

WORDS = Path(__file__).parents[1] / "data" / "xpulpv2_words.txt"


def row(theirs: int | None, ours: int | None, conflicts: str = "off", **more: object) -> Row:
    fields = {"id": f"cell-{conflicts}", "equal": True, **more}
    return Row(conflicts=conflicts, gvsoc_cycles=theirs, cycles=ours, **fields)  # type: ignore[arg-type]


def live(*rows: Row) -> Comparison:
    return Comparison("live", "abc", rows)


# --- verdicts


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (row(1000, 1040), None),
        (row(1000, 1041), "off by more than 4 %"),
        (row(1000, 959), "off by more than 4 %"),
        (row(1000, 1050, "on"), None),
        (row(1000, 1051, "on"), "off by more than 5 %"),
        (row(1000, 1001, exact=True), "the cycles of a single instruction differ"),
        (row(1000, 1000, equal=False), "outputs differ"),
        (row(None, 1000), "cycles are missing"),
        (row(0, 0), None),
        (row(1000, 1000, trouble="STALE"), "STALE"),
    ],
)
def test_tolerances_of_a_cell(found: Row, fault: str | None) -> None:
    assert found.fault == fault
    assert live(found, *[row(1000, 1000)] * 9).exit_status == (0 if fault is None else 1)


def test_tolerance_of_the_average() -> None:
    assert live(row(1000, 1015), row(1000, 985)).exit_status == 0
    (fault,) = live(row(1000, 1016), row(1000, 985)).faults
    assert fault == "bank conflicts off: 1.55 % on average is more than 1.5 %"
    assert live(row(1000, 1030, "on")).exit_status == 0


def test_nothing_compared_is_a_failure() -> None:
    assert live().faults == ("nothing was compared",)


def test_reports(tmp_path: Path) -> None:
    found = live(row(1000, 1010), row(2000, 2000, "on"), row(10, 20, "on"))
    write_reports(tmp_path, found)
    document = json.loads((tmp_path / "fidelity.json").read_text())
    assert [cell["difference_percent"] for cell in document["cells"]] == [1.0, 0.0, 100.0]
    assert document["summary"][1]["identical"] == 1
    assert document["faults"] == ["cell-on: off by more than 5 %"]
    text = (tmp_path / "fidelity.md").read_text()
    assert re.search(r"\| cell-off +\| equal +\| +1 000 \| +1 010 \| +\+1.00 % \|", text)
    assert "bank conflicts on: 2 cells, cycles of 1 identical, 50.000 % on average" in text
    assert "FAIL cell-on: off by more than 5 %" in text
    assert "cell-off" in terminal(found)
    assert "PASS: outputs equal" in terminal(live(row(1, 1)))


# --- streams


def frame(kind: int, payload: bytes) -> bytes:
    return HEADER.pack(MAGIC, kind, 0, 0, len(payload), bytes(16), 0) + payload


def test_a_stream_is_read() -> None:
    end = frame(END, struct.pack("<5I", 0, 30, 20, 0, 0))
    found = read_stream(frame(OUTPUT, b"abcd") + end)
    assert (found.cycles_cold, found.cycles, found.trouble) == (30, 20, None)
    other = read_stream(frame(OUTPUT, b"abce") + end)
    assert found.output_sha256 != other.output_sha256
    for broken in (b"", end, frame(OUTPUT, b"abcd"), frame(OUTPUT, b"abcd") + end[:-1]):
        assert read_stream(broken).trouble == "the stream has no output or no end"


# --- programs


def test_programs_are_many_and_their_ids_differ() -> None:
    names = [program.id for program in programs()]
    assert len(names) == len(set(names)) >= 200
    groups = {name.partition("/")[0] for name in names}
    wanted = {"latency", "hazard", "branch", "loop", "bank", "l2", "code", "barrier", "dma"}
    assert groups == wanted | {"random"}


def test_programs_are_the_same_for_ever() -> None:
    assert programs() == programs()


def test_mnemonics_are_the_words_that_gvsoc_decodes() -> None:
    known = {line.split()[0] for line in WORDS.read_text().splitlines() if line[0] != "#"}
    for name in REGISTERS:
        assert _word(three(name, "a0", "a1", "a2")) in known, name
    for name in ONE_OPERAND:
        assert _word(two(name, "a0", "a1")) in known, name


def _word(line: str) -> str:
    """The word of an `.insn r` line."""
    fields = line.split("#")[0].replace(",", "").split()[2:]
    opcode, funct3, funct7 = (int(field, 0) for field in fields[:3])
    names = {"a0": 10, "a1": 11, "a2": 12}
    rd, rs1, rs2 = (names[field] if field in names else int(field[1:]) for field in fields[3:])
    return f"{funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode:08x}"


# --- words


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"kernle": "fwsa"}, "did you mean kernel"),
        ({"record": "yes"}, "record=yes: found 'yes', allowed 0, 1"),
        ({"record": "1", "recorded": "1"}, "found recorded and record, allowed one of them"),
        ({"recorded": "1", "kernel": "fwsa"}, "recorded=1 takes all programs and images"),
        ({"settings": "icache:off"}, "allowed bank_conflicts:off, bank_conflicts:on"),
    ],
)
def test_bad_words(words: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        command.fidelity(Path(), words)


def test_without_gvsoc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GVSOC_HOME", str(tmp_path))
    assert cli.main(["fidelity", "kernel=fwsa"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("touchstone: fidelity (recorded=1 needs none): gvsoc is not installed")
    assert said.count("\n") == 1
    assert cli.main(["fidelity", "record=1"]) == 2
    recorded = Comparison("recorded", "abc", (row(1, 1),))
    monkeypatch.setattr(command, "replay", lambda root, machines: recorded)
    assert command.fidelity(tmp_path, {}) == 0
    assert "GVSOC is not installed: this is the recorded comparison" in capsys.readouterr().out
