# SPDX-License-Identifier: Apache-2.0
"""The tool that breaks kernels and golden models: its operators, its lists, and that it notices."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from touchstone import disassembler_thumb, disassembler_xpulp
from touchstone.disassembly import Group, Instruction
from touchstone.elf import Executable, Segment, read_elf, write_elf
from touchstone.errors import UserError
from touchstone.mutation import golden_models, machine_code, source
from touchstone.mutation.arguments import (
    Argument,
    function_digest,
    load_arguments,
    outdated,
)
from touchstone.mutation.code import Place
from touchstone.mutation.command import mutation, summary
from touchstone.mutation.golden_models import GoldenResult
from touchstone.mutation.operators import (
    NOTHING,
    OPERATORS,
    TRAP,
    Change,
    changes,
    classify,
    offered,
)
from touchstone.mutation.rules import shown_equivalent
from touchstone.mutation.syntax import apply, edits
from touchstone.mutation.trial import Caught, patched
from touchstone.process import ProcessRegistry

ROOT = Path(__file__).resolve().parents[2]
LISTS = ROOT / "tests" / "mutation"
LANGUAGES = {
    "EM_RISCV": disassembler_xpulp.disassembler(),
    "EM_ARM": disassembler_thumb.disassembler(),
}
# pv.sdotsp.b a0, a1, a2; c.add a0, a1; smlad r0, r1, r2, r3; adds r0, r1, #4
CODE = {
    "EM_RISCV": [(0xB8C59557).to_bytes(4, "little"), b"\x2e\x95"],
    "EM_ARM": [b"\x21\xfb\x02\x30", b"\x08\x1d"],
}


@pytest.mark.parametrize("machine", LANGUAGES)
def test_a_mutant_is_one_bit_away_or_does_nothing(machine: str) -> None:
    language = LANGUAGES[machine]
    for code in CODE[machine]:
        before = language.decode(code, 0)
        assert not before.mnemonic.startswith("."), "the sample is an instruction"
        found = changes(machine, language, code, 0)
        assert len({change.code for change in found}) == len(found)
        for change in found:
            distance = int.from_bytes(change.code, "little") ^ int.from_bytes(code, "little")
            assert len(change.code) == len(code)
            assert language.size(change.code[:2]) == len(code)
            assert change.text != before.text
            assert change.operator == "skip" or distance.bit_count() == 1
        assert {"skip", "register", "opcode"} <= set(offered(found)) <= set(OPERATORS)


@pytest.mark.parametrize("machine", LANGUAGES)
def test_skipping_and_trapping_have_the_size_they_say(machine: str) -> None:
    for table in (NOTHING[machine], TRAP[machine]):
        assert {size: len(code) for size, code in table.items()} == {2: 2, 4: 4}
    for size, code in NOTHING[machine].items():
        assert LANGUAGES[machine].size(code[:2]) == size
        assert "nop" in LANGUAGES[machine].decode(code, 0).text


def test_what_kind_of_neighbour_it_is() -> None:
    def instruction(mnemonic: str, operands: str) -> Instruction:
        return Instruction(mnemonic, operands, Group.ALU)

    add = instruction("add", "r0, r1, #4")
    assert classify(add, instruction("sub", "r0, r1, #4")) == "opcode"
    assert classify(add, instruction("add", "r0, r1, #12")) == "immediate"
    assert classify(add, instruction("add", "r0, r9, #4")) == "register"
    assert classify(add, instruction("add", "r0, r1, #4")) is None
    assert classify(add, instruction(".word", "0x1234")) is None


def test_a_patch_changes_these_bytes_and_no_others() -> None:
    segments = (
        Segment(0x1000, 0x8000, 5, bytes(range(16)), 16),
        Segment(0x2000, 0x2000, 4, b"", 64),
    )
    before = write_elf(Executable(243, 0, 0x1000, segments))
    after = read_elf(patched(before, 0x1004, b"\xaa\xbb"))
    assert after.segments[0].data == bytes([0, 1, 2, 3, 0xAA, 0xBB, *range(6, 16)])
    assert after.segments[1] == segments[1]
    for address in (0xFFF, 0x100F, 0x2000):
        with pytest.raises(UserError):
            patched(before, address, b"\xaa\xbb")


def firmware(functions: int) -> SimpleNamespace:
    """As much of a Subject as drawing needs: functions of sixteen different additions."""
    language = LANGUAGES["EM_RISCV"]
    places = []
    for number in range(functions):
        for offset in range(0, 64, 4):
            word = 0x00158513 | offset << 22  # addi a0, a1, 1 + offset
            code = word.to_bytes(4, "little")
            text = language.decode(code, offset).text
            places.append(Place(f"f{number}", 1, 0x100 * number + offset, code, text, offset))
    target = SimpleNamespace(target=SimpleNamespace(name="gap9"))
    return SimpleNamespace(
        name="gap9/x.y",
        firmware=SimpleNamespace(compiler=target),
        places=places,
        machine="EM_RISCV",
        language=language,
        executions=lambda registry: {place.address: 4 for place in places},
    )


def test_every_operator_is_drawn_and_an_edit_leaves_the_other_functions_alone() -> None:
    def names(functions: int, seed: int = 1) -> list[str]:
        found: Any = [firmware(functions)]
        return [mutant.name for mutant in machine_code.drawn(found, seed, ProcessRegistry())]

    found: Any = [firmware(8)]
    first = list(machine_code.drawn(found, 1, ProcessRegistry()))
    assert {mutant.change.operator for mutant in first[:32]} == set(OPERATORS)
    assert names(8) == [mutant.name for mutant in first]
    assert names(8) != names(8, seed=2)
    assert names(7) == [name for name in names(8) if " f7:" not in name]


def test_every_mistake_is_about_the_sources_as_they_are() -> None:
    mistakes = source.load_mistakes(LISTS / "mistakes.yaml")
    assert len(mistakes) >= 12
    assert len({mistake.name for mistake in mistakes}) == len(mistakes)
    assert {mistake.firmware.partition("/")[0] for mistake in mistakes} == {
        "gap9",
        "stm32l4",
        "stm32h7",
    }
    for mistake in mistakes:
        text = (ROOT / mistake.file).read_text(encoding="utf-8")
        assert source.changed(text, mistake) != text


def test_a_mistake_that_is_out_of_date_is_refused() -> None:
    mistake = source.Mistake("name", "gap9/x.y", "file.c", "once", "twice")
    with pytest.raises(UserError, match="found 0 times"):
        source.changed("nothing", mistake)
    with pytest.raises(UserError, match="found 2 times"):
        source.changed("once and once", mistake)


def test_equivalents_have_an_argument_each() -> None:
    arguments = load_arguments(LISTS / "equivalents.yaml")
    assert arguments
    for name, argument in arguments.items():
        assert len(argument.because) > 20, name
        assert name.startswith("golden/") == (not argument.function), name


def test_a_list_of_equivalents_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "equivalents.yaml"
    path.write_text("equivalents:\n  - {mutant: a, why: nothing}\n")
    with pytest.raises(UserError, match="allowed mutant, function and because"):
        load_arguments(path)
    path.write_text("equivalents:\n" + 2 * "  - {mutant: a, because: nothing}\n")
    with pytest.raises(UserError, match="found twice"):
        load_arguments(path)


def listing(machine: str, function: str, *codes: str) -> list[Place]:
    """A function of these instructions, in hexadecimal."""
    language, places, offset = LANGUAGES[machine], [], 0
    for number, text in enumerate(codes):
        code = bytes.fromhex(text)
        decoded = language.decode(code, offset).text
        places.append(Place(function, number + 1, 0x8000 + offset, code, decoded, offset))
        offset += len(code)
    return places


def test_an_argument_holds_for_the_code_that_it_is_about() -> None:
    # movs r0, #1; bl somewhere; movs r1, #2
    code = listing("EM_ARM", "f", "0120", "00f002f8", "0221")
    elsewhere = listing("EM_ARM", "f", "0120", "00f008f8", "0221")
    edited = listing("EM_ARM", "f", "0120", "00f002f8", "0321")
    digest = function_digest(code, "f")
    assert function_digest(elsewhere, "f") == digest, "the callee has moved"
    assert function_digest(edited, "f") != digest
    name = f"stm32l4/x.y {code[0].name} -> 0220"
    argued = {name: Argument("because", digest), "golden/a.py f: 1 -> 2": Argument("because")}
    assert outdated(argued, {"stm32l4/x.y": code}) == []
    assert outdated(argued, {"stm32l4/x.y": edited}) == [name]
    assert outdated(argued, {"stm32l4/x.y": []}) == [name]
    assert outdated(argued, {"gap9/x.y": edited}) == [], "of a firmware that nobody looked at"


def test_where_code_and_data_lie_is_no_part_of_a_function() -> None:
    def digest(machine: str, *codes: str) -> str:
        return function_digest(listing(machine, "f", *codes), "f")

    # auipc a0, 1; addi a0, a0, 16; addi a1, a1, 16; jal 0x20
    here = digest("EM_RISCV", "17150000", "13050501", "93850501", "ef000002")
    assert digest("EM_RISCV", "17250000", "13050502", "93850501", "ef004002") == here
    assert digest("EM_RISCV", "17150000", "13050501", "93850502", "ef000002") != here
    assert digest("EM_RISCV", "97150000", "13050501", "93850501", "ef000002") != here
    # movw r0, #1; movt r0, #0x800; movs r1, #2
    here = digest("EM_ARM", "40f20100", "c0f60000", "0221")
    assert digest("EM_ARM", "40f20200", "c0f60100", "0221") == here
    assert digest("EM_ARM", "40f20100", "c0f60000", "0321") != here


# bne over two no-operations, from 0x2 back to 0x0 (-> 0xa), and what makes of it a branch
# into the no-operations (bne 0x6, bne 0x8), one beyond (bne 0xc) and beq.
@pytest.mark.parametrize(
    ("changed", "shown"),
    [("00d1", True), ("01d1", True), ("03d1", False), ("02d0", False), ("fed1", False)],
)
def test_branches_into_the_padding_in_front_of_a_target(changed: str, shown: bool) -> None:
    function = listing("EM_ARM", "f", "0120", "02d1", "0220", "00bf", "00bf", "0320", "0420")
    language = LANGUAGES["EM_ARM"]
    code = bytes.fromhex(changed)
    change = Change("immediate", code, language.decode(code, 2).text)
    why = shown_equivalent(function[1], change, function, language)
    assert (why is not None) == shown
    padded_otherwise = [*function[:4], *listing("EM_ARM", "f", "0120")]
    assert shown_equivalent(function[1], change, padded_otherwise, language) is None
    load = Change("immediate", b"\x01\x68", language.decode(b"\x01\x68", 0).text)
    assert shown_equivalent(function[0], load, function, language) is None


def judged(outcomes: dict[str, int]) -> Any:
    """Results with these outcomes."""
    mutant = SimpleNamespace(subject=firmware(0))
    return [
        SimpleNamespace(mutant=mutant, outcome=name)
        for name, number in outcomes.items()
        for _ in range(number)
    ]


def test_the_score_counts_neither_equivalents_nor_what_is_not_executed() -> None:
    sure = {machine_code.CAUGHT: 6, machine_code.CAUGHT_CYCLES: 2}
    left_out = {machine_code.EQUIVALENT: 5, machine_code.NOT_EXECUTED: 7}
    assert summary(judged({**sure, **left_out}))[1] == 100.0
    for outcome in machine_code.OPEN:
        lines, score = summary(judged({**sure, **left_out, outcome: 2}))
        assert score == 80.0
        assert lines[-1].startswith("mutation score of the machine code: 80.0 % of 10 ")
        assert "6 by outputs, 2 by cycles alone" in lines[-1]


@pytest.mark.parametrize(
    ("first", "trapped", "argument", "outcome"),
    [
        ("FAIL", "CRASH", None, machine_code.CAUGHT),
        ("FAIL", "CRASH", "right", machine_code.MISJUDGED),
        (None, None, None, machine_code.NOT_EXECUTED),
        (None, "CRASH", None, machine_code.SURVIVED),
        (None, "CRASH", "right", machine_code.EQUIVALENT),
        (None, "CRASH", "stale", machine_code.SURVIVED),
        ("CYCLES", "CRASH", None, machine_code.CAUGHT_CYCLES),
        ("CYCLES", "CRASH", "right", machine_code.EQUIVALENT),
    ],
)
def test_what_becomes_of_a_mutant(
    monkeypatch: pytest.MonkeyPatch,
    first: str | None,
    trapped: str | None,
    argument: str | None,
    outcome: str,
) -> None:
    subject: Any = firmware(1)
    subject.loadable = b""
    subject.plans = (None,)
    place = subject.places[0]
    change = Change("skip", NOTHING["EM_RISCV"][4], "nop")
    mutant = machine_code.Mutant(subject, place, change)
    answers = [None if said is None else Caught("cell", said, "") for said in (first, trapped)]
    monkeypatch.setattr(machine_code, "patched", lambda *words: b"")
    monkeypatch.setattr(machine_code, "first_failure", lambda *words: answers.pop(0))
    digests = {"right": function_digest(subject.places, place.function), "stale": "0"}
    arguments = {mutant.name: Argument("why", digests[argument])} if argument else {}
    result = machine_code.judge_mutant(mutant, arguments, ProcessRegistry())
    assert result.outcome == outcome


def test_edits_of_golden_models_compute_something_else() -> None:
    text = (
        "def golden(x, y):\n"
        '    """Words."""\n'
        "    if x < 0:\n"
        "        raise ValueError(1)\n"
        "    return f(x + 3, -y) >> 1\n"
        "def make_inputs(x):\n"
        "    return x + 1\n"
    )
    found = edits("sample", text)
    assert {(edit.operator, edit.after) for edit in found} == {
        ("arithmetic", "f(x + 3, -y) << 1"),
        ("arguments", "f(-y, x + 3)"),
        ("arithmetic", "x - 3"),
        ("constant", "4"),
        ("sign", "y"),
        ("constant", "2"),
    }
    for edit in found:
        assert edit.function == "golden"
        assert ast.unparse(apply(edit, text)) != ast.unparse(ast.parse(text))


def test_golden_mutants_depend_on_the_seed_alone() -> None:
    first = golden_models.drawn(ROOT, 1, 24)
    assert first == golden_models.drawn(ROOT, 1, 24)
    assert first != golden_models.drawn(ROOT, 2, 24)
    assert {edit.module for edit in first} == set(golden_models.MODELS)


def test_unbroken_golden_models_are_not_caught_and_a_broken_one_is() -> None:
    assert golden_models.check_edit(ROOT, None) == (None, None)
    text = (ROOT / "golden" / "requant.py").read_text(encoding="utf-8")
    edit = next(edit for edit in edits("requant", text) if edit.before.startswith("product >> "))
    digests, references = golden_models.check_edit(ROOT, edit)
    assert digests is not None
    assert references is not None
    assert GoldenResult(edit, digests, references).outcome == "caught by both"
    assert GoldenResult(edit, None, None).outcome == machine_code.SURVIVED
    assert GoldenResult(edit, None, None, "why").outcome == machine_code.EQUIVALENT


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "found no seed="),
        ({"seed": "1", "mutant": "3"}, "did you mean mutants"),
        ({"seed": "x"}, "allowed whole numbers"),
        ({"seed": "1", "least": "-1"}, "allowed whole numbers"),
    ],
)
def test_bad_words_are_refused(arguments: dict[str, str], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        mutation(ROOT, arguments)
