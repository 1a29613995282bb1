# SPDX-License-Identifier: Apache-2.0
"""Cortex-M7 instruction timings. Arm publishes none; these follow the scheduling model that LLVM
uses for the core (llvm/lib/Target/ARM/ARMScheduleM7.td) with a load-use distance of two cycles.

The table holds resources, latencies and when operands are needed; cortexm/pipeline_m7.c issues the
instructions in order, up to two in a cycle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from touchstone.simulators.cortexm_decode import FLAGS, Instruction, Kind
from touchstone.simulators.cortexm_record import Fact, Record
from touchstone.simulators.cortexm_timing_m4 import checked_operands, common_facts

# Two bits for each unit of `enum PipelineUnit`.
_ALU, _SHIFT, _MAC, _LOAD, _STORE, _BRANCH, _FP, _PORT, _SIMD = (1 << 2 * n for n in range(9))
_NONE = Fact(0)
_LOAD_LATENCY = 2
_MULTIPLY_LATENCY = 2
_FLOAT_LATENCY = 3
_DIVIDE_CYCLES = 7


@dataclass(frozen=True)
class _Issue:
    """How an instruction goes through the pipeline."""

    uses: int
    latency: int = 1
    cycles: int = 1
    facts: Fact = _NONE
    early: bool = False  # every operand is needed a cycle early
    late_advance: int = 0


_SIMD1 = _Issue(_SIMD | _ALU, facts=Fact.SLOT0)
_SIMD2 = _Issue(_SIMD | _ALU, latency=2, facts=Fact.SLOT0)
_SHIFT_SIMD0 = _Issue(_SIMD | _ALU | _SHIFT, latency=0, facts=Fact.SLOT0, early=True)
_SHIFT_SIMD1 = _Issue(_SIMD | _ALU | _SHIFT, facts=Fact.SLOT0, early=True)
_SHIFT_SIMD2 = _Issue(_SIMD | _ALU | _SHIFT, latency=2, facts=Fact.SLOT0, early=True)
_SHIFT_SIMD_ONE = _Issue(_SIMD | _ALU | _SHIFT, facts=Fact.SLOT0)

_DATA = (
    (re.compile(r"[su]sat(16)?$"), _SHIFT_SIMD2),
    (re.compile(r"[su]xt(b|h|b16)$"), _SIMD1),
    (re.compile(r"[su]xta(b|h|b16)$|pkh(bt|tb)$"), _SHIFT_SIMD_ONE),
    (re.compile(r"([su]h?)(add16|add8|asx|sax|sub16|sub8)$|sel$"), _SIMD1),
    (re.compile(r"u?q(add|asx|sax|sub)(8|16)?$|usad8$"), _SIMD2),
    (re.compile(r"qd(add|sub)$"), _SHIFT_SIMD2),
    (re.compile(r"usada8$"), _Issue(_SIMD | _ALU, 2, facts=Fact.SLOT0, late_advance=1)),
    (re.compile(r"rev(16|sh)?$|rbit$"), _SHIFT_SIMD0),
    (re.compile(r"[su]bfx$"), _SHIFT_SIMD1),
    (re.compile(r"bf[ci]$"), _Issue(_ALU | _SHIFT, facts=Fact.SLOT0)),
    (re.compile(r"clz$"), _Issue(_ALU, facts=Fact.SLOT0)),
    (re.compile(r"(ls[lr]|asr|ror)s?$|rrxs?$"), _Issue(_ALU | _SHIFT)),
)


def record(instruction: Instruction) -> Record:
    """The M7's facts about an instruction."""
    issue = _issue(instruction)
    reads, early = instruction.reads, instruction.address | instruction.shifted
    if issue.early:
        reads, early = 0, early | reads
    if instruction.name.startswith("vsel"):
        reads, early = reads & ~FLAGS, early | FLAGS
    operand, divisor = checked_operands(instruction)
    return Record(
        size=instruction.size,
        cycles=issue.cycles,
        facts=common_facts(instruction) | issue.facts,
        latency=issue.latency,
        late_advance=issue.late_advance,
        operand=operand,
        divisor=divisor,
        uses=issue.uses,
        reads=reads,
        early=early,
        late=instruction.stored | instruction.accumulator,
        writes=instruction.writes,
        base=instruction.base,
    )


