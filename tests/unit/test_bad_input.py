# SPDX-License-Identifier: Apache-2.0
"""Bad input of every kind, drawn by the thousand: one clear line, status 2, nothing half-written.

What stands behind each case is what SConstruct calls before a node exists. 240 cases on every run,
2,500 more at night; bad_input.py says how to draw others.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bad_input import SEED, TEXTS, documents, explore, texts
from hypothesis import strategies as st

from touchstone import app, cli
from touchstone.errors import UserError
from touchstone.network.model import load_model
from touchstone.request import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
COUNTS = [pytest.param(30, id="some"), pytest.param(315, marks=pytest.mark.nightly, id="many")]
ROOMS = ("configs", "golden", "kernels", "targets")
LONGEST_LINE = 1200
CONFIG = """\
schema: 1
defaults: {seed: 3, numerics: {rounding: half_up, per_channel: true}}
cells:
  - name: two targets
    targets: [gap9, "stm32*"]
    kernels: [gelu, "linear_*"]
    shapes: [{S: [4, 5], E: 6, P: 3, H: 2}]
    cores: [1, 2]
    numerics: {softmax: accurate, gelu: accurate}
    data: random
  - name: depth first
    targets: gap9
    kernels: mhsa_dft
    variants: all
    shapes: [{S: 4, E: 6, P: 3, H: 2}]
    schedules: [{tile: 2, heads: 1, order: accumulate}, {}]
"""
SMALL = """\
schema: 1
cells:
  - {name: small, shapes: [{S: 4, E: 6, P: 3, H: 2, F: 5}]}
