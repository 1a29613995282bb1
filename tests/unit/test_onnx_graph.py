# SPDX-License-Identifier: Apache-2.0
"""Quantised ONNX graphs as QuantLib exports them: the same integers, or a line naming the node."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from onnx_graphs import E, Graph, H, P, encoder

from golden.case import GoldenError
from golden.network import checkpoint, onnx_graph
from golden.network.graph import run
from touchstone.cli import networks
from touchstone.errors import UserError
from touchstone.manifest import load_catalogue
from touchstone.network.command import describe
from touchstone.network.deploy import deploy
from touchstone.network.model import find_models
from touchstone.network.source import network_of

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")


@pytest.mark.parametrize("rounding", ["half_up", "floor"])
def test_an_encoder_is_the_same_integers(tmp_path: Path, rounding: str) -> None:
    graph, last, wanted = encoder(rounding)
    network = onnx_graph.read_graph(graph.save(tmp_path, last), rounding)
    kernels = [layer.kernel for layer in network.layers]
    assert kernels == ["mhsa", "gelu", "add", "linear_o", "gelu", "linear_o"]
    made = run(network, graph.x.astype(np.int8))
    assert len(np.unique(wanted)) > 20
    assert np.array_equal(made[network.layers[-1].name], wanted)


def test_requantisation_written_out(tmp_path: Path) -> None:
    graph = Graph()
    weight = graph.constant(np.eye(E, dtype=np.float32) * 3)
    made = graph.node("MatMul", "input", weight)
    made = graph.node("Mul", made, graph.constant(np.float64(20000)))
    made = graph.node("Add", made, graph.constant(np.float64(32768)))
    made = graph.node("Div", made, graph.constant(np.float64(65536)))
    made = graph.node("Floor", made)
    limits = [graph.constant(np.float64(limit)) for limit in (-128, 127)]
    network = onnx_graph.read_graph(graph.save(tmp_path, graph.node("Clip", made, *limits)))
    found = run(network, graph.x.astype(np.int8))[network.layers[-1].name]
    assert np.array_equal(found, np.clip((graph.x * 60000 + 32768) // 65536, -128, 127))


def refused(folder: Path, graph: Graph, last: str) -> str:
    with pytest.raises(GoldenError) as error:
        onnx_graph.read_graph(graph.save(folder, last))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_unsupported_nodes_are_named_with_their_place(tmp_path: Path) -> None:
    graph = Graph()
    made, _ = graph.linear("input", graph.x, E, 700)
    said = refused(tmp_path, graph, graph.node("Sigmoid", made))
    assert "encoder.onnx: node 3 Sigmoid 't3': unsupported, allowed Add, Clip," in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signed": 0.0}, "node 1 RequantShift 't1': found an unsigned"),
        ({"div": 3.0}, "found a divisor of 3"),
        ({"mul": 65537.0}, "the scales overflow"),
        ({"mul": 0.5}, r"found multipliers 0.5..0.5"),
        ({"weight": 200.0}, "node 0 MatMul 't0': found weights"),
    ],
)
def test_what_has_no_kernel_is_refused(
    tmp_path: Path, change: dict[str, float], message: str
) -> None:
    graph = Graph()
    weight = np.full((E, E), change.get("weight", 1.0), np.float32)
    made = graph.node("MatMul", "input", graph.constant(weight))
    words = [graph.constant(np.float64(change.get("mul", 9.0))), graph.constant(np.float64(0))]
    levels = {"div": change.get("div", 16.0), "n_levels_out": 256.0}
    signed = change.get("signed", 1.0)
    last = graph.node("RequantShift", made, *words, signed=signed, **levels)
    assert message in refused(tmp_path, graph, last)


def test_another_transposition_is_no_attention(tmp_path: Path) -> None:
    graph = Graph()
    q, value = graph.linear("input", graph.x, H * P, 700)
    q, _ = graph.heads(q, value, [0, 1, 2, 3])
    assert "node 5 MatMul" in refused(tmp_path, graph, graph.node("MatMul", q, "input"))


def test_files_are_looked_at_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "encoder.onnx"
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(GoldenError, match="found no ONNX model"):
        onnx_graph.read_graph(path)
    monkeypatch.setattr(checkpoint, "MAX_BYTES", 10)
    monkeypatch.setattr(checkpoint.read_file, "__defaults__", (10,))
    with pytest.raises(GoldenError, match="found 100 bytes, allowed at most 10"):
        onnx_graph.read_graph(path)


# model=FILE.onnx


def test_a_graph_is_deployed_by_the_same_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Layers in the targets' best variants, arrays in their layouts, a memory plan."""
    graph, last, _ = encoder("half_up")
    path = graph.save(tmp_path, last)
    (model,) = find_models(ROOT, str(path), tmp_path / "cache")
    assert (model.name, model.S, model.E, model.P, model.H) == ("encoder", 5, 8, 4, 2)
    for target in load_catalogue(ROOT, tmp_path / "cache").targets.values():
        made = deploy(network_of(model), target, load_catalogue(ROOT, tmp_path / "cache"))
        assert made.arena.bytes >= made.alive_bytes > 0 and len(made.calls) == 6
    assert describe(ROOT, {"model": str(path), "rounding": "floor"}) == 0
    said = capsys.readouterr().out
    # 4 products of 5 x 8 x 8, 2 of 5 x 5 x 4 x 2 heads; 2 of 5 x 8 x 12.
    assert "encoder: quantised ONNX graph" in said
    assert "2,640 MACs (mhsa 1,680, linear_o 960)" in said


def refused_by_the_command(path: Path, capfd: pytest.CaptureFixture[str], **words: str) -> str:
    assert networks(path.parent, {"model": str(path), **words}) == 2
    said = capfd.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert not (path.parent / "build/networks").exists()
    return said.err


def test_the_command_names_the_node_that_has_no_kernel(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    graph = Graph()
    made, _ = graph.linear("input", graph.x, E, 700)
    path = graph.save(tmp_path, graph.node("Sigmoid", made))
    said = refused_by_the_command(path, capfd)
    assert "encoder.onnx: node 3 Sigmoid 't3': unsupported, allowed Add, Clip," in said
    assert "rounding" in refused_by_the_command(path, capfd, rounding="up")
    with pytest.raises(UserError, match=r"rounding=: found floor, allowed beside model=FILE.onnx"):
        find_models(ROOT, "tr", tmp_path, "floor")
