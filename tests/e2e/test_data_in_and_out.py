# SPDX-License-Identifier: Apache-2.0
"""Vectors of one's own in, dumps, images and text out: with the real compiler and simulators."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from project import SHAPE, Project

from touchstone.elf import read_elf

GELU = (f"gap9/gelu/{SHAPE}/c8", f"stm32l4/gelu/{SHAPE}/c1")
LOOP = "    for (uint32_t i = share.begin; i < share.end; i++)\n"


@pytest.fixture
def own(project: Project) -> np.ndarray:
    """Inputs for gelu in the project's mine.npz."""
    array = np.random.default_rng(7).integers(-128, 128, (4, 6)).astype(np.int8)
    np.savez(project.path("mine.npz"), input=array)
    return array


def test_own_inputs(project: Project, own: np.ndarray) -> None:
    ended = project.run("kernel=gelu", "inputs=mine.npz", "dump=1")
    assert (ended.status, set(ended.statuses.values())) == (0, {"PASS"})
    assert len(ended.cells) == 2
    for name in ended.cells:
        assert name.rpartition("/")[0] in GELU
        folder = project.cell(name, "dump")
        assert np.array_equal(np.load(folder / "inputs.input.npy"), own)
        golden = np.load(folder / "inputs.output.golden.npy")
        assert np.array_equal(np.load(folder / "inputs.output.npy"), golden)
    assert project.run("kernel=gelu", "inputs=mine.npz").built == {"gate": {"build/report/gate"}}


def test_own_outputs_are_what_counts(project: Project, own: np.ndarray) -> None:
    """And the printed command runs just that cell again."""
    np.savez(project.path("mine.npz"), input=own, output=own ^ 0x40)
    ended = project.run("kernel=gelu", "target=gap9", "inputs=mine.npz")
    assert (ended.status, list(ended.statuses.values())) == (1, ["FAIL"])
    assert "inputs: output (row 0, column 0): expected" in ended.output
    (cell,) = ended.cells
    assert f"  rerun  ./scons cell={cell} inputs=mine.npz\n" in ended.output
    again = project.run(f"cell={cell}", "inputs=mine.npz", config=None)
    assert again.statuses == {cell: "FAIL"}


def test_own_inputs_that_do_not_suit(project: Project, own: np.ndarray) -> None:
    ended = project.run("inputs=mine.npz")
    assert ended.status == 2
    assert ended.error.count("\n") == 1
    assert ended.error.startswith("touchstone: mine.npz: input (for ")
    assert "allowed" in ended.error
    assert ended.built == {}


@pytest.mark.parametrize("cell", GELU)
def test_text_from_kernels_is_in_the_log(project: Project, cell: str) -> None:
    """Each core's lines whole, and the outputs untouched."""
    text = '    ts_printf("core %u of %u: %d items, %s\\n", team->core, team->cores,\n'
    text += '              (int)(share.end - share.begin), "hello");\n'
    project.replace("kernels/gelu/portable.c", LOOP, text + LOOP)
    project.replace(
        "kernels/gelu/portable.c",
        '#include "gelu.h"\n',
        '#include "gelu.h"\n#include "ts_printf.h"\n',
    )
    ended = project.run(f"cell={cell}")
    assert ended.statuses == {cell: "PASS"}
    log = project.cell(cell, "log.txt").read_text().splitlines()
    cores = 8 if cell.startswith("gap9") else 1
    said = {line for line in log if line.startswith("core ")}
    share = 24 // cores
    assert said == {f"core {core} of {cores}: {share} items, hello" for core in range(cores)}
    assert log.count(f"core 0 of {cores}: {share} items, hello") == 6  # two runs, four classes


def test_image(project: Project) -> None:
    """The ELF that the simulators run, and the same as HEX; nothing is simulated for it."""
    ended = project.run("image", "kernel=gelu")
    assert ended.status == 0
    assert set(ended.built) == {"gate"}
    for cell in GELU:
        elf = read_elf(project.cell(cell, "image.elf").read_bytes())
        lines = project.cell(cell, "image.hex").read_text().splitlines()
        loaded = sum(int(line[1:3], 16) for line in lines if line[7:9] == "00")
        assert loaded == sum(len(segment.data) for segment in elf.segments)
        assert f"image of {cell}: build/cells/{cell}/image.hex" in ended.output


def test_image_runs(project: Project) -> None:
    """On the project's own simulator, by hand, it writes the records that the build judged."""
    cell = GELU[0]
    project.run("image", f"cell={cell}")
    stream = project.path("stream.bin")
    command = [project.path("build/simulators/xpulp_sim"), project.cell(cell, "image.elf")]
    options = ["--stream", stream, "--log", project.path("l"), "--report", project.path("r")]
    limits = ["--max-instructions", "10000000"]
    subprocess.run([*command, *options, *limits], check=True, timeout=60)
    assert json.loads(project.path("r").read_text())["exit_code"] == 0
    assert stream.stat().st_size > 24


def test_compiledb(project: Project) -> None:
    """Without a build, and each command's source is there."""
    ended = project.run("compiledb")
    assert ended.status == 0
    entries = json.loads(project.path("build/compile_commands.json").read_text())
    assert f"{len(entries)} commands in build/compile_commands.json" in ended.output
    objects = {
        path.relative_to(project.folder).as_posix()
        for path in project.path("build/firmware").rglob("*.o")
    }
    assert {entry["output"] for entry in entries} == objects
    assert all(Path(entry["directory"], entry["file"]).is_file() for entry in entries)
