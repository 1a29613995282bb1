# SPDX-License-Identifier: Apache-2.0
"""`sim=gvsoc` and `./scons fidelity` as a user says them, where GVSOC is installed."""

from __future__ import annotations

import json

import pytest
from installed import CONFIG, passed

from tests.e2e.project import Project
from touchstone.simulators.registry import EXTERNAL, find_external

needs_gvsoc = pytest.mark.skipif(
    find_external(EXTERNAL["gvsoc"]) is None, reason="not installed: gvsoc (GVSOC_HOME)"
)


@needs_gvsoc
def test_cells_run_and_say_whose_cycles_they_have(checkout: Project) -> None:
    words = ("target=gap9", "kernel=layernorm", "sim=gvsoc")
    (row,) = passed(checkout, *words).values()
    assert row["timing"] == "cycle-approximate"
    clock = str(row["clock"])
    assert clock.startswith("GVSOC pulp-open's own timing model, version ")
    assert "unknown" not in clock
    assert row["settings"] == {
        "platform": "pulp_open",
        "bank_conflicts": "on",
        "l1_bytes": "131072",
        "weights": "near",
    }
    assert row["cycles"] is not None
    assert row["instructions"] is None
    again = checkout.run(*words, config=CONFIG)
    assert again.status == 0
    assert "simulate" not in again.built
    other = passed(checkout, *words, "settings=bank_conflicts:off")
    assert list(other) == [f"{row['id']}/bank_conflicts-off"]


@needs_gvsoc
def test_fidelity_compares_live_cells(checkout: Project) -> None:
    ended = checkout.run("fidelity", "kernel=layernorm,mhsa", config=CONFIG)
    assert ended.status == 0, ended.output + ended.error
    document = json.loads(checkout.path("build/report/fidelity.json").read_text())
    assert document["kind"] == "live"
    assert [cell["equal"] for cell in document["cells"]] == [True] * 4
    assert {cell["conflicts"] for cell in document["cells"]} == {"off", "on"}
    assert "PASS: outputs equal" in ended.output
    assert "gap9/mhsa/" in checkout.path("build/report/fidelity.md").read_text()


def test_absence_is_one_line(checkout: Project) -> None:
    for words in (("target=gap9", "sim=gvsoc"), ("fidelity", "kernel=layernorm")):
        ended = checkout.run(*words, config=CONFIG, GVSOC_HOME="/nowhere")
        assert ended.status == 2
        assert ended.error.count("\n") == 1
        assert "gvsoc is not installed: no gvsoc in GVSOC_HOME (/nowhere)" in ended.error