"""
EXPECTATIONS = """\
schema: 1
expected_failures: [{cell: gap9/gelu/*, status: FAIL, reason: known, expires: 2999-01-01}]
quarantine: [{cell: gap9/softmax/*, reason: unsure, expires: '2999-01-01'}]
"""
KERNELS = ("softmax", "fwsa", "linear_qk", "mhsa_dft")
TARGETS = ("gap9", "stm32l4", "stm32h7")
WORDS = ("list", "plan", "fuzz", "merge", "report", "image", "compiledb", "trend", "doctor", "lib")
OTHER_KEYS = ("format", "shards", "from", "cells", "memory", "record", "kernal", "")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What of a checkout is read before a node exists, in a folder that is the working one."""
    folder = tmp_path_factory.mktemp("checkout")
    for room in ROOMS:
        ignored = shutil.ignore_patterns("__pycache__", "baselines")
        shutil.copytree(ROOT / room, folder / room, ignore=ignored)
    shutil.copy(ROOT / "requirements.in", folder)
    (folder / "small.yaml").write_text(SMALL)
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def listing(folder: Path) -> dict[str, int]:
    """Every file but what remembers documents that were found valid."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.parent != folder / "build" / "yaml"
    }


def clear_line(line: str, *places: str) -> None:
    """One line that can be printed anywhere, says what was found, and names one of the places."""
    assert line.isprintable(), line
    assert 20 <= len(line) <= LONGEST_LINE, line
    assert any(line.startswith(str(UserError(place))) for place in places), line
    assert any(word in line for word in ("found", "allowed", "only", "nothing selected")), line


class Refusals:
    """Builds that are asked for in a checkout; how many were refused."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.accepted = self.refused = 0

    def ask(self, words: dict[str, str], *places: str) -> None:
        """Either it is planned, or there is one clear line and nothing has been written."""
        before = listing(self.checkout)
        try:
            app.prepare(self.checkout, words)
        except UserError as error:
            self.refused += 1
            clear_line(str(error), *places)
            assert listing(self.checkout) == before
        else:
            self.accepted += 1


def written(checkout: Path, name: str) -> Callable[[bytes], None]:
    """A function that writes a file of the checkout."""
    return lambda data: void((checkout / name).write_bytes(data))


def void(_: object) -> None:
    return


def either(*valid: str) -> st.SearchStrategy[bytes]:
    """Mutants of valid YAML: of what it says, and of how it is written."""
    return st.one_of(
        documents(tuple(yaml.safe_load(text) for text in valid)),
        texts(tuple(text.encode() for text in valid)),
    )


@pytest.mark.parametrize("cases", COUNTS)
def test_matrix_files(checkout: Path, cases: int) -> None:
    seed_config = (ROOT / "tests" / "data" / "seed_testConfig.yml").read_text()
    found = Refusals(checkout)

    def check(data: bytes) -> None:
        (checkout / "some.yaml").write_bytes(data)
        found.ask({"config": "some.yaml"}, "some.yaml", "nothing selected: no cell of some.yaml")

    explore(cases, either(CONFIG, SMALL, seed_config), check)
    assert found.refused > cases // 4
    assert found.accepted > 0


@pytest.mark.parametrize("cases", COUNTS)
def test_files_beside_the_matrix(checkout: Path, cases: int) -> None:
    """Expected failures, quarantine, expected skips."""
    found = Refusals(checkout)
    files = {
        "configs/expectations.yaml": EXPECTATIONS,
        "configs/expected_skips.yaml": (ROOT / "configs" / "expected_skips.yaml").read_text(),
    }
    for name, text in files.items():
        (checkout / name).write_text(text)

        def check(data: bytes, name: str = name) -> None:
            (checkout / name).write_bytes(data)
            found.ask({"config": "small.yaml"}, name)

        try:
            explore(-(-cases // len(files)), either(text), check)
        finally:
            shutil.copy(ROOT / name, checkout / name)
    assert found.refused > cases // 4


@pytest.mark.parametrize("cases", COUNTS)
@pytest.mark.parametrize("room", ["kernels", "targets"])
def test_manifests(checkout: Path, room: str, cases: int) -> None:
    found = Refusals(checkout)
    names = {"kernels": KERNELS, "targets": TARGETS}[room]
    for name in names:
        path = f"{room}/{name}/{room[:-1]}.yaml"

        def check(data: bytes, path: str = path) -> None:
            (checkout / path).write_bytes(data)
            found.ask({"config": "small.yaml"}, path)

        try:
            explore(-(-cases // len(names)), either((ROOT / path).read_text()), check)
        finally:
            shutil.copy(ROOT / path, checkout / path)
    assert found.refused > cases // 4


@pytest.mark.parametrize("cases", COUNTS)
def test_model_files(checkout: Path, tmp_path: Path, cases: int) -> None:
    found = {True: 0, False: 0}
    valid = [path.read_text() for path in sorted((ROOT / "configs" / "models").glob("*.yaml"))]
    path = checkout / "model.yaml"

    def check(data: bytes) -> None:
        path.write_bytes(data)
        try:
            load_model(path, tmp_path)
        except UserError as error:
            clear_line(str(error), "model.yaml")
            found[False] += 1
        else:
            found[True] += 1

    explore(cases, either(*valid), check)
    assert found[False] > cases // 4
    assert found[True] > 0


INPUTS = {"input": np.arange(24, dtype=np.int8).reshape(4, 6)}
HEADERS = st.one_of(
    st.text(max_size=40),
    st.builds(
        "{{'descr': {!r}, 'fortran_order': {!r}, 'shape': {!r}, }}".format,
        st.sampled_from(("|i1", "<i4", "<f8", "|O", "", 3, None, [("a", "<i4")])),
        st.booleans(),
        st.sampled_from(((4, 6), (6, 4), (), (-1,), (2**70,), "46", None, (0.5,), ("4", "6"), 4)),
    ),
)


def archive(entries: dict[str, bytes]) -> bytes:
    """A .zip file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, data in entries.items():
            file.writestr(zipfile.ZipInfo(name), data)
    return made.getvalue()


def npy(header: str) -> bytes:
    text = header.encode("utf-8", "surrogatepass")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(24)


@st.composite
def arrays(draw: st.DrawFn) -> bytes:
    """A .npz that is damaged, or whose arrays are nobody's."""
    valid = io.BytesIO()
    np.savez(valid, **INPUTS)
    kind = draw(st.sampled_from(("damaged", "damaged", "names", "headers", "bytes")))
    if kind == "damaged":
        return draw(texts((valid.getvalue(),)))
    if kind == "names":
        name = draw(st.sampled_from(("input", "imput", "output", "table", "../x", "", "a\nb", "é")))
        return archive({f"{name}.npy": npy(draw(HEADERS))})
    if kind == "headers":
        return archive({"input.npy": npy(draw(HEADERS))})
    return archive({"input.npy": draw(st.binary(max_size=80))})


@pytest.mark.parametrize("cases", COUNTS)
def test_vectors(checkout: Path, cases: int) -> None:
    found = Refusals(checkout)

    def check(data: bytes) -> None:
        (checkout / "mine.npz").write_bytes(data)
        words = {"config": "small.yaml", "kernel": "gelu", "inputs": "mine.npz"}
        found.ask(words, "mine.npz", "inputs=mine.npz")

    explore(cases, arrays(), check)
    assert found.refused > cases // 4


KEYS = tuple(name for name in VARIABLES if name not in ("config", "executor"))
VALUES = st.one_of(
    TEXTS,
    st.sampled_from(("gap9", "fwsa", "portable", "1", "0", "4,5", "1/2", "check", "failed", "off")),
    st.sampled_from(("counts:cycles", "gelu,softmax", "xpulp", "command", "gnu", "-O3", "1" * 30)),
)


@pytest.mark.parametrize("cases", COUNTS)
def test_command_lines(checkout: Path, cases: int) -> None:
    found = Refusals(checkout)
    words = st.one_of(
        st.dictionaries(st.sampled_from((*KEYS, *OTHER_KEYS)), VALUES, min_size=1, max_size=3),
        st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=1),
        st.builds(lambda text: {"config": text}, TEXTS.filter(lambda text: text != "small.yaml")),
        st.fixed_dictionaries({"kernel": st.sampled_from(("gelu", "mhsa_dft", "soft"))}),
    )

    def check(drawn: dict[str, str]) -> None:
        # The line names a word that was said, or the file that has none of what it asks for: a
        # path in its normal form (config=0/ is the file 0).
        paths = [str(Path(value)) for value in drawn.values() if value and "\0" not in value]
        said = (*drawn, "command line", "nothing selected", *drawn.values(), *paths)
        found.ask({"config": "small.yaml", **drawn}, *said)

    explore(cases, words, check)
    assert found.refused > cases // 4
    assert found.accepted > 0


class StartedError(Exception):
    """A word has taken its arguments and starts other programs."""


@pytest.mark.parametrize("cases", COUNTS)
def test_words(
    checkout: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    cases: int,
) -> None:
    """`./scons WORD key=value ...`, up to where it would start a program."""

    def start(*_: Any, **__: Any) -> None:
        raise StartedError

    monkeypatch.setattr(subprocess, "Popen", start)
    keys = st.sampled_from((*KEYS, *OTHER_KEYS))
    pairs = st.one_of(st.builds("{}={}".format, keys, VALUES), TEXTS)
    line = st.tuples(
        st.one_of(st.sampled_from(WORDS), st.sampled_from(WORDS), TEXTS),
        st.lists(pairs, max_size=3),
    )
    refused = 0

    def check(drawn: tuple[str, list[str]]) -> None:
        nonlocal refused
        before = listing(checkout)
        try:
            status = cli.main([drawn[0], *drawn[1]], checkout)
        except StartedError:
            capfd.readouterr()
            return
        output, error = capfd.readouterr()
        assert status in (0, 1, 2)
        if status == 2:
            refused += 1
            assert output == ""
            assert error.startswith("touchstone: ")
            assert error.count("\n") == 1
            clear_line(error.removeprefix("touchstone: ").rstrip("\n"), "")
            assert listing(checkout) == before

    explore(cases, line, check)
    assert refused > cases // 4


def test_a_seed_draws_the_same_again() -> None:
    """Else a failure of the night could not be looked at in the morning."""

    def drawn() -> list[bytes]:
        found: list[bytes] = []
        explore(20, either(CONFIG), found.append)
        return found

    assert SEED >= 0
    assert drawn() == drawn()
