# SPDX-License-Identifier: Apache-2.0
"""What of toolchains and simulators this machine has, and a matrix for those that it has."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import pytest

from tests.e2e.project import Ended, Project, with_all_variants
from touchstone.simulators.registry import EXTERNAL, find_external

CONFIG = "installed.yaml"
MATRIX = """\
# SPDX-License-Identifier: Apache-2.0
schema: 1
cells:
  - name: every layout of loops once
    kernels: [mhsa, layernorm]
    shapes: [{S: 7, E: 18, P: 6, H: 3}]
  - name: portable code, wide tables
    kernels: softmax
    variants: all
    shapes: [{S: 5, E: 6, P: 3, H: 2}]
    numerics: {softmax: wide}
"""
DEFAULT_MATRIX = "configs/default.yaml"
STM32 = "target=stm32l4,stm32h7"
GNU = ("arm-none-eabi-gcc", "riscv64-unknown-elf-gcc")
QEMU = "qemu-system-arm"
RENODE = "renode"
ADDED_WORDS = ("gnu", "qemu", "renode")

Row = Mapping[str, object]


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips a test where one of `programs` is missing, and says which."""
    missing = ", ".join(name for name in programs if not _is_here(name))
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {missing}")


def _is_here(program: str) -> bool:
    external = EXTERNAL.get(program)
    return (shutil.which(program) if external is None else find_external(external)) is not None


def passed(project: Project, *words: str, config: str = CONFIG) -> dict[str, Row]:
    """The rows of a command whose every cell passed or was skipped as expected.

    By cell id without the words for toolchain and simulator, so that commands can be compared.
    """
    if config == DEFAULT_MATRIX:
        project = with_all_variants(project)
    ended: Ended = project.run(*words, config=config)
    assert ended.status == 0, ended.output + ended.error
    rows = {_plain(name): row for name, row in ended.cells.items() if row["status"] != "SKIP"}
    assert rows
    assert {row["status"] for row in rows.values()} == {"PASS"}
    return rows


def _plain(cell: str) -> str:
    return "/".join(word for word in cell.split("/") if word not in ADDED_WORDS)