def _issue(instruction: Instruction) -> _Issue:
    kind = instruction.kind
    if kind is Kind.DATA:
        return _data(instruction)
    if kind is Kind.MULTIPLY:
        return _Issue(_MAC, _MULTIPLY_LATENCY, late_advance=1)
    if kind is Kind.DIVIDE:
        return _Issue(_ALU, cycles=_DIVIDE_CYCLES, facts=Fact.SINGLE)
    if kind in (Kind.LOAD, Kind.STORE):
        return _transfer(instruction)
    if kind in (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE):
        # A 64-bit data path: two words a cycle.
        cycles = max(1, (instruction.words + 1) // 2)
        unit = _LOAD if kind is Kind.LOAD_MULTIPLE else _STORE
        return _Issue(unit, _LOAD_LATENCY, cycles, Fact.SINGLE, late_advance=1)
    if kind is Kind.BRANCH:
        return _Issue(_BRANCH)
    if kind is Kind.TABLE_BRANCH:
        return _Issue(_LOAD | _BRANCH, cycles=2, facts=Fact.SINGLE)
    if kind is Kind.FLOAT:
        return _float(instruction)
    if kind is Kind.SYSTEM and not instruction.name.startswith(("nop", "it")):
        return _Issue(0, latency=3, facts=Fact.SINGLE)
    return _Issue(0)


def _data(instruction: Instruction) -> _Issue:
    for pattern, issue in _DATA:
        if pattern.match(instruction.name):
            return issue
    if instruction.shifted:
        compares = instruction.name in ("cmp", "cmn", "tst", "teq")
        return _Issue(_ALU | _SHIFT, latency=2 if compares else 1)
    return _Issue(_ALU)


def _transfer(instruction: Instruction) -> _Issue:
    load = instruction.kind is Kind.LOAD
    unit = _LOAD if load else _STORE
    if instruction.floating:
        if instruction.words > 1:
            uses = 2 * _LOAD if load else _STORE
            return _Issue(uses | 2 * _PORT, _LOAD_LATENCY, 1, Fact.SINGLE, late_advance=2)
        return _Issue(unit | _PORT, _LOAD_LATENCY, late_advance=2)
    facts = _NONE
    if "ex" in instruction.name:
        facts = Fact.SLOT0 if load else Fact.SINGLE
    return _Issue(unit, _LOAD_LATENCY, facts=facts, late_advance=1)


def _float(instruction: Instruction) -> _Issue:
    name, double = instruction.name, instruction.double
    uses = _FP | (2 * _PORT if double else _PORT)
    facts = Fact.SLOT0 if double else _NONE
    if name == "vmov":
        if len(instruction.operands) > 2:
            return _Issue(_PORT, _FLOAT_LATENCY, facts=Fact.SINGLE)
        return _Issue(2 * _PORT if double else _PORT, _FLOAT_LATENCY, facts=facts)
    if name in ("vmrs", "vmsr"):
        return _Issue(uses, facts=Fact.SINGLE)
    if name in ("vdiv", "vsqrt"):
        return _Issue(uses, 30 if double else 16, facts=facts)
    if name.startswith("vcmp"):
        return _Issue(uses, facts=facts)
    if name.startswith("vsel"):
        return _Issue(uses, _FLOAT_LATENCY, facts=Fact.SLOT0)
    if instruction.accumulator and not double:
        fused = name.startswith("vf")
        return _Issue(uses, 5 if fused else 6, late_advance=2 if fused else 3)
    return _Issue(uses, _FLOAT_LATENCY, facts=facts)
