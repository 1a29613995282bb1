# SPDX-License-Identifier: Apache-2.0
"""Mutants of machine code: drawn by a seed, tried on the matrix, survivors looked at closely."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, zip_longest

from touchstone.errors import UserError
from touchstone.fuzz import Draw
from touchstone.mutation.arguments import Argument, function_digest
from touchstone.mutation.code import Place
from touchstone.mutation.operators import TRAP, Change, changes, offered
from touchstone.mutation.rules import shown_equivalent
from touchstone.mutation.trial import Caught, Subject, first_failure, patched
from touchstone.process import ProcessRegistry

CAUGHT = "caught"
CAUGHT_CYCLES = "caught by cycles"
EQUIVALENT = "equivalent"
MISJUDGED = "MISJUDGED"
NOT_EXECUTED = "not executed"
SURVIVED = "SURVIVED"
BEYOND = "CAUGHT BEYOND THE MATRIX"
# What makes the score less than 100 %.
OPEN = (SURVIVED, BEYOND, MISJUDGED)
# Mutants for each firmware of a target that is profiled.
MUTANTS_EACH = 10


@dataclass(frozen=True)
class Mutant:
    """One change of one instruction of one firmware."""

    subject: Subject
    place: Place
    change: Change

    @property
    def name(self) -> str:
        """Holds as long as the function does: no address is in it."""
        return f"{self.subject.name} {self.place.name} -> {self.change.code.hex()}"

    def __str__(self) -> str:
        place = self.place.name
        return f"{self.subject.name} {place}: {self.change.operator}: {self.change.text}"


@dataclass(frozen=True)
class Result:
    """What became of a mutant; `why` says by what it was caught, or why it cannot be."""

    mutant: Mutant
    outcome: str
    why: str


def drawn(found: Sequence[Subject], seed: int, registry: ProcessRegistry) -> Iterator[Mutant]:
    """Mutants in the seed's order, one of each instruction at most; the targets take turns.

    Every instruction has a number of its own, from the seed and its name, that is divided by its
    weight; the smallest come first. So an edit of one function leaves the others' mutants alone.
    """
    ranked: dict[str, list[tuple[float, Subject, Place]]] = {}
    for subject in found:
        executions = subject.executions(registry)
        for place in subject.places:
            number = -math.log1p(-_unit(f"{seed}/{subject.name}/{place.name}"))
            weight = _weight(executions.get(place.address, 0))
            target = subject.firmware.compiler.target.name
            ranked.setdefault(target, []).append((number / weight, subject, place))
    if not ranked:
        raise UserError("mutation: no firmware of the embedded simulators is selected")
    ordered = [sorted(ranked[name], key=lambda item: item[0]) for name in sorted(ranked)]
    for turn in zip_longest(*ordered):
        for item in turn:
            mutant = _mutant(item[1], item[2], seed) if item is not None else None
            if mutant is not None:
                yield mutant


def chosen(found: Sequence[Subject], seed: int, number: int) -> list[Subject]:
    """As many firmwares of each target as so many mutants are worth getting to know."""
    most = math.ceil(number / MUTANTS_EACH)
    by_target: dict[str, list[Subject]] = {}
    for subject in sorted(found, key=lambda subject: _unit(f"{seed}/{subject.name}")):
        by_target.setdefault(subject.firmware.compiler.target.name, []).append(subject)
    return [subject for name in sorted(by_target) for subject in by_target[name][:most]]


def _unit(text: str) -> float:
    """A number in [0, 1) that depends on a text only."""
    return Draw(f"mutation/{text}").below(1 << 53) / (1 << 53)


def _weight(executions: int) -> float:
    """What runs often is mutated more often, but nothing is left out."""
    return 1.0 + math.log2(executions) if executions else 0.125


def _mutant(subject: Subject, place: Place, seed: int) -> Mutant | None:
    draw = Draw(f"change/{seed}/{subject.name}/{place.name}")
    choices = offered(changes(subject.machine, subject.language, place.code, place.offset))
    if not choices:
        return None
    items = list(choices.values())[draw.below(len(choices))]
    return Mutant(subject, place, items[draw.below(len(items))])


def judge_mutant(
    mutant: Mutant,
    arguments: Mapping[str, Argument],
    registry: ProcessRegistry,
    also: Sequence[Subject] = (),
) -> Result:
    """Try a mutant; where every cell passes, say why it changes nothing, whether its instruction
    executes at all, whether its cycles tell, and whether the cells of `also` see it."""
    subject, place = mutant.subject, mutant.place
    loadable = patched(subject.loadable, place.address, mutant.change.code)
    caught = first_failure(subject, loadable, registry)
    argument = arguments.get(mutant.name)
    if caught is not None and caught.by_output:
        why = _by(caught)
        if argument is not None:
            return Result(mutant, MISJUDGED, f"{why}, though argued for: {argument.because}")
        return Result(mutant, CAUGHT, why)
    trap = TRAP[subject.machine][len(place.code)]
    trapped = first_failure(subject, patched(subject.loadable, place.address, trap), registry)
    if trapped is None or not trapped.by_output:
        why = f"none of {len(subject.plans)} cells fails with a trap in its place"
        return Result(mutant, NOT_EXECUTED, why)
    function = [each for each in subject.places if each.function == place.function]
    shown = shown_equivalent(place, mutant.change, function, subject.language)
    digest = function_digest(function, place.function)
    if argument is not None and argument.function == digest:
        shown = argument.because
    if shown is not None:
        return Result(mutant, EQUIVALENT, shown)
    if caught is not None:
        return Result(mutant, CAUGHT_CYCLES, _by(caught))
    entry = f"mutant: {mutant.name!r}, function: {digest}"
    for other in also:
        if other.name == subject.name and other.loadable == subject.loadable:
            beyond = first_failure(other, loadable, registry)
            if beyond is not None and beyond.by_output:
                return Result(mutant, BEYOND, f"{_by(beyond)} ({entry})")
    old = "its argument is about other code; " if argument is not None else ""
    return Result(mutant, SURVIVED, f"{old}all {len(subject.plans)} cells pass ({entry})")


def _by(caught: Caught) -> str:
    more = "" if caught.by_output else f": {caught.reason}"
    return f"{caught.status} {caught.cell}{more}"


def try_mutants(
    found: Sequence[Subject],
    seed: int,
    number: int,
    arguments: Mapping[str, Argument],
    jobs: int,
    registry: ProcessRegistry,
    say: Callable[[Result], None],
    also: Sequence[Subject] = (),
) -> list[Result]:
    """Draw until `number` mutants of executed instructions have been judged.

    Which ones they are depends on the seed and the firmware alone, not on `jobs`.
    """
    source = drawn(chosen(found, seed, number), seed, registry)
    results: list[Result] = []
    with ThreadPoolExecutor(jobs) as pool:
        while (missing := number - executed(results)) > 0:
            batch = list(islice(source, missing))
            if not batch:
                raise UserError(f"mutation: found {executed(results)} mutants, asked for {number}")
            judged = pool.map(lambda mutant: judge_mutant(mutant, arguments, registry, also), batch)
            for result in judged:
                results.append(result)
                say(result)
    return results


def executed(results: Sequence[Result]) -> int:
    """How many mutants changed an instruction that some cell executes."""
    return sum(result.outcome != NOT_EXECUTED for result in results)
