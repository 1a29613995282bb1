# SPDX-License-Identifier: Apache-2.0
"""`sim=command`: whatever a command line runs. A board of QEMU's with an STM32's memory stands for
one, small scripts for everything that goes wrong."""

from __future__ import annotations

import os
import re
import struct
import sys
import time
import zlib
from pathlib import Path

import pytest
from installed import CONFIG, QEMU, needs

from tests.e2e.project import Project
from touchstone.errors import UserError
from touchstone.process import ProcessRegistry
from touchstone.records import END, HEADER, HELLO, MAGIC
from touchstone.simulators import command
from touchstone.simulators.base import Limits, RunStatus, SimulatorRun, Unit
from touchstone.simulators.console import ends_with_record, split_console

# An STM32F405: flash and SRAM where an STM32L4 has them. Its SRAM is smaller.
BOARD = (
    "command=qemu-system-arm -M netduinoplus2 -display none -monitor none -serial none "
    "-semihosting-config enable=on,target=native -kernel {elf}"
)
CELLS = ("target=stm32l4", "kernel=softmax,layernorm")
LIMITS = Limits(instructions=1_000_000, wall_seconds=10)


def frame(kind: int, payload: bytes) -> bytes:
    words = struct.pack("<4I16s", kind, 0, 0, len(payload), bytes(16))
    return struct.pack("<I", MAGIC) + words + struct.pack("<I", zlib.crc32(payload)) + payload


STREAM = frame(HELLO, bytes(12)) + frame(END, bytes(20))


def as_text(data: bytes) -> bytes:
    chunks = [data[i : i + 32].hex().encode() for i in range(0, len(data), 32)]
    return b"".join(b"#ts " + chunk + b"\n" for chunk in chunks)


@needs(QEMU)
def test_board(checkout: Project) -> None:
    ended = checkout.run("sim=command", BOARD, *CELLS, config=CONFIG)
    assert ended.status == 0, ended.output + ended.error
    assert len(ended.cells) == 3
    for name, row in ended.cells.items():
        assert re.search(r"/command/line-[0-9a-f]{8}$", name)
        assert (row["status"], row["simulator"], row["timing"]) == ("PASS", "command", "none")
        assert (row["cycles"], row["instructions"]) == (None, None)
    assert checkout.run("sim=command", BOARD, *CELLS, config=CONFIG).built.keys() == {"gate"}
    name = next(iter(ended.cells))
    again = checkout.run(f"cell={name}", BOARD, config=CONFIG)
    assert again.statuses == {name: "PASS"}
    other = checkout.run(f"cell={name}", f"{BOARD} -nodefaults", config=CONFIG)
    assert (other.status, other.built) == (2, {})


@needs(QEMU)
def test_board_of_the_manifest_with_a_console_for_text(checkout: Project) -> None:
    path = checkout.path("targets/stm32l4/target.yaml")
    before = path.read_text(encoding="utf-8")
    memory = before[before.index("\nmemory:\n") + len("\nmemory:\n") : before.index("memory_maps:")]
    indented = "".join(f"  {line}\n" for line in memory.splitlines())
    added = f"memory_maps:\n  command:\n{indented}"
    line = BOARD.partition("=")[2]
    keys = f'console: {{default: bytes, command: text}}\ncommand: "{line}"\n'
    try:
        path.write_text(keys + before.replace("memory_maps:\n", added), encoding="utf-8")
        ended = checkout.run("sim=command", *CELLS, "settings=counts:cycles", config=CONFIG)
    finally:
        path.write_text(before, encoding="utf-8")
    assert ended.status == 0, ended.output + ended.error
    assert {row["timing"] for row in ended.cells.values()} == {"cycle-approximate"}
    assert all(name.endswith("/command/counts-cycles") for name in ended.cells)
    layouts = [*checkout.path("build/firmware").glob("stm32l4/llvm/*.command/layout.ld")]
    assert len(layouts) == 3
    assert all("ts_console_is_text = 1;" in path.read_text() for path in layouts)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "sim=command on stm32l4: found no command line, allowed command='PROGRAM ... {elf} "),
        (("command=true",), "sim=command on stm32l4: found 'true', allowed a command line with "),
        (("command=a 'b {elf}",), 'sim=command on stm32l4: found "a \'b {elf}": No closing '),
        (("command=no-such-tool {elf}",), "sim=command: found no program 'no-such-tool' to run"),
        (
            ("command=true {elf}", "settings=counts:seconds"),
            "settings (command): counts: found 'seconds', allowed cycles, instructions, nothing",
        ),
    ],
)
def test_bad_command_lines(checkout: Project, words: tuple[str, ...], line: str) -> None:
    ended = checkout.run("sim=command", *CELLS, *words, config=CONFIG)
    assert ended.status == 2, ended.output
    assert ended.error.startswith(f"touchstone: {line}")
    assert len(ended.error.splitlines()) == 1
    assert ended.built == {}


