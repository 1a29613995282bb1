# SPDX-License-Identifier: Apache-2.0
"""Networks before anything is built: descriptions, the memory plan, the generated project."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from touchstone.errors import UserError
from touchstone.manifest import load_catalogue
from touchstone.network.arena import Buffer, aligned, lower_bound, plan_arena
from touchstone.network.deploy import Deployment, deploy
from touchstone.network.emit import source_file
from touchstone.network.model import Model, find_models, load_model
from touchstone.network.report import first_wrong, layer_cycles
from touchstone.network.source import network_of

SMALL = """
input: [1, 12]
front_end: {kind: conv1d, kernel: [3]}
embedding: 8
projection: 4
heads: 2
feed_forward: 16
blocks: 1
classes: 3
"""


def model_of(folder: Path, text: str, name: str = "small") -> Model:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return load_model(path, folder / "cache")


def known(name: str, folder: Path) -> Model:
    return find_models(ROOT, name, folder / "cache")[0]


def test_ecgformer_has_the_published_parameters(tmp_path: Path) -> None:
    """Convolution, positions, norm, attention, norm, feed-forward, norm, features, head."""
    model = known("ecgformer", tmp_path)
    assert model.parameters == 64 + 1056 + 32 + 1088 + 32 + 4240 + 32 + 4 + 95 == 6643
    assert (model.S, model.patch) == (66, 3)


@pytest.mark.parametrize(
    ("name", "shape"), [("eegformer", (81, 32, 32, 8, 128)), ("tr", (4, 32, 32, 8, 128))]
)
def test_networks_have_the_published_shapes(
    name: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    model = known(name, tmp_path)
    assert shape == (model.S, model.E, model.P, model.H, model.F)


def test_macs_are_those_of_the_kernels(tmp_path: Path) -> None:
    """0.139264 million of the gesture network's attention are in the authors' spreadsheet."""
    assert known("tr", tmp_path).macs()["attention"] == 139_264


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (("heads: 2", "head: 2"), "did you mean heads"),
        (("kernel: [3]", "kernel: [13]"), "found 13, allowed 1 to 12"),
        (("kernel: [3]", "kernel: [3, 3]"), "found 2 sizes, allowed 1"),
        (("[1, 12]", "[1, 12, 12]"), "found 3 sizes, allowed 2"),
        (("blocks: 1", "blocks: 0"), "blocks: found 0"),
        (("conv1d", "conv3d"), "allowed conv1d, conv2d, linear"),
    ],
)
def test_a_bad_description_is_one_line(
    change: tuple[str, str], wanted: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=re.escape(wanted)) as error:
        model_of(tmp_path, SMALL.replace(*change))
    assert "\n" not in str(error.value) and "small.yaml" in str(error.value)


def test_a_file_name_must_be_one_of_c(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="found the name 'My-net'"):
        model_of(tmp_path, SMALL, "My-net")


def test_an_unknown_network_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean ecgformer"):
        find_models(ROOT, "ecgforme", tmp_path)


def overlapping(places: dict[str, int], buffers: list[Buffer]) -> list[tuple[str, str]]:
    return [
        (a.name, b.name)
        for a, b in itertools.combinations(buffers, 2)
        if a.meets(b)
        and places[a.name] < places[b.name] + b.bytes
        and places[b.name] < places[a.name] + a.bytes
    ]


@pytest.mark.parametrize("seed", range(40))
def test_what_is_alive_together_lies_apart(seed: int) -> None:
    draw = random.Random(seed)
    buffers = []
    for number in range(draw.randint(1, 30)):
        first = draw.randint(0, 12)
        last = first + draw.randint(0, 4)
        buffers.append(Buffer(f"b{number}", draw.randint(1, 500), first, last))
    arena = plan_arena(buffers)
    assert overlapping(dict(arena.offsets), buffers) == []
    assert all(offset % 16 == 0 for offset in arena.offsets.values())
    assert arena.bytes == max(arena.offsets[b.name] + aligned(b.bytes) for b in buffers)
    assert lower_bound(buffers) <= arena.bytes <= sum(aligned(b.bytes) for b in buffers)
    assert plan_arena(reversed(buffers)) == arena


def test_a_chain_needs_two_places() -> None:
    chain = [Buffer(f"t{number}", 100, number, number + 1) for number in range(9)]
    assert plan_arena(chain).bytes == 2 * 112


@pytest.fixture(scope="module")
def deployments(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Model, Deployment]]:
    folder = tmp_path_factory.mktemp("networks")
    catalogue = load_catalogue(ROOT, folder / "cache")
    found = []
    for model in find_models(ROOT, "ecgformer,eegformer,tr", folder / "cache"):
        network = network_of(model)
        found += [(model, deploy(network, one, catalogue)) for one in catalogue.targets.values()]
    return found


def test_tensors_that_a_layer_reads_and_writes_lie_apart(
    deployments: list[tuple[Model, Deployment]],
) -> None:
    """Seen from the calls, not from the planner's lifetimes."""
    for _, made in deployments:
        sizes: dict[str, int] = {}
        for call in made.calls:
            layer = call.layer
            sizes[layer.name] = count(layer.output)
            here = {*layer.inputs.values(), layer.name}
            spans = [
                (made.arena.offsets[name], made.arena.offsets[name] + sizes[name])
                for name in here
                if name in made.arena.offsets
            ]
            if call.scratch:
                start = made.arena.offsets[f"{layer.name}.scratch"]
                spans.append((start, start + call.scratch))
            spans.sort()
            assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans)), layer.name


def count(shape: tuple[int, ...]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total


def test_weights_follow_one_another(deployments: list[tuple[Model, Deployment]]) -> None:
    for _, made in deployments:
        offsets = [segment.offset for segment in made.packed]
        assert offsets == sorted(offsets) and offsets[-1] < made.weight_bytes
        assert all(offset % 16 == 0 for offset in offsets)


def test_the_targets_best_variants_are_called(
    deployments: list[tuple[Model, Deployment]],
) -> None:
    for model, made in deployments:
        text = source_file(made, model)
        for call in made.calls:
            assert f"{call.function}(team, " in text
            if call.kernel is not None:
                assert call.variant is call.kernel.default_variant(made.target.isas)


def verdict(*bytes_wrong: int) -> dict[str, Any]:
    found = [{"first": {"position": [["byte", byte]]}} for byte in bytes_wrong]
    return {"differences": found}


def test_the_first_layer_that_deviates_is_named() -> None:
    layers = ("a", "b", "c")
    assert first_wrong(verdict(), layers) is None
    assert first_wrong(verdict(13), layers) == "c", "only the output itself"
    assert first_wrong(verdict(13, 5, 9), layers) == "b"
    assert first_wrong(None, layers) is None


def test_shares_are_core_0s_cycles_by_layer(tmp_path: Path) -> None:
    profile = tmp_path / "folded.txt"
    lines = (
        "core 0;ts_call_timed;ts_net;layer_0_embed;ts_linear_o;x.c:1 30",
        "core 0;ts_call_timed;ts_net;layer_0_embed;x.c:2 12",
        "core 0;ts_call_timed;ts_net;layer_1_head;x.c:3 7",
        "core 1;ts_call_timed;ts_net;layer_1_head;x.c:3 99",
        "core 0;ts_call_timed;x.c:9 5",
    )
    profile.write_text("\n".join(lines), encoding="utf-8")
    assert layer_cycles(profile, 2) == (42, 7)
    assert layer_cycles(tmp_path / "missing", 2) == ()
