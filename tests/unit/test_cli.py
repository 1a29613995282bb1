# SPDX-License-Identifier: Apache-2.0
"""The words of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from touchstone import cli
from touchstone.errors import UserError


@pytest.mark.parametrize("word", cli.COMMANDS)
def test_every_word_has_its_function(word: str) -> None:
    assert callable(cli.command(word))


@pytest.mark.parametrize("word", cli.COMMANDS)
def test_every_word_refuses_what_it_does_not_know(word: str, tmp_path: Path) -> None:
    given = {"from": "shards"} if word == "merge" else {}
    with pytest.raises(UserError, match="nonsense"):
        cli.command(word)(tmp_path, {**given, "nonsense": "1"})
    assert not list(tmp_path.iterdir())
