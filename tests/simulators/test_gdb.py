# SPDX-License-Identifier: Apache-2.0
"""gdb=1 with a QEMU: a debugger of the test's own finds the cell stopped, and stops it at main."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from touchstone.cellid import parse_cell_id
from touchstone.debug import with_debugger
from touchstone.errors import UserError
from touchstone.manifest import load_catalogue
from touchstone.plan import PlannedCell, planned_cell

ROOT = Path(__file__).resolve().parents[2]
CELL = "stm32l4/gelu/S4-E32-P32-H8/c1"
SECONDS = 60


@pytest.fixture
def cell(tmp_path: Path) -> PlannedCell:
    return planned_cell(parse_cell_id(load_catalogue(ROOT, tmp_path / "yaml"), CELL, ()))


def refused(cells: list[PlannedCell]) -> str:
    with pytest.raises(UserError) as caught:
        with_debugger(cells)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_one_cell(cell: PlannedCell) -> None:
    assert refused([cell, cell]).startswith("gdb=1: found 2 cells that run, allowed one")


def test_nothing_installed(cell: PlannedCell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("touchstone.debug.find_external", lambda _: None)
    said = refused([cell])
    assert said.startswith("gdb=1: found no simulator that speaks GDB here; install your dist")
    assert "qemu-system-arm" in said


def test_target_without_one(tmp_path: Path) -> None:
    catalogue = load_catalogue(ROOT, tmp_path / "yaml")
    gap9 = planned_cell(parse_cell_id(catalogue, "gap9/gelu/S4-E32-P32-H8/c8", ()))
    assert "no simulator of gap9 that this version attaches a debugger to" in refused([gap9])


class Debugger:
    """GDB's remote protocol, as little of it as a breakpoint takes."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)

    def say(self, text: str) -> str:
        self.socket.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())
        answer = b""
        while not re.search(rb"\$[^#]*#..", answer):
            answer += self.socket.recv(4096)
        self.socket.sendall(b"+")
        found = re.search(rb"\$([^#]*)#..", answer)
        assert found is not None
        return found[1].decode()

    def program_counter(self) -> int:
        registers = bytes.fromhex(self.say("g"))
        return int.from_bytes(registers[4 * 15 : 4 * 16], "little")


def symbol(elf: Path, name: str) -> int:
    from elftools.elf.elffile import ELFFile

    with elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        return int(table.get_symbol_by_name(name)[0]["st_value"]) & ~1


@pytest.mark.nightly
def test_stops_at_main(tmp_path: Path) -> None:
    """The whole command, in a copy of the checkout, without a GDB in the PATH."""
    qemu = shutil.which("qemu-system-arm")
    if qemu is None:
        pytest.skip("no qemu-system-arm")
    sys.path.insert(0, str(ROOT / "tests/e2e"))
    from project import copy_checkout, environment_of, scons_command

    project = copy_checkout(tmp_path / "project")
    (tmp_path / "bin").mkdir()
    for name in ("qemu-system-arm", "git", "ps"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    process = subprocess.Popen(
        scons_command(f"cell={CELL}", "gdb=1"),
        cwd=project.folder,
        env=environment_of({"PATH": f"{tmp_path / 'bin'}", "HOME": os.environ.get("HOME", "")}),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    port = None
    for line in process.stdout:
        found = re.search(
            r"is stopped ahead of its first instruction, GDB at 127.0.0.1:(\d+)", line
        )
        if found:
            port = int(found[1])
            break
    assert port is not None
    assert "tbreak main" in process.stdout.readline()
    debugger = _attach(port)
    main = symbol(
        project.path("build/firmware/stm32l4/llvm/gelu.portable.qemu/firmware.elf"), "main"
    )
    assert debugger.program_counter() != main
    assert debugger.say(f"Z0,{main:x},2") == "OK"
    assert debugger.say("c").startswith("T05")
    assert debugger.program_counter() == main
    debugger.socket.sendall(b"$k#6b")
    assert process.wait(timeout=SECONDS) == 0


def _attach(port: int) -> Debugger:
    for _ in range(100):
        try:
            return Debugger(port)
        except ConnectionRefusedError:
            import time

            time.sleep(0.1)
    raise AssertionError("nothing listens")
