# SPDX-License-Identifier: Apache-2.0
"""Addresses become functions and lines, by an ELF that is compiled here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from touchstone.locate import describe_address
from touchstone.toolchains.llvm import environment, zig_path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = """\
volatile int sink;
void other(void);
__attribute__((noinline)) void first(void) {
    sink = 1;
    sink = 2;
}
void _start(void) {
    first();
    other();
}
"""
OTHER = "extern volatile int sink;\nvoid other(void) { sink = 3; }\n"
TARGETS = {
    "arm": ["-target", "thumb-freestanding-eabi", "-mcpu=cortex_m4"],
    "riscv": ["-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+c"],
}


@pytest.fixture(scope="module", params=TARGETS)
def elf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elf")
    (folder / "sub").mkdir()
    (folder / "main.c").write_text(SOURCE)
    (folder / "sub" / "other.c").write_text(OTHER)
    output = ["-o", "x.elf"]
    flags = ["-O1", "-g", "-fno-sanitize=all", "-fdebug-compilation-dir=.", "-nostdlib"]
    subprocess.run(
        [str(zig_path()), "cc", *TARGETS[request.param], *flags, "main.c", "sub/other.c", *output],
        cwd=folder,
        env=environment(ROOT / "build" / "zig"),
        check=True,
    )
    return folder / "x.elf"


def address_of(elf: Path, name: str) -> tuple[int, int]:
    with elf.open("rb") as file:
        (symbol,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(name)
        return symbol["st_value"] & ~1, symbol["st_size"]


def test_functions_and_lines(elf: Path) -> None:
    start, size = address_of(elf, "first")
    texts = [describe_address(elf, address) for address in range(start, start + size, 2)]
    assert {text.partition(",")[0] for text in texts} == {"first"}
    lines = {text.partition(", ")[2].partition(" ")[0] for text in texts}
    assert {"main.c:4", "main.c:5"} <= lines <= {f"main.c:{line}" for line in (3, 4, 5, 6)}
    assert texts[0].endswith(f" ({start:#010x})")


def test_file_in_a_folder(elf: Path) -> None:
    start, _ = address_of(elf, "other")
    assert describe_address(elf, start) == f"other, sub/other.c:2 ({start:#010x})"


def test_address_outside(elf: Path) -> None:
    for address in (4, 0xFFFFFFF0):
        assert describe_address(elf, address).strip() == f"({address:#010x})"


@pytest.mark.parametrize(
    "data", [None, b"", b"no ELF", b"\x7fELF", b"\x7fELF\x01\x01\x01" + bytes(9)]
)
def test_no_elf(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "x.elf"
    if data is not None:
        path.write_bytes(data)
    assert describe_address(path, 16) == "0x00000010"


def test_damaged_elf(elf: Path, tmp_path: Path) -> None:
    """A report never dies of an ELF: a build may have been killed while it was written."""
    start, _ = address_of(elf, "first")
    data = elf.read_bytes()
    path = tmp_path / "x.elf"
    for size in range(0, len(data), len(data) // 60):
        path.write_bytes(data[:size])
        assert f"{start:#010x}" in describe_address(path, start)
