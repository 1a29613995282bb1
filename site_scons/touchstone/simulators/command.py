# SPDX-License-Identifier: Apache-2.0
"""Any command that runs an ELF: a board behind a debugger, an FVP, an in-house simulator.

`{elf}` in the command line stands for the image, `{root}` for the checkout, other words in braces
for those of a board of this machine (boards.py). The command's standard
output carries the firmware's records, as the bytes that they are or as lines of hexadecimal digits
(`console: text` in target.yaml, for consoles that are not transparent); what lies between them, and
its standard error, is log. A command that goes on after the last record is ended.

Nobody knows what the counter counts that the firmware reads there: the setting `counts` says it.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from touchstone.errors import UserError, unknown
from touchstone.fingerprint import binary_digest
from touchstone.process import ProcessRegistry, ProcessResult, run_limited
from touchstone.simulators.base import Counter, Limits, RunStatus, SimulatorRun, Unit
from touchstone.simulators.boards import Board, boards_of, free_board
from touchstone.simulators.console import ends_with_record, split_console
from touchstone.simulators.cortexm_fault import find_fault
from touchstone.simulators.embedded import describe_fault

ELF = "{elf}"
ROOT = "{root}"
BRACED = re.compile(r"\{([a-z][a-z0-9_]*)\}")
LOG_TAIL_BYTES = 8 * 1024
# Room for the simulator of a whole chip; a leak ends before the machine does.
DATA_MEGABYTES = 8192


def settings(target: Mapping[str, Any]) -> dict[str, Any]:
    """What of a target.yaml's document a run depends on: the command line."""
    line = target.get("command")
    where = f"sim=command on {target['name']}"
    if line is None:
        raise UserError(
            f"{where}: found no command line, allowed command='PROGRAM ... {ELF} ...' or a "
            f"`command:` in targets/{target['name']}/target.yaml"
        )
    if not any(ELF in word for word in _words(line, where)):
        raise UserError(f"{where}: found {line!r}, allowed a command line with {ELF}")
    boards = boards_of(target["name"])
    for word in BRACED.findall(line):
        if f"{{{word}}}" not in (ELF, ROOT) and boards and word not in boards[0].words:
            known = ("elf", "root", *boards[0].words)
            raise UserError(unknown(f"{where}: word in braces", word, known))
    return {"line": line, "target": target["name"]}


def fingerprint(line: str, memory: Path) -> str:
    """Hash of the program that the command line starts; what that starts, nobody can know."""
    return binary_digest(_program(line).resolve(), memory)


def clock(folder: Path) -> str:
    """Whose time it is."""
    return "as counted by what the command runs; the setting counts says what that is"


def make(name: str, settings: Mapping[str, Any], files: Sequence[Path]) -> CommandSimulator:
    """The simulator whose command line is in the settings."""
    line, counter = settings["line"], _counter(settings["options"])
    boards = boards_of(settings["target"])
    return CommandSimulator(name, _program(line), _words(line, name), counter, boards)


def _counter(options: Mapping[str, Any]) -> Counter:
    return Counter(Unit(options.get("counts", Unit.NOTHING.value)))


def _words(line: str, where: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(line))
    except ValueError as error:
        raise UserError(f"{where}: found {line!r}: {error}") from None
    return words


def _program(line: str) -> Path:
    word = _words(line, "sim=command")[0].replace(ROOT, str(_root()))
    found = shutil.which(word)
    if found is None:
        raise UserError(f"sim=command: found no program {word!r} to run")
    return Path(found).absolute()


def _root() -> Path:
    return Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class CommandSimulator:
    """A command line; it runs in the run's folder, with the environment of the build."""

    name: str
    program: Path
    words: tuple[str, ...]
    counter: Counter
    boards: tuple[Board, ...] = ()

    def run(
        self, image: bytes, limits: Limits, directory: Path, registry: ProcessRegistry
    ) -> SimulatorRun:
        """Run `image`; every way of dying is a status, never an exception."""
        image_path, stdout = directory / "image.elf", directory / "stdout.bin"
        image_path.write_bytes(image)
        places = {ELF: str(image_path), ROOT: str(_root())}
        with free_board(self.boards, registry) as board:
            if board is not None:
                places |= {f"{{{name}}}": word for name, word in board.words.items()}
            result = run_limited(
                [str(self.program), *(_placed(word, places) for word in self.words[1:])],
                directory,
                limits.wall_seconds,
                registry,
                data_megabytes=DATA_MEGABYTES,
                stdout=stdout,
                until=lambda: ends_with_record(stdout.read_bytes()),
            )
        ran = interpret(result, stdout.read_bytes(), limits, self.counter)
        if board is None or ran.status is RunStatus.COMPLETED:
            return ran  # a complete run is the same on every board
        return replace(ran, log=f"board {board.name}\n{ran.log}")


def _placed(word: str, places: Mapping[str, str]) -> str:
    """A word of the command line, with what its words in braces stand for."""
    return BRACED.sub(lambda found: places.get(found[0], found[0]), word)


def interpret(
    result: ProcessResult, console: bytes, limits: Limits, counter: Counter
) -> SimulatorRun:
    """Turn what a command left behind into a run."""
    stream, text = split_console(console)
    log = text[-LOG_TAIL_BYTES:].decode("utf-8", "replace") + result.output
    fault = find_fault(log)
    status = RunStatus.CRASH
    died = False
    if result.interrupted:
        reason = "interrupted"
    elif result.timed_out:
        status = RunStatus.TIMEOUT
        reason = f"wall limit of {limits.wall_seconds:g} s reached"
    elif fault is not None:
        reason = describe_fault(fault)
    elif result.returncode != 0 and not result.finished:
        reason = f"the command ended with status {result.returncode}"
        died = result.returncode < 0
    elif not stream:
        status, reason = RunStatus.NO_OUTPUT, "the command ended without a record"
    else:
        status, reason = RunStatus.COMPLETED, ""
    return SimulatorRun(status, reason, stream, log, None, None, fault, counter, died)
