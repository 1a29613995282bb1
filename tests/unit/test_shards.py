# SPDX-License-Identifier: Apache-2.0
"""The plan in shards of like cost, as JSON and as a workflow's matrix."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from touchstone.ci import listing
from touchstone.ci.costs import (
    COMMITTED,
    SCHEMA,
    START_WORK,
    costs_of,
    executed,
    load_costs,
    record_costs,
)
from touchstone.ci.shards import Shard, parse_shard, parts, plan_digest, take
from touchstone.errors import UserError
from touchstone.plan import PlannedCell
from touchstone.runfile import CellRun, write_run
from touchstone.simulators.base import RunStatus

ROOT = Path(__file__).resolve().parents[2]


def said(call: Any, *arguments: Any) -> str:
    with pytest.raises(UserError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def names(cells: Sequence[PlannedCell]) -> list[str]:
    return [planned.cell.id for planned in cells]


def test_words() -> None:
    assert parse_shard("2/4") == Shard(2, 4)
    assert str(Shard(2, 4)) == "2/4"


@pytest.mark.parametrize("text", ["", "2", "0/4", "5/4", "1/0", "1/257", "-1/4", "1/4/4", "a/b"])
def test_wrong_words(text: str) -> None:
    assert said(parse_shard, text) == (
        f"shard={text}: found {text!r}, allowed i/n with 1 <= i <= n, such as 2/4, n at most 256"
    )


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100])
def test_each_cell_is_in_exactly_one_shard(default_cells: list[PlannedCell], count: int) -> None:
    costs = costs_of(default_cells, {})
    found = [take(default_cells, costs, Shard(i, count))[0] for i in range(1, count + 1)]
    assert sorted(name for part in found for name in names(part)) == sorted(names(default_cells))
    assert all(any(planned.skip is None for planned in part) for part in found)
    order = {name: index for index, name in enumerate(names(default_cells))}
    assert all(names(part) == sorted(names(part), key=order.__getitem__) for part in found)


def test_shards_cost_alike(default_cells: list[PlannedCell]) -> None:
    """No shard exceeds an even share by more than its costliest cell."""
    recorded = {name: 10 + index**2 % 977 for index, name in enumerate(names(default_cells))}
    costs = costs_of(default_cells, recorded)
    loads = [sum(costs[n] for n in names(part)) for part in parts(default_cells, costs, 4)]
    assert max(loads) - min(loads) <= max(costs.values())
    assert sum(loads) == sum(costs.values())


def test_recorded_costs_decide(default_cells: list[PlannedCell]) -> None:
    cells = [planned for planned in default_cells if planned.skip is None][:6]
    slow = cells[3].cell.id
    costs = costs_of(cells, {**dict.fromkeys(names(cells), 10), slow: 10**9})
    first, second = sorted(parts(cells, costs, 2), key=len)
    assert names(first) == [slow]
    assert len(second) == 5


def test_what_is_not_recorded_costs_what_its_work_costs(default_cells: list[PlannedCell]) -> None:
    cells = [p for p in default_cells if p.skip is None and p.cell.target.name == "gap9"]
    light, heavy = sorted(cells, key=lambda p: p.needs.macs)[:: len(cells) - 1]
    recorded = {name: 10**8 for name in names(cells) if name not in (light.cell.id, heavy.cell.id)}
    costs = costs_of(cells, recorded)
    assert START_WORK <= costs[light.cell.id] < 10**8 < costs[heavy.cell.id]


def test_skipped_cells_cost_nothing(default_cells: list[PlannedCell]) -> None:
    costs = costs_of(default_cells, {})
    assert {costs[p.cell.id] for p in default_cells if p.skip is not None} == {0}
    assert min(costs[p.cell.id] for p in default_cells if p.skip is None) >= START_WORK


def test_the_committed_record_is_of_the_default_matrix(default_cells: list[PlannedCell]) -> None:
    """`./scons costs` makes it anew; a cell that is not in it is estimated."""
    recorded = load_costs(ROOT, None)
    running = [p for p in default_cells if p.skip is None]
    known = [p for p in running if p.cell.id in recorded]
    assert len(known) >= 0.8 * len(running), f"run ./scons costs: {COMMITTED} is out of date"
    costs = costs_of(default_cells, recorded)
    assert all(costs[p.cell.id] == recorded[p.cell.id] + START_WORK for p in known)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_shards_are_cut_by_the_committed_record(
    default_cells: list[PlannedCell], count: int
) -> None:
    """As `shard=` and `merge` cut: the parts cost the same by the record, within a cell's cost."""
    recorded = load_costs(ROOT, None)
    costs = costs_of(default_cells, recorded)
    found = [take(default_cells, costs, Shard(i, count))[0] for i in range(1, count + 1)]
    loads = [sum(costs[name] for name in names(part)) for part in found]
    assert max(loads) < 1.02 * sum(loads) / count
    blind = parts(default_cells, costs_of(default_cells, {}), count)
    assert [names(part) for part in blind] != [names(part) for part in found]


