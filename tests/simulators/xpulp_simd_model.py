# SPDX-License-Identifier: Apache-2.0
"""Reference model of the XpulpV2 SIMD instructions (opcode 0x57); see xpulp_model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xpulp_model import Row, Semantics, r_type, signed

Lane = Callable[[int, int, int], int]
LANE_IMMEDIATES = (5, 0, 1, 31, 32, 63)

# name, op6, signed lanes, signed immediate, lane function (a, b, width), word of .b, of .sci.b 5.
# With signed lanes a and b arrive sign-extended, else zero-extended.
_LANES: list[tuple[str, int, bool, bool, Lane, int, int]] = [
    ("add", 0x00, True, True, lambda a, b, w: a + b, 0x00C59557, 0x0225F557),
    ("sub", 0x02, True, True, lambda a, b, w: a - b, 0x08C59557, 0x0A25F557),
    ("avg", 0x04, True, True, lambda a, b, w: signed(a + b, w) >> 1, 0x10C59557, 0x1225F557),
    ("avgu", 0x06, False, False, lambda a, b, w: (a + b) % 2**w >> 1, 0x18C59557, 0x1A25F557),
    ("min", 0x08, True, True, lambda a, b, w: min(a, b), 0x20C59557, 0x2225F557),
    ("minu", 0x0A, False, False, lambda a, b, w: min(a, b), 0x28C59557, 0x2A25F557),
    ("max", 0x0C, True, True, lambda a, b, w: max(a, b), 0x30C59557, 0x3225F557),
    ("maxu", 0x0E, False, False, lambda a, b, w: max(a, b), 0x38C59557, 0x3A25F557),
    ("srl", 0x10, False, False, lambda a, b, w: a >> b % w, 0x40C59557, 0x4225F557),
    ("sra", 0x12, True, True, lambda a, b, w: a >> b % w, 0x48C59557, 0x4A25F557),
    ("sll", 0x14, False, False, lambda a, b, w: a << b % w, 0x50C59557, 0x5225F557),
    ("or", 0x16, False, True, lambda a, b, w: a | b, 0x58C59557, 0x5A25F557),
    ("xor", 0x18, False, True, lambda a, b, w: a ^ b, 0x60C59557, 0x6225F557),
    ("and", 0x1A, False, True, lambda a, b, w: a & b, 0x68C59557, 0x6A25F557),
    ("cmpeq", 0x01, True, True, lambda a, b, w: -(a == b), 0x04C59557, 0x0625F557),
    ("cmpne", 0x03, True, True, lambda a, b, w: -(a != b), 0x0CC59557, 0x0E25F557),
    ("cmpgt", 0x05, True, True, lambda a, b, w: -(a > b), 0x14C59557, 0x1625F557),
    ("cmpge", 0x07, True, True, lambda a, b, w: -(a >= b), 0x1CC59557, 0x1E25F557),
    ("cmplt", 0x09, True, True, lambda a, b, w: -(a < b), 0x24C59557, 0x2625F557),
    ("cmple", 0x0B, True, True, lambda a, b, w: -(a <= b), 0x2CC59557, 0x2E25F557),
    ("cmpgtu", 0x0D, False, False, lambda a, b, w: -(a > b), 0x34C59557, 0x3625F557),
    ("cmpgeu", 0x0F, False, False, lambda a, b, w: -(a >= b), 0x3CC59557, 0x3E25F557),
    ("cmpltu", 0x11, False, False, lambda a, b, w: -(a < b), 0x44C59557, 0x4625F557),
    ("cmpleu", 0x13, False, False, lambda a, b, w: -(a <= b), 0x4CC59557, 0x4E25F557),
]

# name, op6, rs1 signed, rs2 and immediate signed, accumulates, word of .b, of .sci.b 5.
_DOTS: list[tuple[str, int, bool, bool, bool, int, int]] = [
    ("dotup", 0x20, False, False, False, 0x80C59557, 0x8225F557),
    ("dotusp", 0x22, False, True, False, 0x88C59557, 0x8A25F557),
    ("dotsp", 0x26, True, True, False, 0x98C59557, 0x9A25F557),
    ("sdotup", 0x28, False, False, True, 0xA0C59557, 0xA225F557),
    ("sdotusp", 0x2A, False, True, True, 0xA8C59557, 0xAA25F557),
    ("sdotsp", 0x2E, True, True, True, 0xB8C59557, 0xBA25F557),
]


def lanes(value: int, width: int, is_signed: bool = False) -> list[int]:
    raw = [value >> n & (1 << width) - 1 for n in range(0, 32, width)]
    return [signed(v, width) for v in raw] if is_signed else raw


def join(values: list[int], width: int) -> int:
    return sum((v & (1 << width) - 1) << width * n for n, v in enumerate(values))


def second(b: int, imm: int, form: str, width: int, signed_imm: bool) -> int:
    """The second operand as a register value: rs2, its low lane or the immediate replicated."""
    if form == "":
        return b
    value = b if form == "sc" else signed(imm, 6) if signed_imm else imm
    return join([value] * (32 // width), width)


def forms(
    name: str, op6: int, core: Callable[[int, int, int, int], int], signed_imm: bool, golden: int,
    golden_imm: int,
) -> Iterator[Row]:  # fmt: skip
    """The six forms of one operation; `core(d, a, second operand, width)`."""
    for form, funct3 in (("", 0), ("sc", 4), ("sci", 6)):
        for letter, width in (("h", 16), ("b", 8)):

            def apply(d: int, a: int, b: int, i: int, f: str = form, w: int = width) -> int:
                return core(d, a, second(b, i, f, w, signed_imm), w)

            bit = int(letter == "b")
            word = golden_imm if form == "sci" else golden
            expected = word & ~(7 << 12) | (funct3 + bit) << 12
            full = f"pv.{name}.{form + '.' if form else ''}{letter}"
            operand = "imm6" if form == "sci" else "rs2"
            imms = LANE_IMMEDIATES if form == "sci" else (0,)
            base = op6 << 26 | (funct3 + bit) << 12 | 0x57
            yield Row(full, base, operand, apply, expected, 5 if form == "sci" else 0, imms)


def lane_rows() -> Iterator[Row]:
    for name, op6, signed_lanes, signed_imm, function, golden, golden_imm in _LANES:

        def core(d: int, a: int, b: int, w: int, f: Lane = function, s: bool = signed_lanes) -> int:
            pairs = zip(lanes(a, w, s), lanes(b, w, s), strict=True)
            return join([f(x, y, w) for x, y in pairs], w)

        yield from forms(name, op6, core, signed_imm, golden, golden_imm)


def dot_rows() -> Iterator[Row]:
    for name, op6, signed_a, signed_b, accumulates, golden, golden_imm in _DOTS:

        def core(
            d: int, a: int, b: int, w: int, sa: bool = signed_a, sb: bool = signed_b,
            acc: bool = accumulates,
        ) -> int:  # fmt: skip
            pairs = zip(lanes(a, w, sa), lanes(b, w, sb), strict=True)
            return (d if acc else 0) + sum(x * y for x, y in pairs)

        yield from forms(name, op6, core, signed_b, golden, golden_imm)


def select(sources: tuple[int, int], selector: list[int], width: int) -> int:
    """Lane i: element selector[i] of the first source, then of the second."""
    elements = lanes(sources[0], width) + lanes(sources[1], width)
    return join([elements[s % len(elements)] for s in selector], width)


def element(a: int, imm: int, width: int, is_signed: bool) -> int:
    return lanes(a, width, is_signed)[imm]


def replaced(d: int, a: int, imm: int, width: int) -> int:
    values = lanes(d, width)
    values[imm] = a
    return join(values, width)


def shuffle_imm_b(a: int, imm: int, last: int) -> int:
    return select((a, a), [imm & 3, imm >> 2 & 3, imm >> 4 & 3, last], 8)


# name, funct7, funct3, operand, golden, golden immediate, immediates, semantics
_MOVES: list[tuple[str, int, int, str, int, tuple[int, ...], Semantics]] = [
    ("pv.abs.h", 0x38, 0, "none", 0x70058557, (0,),
     lambda d, a, b, i: join([abs(v) for v in lanes(a, 16, True)], 16)),
    ("pv.abs.b", 0x38, 1, "none", 0x70059557, (0,),
     lambda d, a, b, i: join([abs(v) for v in lanes(a, 8, True)], 8)),
    ("pv.extract.h", 0x3C, 6, "imm6", 0x7A05E557, (1, 0),
     lambda d, a, b, i: element(a, i, 16, True)),
    ("pv.extract.b", 0x3C, 7, "imm6", 0x7A05F557, (1, 0, 2, 3),
     lambda d, a, b, i: element(a, i, 8, True)),
    ("pv.extractu.h", 0x48, 6, "imm6", 0x9205E557, (1, 0),
     lambda d, a, b, i: element(a, i, 16, False)),
    ("pv.extractu.b", 0x48, 7, "imm6", 0x9205F557, (1, 0, 2, 3),
     lambda d, a, b, i: element(a, i, 8, False)),
    ("pv.insert.h", 0x58, 6, "imm6", 0xB205E557, (1, 0), lambda d, a, b, i: replaced(d, a, i, 16)),
    ("pv.insert.b", 0x58, 7, "imm6", 0xB205F557, (1, 0, 2, 3),
     lambda d, a, b, i: replaced(d, a, i, 8)),
    ("pv.shuffle.h", 0x60, 0, "rs2", 0xC0C58557, (0,),
     lambda d, a, b, i: select((a, a), lanes(b, 16), 16)),
    ("pv.shuffle.b", 0x60, 1, "rs2", 0xC0C59557, (0,),
     lambda d, a, b, i: select((a, a), lanes(b, 8), 8)),
    ("pv.shuffle2.h", 0x64, 0, "rs2", 0xC8C58557, (0,),
     lambda d, a, b, i: select((d, a), lanes(b, 16), 16)),
    ("pv.shuffle2.b", 0x64, 1, "rs2", 0xC8C59557, (0,),
     lambda d, a, b, i: select((d, a), lanes(b, 8), 8)),
    ("pv.shuffle.sci.h", 0x60, 6, "imm6", 0xC205E557, (1, 0, 2, 3),
     lambda d, a, b, i: select((a, a), [i & 1, i >> 1 & 1], 16)),
    ("pv.shuffleI0.sci.b", 0x60, 7, "imm6", 0xC205F557, (1, 0, 6, 27, 63),
     lambda d, a, b, i: shuffle_imm_b(a, i, 0)),
    ("pv.shuffleI1.sci.b", 0x74, 7, "imm6", 0xEA05F557, (1, 0, 6, 27, 63),
     lambda d, a, b, i: shuffle_imm_b(a, i, 1)),
    ("pv.shuffleI2.sci.b", 0x78, 7, "imm6", 0xF205F557, (1, 0, 6, 27, 63),
     lambda d, a, b, i: shuffle_imm_b(a, i, 2)),
    ("pv.shuffleI3.sci.b", 0x7C, 7, "imm6", 0xFA05F557, (1, 0, 6, 27, 63),
     lambda d, a, b, i: shuffle_imm_b(a, i, 3)),
    ("pv.pack.h", 0x68, 0, "rs2", 0xD0C58557, (0,), lambda d, a, b, i: a << 16 | b & 0xFFFF),
    ("pv.packhi.b", 0x6C, 1, "rs2", 0xD8C59557, (0,),
     lambda d, a, b, i: d & 0xFFFF | (a & 255) << 24 | (b & 255) << 16),
    ("pv.packlo.b", 0x70, 1, "rs2", 0xE0C59557, (0,),
     lambda d, a, b, i: d & 0xFFFF0000 | (a & 255) << 8 | b & 255),
]  # fmt: skip


def move_rows() -> Iterator[Row]:
    for name, funct7, funct3, operand, golden, imms, apply in _MOVES:
        yield Row(name, r_type(funct7, funct3, 0x57), operand, apply, golden, imms[0], imms)


def simd_rows() -> Iterator[Row]:
    yield from lane_rows()
    yield from dot_rows()
    yield from move_rows()
