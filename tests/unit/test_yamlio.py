# SPDX-License-Identifier: Apache-2.0
"""YAML for people: plain values, and one line for everything else."""

import errno
import os
from pathlib import Path

import pytest

from touchstone.errors import UserError, nearest, unknown
from touchstone.yamlio import load_yaml, parse_yaml


def message(text: str) -> str:
    with pytest.raises(UserError) as caught:
        parse_yaml(text, "m.yaml")
    return str(caught.value)


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = (
        "a: 010\nb: 0x1F\nc: no\nd: true\ne: 1.5\nf: ~\ng: 1:30\nh: 2024-01-02\ni: 1e3\nj: -7\nk:"
    )
    assert parse_yaml(text, "m.yaml") == {
        "a": 10,
        "b": 31,
        "c": "no",
        "d": True,
        "e": 1.5,
        "f": None,
        "g": "1:30",
        "h": "2024-01-02",
        "i": 1000.0,
        "j": -7,
        "k": None,
    }


def test_structure() -> None:
    text = "a: {b: [1, x], c: 'two words'}\nd:\n  - e: >-\n      folded\n      text\n"
    document = {"a": {"b": [1, "x"], "c": "two words"}, "d": [{"e": "folded text"}]}
    assert parse_yaml(text, "m.yaml") == document


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "m.yaml:3: found the key 'a' again, allowed once (first in line 1)"),
        (
            "a:\n  b: {c: 1, c: 2}\n",
            "m.yaml:2: found the key 'c' again, allowed once (first in line 2)",
        ),
        ("a:\n\tb: 1\n", "m.yaml:2: found a tab, allowed spaces as indentation"),
        ("- 1\n- 2\n", "m.yaml: found list, allowed a mapping of keys to values"),
        ("# nothing\n", "m.yaml: found nothing, allowed a mapping of keys to values"),
        ("just words\n", "m.yaml: found str, allowed a mapping of keys to values"),
        ("a: &x [1]\nb: *x\n", "m.yaml:2: found an alias (*), allowed plain values only"),
        ("a: !!python/name:os.system\n", "m.yaml:1: found a tag (!), allowed plain values only"),
        ("1: a\n", "m.yaml:1: found the key 1, allowed keys that are words"),
        ("? [a]\n: b\n", "m.yaml:1: found the key ['a'], allowed keys that are words"),
        ("a: [1, 2\nb: 3\n", "m.yaml:2: found broken YAML: expected ',' or ']', but got ':'"),
        ("a: 1\n---\nb: 2\n", "m.yaml:2: found broken YAML: but found another document"),
        ("a: " + "[" * 5000, "m.yaml: found values nested too deeply"),
        ("a: \0\n", "m.yaml: found broken YAML: special characters are not allowed"),
    ],
)
def test_bad_input_is_one_line(text: str, line: str) -> None:
    assert message(text) == line


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("default.yaml").write_text("a: 1\n")
    Path("binary.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with Path("big.yaml").open("wb") as file:
        file.truncate((1 << 20) + 1)
    Path("folder.yaml").mkdir()
    cases = {
        "defautl.yaml": "defautl.yaml: found no such file; did you mean default.yaml?",
        "nowhere/x.yaml": "nowhere/x.yaml: found no such file",
        "binary.yaml": "binary.yaml:2: found bytes that are not UTF-8, allowed UTF-8",
        "big.yaml": "big.yaml: found more than 1048576 bytes, allowed at most 1048576",
        "folder.yaml": "folder.yaml: found a folder, allowed a file",
    }
    for name, line in cases.items():
        with pytest.raises(UserError) as caught:
            load_yaml(Path(name))
        assert str(caught.value) == line


def test_files_below_the_working_directory_are_named_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for path, name in ((Path("x.yaml").resolve(), "x.yaml"), (tmp_path / "y", str(tmp_path / "y"))):
        with pytest.raises(UserError, match=f"^{name}: found no such file$"):
            load_yaml(path)


def test_a_byte_order_mark_is_no_character(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert load_yaml(path) == {"a": 1}


def test_a_file_without_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError) as caught:
        load_yaml(Path("x.yaml"))
    line = "x.yaml: found a file that cannot be read (Permission denied)"
    assert str(caught.value) == line


def test_nearest_name() -> None:
    assert nearest("fwas", ["softmax", "fwsa", "mhsa"]) == "fwsa"
    assert nearest("GAP8", ["gap9", "stm32l4"]) == "gap9"
    assert nearest("zzz", ["gap9"]) is None
    assert nearest("ab", ["ac", "ad"]) == nearest("ab", ["ad", "ac"])


def test_unknown_name() -> None:
    line = "kernel: found 'fwas', allowed fwsa, mhsa; did you mean fwsa?"
    assert unknown("kernel", "fwas", ["mhsa", "fwsa"]) == line
    assert unknown("kernel", "x", []) == "kernel: found 'x', allowed nothing"
