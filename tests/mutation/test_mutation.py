# SPDX-License-Identifier: Apache-2.0
"""The tool that breaks kernels and golden models: its operators, its lists, and that it notices."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from touchstone import disassembler_thumb, disassembler_xpulp
from touchstone.disassembly import Group, Instruction
from touchstone.elf import Executable, Segment, read_elf, write_elf
from touchstone.errors import UserError
from touchstone.mutation import golden_models, machine_code, source
from touchstone.mutation.code import Place
from touchstone.mutation.command import load_equivalents, mutation
from touchstone.mutation.golden_models import GoldenResult
from touchstone.mutation.operators import NOTHING, OPERATORS, TRAP, changes, classify, offered
from touchstone.mutation.syntax import apply, edits
from touchstone.mutation.trial import patched
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
    equivalents = load_equivalents(LISTS / "equivalents.yaml")
    assert equivalents
    for name, because in equivalents.items():
        assert len(because) > 20, name
    document = yaml.safe_load((LISTS / "equivalents.yaml").read_text(encoding="utf-8"))
    assert len(document["equivalents"]) == len(equivalents), "one is named twice"


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
