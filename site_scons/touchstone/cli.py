# SPDX-License-Identifier: Apache-2.0
"""The words: commands that answer before a single node exists.

python -m touchstone.cli list [key=value ...]
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from touchstone.errors import UserError, nearest, unknown


def repository() -> Path:
    """The checkout that this package lies in."""
    return Path(__file__).resolve().parents[2]


def list_cells(root: Path, arguments: Mapping[str, str]) -> int:
    """The plan: one line a cell with why it is skipped, JSON, or a GitHub matrix."""
    # Imported here, as below: each word needs little of what the others do.
    from touchstone.ci import command

    return command.list_cells(root, arguments)


def merge(root: Path, arguments: Mapping[str, str]) -> int:
    """The results of all shards as one."""
    from touchstone.ci import command

    return command.merge_shards(root, arguments)


def report(root: Path, arguments: Mapping[str, str]) -> int:
    """The reports of the last command, made again."""
    from touchstone.ci import command

    return command.report(root, arguments)


def doctor(root: Path, arguments: Mapping[str, str]) -> int:
    """What is here and what is missing; status 1 if a build could not work."""
    # Imported here: `list` needs none of it.
    from touchstone.doctor import examine, render

    _no_arguments("doctor", arguments)
    findings = examine(root)
    print(render(findings))
    return 0 if all(finding.good or finding.optional for finding in findings) else 1


def test(root: Path, arguments: Mapping[str, str]) -> int:
    """The test suite, with the interpreter at hand."""
    _no_arguments("test", arguments)
    return subprocess.run([sys.executable, "-m", "pytest"], cwd=root, check=False).returncode


def fidelity(root: Path, arguments: Mapping[str, str]) -> int:
    """The embedded GAP9 simulator held against GVSOC."""
    # Imported here: it brings the programs of the comparison along.
    from touchstone.fidelity import command

    return command.fidelity(root, arguments)


def plan(root: Path, arguments: Mapping[str, str]) -> int:
    """The ways to compute an operation, the best of them, and why."""
    # Imported here: it brings the cost model along.
    from touchstone.planner import command

    return command.plan(root, arguments)


def peers(root: Path, arguments: Mapping[str, str]) -> int:
    """Other libraries' attention layers beside ours."""
    from touchstone.peers import command

    return command.peers(root, arguments)


def _no_arguments(word: str, arguments: Mapping[str, str]) -> None:
    for name in arguments:
        raise UserError(f"{word}: found {name}=, allowed no variables")


COMMANDS: Mapping[str, Callable[[Path, Mapping[str, str]], int]] = {
    "list": list_cells,
    "merge": merge,
    "report": report,
    "doctor": doctor,
    "fidelity": fidelity,
    "plan": plan,
    "peers": peers,
    "test": test,
}


def unknown_word(word: str) -> UserError:
    """The one line for a word that is no command."""
    if nearest(word, COMMANDS) is None:
        return UserError(
            f"command line: found {word!r}, allowed variables (key=value) and the words "
            f"{', '.join(COMMANDS)}; a single cell is cell={word}"
        )
    return UserError(unknown("command line: word", word, COMMANDS))


def main(words: Sequence[str]) -> int:
    """Run one command; the process's exit status."""
    try:
        return _dispatch(list(words))
    except UserError as error:
        print(f"touchstone: {error}", file=sys.stderr)
        return 2


def _dispatch(words: list[str]) -> int:
    if not words or words[0] not in COMMANDS:
        raise unknown_word(words[0] if words else "")
    arguments: dict[str, str] = {}
    for word in words[1:]:
        name, separator, value = word.partition("=")
        if not separator:
            raise UserError(f"{words[0]}: found {word!r}, allowed key=value")
        arguments[name] = value
    return COMMANDS[words[0]](repository(), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
