# SPDX-License-Identifier: Apache-2.0
"""`./scons mutation seed=N mutants=N [golden=N] [sources=N] [least=PERCENT] [also=CONFIG ...]`

The default matrix (or config=, target=, kernel= ...) is brought up to date first. Then the kernels'
machine code, some of their sources and the golden models are broken, and the checks have to see it.
The score is the share of caught ones among the executed mutants that are not shown to be
equivalent, by a rule or by an argument in tests/mutation/equivalents.yaml. Survivors are tried on
the cells of `also=` besides, which is said but counts for nothing. Status 1 where the score is
below `least` (100), or a mistake in a source survives, or a golden mutant does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone import app
from touchstone.errors import UserError, unknown
from touchstone.fuzz import run_build
from touchstone.mutation import golden_models, machine_code, source
from touchstone.mutation.arguments import Argument, load_arguments, outdated
from touchstone.mutation.machine_code import Result
from touchstone.mutation.trial import Subject, subjects
from touchstone.process import ProcessRegistry

LISTS = Path("tests") / "mutation"
SELECTION = ("config", "target", "kernel", "variant")
NUMBERS = {"seed": None, "mutants": 40, "golden": 20, "sources": 1000, "least": 100}
ALLOWED = (*NUMBERS, "also", *SELECTION)


def mutation(root: Path, arguments: Mapping[str, str]) -> int:
    """Break things, print what became of it, and say how good the checks are."""
    for name in arguments:
        if name not in ALLOWED:
            raise UserError(unknown("mutation: variable", name, ALLOWED))
    numbers = {name: _number(arguments, name) for name in NUMBERS}
    words = [f"{name}={arguments[name]}" for name in SELECTION if name in arguments]
    arguments_for = load_arguments(root / LISTS / "equivalents.yaml")
    mistakes = source.load_mistakes(root / LISTS / "mistakes.yaml")[: numbers["sources"]]
    status = run_build(root, words)
    if status != 0:
        print("mutation: the matrix does not pass as it is")
        return status
    selection = {name: arguments[name] for name in SELECTION if name in arguments}
    registry = ProcessRegistry()
    found = subjects(root, app.prepare(root, selection).plans)
    also = _also(root, arguments, words)
    jobs = app.processors()
    results = machine_code.try_mutants(
        found, numbers["seed"], numbers["mutants"], arguments_for, jobs, registry, _say, also
    )
    wrong = source.try_mistakes(found, mistakes, jobs, registry, _say_mistake)
    edits = golden_models.drawn(root, numbers["seed"], numbers["golden"])
    models = golden_models.try_edits(root, edits, arguments_for, jobs, _say_golden)
    lines, score = summary(results)
    lines += _about_arguments(arguments_for, results, found)
    survivors = [result.mistake for result in wrong if result.caught is None]
    lines.append(f"mistakes in sources: {len(wrong) - len(survivors)} of {len(wrong)} caught")
    open_models = sum(result.outcome == "SURVIVED" for result in models)
    words_of = Counter(result.outcome for result in models)
    lines.append(f"golden models: {len(models)} mutants: {_counted(words_of)}")
    good = score >= numbers["least"] and not survivors and not open_models
    print("\n".join([*lines, f"{'PASS' if good else 'FAIL'}: at least {numbers['least']} %"]))
    return 0 if good else 1


def summary(results: Sequence[Result]) -> tuple[list[str], float]:
    """Lines for each target and for all, and the mutation score in percent."""
    by_target: dict[str, Counter[str]] = {}
    for result in results:
        target = result.mutant.subject.firmware.compiler.target.name
        by_target.setdefault(target, Counter())[result.outcome] += 1
    total = sum(by_target.values(), Counter())
    by_target["all"] = total
    lines = [f"{name}: {_counted(counts)}" for name, counts in by_target.items()]
    left = sum(total.values()) - total[machine_code.NOT_EXECUTED] - total[machine_code.EQUIVALENT]
    open_ones = sum(total[outcome] for outcome in machine_code.OPEN)
    score = 100.0 * (left - open_ones) / left if left else 0.0
    lines.append(
        f"mutation score of the machine code: {score:.1f} % of {left} executed mutants that are "
        f"not shown to be equivalent ({total[machine_code.CAUGHT]} by outputs, "
        f"{total[machine_code.CAUGHT_CYCLES]} by cycles alone)"
    )
    return lines, score


def _about_arguments(
    arguments: Mapping[str, Argument], results: Sequence[Result], found: Sequence[Subject]
) -> list[str]:
    """What there is to say about the list of arguments: those about code that has changed, and how
    to add one."""
    used = {result.mutant.subject.name for result in results}
    firmwares = {subject.name: subject.places for subject in found if subject.name in used}
    lines = [
        f"equivalents.yaml: about code that has changed: {name}"
        for name in outdated(arguments, firmwares)
    ]
    if any(result.outcome == machine_code.SURVIVED for result in results):
        lines.append(
            "a survivor: either let a cell of the matrix see it, or, where nothing can, add its "
            "`mutant` and `function` with a `because` to tests/mutation/equivalents.yaml"
        )
    return lines


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in sorted(counts))


def _also(root: Path, arguments: Mapping[str, str], words: Sequence[str]) -> list[Any]:
    """The firmwares of a wider matrix, that survivors are tried on."""
    if "also" not in arguments:
        return []
    others = [word for word in words if not word.startswith("config=")]
    settings = {"config": arguments["also"], "settings": "over_reads:trap"}
    if run_build(root, [*others, *(f"{name}={value}" for name, value in settings.items())]) != 0:
        raise UserError(f"mutation: also={arguments['also']}: does not pass as it is")
    chosen = {name: arguments[name] for name in SELECTION if name in arguments}
    return subjects(root, app.prepare(root, {**chosen, **settings}).plans)


def _number(arguments: Mapping[str, str], name: str) -> int:
    default = NUMBERS[name]
    if name not in arguments:
        if default is None:
            raise UserError(f"mutation: found no {name}=, allowed a whole number")
        return default
    text = arguments[name]
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise UserError(f"{name}={text}: found {text!r}, allowed whole numbers 0 to 999999")
    return int(text)


def _say(result: Result) -> None:
    print(f"{result.outcome}: {result.mutant}: {result.why}", flush=True)


def _say_mistake(result: source.SourceResult) -> None:
    by = f"{result.caught.status} {result.caught.cell}" if result.caught else "every cell passes"
    outcome = machine_code.CAUGHT if result.caught else machine_code.SURVIVED
    print(f"{outcome}: {result.mistake.firmware}: {result.mistake.name}: {by}", flush=True)


def _say_golden(result: golden_models.GoldenResult) -> None:
    print(f"{result.outcome}: {result.edit}", flush=True)
