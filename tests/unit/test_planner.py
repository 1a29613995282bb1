# SPDX-License-Identifier: Apache-2.0
"""The planner: candidates, the cost model, the choice, the recommendation, the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from touchstone.app import plan_request
from touchstone.cells import Cell, Shape
from touchstone.errors import UserError
from touchstone.manifest import Catalogue
from touchstone.planner import command, recorded
from touchstone.planner.candidates import Candidate, Question, candidates, make_cell
from touchstone.planner.choose import choose, judge_fusion
from touchstone.planner.costs import Costs, fit
from touchstone.planner.features import features
from touchstone.planner.render import Answer, advice, fusion_line, table
from touchstone.schedule import Schedule

EEG = Shape(81, 32, 32, 8, 128)
ECG = Shape(66, 16, 2, 8, 128)


@pytest.fixture
def question(catalogue: Catalogue) -> Question:
    return Question(catalogue.targets["gap9"], EEG, 8)


def portable(catalogue: Catalogue, question: Question, golden: str) -> list[Candidate]:
    return candidates(catalogue, question, golden, ["portable"])


def costs_by(catalogue: Catalogue, cycles: dict[str, int]) -> Costs:
    return Costs(catalogue, cycles, {})


def test_candidates_are_of_one_golden_model(catalogue: Catalogue, question: Question) -> None:
    found = candidates(catalogue, question, "mhsa", None)
    assert {entry.cell.kernel.name for entry in found} == {"mhsa", "mhsa_dft"}
    assert {entry.cell.kernel.golden for entry in found} == {"mhsa"}
    isas = {entry.cell.variant.isa for entry in found}
    assert isas <= {*question.target.isas, "any"}
    ids = [entry.cell.id for entry in found]
    assert len(ids) == len(set(ids))
    for entry in found:
        assert entry.cell.schedule.obeyed(entry.cell.variant.schedule)
        assert entry.cell.schedule.tile <= 81 and entry.cell.schedule.heads <= 8
    layerwise = next(entry for entry in found if entry.cell.variant.name == "layerwise")
    assert layerwise.skip is not None and "does not fit" in layerwise.skip


def test_features_count_the_busiest_core(catalogue: Catalogue) -> None:
    kernel = catalogue.kernels["mhsa_dft"]
    variant = kernel.variant("portable")

    def counted(cores: int, schedule: Schedule) -> tuple[float, ...]:
        question = Question(catalogue.targets["gap9"], EEG, cores)
        return features(make_cell(question, kernel, variant, schedule))

    macs, softmax, outputs, tiles, rounds, one = counted(1, Schedule(27, 1, "accumulate"))
    assert macs == 4 * 81 * 32 * 32 * 8 + 2 * 8 * 81 * 81 * 32
    assert softmax == 8 * 81 * 81
    assert outputs == 4 * 8 * 81 * 32 + 8 * 81 * 81 + 81 * 32
    assert (tiles, rounds, one) == (3 * 8, 8, 1)
    again = counted(1, Schedule(27, 1, "recompute"))
    assert again[0] - macs == 2 * (2 * 81 * 32 * 32 * 8)
    # Three tiles on two cores: one of them does two.
    assert counted(2, Schedule(27, 1, "accumulate"))[1] == softmax * 2 / 3
    # Heads and rows shared out together: 2 x 3 units on 2 cores.
    assert counted(2, Schedule(27, 2, "context"))[1] == softmax / 2


def test_the_model_recovers_what_made_the_measurements(
    catalogue: Catalogue, question: Question
) -> None:
    true = (1.5, 8.0, 3.0, 40.0, 200.0, 1000.0)

    def cycles(cell: Cell) -> int:
        return round(sum(a * b for a, b in zip(true, features(cell), strict=True)))

    cells = [entry.cell for entry in portable(catalogue, question, "mhsa")]
    cells = [cell for cell in cells if cell.kernel.name == "mhsa_dft"]
    model = fit([(cell, cycles(cell)) for cell in cells[::5]])
    assert model is not None and model.error < 1e-3
    assert all(abs(model.cycles(cell) / cycles(cell) - 1) < 1e-2 for cell in cells)
    assert fit([(cells[0], 100), (cells[1], 90)]) is None


def test_the_model_has_no_negative_work(catalogue: Catalogue, question: Question) -> None:
    cells = [entry.cell for entry in portable(catalogue, question, "mhsa")][2:60:7]
    model = fit([(cell, 10**6 - 900 * index) for index, cell in enumerate(cells)])
    assert model is not None and min(model.coefficients) >= 0


def test_what_was_measured_comes_before_records_and_model(
    catalogue: Catalogue, question: Question
) -> None:
    cells = [entry.cell for entry in portable(catalogue, question, "mhsa")][2:10]
    recorded = {cell.id: 1000 for cell in cells[:4]}
    costs = Costs(catalogue, {cells[0].id: 900, "gap9/gone/S1/c1": 5}, recorded)
    found = [costs.of(cell) for cell in cells]
    assert [cost.source for cost in found if cost] == [
        "measured",
        *["recorded"] * 3,
        *["model"] * 4,
    ]
    assert found[0] is not None and found[0].cycles == 900
    never = make_cell(question, catalogue.kernels["softmax"], cells[0].variant)
    assert costs.of(never) is None


def test_the_choice(catalogue: Catalogue, question: Question) -> None:
    found = [entry for entry in portable(catalogue, question, "mhsa") if entry.skip is None]
    by_size = sorted(found, key=lambda entry: entry.needs.activation_bytes)
    small, middle, large = by_size[0], by_size[len(by_size) // 2], by_size[-1]
    cycles = {large.cell.id: 1000, middle.cell.id: 1079, small.cell.id: 5000}
    costs = costs_by(catalogue, {**cycles})
    chosen = choose([small, middle, large], costs, None)
    assert chosen.fastest and chosen.balanced and chosen.smallest
    assert chosen.fastest.candidate is large
    assert chosen.balanced.candidate is middle
    assert chosen.smallest.candidate is small
    limit = middle.needs.activation_bytes
    limited = choose([small, middle, large], costs, limit)
    assert limited.fastest and limited.fastest.candidate is middle
    none = choose([small, middle, large], costs, 10)
    assert none.fastest is none.balanced is none.smallest is None
    text = "\n".join(advice(Answer(question, "mhsa", none, 10)))
    assert "bytes more than memory=10" in text


def test_what_does_not_fit_is_never_chosen(catalogue: Catalogue, question: Question) -> None:
    found = candidates(catalogue, question, "mhsa", ["layerwise", "portable"])
    layerwise = next(entry for entry in found if entry.cell.variant.name == "layerwise")
    costs = costs_by(catalogue, {layerwise.cell.id: 1})
    assert choose([layerwise], costs, None).fastest is None
    answer = Answer(question, "mhsa", choose(found, costs, None), None)
    assert "does not fit" in table(answer)


def fusion(catalogue: Catalogue, shape: Shape, plain: int, fused: int) -> str:
    question = Question(catalogue.targets["gap9"], shape, 8)
    choices = []
    for golden, cycles in (("mhsa", plain), ("mhsa_fwsa", fused)):
        (own,) = (
            entry
            for entry in portable(catalogue, question, golden)
            if entry.cell.kernel.name == golden
        )
        choices.append(choose([own], costs_by(catalogue, {own.cell.id: cycles}), None))
    return fusion_line(judge_fusion(*choices))


def test_fusion_is_recommended_where_it_wins_only(catalogue: Catalogue) -> None:
    line = fusion(catalogue, EEG, 1100, 1000)
    assert "FWSA (changes the numbers, so never chosen here): recommended" in line
    assert "(1.10x), weights -25 %" in line
    line = fusion(catalogue, ECG, 1000, 1001)
    assert "not recommended; it loses" in line
    assert "not recommended; it loses" in fusion(catalogue, ECG, 1000, 1000)


def test_a_win_within_the_doubt_of_the_model_is_no_recommendation(
    catalogue: Catalogue, question: Question
) -> None:
    noisy = {}
    plain = [e for e in portable(catalogue, question, "mhsa") if e.cell.kernel.name == "mhsa_dft"]
    for index, entry in enumerate(plain[1:9]):
        noisy[entry.cell.id] = 10**6 + 300_000 * (index % 2)
    (fused,) = (
        e for e in portable(catalogue, question, "mhsa_fwsa") if e.cell.kernel.name == "mhsa_fwsa"
    )
    costs = costs_by(catalogue, {**noisy, fused.cell.id: 10**6})
    unmeasured = [entry for entry in plain if entry.cell.id not in noisy]
    before = choose(unmeasured, costs, None)
    assert before.fastest is not None and before.fastest.cost is not None
    assert before.fastest.cost.error > 0.02
    near = round(before.fastest.cycles / 1.01)
    costs = costs_by(catalogue, {**noisy, fused.cell.id: near})
    verdict = judge_fusion(before, choose([fused], costs, None))
    assert not verdict.recommended and "doubt of the model" in verdict.reason


def test_the_command_explains(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setattr(command, "REPORT", str(tmp_path))
    monkeypatch.setattr(command, "YAML_CACHE", str(tmp_path / "yaml"))
    known = {
        f"stm32l4/mhsa_dft/S81-E32-P32-H8/c1/tile{tile}/heads1/order_{order}": cycles
        for tile, order, cycles in (
            (4, "accumulate", 1000),
            (8, "context", 900),
            (2, "recompute", 9),
        )
    }
    (tmp_path / "last_cycles.json").write_text(json.dumps(known))
    assert command.plan(root, {"target": "stm32l4", "S": "81", "kernel": "mhsa"}) == 0
    text = capsys.readouterr().out
    assert text.startswith("stm32l4: mhsa at S81-E32-P32-H8-F128 on 1 core")
    assert "smallest  ./scons cell=stm32l4/mhsa" in text
    assert "FWSA" not in text
    for words, problem in (
        ({"memory": "1k"}, "allowed a whole number of bytes"),
        ({"colour": "1"}, "plan: variable: found 'colour'"),
        ({"target": "gap"}, "did you mean gap9"),
        ({"record": "yes"}, "allowed record=1 or record=check alone"),
    ):
        with pytest.raises(UserError, match=problem):
            command.plan(root, words)


def test_recording_needs_every_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setattr(command, "REPORT", str(tmp_path))
    with pytest.raises(UserError, match="have no cycles, first"):
        command.plan(root, {"record": "1"})


def test_recorded_cycles_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(__file__).resolve().parents[2]
    _, _, cells = plan_request(root, {"config": recorded.MATRIX})
    kept = {planned.cell.id: 7 for planned in cells if planned.skip is None}
    first = min(kept)
    monkeypatch.setattr(command, "REPORT", str(tmp_path))
    monkeypatch.setattr(recorded, "FILE", str(tmp_path / "planner.json"))
    for cycles, status, said in (
        (kept, 0, f"all {len(kept)} cells as recorded"),
        ({**kept, first: 1}, 1, f"{first}: recorded 7, now 1;"),
    ):
        recorded.write(root, kept)
        (tmp_path / "last_cycles.json").write_text(json.dumps(cycles))
        assert command.plan(root, {"record": "check"}) == status
        assert said in capsys.readouterr().out
    recorded.write(root, {name: kept[name] for name in kept if name != first})
    assert command.plan(root, {"record": "check"}) == 1
    assert f"STALE {recorded.FILE}" in capsys.readouterr().out


def test_a_schedule_that_a_variant_lacks_is_no_candidate(
    catalogue: Catalogue, question: Question
) -> None:
    kernel = catalogue.kernels["mhsa_dft"]
    narrow = replace(kernel.variant("portable"), schedule=("tile", "order_accumulate"))
    only = replace(kernel, variants=(narrow,))
    found = candidates(Catalogue({"mhsa_dft": only}, catalogue.targets), question, "mhsa", None)
    assert {entry.cell.schedule.order for entry in found} == {"", "accumulate"}
    assert {entry.cell.schedule.heads for entry in found} == {0}
