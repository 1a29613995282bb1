# SPDX-License-Identifier: Apache-2.0
"""Decoding of Thumb instructions and the cost table of a firmware."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import capstone
import pytest

from touchstone.errors import UserError
from touchstone.simulators import cortexm_timing_m4, cortexm_timing_m7
from touchstone.simulators.cortexm_costs import build_costs, main
from touchstone.simulators.cortexm_decode import (
    FLAGS,
    FPSCR,
    LR,
    PC,
    SP,
    Instruction,
    Kind,
    decode,
    thumb_size,
)
from touchstone.simulators.cortexm_record import RECORD_BYTES, Fact

HEADER, SEGMENT = 20, 16


def r(*numbers: int) -> int:
    return sum(1 << number for number in numbers)


def s(*numbers: int) -> int:
    return sum(1 << (32 + number) for number in numbers)


def d(*numbers: int) -> int:
    return sum(3 << (32 + 2 * number) for number in numbers)


def read(text: str, size: int = 4) -> Instruction:
    mnemonic, _, operands = text.partition(" ")
    return decode(size, mnemonic, operands)


@pytest.mark.parametrize(
    ("text", "kind", "reads", "writes"),
    [
        ("movs r0, #1", Kind.DATA, 0, r(0) | FLAGS),
        ("mov r0, sb", Kind.DATA, r(9), r(0)),
        ("adds r0, #1", Kind.DATA, r(0), r(0) | FLAGS),
        ("add.w r3, r2, r1", Kind.DATA, r(1, 2), r(3)),
        ("adc r3, r2, r1", Kind.DATA, r(1, 2) | FLAGS, r(3)),
        ("lsls r0, r1", Kind.DATA, r(0, 1), r(0) | FLAGS),
        ("cmp r1, r2", Kind.DATA, r(1, 2), FLAGS),
        ("movt r1, #5", Kind.DATA, r(1), r(1)),
        ("bfi r1, r2, #3, #4", Kind.DATA, r(1, 2), r(1)),
        ("bfc r1, #3, #4", Kind.DATA, r(1), r(1)),
        ("ssat r1, #0x10, r2", Kind.DATA, r(2), r(1)),
        ("sel r1, r2, r3", Kind.DATA, r(2, 3) | FLAGS, r(1)),
        ("usad8 r1, r2, r3", Kind.DATA, r(2, 3), r(1)),
        ("mov pc, r2", Kind.DATA, r(2), PC),
        ("muls r0, r1, r0", Kind.MULTIPLY, r(0, 1), r(0) | FLAGS),
        ("smmulr r0, r1, r2", Kind.MULTIPLY, r(1, 2), r(0)),
        ("smulbt r0, r1, r2", Kind.MULTIPLY, r(1, 2), r(0)),
        ("smuadx r0, r1, r2", Kind.MULTIPLY, r(1, 2), r(0)),
        ("umull r0, r1, r2, r3", Kind.MULTIPLY, r(2, 3), r(0, 1)),
        ("udiv r0, r1, r2", Kind.DIVIDE, r(1, 2), r(0)),
        ("bx lr", Kind.BRANCH, LR, 0),
        ("bl #0x8000004", Kind.BRANCH, 0, LR),
        ("bne #0x8000004", Kind.BRANCH, FLAGS, 0),
        ("cbz r0, #6", Kind.BRANCH, r(0), 0),
        ("vadd.f32 s4, s0, s1", Kind.FLOAT, s(0, 1), s(4)),
        ("vadd.f64 d1, d2, d3", Kind.FLOAT, d(2, 3), d(1)),
        ("vcmp.f32 s0, #0", Kind.FLOAT, s(0), FPSCR),
        ("vmrs apsr_nzcv, fpscr", Kind.FLOAT, FPSCR, FLAGS),
        ("vmov r0, s0", Kind.FLOAT, s(0), r(0)),
        ("vmov s3, s4, r0, r1", Kind.FLOAT, r(0, 1), s(3, 4)),
        ("vmov r0, r1, s3, s4", Kind.FLOAT, s(3, 4), r(0, 1)),
        ("vmov r0, r1, d2", Kind.FLOAT, d(2), r(0, 1)),
        ("vmov d2, r0, r1", Kind.FLOAT, r(0, 1), d(2)),
        ("mrs r0, primask", Kind.SYSTEM, 0, r(0)),
        ("ite eq", Kind.SYSTEM, 0, 0),
        ("nop.w ", Kind.SYSTEM, 0, 0),
    ],
)
def test_operations(text: str, kind: Kind, reads: int, writes: int) -> None:
    found = read(text)
    assert (found.kind, found.reads, found.writes) == (kind, reads, writes)
    assert (found.address, found.shifted, found.accumulator) == (0, 0, 0)


@pytest.mark.parametrize(
    ("text", "reads", "accumulator", "writes"),
    [
        ("mla r0, r1, r2, r3", r(1, 2), r(3), r(0)),
        ("mls r0, r1, r2, r3", r(1, 2), r(3), r(0)),
        ("smlad r4, r2, r3, r1", r(2, 3), r(1), r(4)),
        ("smlabb r4, r2, r3, r1", r(2, 3), r(1), r(4)),
        ("smmla r4, r2, r3, r1", r(2, 3), r(1), r(4)),
        ("smlal r0, r1, r2, r3", r(2, 3), r(0, 1), r(0, 1)),
        ("smlald r0, r1, r2, r3", r(2, 3), r(0, 1), r(0, 1)),
        ("umaal r0, r1, r2, r3", r(2, 3), r(0, 1), r(0, 1)),
        ("vmla.f32 s4, s0, s1", s(0, 1), s(4), s(4)),
        ("vfma.f32 s17, s1, s1", s(1), s(17), s(17)),
    ],
)
def test_accumulation(text: str, reads: int, accumulator: int, writes: int) -> None:
    found = read(text)
    assert (found.reads, found.accumulator, found.writes) == (reads, accumulator, writes)


@pytest.mark.parametrize(
    ("text", "shifted", "reads"),
    [
        ("add.w r3, r2, r1, lsl #2", r(1), r(2)),
        ("pkhbt r0, r0, r1, lsl #0x10", r(1), r(0)),
        ("ssat r0, #8, r1, asr #4", r(1), 0),
        ("sxtab16 r0, r2, r1, ror #8", r(1), r(2)),
        ("mvn.w r0, r1, lsr #3", r(1), 0),
        ("cmp.w r0, r1, lsl #2", r(1), r(0)),
    ],
)
def test_shifted_operands(text: str, shifted: int, reads: int) -> None:
    found = read(text)
    assert (found.shifted, found.reads) == (shifted, reads)


@pytest.mark.parametrize(
    ("text", "kind", "address", "base", "writes", "stored", "words"),
    [
        ("ldr r0, [r1]", Kind.LOAD, r(1), 0, r(0), 0, 1),
        ("ldr r0, [r1, #4]!", Kind.LOAD, r(1), r(1), r(0), 0, 1),
        ("ldrb.w r3, [r1], #4", Kind.LOAD, r(1), r(1), r(3), 0, 1),
        ("ldrsh.w r3, [r1, r2, lsl #1]", Kind.LOAD, r(1, 2), 0, r(3), 0, 1),
        ("ldr.w pc, [r1, r2, lsl #2]", Kind.LOAD, r(1, 2), 0, PC, 0, 1),
        ("str r0, [sp, #4]", Kind.STORE, SP, 0, 0, r(0), 1),
        ("strex r0, r1, [r2]", Kind.STORE, r(2), 0, r(0), r(1), 1),
        ("ldrd r2, r3, [r1], #8", Kind.LOAD_MULTIPLE, r(1), r(1), r(2, 3), 0, 2),
        ("strd r2, r3, [r1]", Kind.STORE_MULTIPLE, r(1), 0, 0, r(2, 3), 2),
        ("ldm.w r0!, {r1, r2, r3}", Kind.LOAD_MULTIPLE, r(0), r(0), r(1, 2, 3), 0, 3),
        ("stm r0!, {r1, sl}", Kind.STORE_MULTIPLE, r(0), r(0), 0, r(1, 10), 2),
        ("push {r4, lr}", Kind.STORE_MULTIPLE, SP, SP, 0, r(4) | LR, 2),
        ("pop {r4, pc}", Kind.LOAD_MULTIPLE, SP, SP, r(4) | PC, 0, 2),
        ("vldr s0, [r0, #4]", Kind.LOAD, r(0), 0, s(0), 0, 1),
        ("vstr d1, [r0]", Kind.STORE, r(0), 0, 0, d(1), 2),
        ("vldmia r0!, {s0, s1, s2}", Kind.LOAD_MULTIPLE, r(0), r(0), s(0, 1, 2), 0, 3),
        ("vpush {d8, d9}", Kind.STORE_MULTIPLE, SP, SP, 0, d(8, 9), 4),
    ],
)
def test_transfers(
    text: str, kind: Kind, address: int, base: int, writes: int, stored: int, words: int
) -> None:
    found = read(text)
    assert (found.kind, found.address, found.base) == (kind, address, base)
    assert (found.writes, found.stored, found.words) == (writes, stored, words)


def test_indirect_branches_are_told_from_returns() -> None:
    returns = ("bx lr", "pop {r4, pc}", "b #8", "bl #8")
    assert not any(read(text).indirect for text in returns)
    computed = ("bx r3", "blx r3", "tbb [pc, r0]", "ldr.w pc, [r1]", "mov pc, r2")
    assert all(read(text).indirect for text in computed)


@pytest.mark.parametrize(
    ("text", "aligned"),
    [
        ("ldrd r2, r3, [r1]", True),
        ("ldm.w r0!, {r1, r2}", True),
        ("vldr s0, [r0]", True),
        ("vldr s0, [pc, #4]", False),
        ("ldrd r2, r3, [sp]", False),
        ("push {r4, lr}", False),
        ("ldr r0, [r1]", False),
        ("ldrexb r0, [r1]", False),
        ("ldrex r0, [r1]", True),
    ],
)
def test_accesses_that_must_be_aligned(text: str, aligned: bool) -> None:
    for timing in (cortexm_timing_m4, cortexm_timing_m7):
        record = timing.record(read(text))
        assert bool(record.facts & Fact.ALIGNED) is aligned
        if aligned:
            assert 1 << record.operand == read(text).address


def test_every_encoding_has_a_record() -> None:
    # Each first halfword of a wide instruction with one second halfword, and all narrow ones.
    engine = capstone.Cs(
        capstone.CS_ARCH_ARM,
        capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8,
    )
    seen = set()
    for first in range(0x10000):
        code = struct.pack("<HH", first, 0x0B02)[: thumb_size(first)]
        for _, size, mnemonic, text in engine.disasm_lite(code, 0, 1):
            instruction = decode(size, mnemonic, text)
            seen.add(instruction.kind)
            for timing in (cortexm_timing_m4, cortexm_timing_m7):
                assert len(timing.record(instruction).pack()) == RECORD_BYTES
    assert seen >= set(Kind) - {Kind.UNKNOWN, Kind.TABLE_BRANCH, Kind.DIVIDE}


def elf(code: bytes, flags: int = 5, address: int = 0x08000000) -> bytes:
    header = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    header += struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, address | 1, 52, 0, 0, 52, 32, 2, 0, 0, 0)
    text = struct.pack("<8I", 1, 116, address, address, len(code), len(code), flags, 4)
    job = struct.pack("<8I", 1, 116, 0x08010000, 0x08010000, 0, 4096, 4, 4)
    return header + text + job + code


CODE = bytes.fromhex("00bf 0131 fbd1 90fbf1f0 7047 55".replace(" ", ""))


def test_table_layout() -> None:
    table = build_costs(elf(CODE), "cortex-m4")
    magic, core, records, segments = struct.unpack_from("<8sIII", table)
    assert (magic, core, segments) == (b"TSCOST01", 4, 1)
    address, size, _, zero = struct.unpack_from("<IIII", table, HEADER)
    assert (address, size, zero) == (0x08000000, len(CODE) - 1, 0)
    indices = HEADER + SEGMENT + records * RECORD_BYTES
    assert len(table) == indices + (size + 3) // 4 * 4
    found = struct.unpack_from(f"<{size // 2}H", table, indices)
    assert max(found) < records
    sizes = [table[HEADER + SEGMENT + index * RECORD_BYTES] for index in found]
    assert sizes == [2, 2, 2, 4, 4, 2]


def test_table_is_deterministic_and_ignores_data() -> None:
    assert build_costs(elf(CODE), "cortex-m7") == build_costs(elf(CODE), "cortex-m7")
    assert build_costs(elf(CODE), "cortex-m7") != build_costs(elf(CODE), "cortex-m4")
    assert struct.unpack_from("<I", build_costs(elf(CODE, flags=4), "cortex-m4"), 16) == (0,)


@pytest.mark.parametrize(
    "bad",
    [b"", b"\x7fELF\x02\x01".ljust(64, b"\0"), elf(CODE)[:100], elf(CODE)[:-4]],
)
def test_bad_firmware_is_a_user_error(bad: bytes) -> None:
    with pytest.raises(UserError, match="ELF"):
        build_costs(bad, "cortex-m4")


def test_unknown_core_is_a_user_error() -> None:
    with pytest.raises(UserError, match="cortex-m4"):
        build_costs(elf(CODE), "cortex-m0")


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "firmware.load").write_bytes(elf(CODE))
    out = tmp_path / "out.costs"
    assert main([str(tmp_path / "firmware.load"), str(out), "--core", "cortex-m4"]) == 0
    assert out.read_bytes() == build_costs(elf(CODE), "cortex-m4")
    assert main([str(tmp_path / "absent"), str(out), "--core", "cortex-m4"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["firmware.load", "out.costs"]


def test_python_and_c_agree_on_the_record() -> None:
    folder = Path(cortexm_timing_m4.__file__).parent / "cortexm"
    header = (folder / "pipeline.h").read_text()
    flags = dict(re.findall(r"INSTRUCTION_(\w+) = 1 << (\d+)", header))
    assert {name: 1 << int(bit) for name, bit in flags.items()} == {
        fact.name: fact.value for fact in Fact
    }
    found = re.search(r"INSTRUCTION_BYTES = (\d+)", (folder / "costs.c").read_text())
    assert found is not None
    assert int(found[1]) == RECORD_BYTES
