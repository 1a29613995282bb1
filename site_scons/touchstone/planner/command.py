# SPDX-License-Identifier: Apache-2.0
"""`./scons plan [target= kernel= variant= S= E= P= H= F= cores= memory=BYTES]`, `record=`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

from touchstone.app import REPORT, YAML_CACHE, plan_request
from touchstone.cells import Shape
from touchstone.config import select_names
from touchstone.errors import UserError, unknown
from touchstone.manifest import DIMENSIONS, Catalogue, load_catalogue
from touchstone.plan import REFERENCE_SHAPE
from touchstone.planner import recorded
from touchstone.planner.candidates import Question, candidates
from touchstone.planner.choose import Choice, choose, judge_fusion
from touchstone.planner.costs import Costs
from touchstone.planner.render import Answer, advice, fusion_line, table, title
from touchstone.request import Request, parse_request
from touchstone.results import recall_cycles

ALLOWED = ("target", "kernel", "variant", *DIMENSIONS, "cores", "memory", "record")
PLAIN, FUSED = "mhsa", "mhsa_fwsa"


def plan(root: Path, arguments: Mapping[str, str]) -> int:
    """Prints the candidates of every question, the choice and the reasons."""
    for name in arguments:
        if name not in ALLOWED:
            raise UserError(unknown("plan: variable", name, ALLOWED))
    if arguments.get("record") is not None:
        return record(root, arguments)
    words = {name: value for name, value in arguments.items() if name != "memory"}
    request = parse_request(words)
    memory = _memory(arguments.get("memory"))
    catalogue = load_catalogue(root, root / YAML_CACHE)
    costs = known_costs(root, catalogue)
    goldens = _goldens(catalogue, request)
    for question in questions(catalogue, request):
        print("\n\n".join(_sections(catalogue, costs, question, goldens, request, memory)))
        print()
    return 0


def record(root: Path, arguments: Mapping[str, str]) -> int:
    """Keeps the cycles that the cells of configs/planner.yaml had last, or compares them with what
    was kept; 1 where they differ."""
    if dict(arguments) not in ({"record": "1"}, {"record": "check"}):
        raise UserError(
            "plan: found record= with other words, or neither 1 nor check, allowed record=1 or "
            "record=check alone"
        )
    _, _, cells = plan_request(root, {"config": recorded.MATRIX})
    known = recall_cycles(root / REPORT / "last_cycles.json")
    names = [planned.cell.id for planned in cells if planned.skip is None]
    missing = [name for name in names if name not in known]
    if missing:
        raise UserError(
            f"plan: {len(missing)} cells of {recorded.MATRIX} have no cycles, first {missing[0]}; "
            f"run ./scons config={recorded.MATRIX}"
        )
    cycles = {name: known[name] for name in names}
    if arguments["record"] == "check":
        return _check(root, cycles)
    recorded.write(root, cycles)
    print(f"{recorded.FILE}: the cycles of {len(names)} cells")
    return 0


def _check(root: Path, cycles: Mapping[str, int]) -> int:
    kept = recorded.load(root)
    stale = recorded.stale(root, cycles)
    if stale is None and set(kept) != set(cycles):
        odd = sorted(set(kept) ^ set(cycles))
        stale = f"STALE {recorded.FILE}: {odd[0]} is in one of it and {recorded.MATRIX} alone"
    print(f"plan: {stale}" if stale else f"{recorded.FILE}: all {len(cycles)} cells as recorded")
    return 1 if stale else 0


def known_costs(root: Path, catalogue: Catalogue) -> Costs:
    """What was measured here and what the checkout has recorded."""
    measured = recall_cycles(root / REPORT / "last_cycles.json")
    return Costs(catalogue, measured, recorded.load(root))


def questions(catalogue: Catalogue, request: Request) -> Iterator[Question]:
    """Target x shape x cores; a dimension that is not said is the reference shape's."""
    names = select_names(request.target or ("*",), list(catalogue.targets), "target")
    said = request.dimensions or {}
    reference = REFERENCE_SHAPE.values()
    lists = [said.get(name, (reference[name],)) for name in DIMENSIONS]
    for name, values in product(names, product(*lists)):
        target = catalogue.targets[name]
        for cores in request.cores or (target.default_cores,):
            if cores <= target.max_cores:
                yield Question(target, Shape(*values), cores)


def _goldens(catalogue: Catalogue, request: Request) -> list[str]:
    """The golden models of the named kernels; the attention block's where none is named."""
    if request.kernel is None:
        return [PLAIN, FUSED]
    names = select_names(request.kernel, list(catalogue.kernels), "kernel")
    return list(dict.fromkeys(catalogue.kernels[name].golden for name in names))


def _sections(
    catalogue: Catalogue,
    costs: Costs,
    question: Question,
    goldens: list[str],
    request: Request,
    memory: int | None,
) -> Iterator[str]:
    choices: dict[str, Choice] = {}
    for golden in goldens:
        found = candidates(catalogue, question, golden, request.variant)
        choices[golden] = choose(found, costs, memory)
        answer = Answer(question, golden, choices[golden], memory)
        yield "\n\n".join([title(answer), table(answer), "\n".join(advice(answer))])
    if PLAIN in choices and FUSED in choices:
        yield fusion_line(judge_fusion(choices[PLAIN], choices[FUSED]))


def _memory(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise UserError(f"memory={text}: found {text!r}, allowed a whole number of bytes")
    return int(text)
