# SPDX-License-Identifier: Apache-2.0
"""gdb=1 with each simulator that speaks GDB's protocol: a debugger finds the cell stopped, and
stops it at main; the cell then goes on to its end, and nothing of it is left."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from installed import needs

from tests.e2e.project import (
    Project,
    environment_of,
    kill_below,
    processes_below,
    scons_command,
)
from touchstone.cellid import parse_cell_id
from touchstone.debug import with_debugger
from touchstone.errors import UserError
from touchstone.manifest import load_catalogue
from touchstone.plan import PlannedCell, planned_cell
from touchstone.simulators.registry import EXTERNAL, find_external

ROOT = Path(__file__).resolve().parents[2]
CELL = "stm32l4/gelu/S4-E32-P32-H8/c1"
GAP9 = "gap9/gelu/S4-E32-P32-H8/c8"
DEBUGGERS = re.compile(r"(.*-)?gdb(-multiarch)?")
SECONDS = 60
SERVED = re.compile(r"is stopped ahead of its first instruction under \w+, GDB at \S+:(\d+)")
STOPS = ("S", "T")


def planned(memory: Path, cell: str) -> PlannedCell:
    return planned_cell(parse_cell_id(load_catalogue(ROOT, memory), cell, ()))


@pytest.fixture
def cell(tmp_path: Path) -> PlannedCell:
    return planned(tmp_path / "yaml", CELL)


def install(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    found = {EXTERNAL[name]: f"/bin/{name}" for name in names}
    monkeypatch.setattr("touchstone.debug.find_external", found.get)


def refused(cells: list[PlannedCell]) -> str:
    with pytest.raises(UserError) as caught:
        with_debugger(cells)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_one_cell(cell: PlannedCell) -> None:
    assert refused([cell, cell]).startswith("gdb=1: found 2 cells that run, allowed one")


def test_nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    said = refused([planned(tmp_path, CELL)])
    assert said.startswith("gdb=1: found no simulator of stm32l4 that speaks GDB here; qemu: ")
    assert "qemu-system-arm" in said
    assert "RENODE_HOME" in said
    said = refused([planned(tmp_path, GAP9)])
    assert said.startswith("gdb=1: found no simulator of gap9 that speaks GDB here; gvsoc: ")
    assert "GVSOC_HOME" in said
    said = refused([planned(tmp_path, f"{CELL}/renode")])
    assert said.startswith("gdb=1: renode is not installed; unpack its portable package")


def test_which_simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(cell: str) -> str:
        (only,) = with_debugger([planned(tmp_path, cell)])
        return only.cell.simulator

    install(monkeypatch, "gvsoc", "renode")
    assert (chosen(GAP9), chosen(CELL)) == ("gvsoc", "renode")
    install(monkeypatch, "renode", "qemu")
    assert (chosen(CELL), chosen(f"{CELL}/renode")) == ("qemu", "renode")


def test_platform_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "gvsoc")
    gap9 = planned(tmp_path, f"{GAP9}/gvsoc")
    board = replace(gap9, cell=replace(gap9.cell, settings=(("platform", "gap9_evk"),)))
    assert refused([board]) == "gdb=1: found settings=platform:gap9_evk, allowed pulp_open"


class Debugger:
    """GDB's remote protocol, as little of it as a breakpoint takes.

    `resume` is the packet that lets the firmware go, `counter` the number of its program counter.
    """

    def __init__(self, port: int, resume: str, counter: int) -> None:
        self._socket = connect(port)
        self._resume = resume
        self._counter = counter
        self._unread = b""

    def ask(self, text: str) -> str:
        """The answer; some also say unasked that a debugger's coming has stopped them."""
        self._say(text)
        answer = self.hear()
        while answer[:1] in STOPS:
            answer = self.hear()
        return answer

    def go(self) -> str:
        """Let it run: the packet that says why it stopped, empty where it is gone."""
        self._say(self._resume)
        answer = self.hear()
        while answer[:1] not in (*STOPS, "W", ""):
            answer = self.hear()
        return answer

    def _say(self, text: str) -> None:
        self._socket.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())

    def hear(self) -> str:
        """The next packet; empty where the other side is gone."""
        while True:
            found = re.search(rb"\$([^#]*)#..", self._unread)
            if found is not None:
                self._unread = self._unread[found.end() :]
                self._socket.sendall(b"+")
                return found[1].decode()
            data = self._socket.recv(4096)
            if not data:
                return ""
            self._unread += data

    def program_counter(self) -> int:
        registers = bytes.fromhex(self.ask("g"))
        return int.from_bytes(registers[4 * self._counter : 4 * self._counter + 4], "little")


