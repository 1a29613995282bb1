# SPDX-License-Identifier: Apache-2.0
"""`./scons model=`: networks of somebody's own, and one layer that is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from project import Project

OWN = """
summary: A network of somebody's own.
input: [1, 12]
front_end: {kind: conv1d, kernel: [3]}
embedding: 8
projection: 4
heads: 2
feed_forward: 16
gelu_twice: true
blocks: 1
classes: 3
"""
KINDS = {
    "fused": "attention: fwsa",
    "depth": "depth_first: true",
    "fused_depth": "attention: fwsa\ndepth_first: true\nclass_token: true",
    "post": "norm: post\nscales: tensor\nsoftmax: authors",
    "whole": "class_token: true\nfeatures: 3",
}
TOO_BIG = OWN.replace("[1, 12]", "[1, 3000]").replace("embedding: 8", "embedding: 128")
WORDS = ("target=stm32h7",)


@pytest.mark.nightly
def test_a_network_of_ones_own(project: Project) -> None:
    """It passes, is up to date, and names the first layer that is wrong; one that does not fit is
    one line."""
    project.path("own.yaml").write_text(OWN, encoding="utf-8")
    project.path("plain.yaml").write_text(OWN.replace("gelu_twice: true", ""), encoding="utf-8")
    project.seconds = 600
    words = ("model=own.yaml,plain.yaml", *WORDS)
    first = project.run(*words, config=None)
    assert first.status == 0, first.output + first.error
    assert "2 cells: 2 PASS\n" in first.output
    again = project.run(*words, config=None)
    assert again.status == 0 and "2 cells: 2 PASS (2 cached)" in again.output
    baseline = project.path("configs/baselines/networks/stm32h7.json")
    published = set(json.loads(baseline.read_text())["cells"])
    accepted = project.run(*words, "bench=accept", "reason=they are new", config=None)
    assert accepted.status == 0, accepted.output + accepted.error
    figures = json.loads(baseline.read_text())["cells"]
    own = {f"stm32h7/{name}/S4-E8-P4-H2/c1" for name in ("own", "plain")}
    assert set(figures) == published | own
    assert project.run(*words, "bench=check", config=None).status == 0
    figure = f'"cycles": {figures["stm32h7/own/S4-E8-P4-H2/c1"]["cycles"]},'
    baseline.write_text(baseline.read_text().replace(figure, '"cycles": 7,'))
    slower = project.run(*words, "bench=check", config=None)
    assert slower.status == 1 and "own/S4-E8-P4-H2/c1: cycles 7 -> " in slower.output
    project.replace("kernels/gelu/cortexm7.c", "args->table,", "args->table + 1,")
    wrong = project.run(*words, config=None)
    assert wrong.status == 1
    # Only what calls the edited kernel is built and run again.
    built = json.loads(project.path("build/networks/build/report/nodes.json").read_text())
    ran = {stage: [node for kind, node in built if kind == stage] for stage, _ in built}
    assert [Path(node).name for node in ran["compile"]] == ["cortexm7.o"]
    assert ran["compile"][0].endswith("kernels/gelu/cortexm7.o")
    assert [Path(node).parts[4] for node in ran["link"]] == ["own.stm32h7"]
    assert [Path(node).parts[3] for node in ran["simulate"]] == ["own"]
    assert "vectors" not in ran and "pack" not in ran
    assert (
        "/own/S4-E8-P4-H2/c1: the first layer that deviates is blocks.0.activation" in wrong.output
    )
    assert "2 cells: 1 PASS, 1 FAIL (1 cached)" in wrong.output
    assert re.search(
        r"  random: \d+ of 32 wrong\n    first at \(row \d, column \d\): ", wrong.output
    )
    assert len(list(project.path("build/networks/build").rglob("deviation/*.npy"))) == 10
    project.replace("kernels/encoder_block/cortexm7.c", "row = 0; row", "row = 1; row")
    block = project.run("model=plain.yaml", *WORDS, config=None)
    assert "the first layer that deviates is blocks.0\n" in block.output
    assert "  taken apart into layers blocks.0 is right\n" in block.output
    assert "  blocks.0, int8 4x8, expected and found: build/networks/build" in block.output
    project.path("big.yaml").write_text(TOO_BIG, encoding="utf-8")
    big = project.run("model=big.yaml", *WORDS, config=None)
    assert big.status == 2
    assert "big on stm32h7: does not fit" in big.error and "too many" in big.error


@pytest.mark.nightly
@pytest.mark.parametrize("rounding", ["half_up", "floor"])
def test_a_quantised_onnx_graph(project: Project, rounding: str) -> None:
    """On every target, bit by bit: attention, residual, GELU, linear layers."""
    from tests.unit.onnx_graphs import encoder  # skips where there is no package onnx

    graph, last, _ = encoder(rounding)
    graph.save(project.folder, last)
    ended = project.run("model=encoder.onnx", f"rounding={rounding}", config=None)
    assert ended.status == 0, ended.output + ended.error
    assert "3 cells: 3 PASS\n" in ended.output


@pytest.mark.nightly
def test_every_kind_of_block(project: Project) -> None:
    """Fused or not, depth first or not, whole blocks, norm before or behind: two blocks each."""
    project.seconds = 600
    for name, lines in KINDS.items():
        text = OWN.replace("blocks: 1", "blocks: 2").replace("gelu_twice: true\n", "")
        project.path(f"{name}.yaml").write_text(f"{text}{lines}\n", encoding="utf-8")
    models = ",".join(f"{name}.yaml" for name in KINDS)
    ended = project.run(f"model={models}", config=None)
    assert ended.status == 0, ended.output + ended.error
    assert "15 cells: 15 PASS\n" in ended.output
