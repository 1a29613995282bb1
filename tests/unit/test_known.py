# SPDX-License-Identifier: Apache-2.0
"""What a build that need not be planned into nodes is known by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from touchstone.known import in_trees, plain, trees_digest


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    files = {
        "SConstruct": "1",
        "requirements.lock": "2",
        "kernels/add/add.c": "3",
        "kernels/include/add.h": "4",
        "golden/add.py": "5",
        "docs/add.md": "6",
        "build/add.o": "7",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "SConstruct").write_text("x"),
        lambda root: (root / "golden/add.py").write_text("x"),
        lambda root: (root / "kernels/include/new.h").write_text(""),
        lambda root: (root / "kernels/add/add.c").unlink(),
        lambda root: (root / "kernels/add/add.c").rename(root / "kernels/add/b.c"),
        lambda root: (root / "kernels/add").rename(root / "kernels/b"),
    ],
)
def test_whatever_a_build_can_read_counts(checkout: Path, change: Callable[[Path], object]) -> None:
    before = trees_digest(checkout)
    assert before is not None
    change(checkout)
    assert trees_digest(checkout) != before


def test_what_it_cannot_read_does_not_count(checkout: Path) -> None:
    before = trees_digest(checkout)
    (checkout / "docs/add.md").write_text("x")
    (checkout / "build/add.o").write_text("x")
    compiled = checkout / "golden/__pycache__"
    compiled.mkdir()
    (compiled / "add.pyc").write_text("x")
    assert trees_digest(checkout) == before


def test_text_that_moves_to_the_next_file_counts(checkout: Path) -> None:
    before = trees_digest(checkout)
    (checkout / "SConstruct").write_text("")
    (checkout / "requirements.lock").write_text("12")
    assert trees_digest(checkout) != before


@pytest.mark.parametrize("name", ["SConstruct", "kernels/add/add.c"])
def test_a_file_that_cannot_be_read_is_never_known(checkout: Path, name: str) -> None:
    (checkout / name).unlink()
    (checkout / name).symlink_to("nowhere")
    assert trees_digest(checkout) is None


def test_a_folder_that_lies_elsewhere_is_never_known(checkout: Path) -> None:
    (checkout / "kernels/more").symlink_to(checkout / "docs")
    assert trees_digest(checkout) is None


@pytest.mark.parametrize("words", [[], ["-Q", "S=81"], ["-Q", "-k", "-j4", "-j", "4", "--jobs=4"]])
def test_plain_command_lines(words: list[str]) -> None:
    assert plain(words, {})
    assert not plain(words, {"SCONSFLAGS": "-n"})


@pytest.mark.parametrize("word", ["-n", "-Qn", "-c", "-kc", "--tree=all", "--clean", "-jn", "-q"])
def test_options_that_ask_scons_for_its_nodes(word: str) -> None:
    assert not plain(["-Q", word], {})


def test_files_in_the_trees() -> None:
    assert in_trees("SConstruct")
    assert in_trees("kernels/add/add.c")
    assert not in_trees("build/kernels/add.o")
    assert not in_trees("docs/kernels/add.c")
