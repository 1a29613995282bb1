# SPDX-License-Identifier: Apache-2.0
"""watch=1: what is watched, and when a round begins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from touchstone.errors import UserError
from touchstone.watch import WARM, changed, snapshot, wait_for_change, wanted


def test_words() -> None:
    assert wanted(["-Q", "kernel=fwsa"]) == (False, ["-Q", "kernel=fwsa"])
    assert wanted(["watch=1", "kernel=fwsa"]) == (True, ["kernel=fwsa"])
    assert wanted(["watch=0"]) == (False, [])
    with pytest.raises(UserError, match="watch=yes: found 'yes', allowed 0, 1"):
        wanted(["watch=yes"])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("kernels/a/x.c", "site_scons/m.py", "SConstruct", "build/o", "kernels/.x.c.swp"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    return tmp_path


def test_sources_are_watched_and_nothing_that_is_made(checkout: Path) -> None:
    config = checkout / "mine.yaml"
    config.write_text("")
    names = {os.path.relpath(name, checkout) for name in snapshot(checkout, [config])}
    assert names == {"kernels/a/x.c", "site_scons/m.py", "SConstruct", "mine.yaml"}


def test_changes(checkout: Path) -> None:
    before = snapshot(checkout)
    assert changed(before, snapshot(checkout)) == []
    (checkout / "kernels/a/x.c").write_text("22")
    (checkout / "kernels/a/y.c").write_text("")
    (checkout / "SConstruct").unlink()
    names = [os.path.relpath(name, checkout) for name in changed(before, snapshot(checkout))]
    assert names == ["SConstruct", "kernels/a/x.c", "kernels/a/y.c"]


def test_waiting_ends_with_the_change() -> None:
    looks = iter([{"a": (1, 1)}, {"a": (1, 1)}, {"a": (1, 2)}])
    assert wait_for_change(lambda: next(looks), {"a": (1, 1)}) == ["a"]


def test_what_is_kept_warm_exists() -> None:
    root = Path(__file__).resolve().parents[2] / "site_scons"
    for name in WARM:
        path = root / name.replace(".", "/")
        assert name == "SCons.Script" or path.with_suffix(".py").is_file(), name
