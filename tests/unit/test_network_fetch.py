# SPDX-License-Identifier: Apache-2.0
"""Arrays that are copied near while the layer before theirs computes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import ROOT

from touchstone.job import data_bytes_needed
from touchstone.manifest import load_catalogue
from touchstone.network.deploy import Deployment, deploy
from touchstone.network.emit import source_file
from touchstone.network.fetch import spans_of
from touchstone.network.model import find_models
from touchstone.network.source import network_of


def deployed(name: str, target: str, folder: Path, whole: bool = True) -> tuple[Deployment, str]:
    (model,) = find_models(ROOT, name, folder / "cache")
    catalogue = load_catalogue(ROOT, folder / "cache")
    made = deploy(network_of(model, whole=whole), catalogue.targets[target], catalogue)
    return made, source_file(made, model)


@pytest.mark.parametrize("whole", [True, False])
def test_what_does_not_fit_beside_the_arena_is_fetched(tmp_path: Path, whole: bool) -> None:
    made, text = deployed("eegformer", "gap9", tmp_path, whole)
    spans = spans_of(made.packed, made.weight_bytes)
    assert {"embed", "position", "norm", "head"} <= set(made.fetched) < set(spans)
    assert "blocks.0" not in made.fetched and "blocks.0.attention" not in made.fetched
    assert all(made.fetched[name] == spans[name] for name in made.fetched)
    assert sum(size for _, size in spans.values()) == made.weight_bytes
    room = made.target.memory["arena"].bytes
    sizes = (4 * 2000, 4 * len(made.calls) + 2, 0)
    assert data_bytes_needed(sizes, made.arena.bytes) <= room
    assert text.count("= ts_network_fetch(") == text.count("ts_network_fetched(")
    assert text.count("= ts_network_fetch(") == len(made.fetched)
    assert text.count("ts_network_near(") == len(made.fetched)


def test_nothing_is_fetched_while_a_block_needs_the_dma(tmp_path: Path) -> None:
    """It takes a counter for each of its cores' slots: one more would wait for ever."""
    _, text = deployed("eegformer", "gap9", tmp_path)
    start = text.index("layer_3_blocks_0(")
    block = text[start : text.index("\n}", start)]
    order = ("ts_encoder_block_xpulp(", "ts_network_fetch(", "ts_network_fetched(")
    assert [block.index(word) for word in order] == sorted(block.index(word) for word in order)


def test_a_copy_lies_apart_from_what_lives_while_it_is_made_and_read(tmp_path: Path) -> None:
    """Tensors that the layer and the one before it read and write, and their scratch."""
    made, _ = deployed("eegformer", "gap9", tmp_path, False)
    offsets = made.arena.offsets
    for number, call in enumerate(made.calls):
        if call.layer.name not in made.fetched:
            continue
        start = offsets[f"{call.layer.name}.weights"]
        end = start + made.fetched[call.layer.name][1]
        for other in made.calls[max(0, number - 1) : number + 1]:
            sizes = {one.layer.name: one.layer.output for one in made.calls}
            near = {other.layer.name, *other.layer.inputs.values()} & set(offsets)
            spans = [(offsets[name], sizes[name][0] * sizes[name][1]) for name in near]
            if other.scratch:
                spans.append((offsets[f"{other.layer.name}.scratch"], other.scratch))
            assert all(end <= at or at + size <= start for at, size in spans), call.layer.name


@pytest.mark.parametrize(("name", "target"), [("tr", "gap9"), ("eegformer", "stm32l4")])
def test_nothing_is_fetched_where_all_is_near_or_there_is_no_dma(
    name: str, target: str, tmp_path: Path
) -> None:
    made, text = deployed(name, target, tmp_path)
    assert not made.fetched and not re.search("ts_network_(fetch|near)", text)


def test_the_first_layers_arrays_are_fetched_before_it(tmp_path: Path) -> None:
    """Without a gathering of patches there is no layer before it."""
    path = tmp_path / "long.yaml"
    lines = ("input: [1, 4080]", "front_end: {kind: conv1d, kernel: [51]}", "embedding: 32")
    more = ("projection: 32", "heads: 8", "feed_forward: 128", "blocks: 1", "classes: 4")
    path.write_text("\n".join((*lines, *more)))
    made, text = deployed(str(path), "gap9", tmp_path)
    assert made.calls[0].layer.name == "embed" and "embed" in made.fetched
    main = text[text.index("void ts_long_gap9(") :]
    order = [main.index(word) for word in ("ts_network_fetch(", "ts_team_barrier", "layer_0_")]
    assert order == sorted(order)
