# SPDX-License-Identifier: Apache-2.0
"""A network that fails: where in its first wrong layer, by a run of the network up to there.

The simulator is played: it computes the generated part's golden model with one kernel broken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

from golden import networks
from golden.counter_rng import CounterRng
from touchstone.manifest import load_catalogue
from touchstone.network.deviation import Investigator, explained, mismatch
from touchstone.network.model import load_model
from touchstone.network.report import Cell

TEXT = """
input: [1, 20]
front_end: {kind: conv1d, kernel: [4]}
embedding: 8
projection: 4
heads: 2
feed_forward: 12
blocks: 1
classes: 3
"""
ID = "gap9/small/S5-E8-P4-H2/c8"


@dataclass
class Chip:
    """A simulator whose kernel `broken` adds 5 to the last column of row 1."""

    broken: str
    parts: list[list[str]] = field(default_factory=list)

    def __call__(self, project: Path, words: Mapping[str, str]) -> int:
        assert words == {
            "target": "gap9",
            "cores": "8",
            "dump": "1",
            "kernel": "small",
            "seed": "3",
        }
        network = networks.load(str(project / "golden/network_small.npz"))
        self.parts.append([layer.name for layer in network.layers])
        params, operands = networks.make_inputs(network, CounterRng("x"), "extremes")
        wanted = networks.golden(network, params, operands)["output"]
        found = wanted.copy()
        cell = project / "build/cells" / ID
        wrong = [n for n, layer in enumerate(network.layers) if layer.kernel == self.broken]
        if wrong:
            found[4 * wrong[0]] ^= 1
        if network.layers[-1].kernel == self.broken:
            width = network.layers[-1].output[1]
            found[4 * len(network.layers) :].view(np.int8)[2 * width - 1] += 5
        places = [{"first": {"position": [["byte", 4 * n]]}} for n in wrong[:1]]
        (cell / "dump").mkdir(parents=True, exist_ok=True)
        (cell / "verdict.json").write_text(json.dumps({"differences": places}))
        np.save(cell / "dump/extremes.output.golden.npy", wanted)
        np.save(cell / "dump/extremes.output.npy", found)
        return int(bool(wrong))


def lines_of(folder: Path, chip: Chip, wrong: str) -> list[str]:
    """What a failed cell is explained with."""
    path = folder / "small.yaml"
    path.write_text(TEXT, encoding="utf-8")
    row: dict[str, Any] = {"id": ID, "kernel": "small", "target": "gap9", "cores": 8}
    place = folder / "build/networks/build/cells" / ID
    cell = Cell(row, 1, (), (), 0, 0, (), wrong, place)
    catalogue = load_catalogue(ROOT, folder / "cache")
    made = Investigator(folder, catalogue, chip, {"seed": "3", "target": "all", "profile": "1"})
    (one,) = explained([cell], [load_model(path, folder / "cache")], made)
    return list(one.details)


def test_the_layer_is_dumped_and_its_first_wrong_place_named(tmp_path: Path) -> None:
    chip = Chip("layernorm")
    lines = lines_of(tmp_path, chip, "norm")
    assert chip.parts == [["embed", "position", "blocks.0", "norm"]]
    assert lines[0] == "  extremes: 1 of 40 wrong"
    assert lines[1].startswith("    first at (row 1, column 7): expected ")
    assert lines[3].endswith("deviation/CASE[.golden].npy") and "norm, int8 5x8" in lines[3]
    folder = tmp_path / "build/networks/build/cells" / ID / "deviation"
    tensors = [np.load(folder / f"extremes{part}.npy") for part in (".golden", "")]
    assert [t.shape for t in tensors] == [(5, 8)] * 2
    assert np.argwhere(tensors[0] != tensors[1]).tolist() == [[1, 7]]


def test_a_block_is_taken_apart_into_layers(tmp_path: Path) -> None:
    chip = Chip("ffn")
    lines = lines_of(tmp_path, chip, "blocks.0")
    assert lines[0] == ("  taken apart into layers, the first that deviates is blocks.0.network")
    assert chip.parts[0][-1] == "blocks.0.add2" and chip.parts[1][-1] == "blocks.0.network"
    assert "blocks.0.network, int8 5x8" in lines[-1]


def test_a_block_whose_layers_are_right_is_wrong_itself(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, Chip("encoder_block"), "blocks.0")
    assert lines[0] == "  taken apart into layers blocks.0 is right"
    assert lines[1] == "  extremes: 1 of 40 wrong" and "blocks.0, int8 5x8" in lines[-1]


def test_what_does_not_happen_again_is_said(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, Chip("no kernel"), "norm")
    assert lines == ["  run up to norm, whose memory then lies elsewhere, it is right"]


@pytest.mark.parametrize("worst", [(0, 3), (2, 1)])
def test_first_and_worst(worst: tuple[int, int]) -> None:
    expected, found = np.zeros((3, 4), np.int8), np.zeros((3, 4), np.int8)
    found[0, 3], found[2, 1] = 1, -1
    found[worst] *= 100
    first, second = mismatch("x", expected, found)[1:]
    assert "first at (row 0, column 3): expected 0, found " in first
    assert f"worst at (row {worst[0]}, column {worst[1]}): expected 0, found " in second
    assert mismatch("x", expected, expected) == []