def connect(port: int) -> socket.socket:
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("nothing listens")


def symbol(elf: Path, name: str) -> int:
    from elftools.elf.elffile import ELFFile

    with elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        return int(table.get_symbol_by_name(name)[0]["st_value"]) & ~1


def path_without_debuggers(folder: Path) -> str:
    """A PATH with all that this one has but debuggers."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).iterdir() if Path(place).is_dir() else ():
            link = folder / program.name
            if not DEBUGGERS.fullmatch(program.name) and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)


@contextlib.contextmanager
def command(
    project: Project, cell: str, path: str, stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[str]]:
    """`cell=... gdb=1`, ended with all that it started."""
    external = EXTERNAL[cell.rpartition("/")[2]]
    program = find_external(external)
    assert program is not None
    home = os.environ.get(external.variable, str(Path(program).parent))
    process = subprocess.Popen(
        scons_command(f"cell={cell}", "gdb=1"),
        cwd=project.folder,
        env=environment_of({"PATH": path, external.variable: home}),
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
        assert processes_below(project.folder) == []
        assert list(project.path("build/tmp").glob("gdb-*")) == []
    finally:
        kill_below(project.folder)
        process.communicate()


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        found = SERVED.search(line)
        if found:
            assert "tbreak main" in process.stdout.readline()
            return int(found[1])
    raise AssertionError("nothing is served")


CELLS = [
    pytest.param(f"{CELL}/qemu", "gelu.portable.qemu", marks=needs("qemu")),
    pytest.param(f"{CELL}/renode", "gelu.portable", marks=needs("renode")),
    pytest.param(f"{GAP9}/gvsoc", "gelu.portable", marks=needs("gvsoc")),
]


@pytest.mark.parametrize(("cell", "firmware"), CELLS)
def test_stops_at_main(checkout: Project, tmp_path: Path, cell: str, firmware: str) -> None:
    """The whole command, without a GDB in the PATH; the test itself is the debugger."""
    with command(checkout, cell, path_without_debuggers(tmp_path / "bin")) as process:
        port = port_of(process)
        target = cell.partition("/")[0]
        main = symbol(
            checkout.path(f"build/firmware/{target}/llvm/{firmware}/firmware.elf"), "main"
        )
        debugger = Debugger(port, *(("vCont;c", 32) if target == "gap9" else ("c", 15)))
        assert debugger.program_counter() != main
        assert debugger.ask(f"Z1,{main:x},2") == "OK"
        assert debugger.go()[:3] in ("T05", "S05")
        assert debugger.program_counter() == main
        assert debugger.ask(f"z1,{main:x},2") == "OK"
        assert debugger.go() in ("W00", "")
        assert process.wait(timeout=SECONDS) == 0


@pytest.mark.nightly
@needs("gdb-multiarch")
@pytest.mark.parametrize(("cell", "firmware"), CELLS)
def test_gdb_itself(checkout: Project, cell: str, firmware: str) -> None:
    """GDB stands at main, and shows what it is."""
    with command(checkout, cell, os.environ["PATH"], subprocess.PIPE) as process:
        said, _ = process.communicate("backtrace\ndelete\ncontinue\nquit\n", timeout=SECONDS)
        assert process.returncode == 0
    assert re.search(r"reakpoint 1, main \(\) at \S*targets/common/main.c:\d+", said), said
    assert re.search(r"#0 +main \(\)", said), said
