# SPDX-License-Identifier: Apache-2.0
"""Thumb instructions as the Cortex-M cycle models see them: a kind and sets of registers.

capstone gives text; this module reads it. Text, because capstone's short form is five times faster
than its operand objects and a cost table decodes every halfword of the firmware.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

FLAGS = 1 << 16
FPSCR = 1 << 17
PC = 1 << 15
SP = 1 << 13
LR = 1 << 14


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CORE = {f"r{n}": 1 << n for n in range(13)}
_CORE |= {"sb": 1 << 9, "sl": 1 << 10, "fp": 1 << 11, "ip": 1 << 12, "sp": SP, "lr": LR, "pc": PC}
_SINGLE = {f"s{n}": 1 << (32 + n) for n in range(32)}
_DOUBLE = {f"d{n}": 3 << (32 + 2 * n) for n in range(16)}
_REGISTERS = _CORE | _SINGLE | _DOUBLE | {"apsr_nzcv": FLAGS, "fpscr": FPSCR}

_CONDITIONS = _words("eq ne hs cs lo cc mi pl vs vc hi ls ge lt gt le")
_CONDITIONAL_BRANCHES = frozenset("b" + condition for condition in _CONDITIONS)
_COMPARES = _words("cmp cmn tst teq")
_FLAG_SETTERS = frozenset(
    name + "s"
    for name in _words("adc add and asr bic eor lsl lsr mov mul mvn orn orr ror rrx rsb sbc sub")
)
_CARRY_READERS = _words("adc adcs sbc sbcs rrx rrxs sel")
_SHIFTS = _words("lsl lsls lsr lsrs asr asrs ror rors rrx rrxs")
_OVERWRITES = _words(
    "mov movs movw mvn mvns adr rev rev16 revsh rbit clz sxtb sxth uxtb uxth sxtb16 uxtb16 "
    "rrx rrxs mrs"
)
_LONG_MULTIPLIES = re.compile(r"[su]mull$|[su]mlal([bt][bt]|dx?)?$|smlsldx?$|umaal$")
_MULTIPLIES = re.compile(
    r"muls?$|ml[as]$|smul([bt][bt]|w[bt])$|smla([bt][bt]|w[bt])$|smm(ul|la|ls)r?$|sm[ul][as]dx?$"
)
_ACCUMULATES = re.compile(r"ml[as]$|smla([bt][bt]|w[bt])$|smml[as]r?$|sml[as]dx?$|usada8$")
_FLOAT_ACCUMULATES = re.compile(r"v(n?ml[as]|fn?m[as])$")
_LOADS = re.compile(r"ldr(s?[bh])?t?$|ldrex[bh]?$|lda(ex)?[bh]?$")
_STORES = re.compile(r"str[bh]?t?$|strex[bh]?$|stl[bh]?$|stlex[bh]?$")
_MULTIPLE_LOADS = re.compile(r"ldm(db|ia)?$|pop$|vldm(db|ia)?$|vpop$|ldrd$")
_MULTIPLE_STORES = re.compile(r"stm(db|ia)?$|push$|vstm(db|ia)?$|vpush$|strd$")
_SYSTEM = _words(
    "nop mrs msr cpsid cpsie dsb dmb isb svc bkpt udf sev wfe wfi yield clrex pld pli csdb "
    "hint ssbb pssbb dbg pldw"
)
_IT = re.compile(r"it[te]{0,3}$")
_ADDRESS = re.compile(r"\[([^\]]*)\](!?)")
_LIST = re.compile(r"\{([^}]*)\}")


class Kind(Enum):
    """What the models distinguish."""

    DATA = "data"
    MULTIPLY = "multiply"
    DIVIDE = "divide"
    LOAD = "load"
    STORE = "store"
    LOAD_MULTIPLE = "load multiple"
    STORE_MULTIPLE = "store multiple"
    BRANCH = "branch"
    TABLE_BRANCH = "table branch"
    FLOAT = "float"
    SYSTEM = "system"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Instruction:
    """One instruction. Register sets are masks: r0..pc bits 0..15, flags, FPSCR, s0..s31 from 32.

    `address` forms an address, `shifted` goes through the shifter first, `accumulator` is added
    last, `stored` goes to memory, `base` is a base register written back, `writes` the results.
    """

    name: str
    kind: Kind
    size: int
    reads: int = 0
    address: int = 0
    shifted: int = 0
    accumulator: int = 0
    stored: int = 0
    base: int = 0
    writes: int = 0
    words: int = 0
    register_offset: bool = False
    double: bool = False
    conditional: bool = False
    operands: tuple[int, ...] = ()

    @property
    def branches(self) -> bool:
        """Whether it may write the program counter."""
        return self.kind in (Kind.BRANCH, Kind.TABLE_BRANCH) or bool(self.writes & PC)

    @property
    def indirect(self) -> bool:
        """A branch to a computed address that is not a return."""
        if self.kind is Kind.TABLE_BRANCH:
            return True
        if self.kind is Kind.BRANCH:
            return self.name in ("bx", "blx") and self.reads != LR
        return bool(self.writes & PC) and self.name != "pop"

    @property
    def floating(self) -> bool:
        """Whether it needs the FPU."""
        return self.name.startswith("v")


def unknown(size: int) -> Instruction:
    """Stands for bytes that are no instruction."""
    return Instruction("unknown", Kind.UNKNOWN, size)


def thumb_size(halfword: int) -> int:
    """Bytes of the instruction whose first halfword this is (ARMv7-M ARM, A5.1)."""
    return 4 if halfword >> 11 in (0b11101, 0b11110, 0b11111) else 2


def decode(size: int, mnemonic: str, text: str) -> Instruction:
    """The instruction that capstone prints as `mnemonic` and `text`."""
    name, _, types = mnemonic.partition(".")
    double = "f64" in types
    if name in _SYSTEM or _IT.match(name):
        return _system(name, size, text)
    if name in _CONDITIONAL_BRANCHES or name in ("b", "bl", "blx", "bx", "cbz", "cbnz"):
        return _branch(name, size, text)
    if name in ("tbb", "tbh"):
        return Instruction(name, Kind.TABLE_BRANCH, size, address=_all_registers(text), words=1)
    if _MULTIPLE_LOADS.match(name) or _MULTIPLE_STORES.match(name):
        return _multiple(name, size, text)
    if _LOADS.match(name) or _STORES.match(name) or name in ("vldr", "vstr"):
        return _transfer(name, size, text)
    return _operation(name, size, text, double)


def _registers(text: str) -> tuple[int, ...]:
    words = (word.strip(" !#-[]{}") for word in re.split(r"[,\s]", text))
    return tuple(_REGISTERS[word] for word in words if word in _REGISTERS)


def _all_registers(text: str) -> int:
    mask = 0
    for register in _registers(text):
        mask |= register
    return mask


def _system(name: str, size: int, text: str) -> Instruction:
    registers = _all_registers(text) if name in ("mrs", "msr") else 0
    if name == "mrs":
        return Instruction(name, Kind.SYSTEM, size, writes=registers)
    return Instruction(name, Kind.SYSTEM, size, reads=registers)


def _branch(name: str, size: int, text: str) -> Instruction:
    reads = _all_registers(text)
    conditional = name in ("cbz", "cbnz") or name in _CONDITIONAL_BRANCHES
    if name in _CONDITIONAL_BRANCHES:
        reads |= FLAGS
    writes = LR if name in ("bl", "blx") else 0
    return Instruction(name, Kind.BRANCH, size, reads=reads, writes=writes, conditional=conditional)


def _multiple(name: str, size: int, text: str) -> Instruction:
    load = bool(_MULTIPLE_LOADS.match(name))
    kind = Kind.LOAD_MULTIPLE if load else Kind.STORE_MULTIPLE
    if name in ("ldrd", "strd"):
        head, _, _ = text.partition("[")
        data = _all_registers(head)
        address, base = _address(text)
        words = 2
    else:
        found = _LIST.search(text)
        listed = found.group(1) if found else ""
        data = _all_registers(listed)
        words = bin(data).count("1")
        address = _all_registers(text.partition("{")[0]) or SP
        implied = name in ("push", "pop", "vpush", "vpop")
        base = address if implied or "!" in text else 0
    return Instruction(
        name,
        kind,
        size,
        address=address,
        base=base,
        writes=data if load else 0,
        stored=0 if load else data,
        words=words,
    )


def _address(text: str) -> tuple[int, int]:
    """The registers of the address, and the base register if it is written back."""
    found = _ADDRESS.search(text)
    if found is None:
        return 0, 0
    inside = _registers(found.group(1))
    written = inside[0] if inside and (found.group(2) or text[found.end() :].strip(" ,")) else 0
    return _all_registers(found.group(1)), written


def _transfer(name: str, size: int, text: str) -> Instruction:
    load = name == "vldr" or bool(_LOADS.match(name))
    head = _registers(text.partition("[")[0])
    address, base = _address(text)
    found = _ADDRESS.search(text)
    register_offset = found is not None and len(_registers(found.group(1))) > 1
    data = head[-1] if head else 0
    writes = data if load else 0
    if name.startswith("strex") and len(head) == 2:
        writes = head[0]
    return Instruction(
        name,
        Kind.LOAD if load else Kind.STORE,
        size,
        address=address,
        base=base,
        writes=writes,
        stored=0 if load else data,
        words=bin(data >> 32).count("1") or 1,
        register_offset=register_offset,
    )


def _operation(name: str, size: int, text: str, double: bool) -> Instruction:
    """Data processing, multiplies, divides and floating point: destination first."""
    parts = [part.strip() for part in text.split(",")]
    shifted = 0
    plain: list[int] = []
    for part in parts:
        words = part.split()
        if len(words) == 2 and words[0] in _SHIFTS:  # "lsl #2", "lsl r3": of the operand before
            shifted |= plain.pop() if plain else 0
            shifted |= _REGISTERS.get(words[1], 0)
            plain.append(0)
        elif part == "rrx":
            shifted |= plain.pop() if plain else 0
            plain.append(0)
        else:
            plain.append(_REGISTERS.get(part, 0))
    destinations, sources = _split(name, plain)
    writes = _union(destinations)
    reads = _union(sources)
    accumulator = 0
    if _LONG_MULTIPLIES.match(name) and not name.endswith("mull"):
        accumulator = writes
    elif _ACCUMULATES.match(name):
        accumulator = plain[-1]
        reads = _union(plain[1:-1])
    elif _FLOAT_ACCUMULATES.match(name):
        accumulator = writes
    if name in ("bfi", "bfc", "movt"):
        reads |= writes
    if name in _FLAG_SETTERS or name in _COMPARES:
        writes |= FLAGS
    if name in _CARRY_READERS or name.startswith("vsel"):
        reads |= FLAGS
    if name.startswith("vcmp"):
        writes = FPSCR
    return Instruction(
        name,
        _kind(name),
        size,
        reads=reads,
        shifted=shifted,
        accumulator=accumulator,
        writes=writes,
        double=double,
        operands=tuple(plain),
    )


def _kind(name: str) -> Kind:
    if name.startswith("v"):
        return Kind.FLOAT
    if name in ("udiv", "sdiv"):
        return Kind.DIVIDE
    if _LONG_MULTIPLIES.match(name) or _MULTIPLIES.match(name):
        return Kind.MULTIPLY
    return Kind.DATA


def _split(name: str, operands: list[int]) -> tuple[list[int], list[int]]:
    """Destinations and sources of a register operation."""
    if name in _COMPARES or name.startswith("vcmp"):
        return [], operands
    if _LONG_MULTIPLIES.match(name):
        return operands[:2], operands[2:]
    if name == "vmov" and len(operands) >= 3:
        # Two core registers to or from floating-point registers.
        core = operands[0] >> 16 == 0
        count = 2 if core or len(operands) == 4 else 1
        return operands[:count], operands[count:]
    if name == "vmsr":
        return [FPSCR], operands
    first, rest = operands[:1], operands[1:]
    if len(operands) == 2 and name not in _OVERWRITES and not name.startswith("v"):
        return first, operands
    return first, rest


def _union(masks: list[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union
