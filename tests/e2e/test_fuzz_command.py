# SPDX-License-Identifier: Apache-2.0
"""`./scons fuzz` runs what it draws, and a kernel that reads one byte too many does not pass."""

from __future__ import annotations

from project import Project

WORDS = ("fuzz", "seed=7", "cells=4", "kernel=gelu", "target=stm32l4")
SOURCE = "kernels/gelu/portable.c"
LOOP = "    const ts_range share = ts_team_share(team, args->shape.S * args->shape.E);\n"
OVER_READ = "    (void)((const volatile int8_t *)table)[256];\n"


def test_what_is_drawn_runs(project: Project) -> None:
    ended = project.run(*WORDS, config=None)
    assert ended.status == 0, ended.output + ended.error
    assert set(ended.statuses.values()) == {"PASS"} and len(ended.statuses) == 4
    assert all(name.endswith("/over_reads-trap") for name in ended.statuses)
    assert project.path("build/fuzz/seed-7.yaml").is_file()
    project.replace(SOURCE, LOOP, OVER_READ + LOOP)
    # Its output is right and its guards are whole: only the trap sees it.
    assert project.run("kernel=gelu", "target=stm32l4").status == 0
    ended = project.run(*WORDS, config=None)
    assert ended.status == 1
    assert set(ended.statuses.values()) == {"CRASH"}
    assert "load of 1 bytes reaches beyond an operand" in ended.output
    rerun = next(line for line in ended.output.splitlines() if "rerun" in line).split("cell=")[1]
    assert project.run(f"cell={rerun}", config=None).statuses == {rerun: "CRASH"}


def test_bad_input(project: Project) -> None:
    ended = project.run("fuzz", "cells=4", config=None)
    assert ended.status == 2
    assert ended.error.startswith("touchstone: fuzz: found no seed=")
