# SPDX-License-Identifier: Apache-2.0
"""Whole blocks in place of their layers, attention depth first: the same bits by other kernels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from golden import networks
from golden.counter_rng import CounterRng
from touchstone.manifest import load_catalogue
from touchstone.network.blocks import KERNELS, whole_blocks
from touchstone.network.command import describe
from touchstone.network.deploy import ARGUMENT_BYTES, deploy
from touchstone.network.emit import source_file
from touchstone.network.model import Described, load_model
from touchstone.network.source import network_of

TEXT = """
input: [1, 20]
front_end: {kind: conv1d, kernel: [4]}
embedding: 8
projection: 4
heads: 2
feed_forward: 12
blocks: 2
classes: 3
"""


def model_of(folder: Path, *lines: str) -> Described:
    path = folder / "small.yaml"
    path.write_text("\n".join([TEXT, *lines]), encoding="utf-8")
    return load_model(path, folder / "cache")


def kernels(network: networks.IntegerNetwork) -> list[str]:
    return [layer.kernel for layer in network.layers]


@pytest.mark.parametrize("scales", ["tensor", "channel"])
def test_a_block_is_its_layers_bit_for_bit(tmp_path: Path, scales: str) -> None:
    model = model_of(tmp_path, f"scales: {scales}", "class_token: true")
    apart, whole = network_of(model, whole=False), network_of(model)
    assert kernels(whole) == [
        "patches",
        "linear_o",
        "add",
        *["encoder_block"] * 2,
        *kernels(apart)[-2:],
    ]
    assert [layer.name for layer in whole.layers][3:] == ["blocks.0", "blocks.1", "norm", "head"]
    _, operands = networks.make_inputs(apart, CounterRng("here"), "random")
    inputs = {"signal": operands["input"][:20].reshape(1, 20)}
    one, other = networks.forward(apart, inputs), networks.forward(whole, inputs)
    assert np.array_equal(one["blocks.0.add2"], other["blocks.0"])
    assert np.array_equal(one["blocks.1.add2"], other["blocks.1"])
    assert np.array_equal(one["head"], other["head"])


@pytest.mark.parametrize(
    "line",
    [
        "norm: post",
        "gelu_twice: true",
        "attention: fwsa",
        "depth_first: true",
        "whole_blocks: false",
    ],
)
def test_what_is_no_such_block_is_left_in_layers(tmp_path: Path, line: str) -> None:
    assert "encoder_block" not in kernels(network_of(model_of(tmp_path, line)))


def test_a_block_whose_inner_tensors_are_read_elsewhere_is_left(tmp_path: Path) -> None:
    layers = list(network_of(model_of(tmp_path), whole=False).layers)
    first = [layer.kernel for layer in layers].index("layernorm")
    assert tuple(layer.kernel for layer in layers[first : first + 6]) == KERNELS
    reader = replace(layers[-1], inputs={"input": layers[first].name})
    assert kernels_of(whole_blocks([*layers[: first + 6], reader])) == [
        *kernels_of(layers[: first + 6]),
        reader.kernel,
    ]
    crossed = replace(layers[first + 5], inputs={"a": layers[first].name, "b": "x"})
    assert "encoder_block" not in kernels_of(whole_blocks([*layers[: first + 5], crossed]))


def kernels_of(layers: object) -> list[str]:
    return [layer.kernel for layer in layers]  # type: ignore[attr-defined]


def test_the_arguments_of_a_block_lie_in_the_arena(tmp_path: Path) -> None:
    model = model_of(tmp_path)
    for target in load_catalogue(ROOT, tmp_path / "cache").targets.values():
        made = deploy(network_of(model), target, load_catalogue(ROOT, tmp_path / "cache"))
        start = made.arena.offsets["blocks.1.arguments"]
        assert start + ARGUMENT_BYTES <= made.arena.bytes
        text = source_file(made, model)
        assert f"_Static_assert(sizeof *args <= {ARGUMENT_BYTES}" in text
        assert text.count(f"ts_encoder_block_{made.calls[-3].variant.name}(team, args, ") == 2


@pytest.mark.parametrize("attention", ["mhsa", "fwsa"])
def test_depth_first_is_another_kernel_of_the_same_layer(tmp_path: Path, attention: str) -> None:
    catalogue = load_catalogue(ROOT, tmp_path / "cache")
    model = model_of(tmp_path, f"attention: {attention}", "depth_first: true")
    for target in catalogue.targets.values():
        made = deploy(network_of(model), target, catalogue, model.depth_first)
        called = {call.kernel.name for call in made.calls if call.kernel is not None}
        assert ("mhsa_dft" if attention == "mhsa" else "mhsa_fwsa_dft") in called
        assert not called & {"mhsa", "mhsa_fwsa"}


def test_describe_says_what_fusing_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = model_of(tmp_path, "attention: fwsa")
    assert describe(ROOT, {"model": str(model.path)}) == 0
    said = capsys.readouterr().out
    _, _, tail = said.partition(
        "fused query and key weights over their error as int8, dB by head:\n"
    )
    heads = [line.partition(":")[2].split(",") for line in tail.strip().splitlines()]
    assert [len(one) for one in heads] == [2, 2]
    assert all(35 < float(value) < 60 for one in heads for value in one)
