# SPDX-License-Identifier: Apache-2.0
"""Reference model of RV32IM and XpulpV2 register instructions, independent of the simulator.

Each row names the fields of an encoding, the word for rD = x10, rs1 = x11, rs2 = x12 as GVSOC
decodes it, and the semantics on Python integers. `apply(d, a, b, imm)` takes the old rD, rs1, rs2
as unsigned 32-bit values and the immediate, and returns the new rD (reduced by the caller).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

MASK = 0xFFFFFFFF
Semantics = Callable[[int, int, int, int], int]


def signed(value: int, width: int = 32) -> int:
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


@dataclass(frozen=True)
class Row:
    """One instruction. `operand` says what bits 31:20 hold besides the fixed bits `base`:
    rs2, none, imm5 (bits 24:20), bits (Is3 29:25, Is2 24:20), norm (rs2 and Is3), imm6
    (24:20 = imm6[5:1], 25 = imm6[0]), imm12."""

    name: str
    base: int
    operand: str
    apply: Semantics
    golden: int
    golden_imm: int = 0
    immediates: tuple[int, ...] = (0,)

    def word(self, rd: int, rs1: int, rs2: int, imm: int) -> int:
        word = self.base | rd << 7 | rs1 << 15
        if self.operand in ("rs2", "norm"):
            word |= rs2 << 20
        if self.operand == "norm":
            word |= imm << 25
        elif self.operand == "imm5":
            word |= imm << 20
        elif self.operand == "bits":
            word |= (imm & 31) << 20 | (imm >> 5) << 25
        elif self.operand == "imm6":
            word |= (imm >> 1 & 31) << 20 | (imm & 1) << 25
        elif self.operand == "imm12":
            word |= (imm & 0xFFF) << 20
        return word


def r_type(funct7: int, funct3: int, opcode: int) -> int:
    return funct7 << 25 | funct3 << 12 | opcode


# --- scalar ALU ---------------------------------------------------------------------------------


def first_set(value: int) -> int:
    return 32 if value == 0 else (value & -value).bit_length() - 1


def last_set(value: int) -> int:
    return 32 if value == 0 else value.bit_length() - 1


def redundant_sign_bits(value: int) -> int:
    if value == 0:
        return 0
    text = f"{value:032b}"
    return len(text) - len(text.lstrip(text[0])) - 1


def clamp(value: int, low: int, high: int) -> int:
    if signed(value) < low:
        return low
    return min(signed(value), high)


def clip_signed(a: int, width: int) -> int:
    return clamp(a, -1, 0) if width == 0 else clamp(a, -(2 ** (width - 1)), 2 ** (width - 1) - 1)


def clip_unsigned(a: int, width: int) -> int:
    return clamp(a, 0, 0 if width == 0 else 2 ** (width - 1) - 1)


def rotate(a: int, b: int) -> int:
    b &= 31
    return a >> b | a << (32 - b)


_SCALAR: list[tuple[str, int, int, str, Semantics, int]] = [
    ("p.abs", 0x02, 0, "none", lambda d, a, b, i: abs(signed(a)), 0x04058533),
    ("p.avgu", 0x02, 1, "rs2", lambda d, a, b, i: ((a + b) & MASK) >> 1, 0x04C59533),
    ("p.slet", 0x02, 2, "rs2", lambda d, a, b, i: signed(a) <= signed(b), 0x04C5A533),
    ("p.sletu", 0x02, 3, "rs2", lambda d, a, b, i: a <= b, 0x04C5B533),
    ("p.min", 0x02, 4, "rs2", lambda d, a, b, i: min(signed(a), signed(b)), 0x04C5C533),
    ("p.minu", 0x02, 5, "rs2", lambda d, a, b, i: min(a, b), 0x04C5D533),
    ("p.max", 0x02, 6, "rs2", lambda d, a, b, i: max(signed(a), signed(b)), 0x04C5E533),
    ("p.maxu", 0x02, 7, "rs2", lambda d, a, b, i: max(a, b), 0x04C5F533),
    ("p.ror", 0x04, 5, "rs2", lambda d, a, b, i: rotate(a, b), 0x08C5D533),
    ("p.ff1", 0x08, 0, "none", lambda d, a, b, i: first_set(a), 0x10058533),
    ("p.fl1", 0x08, 1, "none", lambda d, a, b, i: last_set(a), 0x10059533),
    ("p.clb", 0x08, 2, "none", lambda d, a, b, i: redundant_sign_bits(a), 0x1005A533),
    ("p.cnt", 0x08, 3, "none", lambda d, a, b, i: a.bit_count(), 0x1005B533),
    ("p.exths", 0x08, 4, "none", lambda d, a, b, i: signed(a, 16), 0x1005C533),
    ("p.exthz", 0x08, 5, "none", lambda d, a, b, i: a & 0xFFFF, 0x1005D533),
    ("p.extbs", 0x08, 6, "none", lambda d, a, b, i: signed(a, 8), 0x1005E533),
    ("p.extbz", 0x08, 7, "none", lambda d, a, b, i: a & 0xFF, 0x1005F533),
    ("p.clip", 0x0A, 1, "imm5", lambda d, a, b, i: clip_signed(a, i), 0x14859533),
    ("p.clipu", 0x0A, 2, "imm5", lambda d, a, b, i: clip_unsigned(a, i), 0x1485A533),
    ("p.clipr", 0x0A, 5, "rs2", lambda d, a, b, i: clamp(a, -signed(b) - 1, signed(b)), 0x14C5D533),
    ("p.clipur", 0x0A, 6, "rs2", lambda d, a, b, i: clamp(a, 0, signed(b)), 0x14C5E533),
    ("p.mac", 0x21, 0, "rs2", lambda d, a, b, i: d + a * b, 0x42C58533),
    ("p.msu", 0x21, 1, "rs2", lambda d, a, b, i: d - a * b, 0x42C59533),
]
_CLIP_WIDTHS = (0, 1, 2, 8, 9, 16, 31)


def scalar_rows() -> Iterator[Row]:
    for name, funct7, funct3, operand, apply, golden in _SCALAR:
        widths = _CLIP_WIDTHS if operand == "imm5" else (0,)
        base = r_type(funct7, funct3, 0x33)
        yield Row(name, base, operand, apply, golden, 8 if operand == "imm5" else 0, widths)


# --- bit fields ---------------------------------------------------------------------------------


def field(spec: int) -> tuple[int, int]:
    """Lowest and highest bit of the field: width - 1 in bits 9:5, lowest bit in 4:0."""
    low = spec & 31
    return low, min(low + (spec >> 5 & 31), 31)


def field_bits(spec: int) -> int:
    low, high = field(spec)
    return sum(1 << n for n in range(low, high + 1))


def extract(a: int, spec: int, is_signed: bool) -> int:
    low, high = field(spec)
    value = (a & field_bits(spec)) >> low
    return signed(value, high - low + 1) if is_signed else value


def insert(d: int, a: int, spec: int) -> int:
    return d & ~field_bits(spec) | a << (spec & 31) & field_bits(spec)


FieldSemantics = Callable[[int, int, int], int]
_FIELDS: list[tuple[str, FieldSemantics, int, int]] = [
    ("p.extract", lambda d, a, s: extract(a, s, True), 0xCE858533, 0x80C58533),
    ("p.extractu", lambda d, a, s: extract(a, s, False), 0xCE859533, 0x80C59533),
    ("p.insert", insert, 0xCE85A533, 0x80C5A533),
    ("p.bclr", lambda d, a, s: a & ~field_bits(s), 0xCE85B533, 0x80C5B533),
    ("p.bset", lambda d, a, s: a | field_bits(s), 0xCE85C533, 0x80C5C533),
]
_SPECS = tuple(w << 5 | low for w, low in ((0, 0), (7, 8), (31, 0), (0, 31), (15, 16), (20, 20)))


def field_rows() -> Iterator[Row]:
    for funct3, (name, apply, golden, golden_register) in enumerate(_FIELDS):

        def by_imm(d: int, a: int, b: int, i: int, f: FieldSemantics = apply) -> int:
            return f(d, a, i)

        def by_register(d: int, a: int, b: int, i: int, f: FieldSemantics = apply) -> int:
            return f(d, a, b & 0x3FF)

        base = r_type(0x60, funct3, 0x33)
        yield Row(name, base, "bits", by_imm, golden, 7 << 5 | 8, _SPECS)
        yield Row(name + "r", r_type(0x40, funct3, 0x33), "rs2", by_register, golden_register)


# --- 16 x 16 multiplies, additions with normalisation ---------------------------------------


def normalise(value: int, shift: int, rounding: bool, is_signed: bool) -> int:
    if rounding and shift:
        value += 1 << (shift - 1)
    return (signed(value) if is_signed else value & MASK) >> shift


_HALVES: list[tuple[str, int, Callable[[int], int], bool]] = [
    ("s", 2, lambda v: signed(v, 16), True),
    ("hhs", 3, lambda v: signed(v) >> 16, True),
    ("u", 0, lambda v: v & 0xFFFF, False),
    ("hhu", 1, lambda v: v >> 16, False),
]
_SHIFTS = (0, 1, 5, 15, 16, 31)
_PRODUCT_GOLDEN = {
    "s": (0x80C5855B, 0x8AC5C55B, 0x80C5955B, 0x8AC5D55B, 0x8AC5855B, 0x8AC5955B),
    "hhs": (0xC0C5855B, 0xCAC5C55B, 0xC0C5955B, 0xCAC5D55B, 0xCAC5855B, 0xCAC5955B),
    "u": (0x00C5855B, 0x0AC5C55B, 0x00C5955B, 0x0AC5D55B, 0x0AC5855B, 0x0AC5955B),
    "hhu": (0x40C5855B, 0x4AC5C55B, 0x40C5955B, 0x4AC5D55B, 0x4AC5855B, 0x4AC5955B),
}


def product_rows() -> Iterator[Row]:
    for suffix, bits, half, is_signed in _HALVES:
        golden = _PRODUCT_GOLDEN[suffix]
        for verb, accumulates, funct3 in (("mul", 0, 0), ("mac", 1, 1)):
            for rounding in (False, True):

                def apply(
                    d: int, a: int, b: int, i: int, h: Callable[[int], int] = half,
                    acc: int = accumulates, r: bool = rounding, s: bool = is_signed,
                ) -> int:  # fmt: skip
                    return normalise(d * acc + h(a) * h(b), i, r, s)

                base = bits << 30 | (funct3 + 4 * rounding) << 12 | 0x5B
                name = f"p.{verb}{suffix}{'R' if rounding else ''}"
                if rounding:
                    yield Row(name + "N", base, "norm", apply, golden[2 * funct3 + 1], 5, _SHIFTS)
                else:
                    yield Row(name, base, "norm", apply, golden[2 * funct3])
                    yield Row(name + "N", base, "norm", apply, golden[4 + funct3], 5, _SHIFTS)


_SUM_GOLDEN = {
    "p.addN": (0x0AC5A55B, 0x40C5A55B),
    "p.adduN": (0x8AC5A55B, 0xC0C5A55B),
    "p.addRN": (0x0AC5E55B, 0x40C5E55B),
    "p.adduRN": (0x8AC5E55B, 0xC0C5E55B),
    "p.subN": (0x0AC5B55B, 0x40C5B55B),
    "p.subuN": (0x8AC5B55B, 0xC0C5B55B),
    "p.subRN": (0x0AC5F55B, 0x40C5F55B),
    "p.subuRN": (0x8AC5F55B, 0xC0C5F55B),
}


def sum_rows() -> Iterator[Row]:
    for name, (golden, golden_register) in _SUM_GOLDEN.items():
        sign = -1 if "sub" in name else 1
        unsigned, rounding = "u" in name[5:], "R" in name

        def by_imm(
            d: int, a: int, b: int, i: int, k: int = sign, r: bool = rounding, u: bool = unsigned
        ) -> int:
            return normalise(a + k * b, i, r, not u)

        def by_register(
            d: int, a: int, b: int, i: int, k: int = sign, r: bool = rounding, u: bool = unsigned
        ) -> int:
            return normalise(d + k * a, b & 31, r, not u)

        funct3 = 2 + (sign < 0) + 4 * rounding
        imm_base = (2 if unsigned else 0) << 30 | funct3 << 12 | 0x5B
        register_base = r_type(0x60 if unsigned else 0x20, funct3, 0x5B)
        yield Row(name, imm_base, "norm", by_imm, golden, 5, _SHIFTS)
        yield Row(name + "r", register_base, "rs2", by_register, golden_register)


# --- RV32IM ---------------------------------------------------------------------------------------


def divide(a: int, b: int) -> int:
    if b == 0:
        return -1
    quotient = abs(signed(a)) // abs(signed(b))
    return quotient if (signed(a) < 0) == (signed(b) < 0) else -quotient


def remainder(a: int, b: int) -> int:
    return a if b == 0 else signed(a) - signed(b) * divide(a, b)


_BASE: list[tuple[str, int, int, Semantics, int]] = [
    ("add", 0x00, 0, lambda d, a, b, i: a + b, 0x00C58533),
    ("sub", 0x20, 0, lambda d, a, b, i: a - b, 0x40C58533),
    ("sll", 0x00, 1, lambda d, a, b, i: a << (b & 31), 0x00C59533),
    ("slt", 0x00, 2, lambda d, a, b, i: signed(a) < signed(b), 0x00C5A533),
    ("sltu", 0x00, 3, lambda d, a, b, i: a < b, 0x00C5B533),
    ("xor", 0x00, 4, lambda d, a, b, i: a ^ b, 0x00C5C533),
    ("srl", 0x00, 5, lambda d, a, b, i: a >> (b & 31), 0x00C5D533),
    ("sra", 0x20, 5, lambda d, a, b, i: signed(a) >> (b & 31), 0x40C5D533),
    ("or", 0x00, 6, lambda d, a, b, i: a | b, 0x00C5E533),
    ("and", 0x00, 7, lambda d, a, b, i: a & b, 0x00C5F533),
    ("mul", 0x01, 0, lambda d, a, b, i: a * b, 0x02C58533),
    ("mulh", 0x01, 1, lambda d, a, b, i: signed(a) * signed(b) >> 32, 0x02C59533),
    ("mulhsu", 0x01, 2, lambda d, a, b, i: signed(a) * b >> 32, 0x02C5A533),
    ("mulhu", 0x01, 3, lambda d, a, b, i: a * b >> 32, 0x02C5B533),
    ("div", 0x01, 4, lambda d, a, b, i: divide(a, b), 0x02C5C533),
    ("divu", 0x01, 5, lambda d, a, b, i: a // b if b else -1, 0x02C5D533),
    ("rem", 0x01, 6, lambda d, a, b, i: remainder(a, b), 0x02C5E533),
    ("remu", 0x01, 7, lambda d, a, b, i: a % b if b else a, 0x02C5F533),
]
_IMMEDIATE: list[tuple[str, int, Semantics]] = [
    ("addi", 0, lambda d, a, b, i: a + i),
    ("slti", 2, lambda d, a, b, i: signed(a) < i),
    ("sltiu", 3, lambda d, a, b, i: a < i & MASK),
    ("xori", 4, lambda d, a, b, i: a ^ i & MASK),
    ("ori", 6, lambda d, a, b, i: a | i & MASK),
    ("andi", 7, lambda d, a, b, i: a & i & MASK),
]


def base_rows() -> Iterator[Row]:
    for name, funct7, funct3, apply, golden in _BASE:
        yield Row(name, r_type(funct7, funct3, 0x33), "rs2", apply, golden)
    for name, funct3, apply in _IMMEDIATE:
        base = r_type(0, funct3, 0x13)
        golden = base | 10 << 7 | 11 << 15 | 5 << 20
        yield Row(name, base, "imm12", apply, golden, 5, (5, -1, 0, 2047, -2048))
