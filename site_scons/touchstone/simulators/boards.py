# SPDX-License-Identifier: Apache-2.0
"""The boards of this machine: which there are, and one of them for each run of `sim=command`.

TOUCHSTONE_BOARDS names a YAML file, as other variables name an installed simulator: what is plugged
in here concerns neither project nor target.

    schema: 1
    boards:
      - {name: left, target: stm32l4, words: {probe: 0672FF, port: /dev/ttyACM0}}
      - {name: right, target: stm32l4, words: {probe: 0673FF, port: /dev/ttyACM1}}

`{probe}` in the command line then stands for that word of a board of the cell's target that is
free. A board does one run at a time, whoever asks: other jobs of a build, other builds, other
checkouts. A run waits for one as long as it takes; the wall limit begins when it has it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from touchstone.errors import UserError
from touchstone.process import ProcessRegistry
from touchstone.schema import validate
from touchstone.yamlio import load_yaml

VARIABLE = "TOUCHSTONE_BOARDS"
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Board:
    """One board: what command lines need to know to reach it, by word."""

    name: str
    target: str
    words: Mapping[str, str]

    @property
    def lock(self) -> Path:
        """The file that holds it; by what reaches it, which others may call by another name."""
        reached = "\0".join(f"{key}={self.words[key]}" for key in sorted(self.words))
        digest = hashlib.sha256(reached.encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"touchstone-board-{digest}.lock"


def boards_of(target: str, environment: Mapping[str, str] = os.environ) -> tuple[Board, ...]:
    """This machine's boards of a target, none where TOUCHSTONE_BOARDS is not set; UserError."""
    path = environment.get(VARIABLE)
    if not path:
        return ()
    found = tuple(board for board in _load(path) if board.target == target)
    if not found:
        raise UserError(f"{VARIABLE}={path}: found no board of {target}, allowed one at least")
    return found


@lru_cache
def _load(path: str) -> tuple[Board, ...]:
    document = load_yaml(Path(path))
    validate(document, "boards", Path(path))
    boards = [Board(item["name"], item["target"], item["words"]) for item in document["boards"]]
    for index, board in enumerate(boards):
        for other in boards[:index]:
            if board.name == other.name or board.lock == other.lock:
                raise UserError(
                    f"{path}: boards[{index}]: found {board.name!r} with the name or the words of "
                    f"{other.name!r}, allowed others"
                )
            if board.target == other.target and board.words.keys() != other.words.keys():
                raise UserError(
                    f"{path}: boards[{index}].words: found {', '.join(sorted(board.words))}, "
                    f"allowed those of {other.name!r}: {', '.join(sorted(other.words))}"
                )
    return tuple(boards)


@contextlib.contextmanager
def free_board(boards: Sequence[Board], registry: ProcessRegistry) -> Iterator[Board | None]:
    """One of `boards` that nobody else has meanwhile; None where there are none, or at an
    interrupt. A board is free again when its holder is gone, however it went."""
    board, lock = None, -1
    while boards and board is None and not registry.interrupted:
        for candidate in boards:
            lock = _try(candidate.lock)
            if lock >= 0:
                board = candidate
                break
        else:
            time.sleep(POLL_SECONDS)
    try:
        yield board
    finally:
        if lock >= 0:
            os.close(lock)


def _try(path: Path) -> int:
    """The descriptor that holds the file, -1 where somebody else does."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return -1
    return lock
