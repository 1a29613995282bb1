# SPDX-License-Identifier: Apache-2.0
"""Random instruction sequences: a seed makes the same program for ever.

Python promises that Random.random() repeats for a seed; what builds on it may change from version
to version, so that everything here is drawn by random() alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from touchstone.fidelity.mnemonics import (
    LOADS,
    ONE_OPERAND,
    REGISTERS,
    STORES,
    hardware_loop_immediate,
    lines,
    load_post,
    store_post,
    three,
    two,
)
from touchstone.fidelity.programs import ALL, Program

T = TypeVar("T")
SOURCES = ("a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t3", "t4", "t5", "s4", "s5", "s6")
PLAIN = ("add", "sub", "xor", "and", "or", "sll", "srl", "sra", "slt", "sltu")
SLOW = ("mul", "mulh", "mulhu", "mulhsu", "div", "divu", "rem", "remu")
SEEDS = 24
LENGTH = 60
# Eight cores meet after so many pieces; what they do in between takes each another time.
MEETING = 15
# Pointers into L1 (t1, t2) go through the first half of the core's kilobyte and are set back.
RESET = lines("mv t1, s1", "addi t2, s2, 0")


def random_programs() -> list[Program]:
    """One core and eight, in turns; the eight work on data of their own."""
    found = []
    for seed in range(SEEDS):
        cores = ALL if seed % 2 else 1
        body = _Sequence(seed).body(cores > 1)
        found.append(Program(f"random/seed-{seed}-{cores}-cores", body, RESET, cores=cores))
    return found


class _Sequence:
    """Draws one sequence."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def body(self, meet: bool) -> str:
        """LENGTH pieces; the pointers are zero in the end, as nobody wants to compare addresses."""
        pieces = [self._piece() for _ in range(LENGTH)]
        if meet:
            for index in range(MEETING - 1, LENGTH, MEETING):
                pieces[index] += lines("barrier")
        return "".join(pieces) + lines("li t1, 0", "li t2, 0")

    def _below(self, count: int) -> int:
        return int(self._random.random() * count)

    def _pick(self, choices: Sequence[T]) -> T:
        return choices[self._below(len(choices))]

    def _register(self) -> str:
        return self._pick(SOURCES)

    def _piece(self) -> str:
        kind = self._below(12)
        if kind < 2:
            return self._memory()
        if kind == 2:
            return self._branch()
        if kind == 3:
            count = 2 + self._below(5)
            body = "".join(self._simple() for _ in range(2 + self._below(6)))
            return hardware_loop_immediate(0, count, body, body.count("\n"))
        if kind == 4:
            a, b, c = (self._register() for _ in range(3))
            return lines(f"{self._pick(SLOW)} {a}, {b}, {c}")
        return self._simple()

    def _simple(self) -> str:
        a, b, c = (self._register() for _ in range(3))
        kind = self._below(4)
        if kind == 0:
            return lines(f"{self._pick(PLAIN)} {a}, {b}, {c}")
        if kind == 1:
            return two(self._pick(sorted(ONE_OPERAND)), a, b)
        if kind == 2:
            offset = self._below(120)
            return lines(f"{self._pick(sorted(LOADS))} {a}, {offset}(s1)")
        return three(self._pick(sorted(REGISTERS)), a, b, c)

    def _memory(self) -> str:
        register, kind = self._register(), self._below(4)
        if kind == 0:
            return load_post(self._pick(sorted(LOADS)), register, "t1", self._below(8))
        if kind == 1:
            return store_post(self._pick(sorted(STORES)), register, "t1", self._below(8))
        if kind == 2:
            return lines(f"lw {register}, {32 * self._below(60)}(t2)")
        return lines(f"{self._pick(sorted(STORES))} {register}, {self._below(200)}(s1)")

    def _branch(self) -> str:
        """Forward, over a few instructions; whether it is taken depends on the data."""
        skipped = "".join(self._simple() for _ in range(1 + self._below(4)))
        word = self._pick(("beq", "bne", "blt", "bge", "bltu", "bgeu"))
        return lines(f"{word} {self._register()}, {self._register()}, 1f") + skipped + "1:\n"