def test_a_command_for_another_simulator(checkout: Project) -> None:
    ended = checkout.run("command=true {elf}", *CELLS, config=CONFIG)
    assert ended.status == 2
    assert ended.error == "touchstone: command=true {elf}: only sim=command runs one\n"


def run(
    folder: Path, script: str, wall_seconds: float = 10, counts: str = "nothing"
) -> SimulatorRun:
    """What comes of a Python script that gets the image's path."""
    path = folder / "a simulator"
    path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{script}")
    path.chmod(0o755)
    directory = folder / "run"
    directory.mkdir()
    line = f"'{path}' --image={{elf}}"
    settings = {"line": line, "target": "stm32l4", "options": {"counts": counts}}
    simulator = command.make("command", settings, [])
    limits = Limits(LIMITS.instructions, wall_seconds)
    return simulator.run(b"image", limits, directory, ProcessRegistry())


def say(data: bytes) -> str:
    return f"sys.stdout.buffer.write({data!r})\nsys.stdout.flush()\n"


def test_records_and_log(tmp_path: Path) -> None:
    script = "image = sys.argv[1].removeprefix('--image=')\nassert open(image).read() == 'image'\n"
    script += say(b"hello\n" + STREAM + b"bye\n") + "print('oops', file=sys.stderr)"
    ran = run(tmp_path, script, counts="instructions")
    assert (ran.status, ran.reason) == (RunStatus.COMPLETED, "")
    assert (ran.stream, ran.log) == (STREAM, "hello\nbye\noops\n")
    assert ran.counter.unit is Unit.INSTRUCTIONS


@pytest.mark.parametrize("stream", [STREAM, as_text(STREAM)])
def test_a_console_that_goes_on(tmp_path: Path, stream: bytes) -> None:
    pid = tmp_path / "pid"
    script = f"open({str(pid)!r}, 'w').write(str(os.getpid()))\n" + say(stream) + "time.sleep(60)"
    start = time.monotonic()
    ran = run(tmp_path, script, wall_seconds=30)
    assert time.monotonic() - start < 15
    assert (ran.status, ran.stream) == (RunStatus.COMPLETED, STREAM)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        ("time.sleep(60)", RunStatus.TIMEOUT, "wall limit of 1 s reached"),
        (say(STREAM[:-1]) + "time.sleep(60)", RunStatus.TIMEOUT, "wall limit of 1 s reached"),
        ("sys.exit(3)", RunStatus.CRASH, "the command ended with status 3"),
        (say(STREAM) + "sys.exit(3)", RunStatus.CRASH, "the command ended with status 3"),
        ("os.kill(os.getpid(), 9)", RunStatus.CRASH, "the command ended with status -9"),
        ("print('nothing')", RunStatus.NO_OUTPUT, "the command ended without a record"),
    ],
)
def test_ways_of_dying(tmp_path: Path, script: str, status: RunStatus, reason: str) -> None:
    ran = run(tmp_path, script, wall_seconds=1)
    assert (ran.status, ran.reason) == (status, reason)


def test_a_fault_that_the_firmware_logs(tmp_path: Path) -> None:
    line = "fault: exception 0x00000003, CFSR 0x00008200, HFSR 0x40000000, address 0x60000000"
    ran = run(tmp_path, f"print('{line}, pc 0x08000102')\nsys.exit(101)")
    assert ran.status is RunStatus.CRASH
    assert ran.fault is not None
    assert (ran.fault.pc, ran.fault.address) == (0x08000102, 0x60000000)


def test_the_end_of_a_stream() -> None:
    assert ends_with_record(b"log" + STREAM)
    assert ends_with_record(as_text(STREAM) + b"log")
    for cut in (0, 10, HEADER.size + 12, len(STREAM) - 1):
        assert not ends_with_record(STREAM[:cut])
    # Digits behind a carriage return, as serial lines have them, and between lines of the log.
    text = as_text(STREAM).replace(b"\n", b"\r\n")
    assert split_console(b"a\n" + text + b"b\n") == (STREAM, b"a\nb\n")


def test_a_fingerprint_is_the_programs(tmp_path: Path) -> None:
    line = f"{sys.executable} {{elf}}"
    memory = tmp_path / "digests.json"
    assert command.fingerprint(line, memory) == command.fingerprint(f"{line} -x", memory)
    with pytest.raises(UserError, match="found no program"):
        command.fingerprint("no-such-tool {elf}", memory)
