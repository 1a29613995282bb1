# SPDX-License-Identifier: Apache-2.0
"""Cortex-M4 instruction timings: Arm Cortex-M4 Processor Technical Reference Manual r0p1,
sections 3.3 (instruction set summary, load and store timings) and 7.2 (floating-point unit).

The table holds what an instruction costs alone; what neighbours save or add to each other is in
cortexm/pipeline_m4.c. A taken branch adds its refill there.
"""

from __future__ import annotations

from touchstone.simulators.cortexm_decode import PC, SP, Instruction, Kind
from touchstone.simulators.cortexm_record import Fact, Record

# The manual gives DMB and DSB 1 + B and ISB 1 + B with B "the number of cycles required to
# perform the barrier"; with an idle write buffer that is short.
_BARRIER = {"dmb": 2, "dsb": 2, "isb": 4}
_FLOAT = {"vdiv": 14, "vsqrt": 14}
_FLOAT_MULTIPLY_ADD = 3
_DIVIDE_MINIMUM = 2
_TABLE_BRANCH = 3


def record(instruction: Instruction) -> Record:
    """The M4's facts about an instruction."""
    facts = common_facts(instruction)
    kind = instruction.kind
    if kind is Kind.LOAD and not instruction.floating and not instruction.branches:
        facts |= Fact.LOAD
    if kind is Kind.STORE and not instruction.floating:
        facts |= Fact.STORE
    if kind in (Kind.DATA, Kind.MULTIPLY, Kind.DIVIDE):
        facts |= Fact.DATA
    if kind is Kind.FLOAT and not instruction.name.startswith(("vmov", "vmrs", "vmsr", "vcmp")):
        facts |= Fact.FP_LATE
    operand, divisor = checked_operands(instruction)
    return Record(
        size=instruction.size,
        cycles=_cycles(instruction),
        facts=facts,
        operand=operand,
        divisor=divisor,
        reads=instruction.reads | instruction.shifted | instruction.accumulator,
        early=instruction.address,
        late=instruction.stored,
        writes=instruction.writes,
        base=instruction.base,
    )


def common_facts(instruction: Instruction) -> Fact:
    """What both cores need to know."""
    facts = Fact(0)
    if instruction.address:
        facts |= Fact.MEMORY
    if instruction.name == "udiv":
        facts |= Fact.UDIV
    if instruction.name == "sdiv":
        facts |= Fact.SDIV
    if instruction.floating:
        facts |= Fact.FP
    if instruction.conditional:
        facts |= Fact.CONDITIONAL
    if instruction.indirect:
        facts |= Fact.INDIRECT
    if needs_alignment(instruction):
        facts |= Fact.ALIGNED
    if instruction.kind is Kind.SYSTEM and instruction.name.startswith("it"):
        facts |= Fact.IT
    if instruction.kind is Kind.UNKNOWN:
        facts |= Fact.UNKNOWN
    return facts


def checked_operands(instruction: Instruction) -> tuple[int, int]:
    """Register numbers that the simulator reads when the instruction executes: dividend and
    divisor, or the base of an access that must be word-aligned, and 0.
    """
    if instruction.kind is Kind.DIVIDE:
        dividend, divisor = (register.bit_length() - 1 for register in instruction.operands[-2:])
        return dividend, divisor
    if needs_alignment(instruction):
        return instruction.address.bit_length() - 1, 0
    return 0, 0


def needs_alignment(instruction: Instruction) -> bool:
    """Whether it faults on an address that is not a multiple of four (ARMv7-M ARM, A3.2.1).

    Offsets of these instructions are multiples of four; SP and PC always are.
    """
    kind, name = instruction.kind, instruction.name
    multiple = kind in (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE)
    single = kind in (Kind.LOAD, Kind.STORE) and (
        instruction.floating or name in ("ldrex", "strex")
    )
    return (multiple or single) and instruction.address not in (0, SP, PC)


def _cycles(instruction: Instruction) -> int:
    kind = instruction.kind
    if kind in (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE):
        return 1 + instruction.words
    if kind is Kind.LOAD or (kind is Kind.STORE and instruction.floating):
        return 1 + instruction.words
    if kind is Kind.STORE:
        return 2 if instruction.register_offset else 1
    if kind is Kind.DIVIDE:
        return _DIVIDE_MINIMUM
    if kind is Kind.TABLE_BRANCH:
        return _TABLE_BRANCH
    if kind is Kind.FLOAT:
        return _float_cycles(instruction)
    if instruction.name in ("mrs", "msr"):
        return 2
    return _BARRIER.get(instruction.name, 1)


def _float_cycles(instruction: Instruction) -> int:
    if instruction.name.startswith(("vmla", "vmls", "vnml", "vfm", "vfnm")):
        return _FLOAT_MULTIPLY_ADD
    if instruction.name == "vmov" and len(instruction.operands) > 2:
        return 2
    return _FLOAT.get(instruction.name, 1)
