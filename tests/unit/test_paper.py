# SPDX-License-Identifier: Apache-2.0
"""The paper's claims beside figures: from made-up results; no simulator runs here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from touchstone import nested
from touchstone.errors import UserError
from touchstone.files import write_json
from touchstone.network.report import Cell as NetworkCell
from touchstone.paper import command, networks
from touchstone.paper.claims import MISSING, Claim, claims
from touchstone.paper.measured import EEG, LARGE, TR, Measured, Shape, mean, ratio
from touchstone.paper.render import html, markdown
from touchstone.paper.sweeps import HELD, cores, sweeps
from touchstone.yamlio import parse_yaml

ROOT = Path(__file__).parents[2]


def cell(kernel: str, shape: Shape, cycles: int, **more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"target": "gap9", "cores": 8, "variant": "xpulp", "status": "PASS"}
    fields |= {"schedule": {"tile": None, "heads": None, "order": None}, "reason": None}
    fields |= {"energy_uj": 1.5, "activation_bytes": 1000, "mac_per_cycle": 2.0} | more
    name = kernel + ("" if fields["variant"] == "xpulp" else f".{fields['variant']}")
    place = f"{fields['target']}/{name}/{shape.words}/c{fields['cores']}"
    dimensions = {"S": shape.S, "E": shape.E, "P": shape.P, "H": shape.H, "F": None}
    return {**fields, "id": place, "kernel": kernel, "shape": dimensions, "cycles": cycles}


def measured(*cells: dict[str, Any], peers: tuple[dict[str, Any], ...] = ()) -> Measured:
    return Measured(cells, {"gap9": 370_000_000, "stm32l4": 80_000_000}, peers)


def row(found: Measured, subject: str, *words: str) -> Claim:
    """The one claim with this subject whose place holds all words."""
    rows = [claim for claim in claims(found) if claim.subject.startswith(subject)]
    (only,) = [claim for claim in rows if all(word in claim.at for word in words)]
    return only


def test_fused_runtime() -> None:
    found = measured(cell("mhsa", EEG, 300), cell("mhsa_fwsa", EEG, 200))
    assert row(found, "FWSA: runtime", "EEGFormer").ours == "1.50x"
    assert row(found, "FWSA: runtime", "TR").ours == MISSING


def test_fused_parameters_are_the_formulas() -> None:
    found = measured(cell("mhsa", EEG, 300))
    assert row(found, "FWSA: parameters", "EEGFormer").ours == "-25 %"
    assert row(found, "FWSA: parameters", "ECGFormer").ours == "+150 %"


def test_memory_is_against_whole_maps_and_says_what_it_costs() -> None:
    recompute = {"tile": 27, "heads": None, "order": "recompute"}
    found = measured(
        cell("mhsa", EEG, 100, target="stm32l4", variant="layerwise", activation_bytes=8000),
        cell("mhsa", EEG, 1000),
        cell("mhsa_dft", EEG, 1050, activation_bytes=2000),
        cell("mhsa_dft", EEG, 9000, cores=1, schedule=recompute, activation_bytes=1000),
    )
    fast = row(found, "DFT", "gap9", "all cores", "mhsa_dft")
    assert fast.ours == "4.00x (2000 of 8000 B)"
    assert "+5.0 % cycles" in fast.at
    assert row(found, "DFT", "gap9", "least memory", "mhsa_dft").ours == "8.00x (1000 of 8000 B)"


def test_a_block_has_time_and_energy_at_the_clock() -> None:
    found = measured(cell("encoder_block", TR, 37_000))
    claim = row(found, "TR: a transformer block", "gap9")
    assert claim.ours == "0.100 ms, 1.50 uJ (37000 cycles)"
    assert "370 MHz" in claim.at


def test_another_variant_or_schedule_is_never_taken_for_the_best() -> None:
    found = measured(cell("mhsa", LARGE, 5, variant="portable"))
    assert found.find("gap9", "mhsa", LARGE) is None
    assert found.find("gap9", "mhsa", LARGE, variant="portable") is not None


def test_a_cell_that_did_not_pass_stands_behind_nothing() -> None:
    found = measured(cell("mhsa", EEG, 300, status="FAIL", reason="wrong"))
    assert row(found, "attention layer", "EEGFormer").ours == MISSING
    assert f"FAIL {found.cells[0]['id']}: wrong" in markdown(found)


def test_peers_are_means_over_their_layers() -> None:
    rows = [
        {
            "cell": f"stm32l4/mhsa/{shape.words}/c1",
            "composition": "cmsis_nn.plain",
            "toolchain": "llvm",
            "with_softmax": {"cycles": theirs},
            "without_softmax": {"cycles": None},
            "our_cycles": 100,
            "our_cycles_without_softmax": None,
        }
        for shape, theirs in ((EEG, 300), (TR, 200))
    ]
    rows.append({**rows[0], "toolchain": "gnu"})
    found = measured(cell("mhsa", EEG, 100), peers=tuple(rows))
    subject = "faster than CMSIS-NN"
    assert row(found, subject, "plain", "llvm", "with softmax").ours == "2.50x"
    assert row(found, subject, "plain", "gnu", "with softmax").ours == "3.00x"
    assert row(found, subject, "plain", "llvm", "without softmax").ours == MISSING
    assert "pulp_nn=DIR" in row(found, "faster than PULP-NN").at


def test_the_gesture_layer_beside_pulp_nn() -> None:
    peer = {
        "cell": f"gap9/mhsa/{TR.words}/c8/softmax_accurate",
        "composition": "pulp_nn.plain",
        "toolchain": "llvm",
        "with_softmax": {"cycles": 300},
        "without_softmax": {"cycles": None},
        "our_cycles": 100,
        "our_cycles_without_softmax": None,
    }
    others = ({**peer, "cell": f"gap9/mhsa/{EEG.words}/c8"}, {**peer, "composition": "cmsis_nn.x"})
    subject = "TR: faster than PULP-NN"
    assert row(measured(peers=(*others, peer)), subject).ours == "3.00x"
    assert row(measured(peers=others), subject).ours == MISSING


def test_fused_depth_first_costs_what_it_adds_to_fused() -> None:
    found = measured(
        cell("mhsa", EEG, 2000), cell("mhsa_fwsa", EEG, 1000), cell("mhsa_fwsa_dft", EEG, 1080)
    )
    claim = row(found, "DFT", "all cores", "mhsa_fwsa_dft")
    assert claim.at.endswith("mhsa_fwsa_dft at +8.0 % cycles of mhsa_fwsa")


def test_ratio_and_mean_know_nothing_of_what_is_missing() -> None:
    assert ratio(None, cell("mhsa", EEG, 5)) is None
    assert ratio(cell("mhsa", EEG, 0), cell("mhsa", EEG, 5)) is None
    assert mean([None, 2.0, 4.0]) == 3.0
    assert mean([None]) is None


def test_sweeps_take_one_dimension_at_a_time() -> None:
    held = HELD["S"]
    cells = [
        cell("mhsa", Shape("", s, held["E"], held["P"], held["H"]), 10, mac_per_cycle=s / 10)
        for s in (32, 16)
    ]
    (over_s, *_) = sweeps(measured(*cells, cell("mhsa", EEG, 10)))
    assert over_s.dimension == "S"
    assert over_s.lines["gap9"] == ((16, 1.6), (32, 3.2))


def test_speed_up_over_cores() -> None:
    found = measured(*(cell("mhsa", EEG, 800 // n, cores=n) for n in (1, 2, 8)))
    assert cores(found, "gap9", EEG) == ((1, 1.0), (2, 2.0), (8, 8.0))
    assert row(found, "8 cores over 1", "EEGFormer").ours == "8.00x"


def test_page_has_every_claim_and_plots() -> None:
    found = measured(*(cell("mhsa", EEG, 800 // n, cores=n) for n in (1, 8)))
    page = html(found)
    assert "EEGFormer S81-E32-P32-H8" in page
    assert re.search(r"<polyline class=\"line s0\" points=\"[\d., ]+\"/>", page)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def network(status: str) -> NetworkCell:
    row: dict[str, Any] = {"kernel": "tr", "target": "gap9", "status": status}
    row |= {"cycles": 370_000 if status == "PASS" else None, "energy_uj": 35.1}
    layers, cycles = ("embed", "blocks.0.attention", "blocks.0.add1"), (1000, 37_000, 37_000)
    counted = cycles if status == "PASS" else ()
    return NetworkCell(row, 370_000_000, layers, ("f",) * 3, 0, 0, counted, None)


def test_networks_stand_beside_what_is_published() -> None:
    table = networks.render([network("PASS"), network("FAIL")], "simple").splitlines()
    assert re.split(r"  +", table[2].strip()) == [
        *("tr", "gap9", "1.000", "35.1", "0.200"),
        "block 0.14 ms, 4.92 uJ",
    ]
    assert "FAIL" in table[3]
    page = html(Measured((), {}, ()), networks.section([network("PASS")]))
    assert page.count("<h2>Three networks end to end</h2>") == 1
    assert "block 0.14 ms, 4.92 uJ" in page and "0.200" in page


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [(["PASS"], 0), (["PASS", "SKIP"], 0), (["PASS", "FAIL"], 1), (["SKIP"], 1), ([], 1)],
)
def test_status(
    statuses: list[str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = (EEG, TR)
    cells = [
        cell("mhsa", shape, 5, status=status)
        for shape, status in zip(shapes, statuses, strict=False)
    ]
    built = {found["id"]: found for found in cells}
    monkeypatch.setattr(nested, "build_cells", lambda *_: built)
    monkeypatch.setattr(command.app, "plan_request", lambda *_: None)
    monkeypatch.setattr(command, "_clocks", lambda _: {"gap9": 370_000_000})
    monkeypatch.setattr(networks, "measure_networks", lambda *_: (0, [network("PASS")]))
    write_json(tmp_path / "build/report/peers.json", {"schema": 1, "rows": []})
    assert command.paper(tmp_path, {}) == expected
    assert "encoder block ms" in (tmp_path / "build/report/paper.md").read_text(encoding="utf-8")
    monkeypatch.setattr(networks, "measure_networks", lambda *_: (1, [network("FAIL")]))
    assert command.paper(tmp_path, {}) == 1, "a network that is wrong is a failure"
    assert (tmp_path / "build/report/paper.md").exists()
    assert (tmp_path / "build/report/paper.html").exists()


def test_bad_words_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean target"):
        command.paper(tmp_path, {"targt": "gap9"})


def test_sweeps_hold_what_the_matrix_holds() -> None:
    """The matrix and the plots must speak of the same shapes."""
    document = parse_yaml((ROOT / command.MATRIX).read_text(encoding="utf-8"), command.MATRIX)
    shapes = [shape for entry in document["cells"] for shape in entry["shapes"]]
    for dimension, held in HELD.items():
        matching = [shape for shape in shapes if {**shape, **held} == shape]
        assert any(isinstance(shape[dimension], list) for shape in matching), dimension
