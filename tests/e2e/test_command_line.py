# SPDX-License-Identifier: Apache-2.0
"""What the command line takes and refuses; a refusal is one line, status 2, and nothing written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from project import CELLS, GAP9, ROOT, SHAPE, STM32L4, Project, both, environment_of

SEED_CONFIG = "tests/data/seed_testConfig.yml"
GELU_M4 = f"stm32l4/gelu/{SHAPE}/c1"

# Words, and what the one line must hold: the key or the place, and what would be right.
BAD_WORDS = [
    (("kernel=fwas",), ("kernel", "'fwas'", "did you mean fwsa?")),
    (("target=gap8",), ("target", "'gap8'", "did you mean gap9?")),
    (("S=0",), ("S=0", "'0'", "1 to 65535")),
    (("S=abc",), ("S=abc", "'abc'", "whole numbers")),
    (("S=4,",), ("S=4,", "''", "whole numbers")),
    (("E=-3",), ("E=-3", "'-3'", "whole numbers")),
    (("H=1e3",), ("H=1e3", "'1e3'", "whole numbers")),
    (("cores=9", "target=gap9"), ("cores=9", "found 9", "1 to 8 on gap9")),
    (("cores=9",), ("cores=9", "found 9", "1 to 8 on gap9")),
    (("cores=0",), ("cores=0", "'0'", "whole numbers")),
    (("seed=x",), ("seed=x", "'x'", "whole numbers")),
    (("kernal=fwsa",), ("variable", "'kernal'", "did you mean kernel?")),
    (("target=",), ("target=", "empty name", "a list")),
    (("target=gap9,,stm32l4",), ("target=gap9,,stm32l4", "empty name", "a list")),
    (("variant=xpulpp",), ("variant", "'xpulpp'", "did you mean xpulp?")),
    (("toolchain=gcc",), ("toolchain", "'gcc'", "llvm")),
    (("sim=spike",), ("sim", "'spike'", "xpulp")),
    (("sim=unicorn", "target=gap9"), ("sim=unicorn", "'unicorn'", "allowed xpulp")),
    (("dump=yes",), ("dump=yes", "'yes'", "allowed 0, 1")),
    (("cell=gap9/gelu",), ("cell=gap9/gelu", "2 parts", "TARGET/KERNEL")),
    ((f"cell=gap9/gelo/{SHAPE}/c8",), ("cell=gap9/gelo", "'gelo'", "did you mean gelu?")),
    ((f"cell=gap9/gelu/{SHAPE}/c9",), ("cell=gap9/gelu", "'c9'", "c1 to c8")),
    (("cell=gap9/*/S5-*",), ("nothing selected", "tiny.yaml", "command line")),
    (("target=stm32l4", "kernel=fwsa"), ("nothing selected", "tiny.yaml", "command line")),
    (("lsit",), ("word", "'lsit'", "did you mean list?")),
    (("build/cells",), ("'build/cells'", "key=value", "cell=build/cells")),
    (("list", "kernal=gelu"), ("variable", "'kernal'", "did you mean kernel?")),
    (("doctor", "target=gap9"), ("doctor", "target=", "no variables")),
]


def refused(project: Project, *words: str, config: str | None = "tiny.yaml") -> str:
    """The one line; nothing of the project has changed."""
    before = project.snapshot()
    ended = project.run(*words, config=config, GVSOC_HOME=str(project.path("no such folder")))
    assert ended.status == 2
    assert ended.output == ""
    assert ended.error.startswith("touchstone: ")
    assert ended.error.count("\n") == 1
    assert ended.error.endswith("\n")
    assert ended.built == {}
    assert project.snapshot() == before
    return ended.error


@pytest.mark.parametrize(("words", "parts"), BAD_WORDS, ids=[" ".join(w) for w, _ in BAD_WORDS])
def test_bad_words(project: Project, words: tuple[str, ...], parts: tuple[str, ...]) -> None:
    config = None if words[0] == "doctor" else "tiny.yaml"
    line = refused(project, *words, config=config)
    assert [part for part in parts if part not in line] == [], line


def test_bad_words_in_a_new_checkout(template: Project, tmp_path: Path) -> None:
    """Nothing at all is built or written but what remembers checked documents."""
    project = Project(tmp_path / "new")
    subprocess.run(["cp", "-a", str(template.folder), str(project.folder)], check=True)
    subprocess.run(["rm", "-rf", str(project.path("build"))], check=True)
    ended = project.run("kernel=fwas")
    assert ended.status == 2
    assert {path.name for path in project.folder.glob("build/*")} <= {"yaml"}
    assert not list(project.folder.glob(".sconsign*"))


def test_simulator_that_is_not_installed(project: Project) -> None:
    line = refused(project, "sim=gvsoc", "target=gap9")
    assert "gvsoc is not installed" in line
    assert "GVSOC_HOME" in line


def test_missing_config(project: Project) -> None:
    line = refused(project, config="tinny.yaml")
    assert "tinny.yaml: found no such file; did you mean tiny.yaml?" in line
    assert "found a folder" in refused(project, config="configs")


def test_wrong_key_in_a_config(project: Project) -> None:
    text = project.path("tiny.yaml").read_text()
    project.path("wrong.yaml").write_text(text.replace("kernels: attention", "kernel: attention"))
    line = refused(project, config="wrong.yaml")
    assert [
        part for part in ("wrong.yaml", "cells[1]", "kernel", "kernels") if part not in line
    ] == []


def test_wrong_value_in_a_config(project: Project) -> None:
    text = project.path("tiny.yaml").read_text()
    project.path("wrong.yaml").write_text(text.replace("S: 4, E: 6", "S: four, E: 6", 1))
    line = refused(project, config="wrong.yaml")
    assert [
        part for part in ("wrong.yaml", "cells[0].shapes[0].S", "four") if part not in line
    ] == []


def test_unknown_kernel_in_a_config(project: Project) -> None:
    text = project.path("tiny.yaml").read_text()
    project.path("wrong.yaml").write_text(text.replace("attention_scores", "atention_scores"))
    line = refused(project, config="wrong.yaml")
    assert "wrong.yaml: cells[1].kernels" in line
    assert "did you mean attention_scores?" in line


def test_broken_yaml(project: Project) -> None:
    project.path("wrong.yaml").write_text("schema: 1\ncells: [\n")
    assert "wrong.yaml" in refused(project, config="wrong.yaml")
    project.path("wrong.yaml").write_bytes(b"schema: 1\n\xff\n")
    assert "wrong.yaml:2" in refused(project, config="wrong.yaml")


@pytest.mark.parametrize(
    "name", ["kernels/gelu/kernel.yaml", "targets/gap9/target.yaml", "configs/expected_skips.yaml"]
)
def test_wrong_key_in_a_manifest(project: Project, name: str) -> None:
    project.append(name, "colour: green\n")
    line = refused(project)
    assert name in line
    assert "colour" in line


def test_compiler_that_is_not_there(project: Project) -> None:
    ended = project.run(TOUCHSTONE_ZIG="/no/such/zig")
    assert ended.status == 2
    assert ended.error.count("\n") == 1
    assert "TOUCHSTONE_ZIG=/no/such/zig" in ended.error
    assert ended.built == {}


def test_list(project: Project) -> None:
    before = project.snapshot()
    ended = project.run("list")
    assert ended.status == 0
    assert sorted(ended.output.split()) == sorted(CELLS)
    assert project.run("list", "target=gap9").output.split() == list(GAP9)
    assert project.snapshot() == before


def test_list_shows_what_is_skipped(project: Project) -> None:
    lines = project.run("list", "target=gap9", config=None).output.splitlines()
    skipped = [line for line in lines if "SKIP" in line]
    assert skipped
    assert all("SKIP: does not fit: " in line and " bytes" in line for line in skipped)
    expected = project.path("configs/expected_skips.yaml").read_text()
    assert all(line.split()[0] in expected for line in skipped)


def test_default_matrix_has_every_target_and_kernel(project: Project) -> None:
    cells = [line.split()[0] for line in project.run("list", config=None).output.splitlines()]
    assert 200 <= len(cells) <= 400
    assert len(set(cells)) == len(cells)
    kernels = {path.parent.name for path in (ROOT / "kernels").glob("*/kernel.yaml")}
    targets = {path.parent.name for path in (ROOT / "targets").glob("*/target.yaml")}
    seen = {tuple(cell.split("/")[:2]) for cell in cells}
    assert {target for target, _ in seen} == targets
    for target in targets:
        assert {kernel.partition(".")[0] for at, kernel in seen if at == target} == kernels
        assert f"{target}/mhsa/S66-E16-P2-H8" in {
            "/".join(cell.split("/")[:3]) for cell in cells if cell.endswith("/ecg")
        }


def test_doctor(project: Project) -> None:
    ended = project.run("doctor", config=None, GVSOC_HOME="/nowhere")
    assert ended.status == 0
    lines = {line.split("  ")[0].strip(): line for line in ended.output.splitlines()}
    assert " ok " in lines["python"]
    assert " ok " in lines["simulator xpulp"]
    assert "GVSOC_HOME" in lines["simulator gvsoc"]
    assert ended.built == {}


def test_help(project: Project) -> None:
    ended = project.run("--help", config=None)
    assert ended.status == 0
    for word in ("target", "kernel", "cell", "cores", "config", "cflags", "doctor", "README.md"):
        assert word in ended.output
    assert ended.built == {}


def test_commands_without_scons(project: Project) -> None:
    def cli(*words: str) -> subprocess.CompletedProcess[str]:
        folders = os.pathsep.join((str(project.path("site_scons")), str(project.folder)))
        return subprocess.run(
            [sys.executable, "-m", "touchstone.cli", *words],
            cwd=project.folder,
            env=environment_of({"PYTHONPATH": folders}),
            capture_output=True,
            text=True,
        )

    assert sorted(cli("list", "config=tiny.yaml").stdout.split()) == sorted(CELLS)
    for words in ((), ("lists",), ("list", "kernel"), ("list", "kernel=nothing")):
        ended = cli(*words)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.startswith("touchstone: ")
        assert ended.stderr.count("\n") == 1


def test_one_cell_by_its_id(project: Project) -> None:
    ended = project.run(f"cell={GELU_M4}", config=None)
    assert ended.statuses == {GELU_M4: "PASS"}
    assert ended.built == both(), "the config has it too: it is the same cell"
    other = "stm32l4/gelu.portable/S3-E5-P1-H1/c1/seed9"
    line = refused(project, f"cell={other}", config=None)
    assert "stm32l4/gelu/S3-E5-P1-H1/c1/seed9" in line, "the one way to write it"


def test_cells_by_a_glob(project: Project) -> None:
    ended = project.run("cell=*/softmax/*")
    assert set(ended.cells) == {cell for cell in CELLS if "/softmax/" in cell}
    assert ended.status == 0
    assert ended.built == both()


@pytest.mark.parametrize(
    ("words", "cells"),
    [
        (("target=stm32l4",), set(STM32L4)),
        (("target=stm32l4,gap9", "kernel=gelu"), {GAP9[0], STM32L4[0]}),
        (("target=gap*", "kernel=*_*"), {GAP9[1], GAP9[3]}),
        (("S=4", "H=2", "kernel=gelu", "target=gap9"), {GAP9[0]}),
        (("cores=1", "target=stm32l4"), set(STM32L4)),
    ],
)
def test_selection(project: Project, words: tuple[str, ...], cells: set[str]) -> None:
    ended = project.run(*words)
    assert set(ended.cells) == cells
    assert ended.status == 0
    assert ended.built == both()


def test_shapes_cores_and_seed_of_the_command_line(project: Project) -> None:
    ended = project.run("target=gap9", "kernel=gelu", "S=2,3", "E=5", "P=1", "H=1", "cores=1,3")
    shapes = ("S2-E5-P1-H1", "S3-E5-P1-H1")
    expected = {f"gap9/gelu/{shape}/c{cores}" for shape in shapes for cores in (1, 3)}
    assert set(ended.cells) == expected
    assert ended.status == 0
    assert len(ended.built["vectors"]) == 2, "the cores share them"
    assert "compile" not in ended.built
    ended = project.run("cell=stm32l4/gelu/S3-E5-P1-H1/c1/seed9", config=None)
    assert ended.status == 0
    (row,) = ended.cells.values()
    assert (row["seed"], row["shape"]["S"], row["cores"]) == (9, 3, 1)


def test_variant(project: Project) -> None:
    ended = project.run("list", "target=stm32l4", "kernel=softmax", "variant=all")
    assert ended.output.split() == [STM32L4[2], STM32L4[2].replace("softmax", "softmax.portable")]
    ended = project.run("target=stm32l4", "kernel=softmax", "variant=portable")
    (cell,) = ended.cells
    assert cell == STM32L4[2].replace("softmax", "softmax.portable")
    assert ended.status == 0
    assert "vectors" not in ended.built, "variants share them"


def test_dump(project: Project) -> None:
    ended = project.run(f"cell={GELU_M4}", "dump=1", config=None)
    assert ended.status == 0
    folder = project.path(f"build/cells/{GELU_M4}")
    assert list(folder.rglob("*golden*.npy"))
    assert list(folder.rglob("*input*.npy"))
    assert f"dumped {GELU_M4}" in ended.output


def test_config_of_the_seed_project(project: Project) -> None:
    ended = project.run("list", config=SEED_CONFIG)
    assert ended.status == 0
    cells = ended.output.splitlines()
    assert all(cell.startswith("gap9/") for cell in cells)
    shapes = {cell.split("/")[2] for cell in cells}
    assert shapes == {f"S{s}-E16-P{p}-H8" for s in (16, 32) for p in (8, 16)}
    ended = project.run("kernel=gelu", config=SEED_CONFIG)
    assert ended.status == 2, "that project has no such test"


def test_config_of_the_seed_project_runs(project: Project) -> None:
    ended = project.run("cell=gap9/softmax/S16-E16-P8-H8/c8/seed7", config=SEED_CONFIG)
    assert ended.status == 0
    assert list(ended.statuses.values()) == ["PASS"]


def test_exit_status_for_the_wrapper(project: Project) -> None:
    status = project.path("build/report/exit_status")
    assert project.run().status == 0
    assert status.read_text() == "0"


def test_results_hold_no_place_and_no_time(template: Project, project: Project) -> None:
    ended = project.run()
    text = json.dumps(ended.document)
    assert str(project.folder) not in text
    assert str(template.folder) not in text
    again = project.run()
    assert json.dumps(again.document) == text


def test_dry_run_builds_nothing(project: Project) -> None:
    project.append("kernels/gelu/portable.c", "// A comment.\n")
    before = project.snapshot()
    ended = project.run("-n")
    assert ended.status == 0
    assert "compile build/firmware/stm32l4/llvm/obj/kernels/gelu/portable.o" in ended.output
    assert project.snapshot() == before


def test_why_something_is_built_again(project: Project) -> None:
    project.append("kernels/gelu/portable.c", "/* a comment */\n")
    ended = project.run("--debug=explain", "-n")
    assert ended.status == 0
    made = r"rebuilding `build/firmware/gap9/llvm/obj/kernels/gelu/portable\.o'"
    wanted = made + r" because `.*portable\.c' changed"
    assert re.search(wanted, " ".join(ended.output.split()))


def test_list_into_a_pipe_that_closes() -> None:
    """`scons list | head -1` says nothing else, and no success."""
    command = [sys.executable, "-m", "touchstone.cli", "list"]
    environment = environment_of({"PYTHONPATH": str(ROOT / "site_scons")})
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    assert process.stdout is not None
    process.stdout.close()
    _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (141, b"")