def test_instructions_of_runs(tmp_path: Path, default_cells: list[PlannedCell]) -> None:
    """Those of complete runs that were counted; no other is guessed."""
    done, killed, damaged, absent = default_cells[:4]
    for planned, total, status in (
        (done, 4711, RunStatus.COMPLETED),
        (killed, None, RunStatus.TIMEOUT),
    ):
        path = tmp_path / "build/cells" / planned.cell.id / "cell.run"
        path.parent.mkdir(parents=True)
        run = CellRun(status, "", "ab", 10, 11, 9, total, 64, (), None, "")
        write_run(path, run)
    path = tmp_path / "build/cells" / damaged.cell.id / "cell.run"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    assert executed(tmp_path, [done, killed, damaged, absent]) == {done.cell.id: 4711}


def test_more_shards_than_cells_that_run(default_cells: list[PlannedCell]) -> None:
    runs = next(p for p in default_cells if p.skip is None)
    cells = [runs, *(p for p in default_cells if p.skip is not None)]
    assert said(parts, cells, costs_of(cells, {}), 2) == (
        "shards: found 2, allowed at most 1, the cells that run"
    )


def test_digest_tells_plans_apart(default_cells: list[PlannedCell]) -> None:
    cells = default_cells[:8]
    plain = parts(cells, costs_of(cells, {}), 2)
    alone = {**dict.fromkeys(names(cells), 1), cells[0].cell.id: 10**9}
    other = parts(cells, costs_of(cells, alone), 2)
    skipped = [[replace(plain[0][0], skip="does not fit"), *plain[0][1:]], plain[1]]
    digests = {plan_digest(p) for p in (plain, other, skipped, plain[::-1])}
    assert len(digests) == 4
    assert plan_digest(plain) == plan_digest(parts(cells, costs_of(cells, {}), 2))


def test_record(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    record_costs(path, {"a": 123, "b": 2000})
    record_costs(path, {"b": 1000})
    record_costs(path, {})
    assert load_costs(tmp_path, str(path)) == {"a": 123, "b": 1000}
    path.write_text("damaged")
    record_costs(path, {"c": 1000})
    assert load_costs(tmp_path, str(path)) == {"c": 1000}


def test_record_that_is_committed(tmp_path: Path) -> None:
    assert load_costs(tmp_path, None) == {}
    committed = tmp_path / "configs" / "costs.json"
    committed.parent.mkdir()
    committed.write_text('{"schema": 2, "instructions": {"a": 7}}')
    assert load_costs(tmp_path, None) == {"a": 7}


def test_wrong_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert said(load_costs, tmp_path, "no.json") == (
        "costs=no.json: found no readable file (No such file or directory)"
    )
    path = Path("c.json")
    path.write_text("{")
    assert said(load_costs, tmp_path, "c.json") == (
        "c.json: found no JSON, allowed a costs.json of a build"
    )
    for text in (
        "[]",
        '{"schema": 1, "milliseconds": {}}',
        '{"schema": 2}',
        '{"schema": 2, "instructions": {"a": -1}}',
        '{"schema": 2, "instructions": {"a": true}}',
    ):
        path.write_text(text)
        assert said(load_costs, tmp_path, "c.json").startswith("c.json: found another document")
    assert SCHEMA == 2


def test_list_as_text(default_cells: list[PlannedCell]) -> None:
    text = listing.render(default_cells, costs_of(default_cells, {}), "text", None)
    lines = text.splitlines()
    assert [line.split("  ")[0] for line in lines] == names(default_cells)
    skipped = [planned for planned in default_cells if planned.skip]
    assert sum("  SKIP: does not fit" in line for line in lines) == len(skipped) > 0


def test_list_as_json(default_cells: list[PlannedCell]) -> None:
    costs = costs_of(default_cells, {})
    document = json.loads(listing.render(default_cells, costs, "json", None))
    assert [entry["id"] for entry in document["cells"]] == names(default_cells)
    entry = document["cells"][0]
    planned = default_cells[0]
    assert entry["cost"] == costs[planned.cell.id]
    assert entry["macs"] == planned.needs.macs
    assert entry["skip"] is None


def test_list_as_a_workflow_matrix(default_cells: list[PlannedCell]) -> None:
    costs = costs_of(default_cells, {})
    text = listing.render(default_cells, costs, "github-matrix", "3")
    assert "\n" not in text  # GITHUB_OUTPUT takes one line
    include = json.loads(text)["include"]
    assert [entry["shard"] for entry in include] == ["1/3", "2/3", "3/3"]
    assert sum(entry["cells"] for entry in include) == len(default_cells)
    few = json.loads(listing.render(default_cells[:2], costs, "github-matrix", "8"))
    assert [entry["shard"] for entry in few["include"]] == ["1/2", "2/2"]


def test_wrong_lists(default_cells: list[PlannedCell]) -> None:
    costs = costs_of(default_cells, {})
    assert said(listing.render, default_cells, costs, "yaml", None) == (
        "list: format: found 'yaml', allowed github-matrix, json, text"
    )
    assert said(listing.render, default_cells, costs, "json", "2") == (
        "list: found shards=2, allowed only with format=github-matrix"
    )
    for text in ("0", "257", "x", "-1"):
        assert said(listing.render, default_cells, costs, "github-matrix", text) == (
            f"list: shards={text}: found {text!r}, allowed 1 to 256"
        )
