# SPDX-License-Identifier: Apache-2.0
"""The words: commands that answer before a single node exists.

python -m touchstone.cli list [key=value ...]
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from touchstone.errors import UserError, nearest, unknown

# As a shell has it for a command that SIGPIPE ends; a verdict that nobody read is not good.
PIPE_CLOSED = 141
Command = Callable[[Path, Mapping[str, str]], int]


def repository() -> Path:
    """The checkout that this package lies in."""
    return Path(__file__).resolve().parents[2]


# Each word's function, imported when it is asked for: a word needs little of what the others do.
COMMANDS: Mapping[str, str] = {
    "accuracy": "touchstone.network.accuracy:command",
    "lib": "touchstone.library:command",
    "costs": "touchstone.ci.costs:command",
    "list": "touchstone.ci.command:list_cells",
    "merge": "touchstone.ci.command:merge_shards",
    "report": "touchstone.ci.command:report",
    "image": "touchstone.flash:image",
    "cluster": "touchstone.executors.cluster:cluster",
    "compiledb": "touchstone.compiledb:compiledb",
    "doctor": "touchstone.doctor:command",
    "describe": "touchstone.network.command:describe",
    "fidelity": "touchstone.fidelity.command:fidelity",
    "fuzz": "touchstone.fuzz:command",
    "mutation": "touchstone.mutation.command:mutation",
    "plan": "touchstone.planner.command:plan",
    "peers": "touchstone.peers.command:peers",
    "paper": "touchstone.paper.command:paper",
    "trend": "touchstone.bench.trend:trend",
    "test": "touchstone.cli:test",
}


def test(root: Path, arguments: Mapping[str, str]) -> int:
    """The test suite, with the interpreter at hand."""
    no_arguments("test", arguments)
    return subprocess.run([sys.executable, "-m", "pytest"], cwd=root, check=False).returncode


def networks(root: Path, arguments: Mapping[str, str]) -> int:
    """`model=`: whole networks; the exit status."""
    from touchstone.network.command import run

    try:
        return run(root, arguments)
    except UserError as error:
        print(f"touchstone: {error}", file=sys.stderr)
        return 2


def no_arguments(word: str, arguments: Mapping[str, str]) -> None:
    """UserError where a word that takes no variables is given one."""
    for name in arguments:
        raise UserError(f"{word}: found {name}=, allowed no variables")


def command(word: str) -> Command:
    """What a word does: a function of the checkout and its variables, giving the exit status."""
    module, _, name = COMMANDS[word].partition(":")
    found: Command = getattr(importlib.import_module(module), name)
    return found


def unknown_word(word: str) -> UserError:
    """The one line for a word that is no command."""
    if nearest(word, COMMANDS) is None:
        return UserError(
            f"command line: found {word!r}, allowed variables (key=value) and the words "
            f"{', '.join(COMMANDS)}; a single cell is cell={word}"
        )
    return UserError(unknown("command line: word", word, COMMANDS))


def main(words: Sequence[str], root: Path | None = None) -> int:
    """Run one command in a project, the checkout unless another is given; the exit status."""
    try:
        status = _dispatch(list(words), repository() if root is None else root)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever read this has had enough; Python would try again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except UserError as error:
        print(f"touchstone: {error}", file=sys.stderr)
        return 2


def _dispatch(words: list[str], root: Path) -> int:
    if not words or words[0] not in COMMANDS:
        raise unknown_word(words[0] if words else "")
    arguments: dict[str, str] = {}
    for word in words[1:]:
        name, separator, value = word.partition("=")
        if not separator:
            raise UserError(f"{words[0]}: found {word!r}, allowed key=value")
        arguments[name] = value
    return command(words[0])(root, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
