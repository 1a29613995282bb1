# SPDX-License-Identifier: Apache-2.0
"""The library without the harness: what is in it; docs/examples/firmware linked and run with it."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from test_firmware_e2e import Bench

from tests.conftest import Once
from tests.e2e.project import share_compiler_cache
from touchstone import library
from touchstone.elf import Executable, Segment, write_elf
from touchstone.errors import UserError
from touchstone.manifest import Catalogue, load_catalogue
from touchstone.simulators.cortexm_costs import build_costs
from touchstone.simulators.unicorn import unicorn_library
from touchstone.toolchains.llvm import environment, zig_path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/firmware"
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")
SAID = "a mistaken call was refused\nthe output is as expected\n"
EM_ARM = 40
RUNTIME = {"ts_team_barrier", "memcpy", "memmove", "memset", "memcmp"}


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return load_catalogue(ROOT, tmp_path_factory.mktemp("manifests"))


def project(root: Path) -> None:
    """Somebody else's project, as far as `lib` can tell: no test writes into this checkout."""
    (root / "docs").symlink_to(ROOT / "docs")
    share_compiler_cache(root)


@pytest.fixture(scope="session")
def checkout(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of one with the whole library for one target."""

    def make(root: Path) -> None:
        project(root)
        assert library.command(root, {"target": "stm32l4"}) == 0

    folder = tmp_path_factory.mktemp("checkout") / "project"
    shutil.copytree(once("firmware-library", make), folder, symlinks=True)
    return folder


@pytest.fixture(scope="session")
def stm32l4(checkout: Path) -> Path:
    """The whole library for one target."""
    return checkout / "build" / "lib" / "stm32l4" / "llvm"


def members(archive: Path) -> dict[str, ELFFile]:
    """The objects of an archive in System V's format, as `ar` writes it."""
    data = archive.read_bytes()
    assert data[:8] == b"!<arch>\n"
    found, at, names = {}, 8, b""
    while at < len(data):
        header = data[at : at + 60]
        size = int(header[48:58])
        body = data[at + 60 : at + 60 + size]
        name = header[:16].decode().rstrip()
        assert header[16:40].split() in ([], [b"0"] * 3), "date, owner or group of this machine"
        if name == "//":
            names = body
        elif name not in ("/", "/SYM64/"):
            start = int(name[1:]) if name[1:].isdigit() else None
            full = name if start is None else names[start:].split(b"\n")[0].decode()
            found[full.rstrip("/")] = ELFFile(io.BytesIO(body))
        at += 60 + size + size % 2
    return found


def symbols(archive: Path) -> tuple[set[str], set[str]]:
    """Global names that it defines and needs."""
    defined, needed = set(), set()
    for elf in members(archive).values():
        for symbol in elf.get_section_by_name(".symtab").iter_symbols():
            if symbol["st_info"]["bind"] == "STB_GLOBAL":
                here = symbol["st_shndx"] != "SHN_UNDEF"
                (defined if here else needed).add(symbol.name)
    return defined, needed


def foreign(names: set[str]) -> set[str]:
    """Without the compiler's own runtime and what ts_dma.h asks for."""
    return {name for name in names if not name.startswith(("__", "ts_dma_"))}


def test_every_operation_is_there_and_nothing_of_the_harness(
    stm32l4: Path, catalogue: Catalogue
) -> None:
    defined, needed = symbols(stm32l4 / library.ARCHIVE)
    assert foreign(needed - defined) <= RUNTIME
    facts = json.loads((stm32l4 / "manifest.json").read_bytes())
    for name, kernel in catalogue.kernels.items():
        assert {f"ts_{name}", f"ts_{name}_scratch", f"ts_{name}_check"} <= defined
        variant = kernel.default_variant(catalogue.targets["stm32l4"].isas)
        assert variant is not None
        said = facts["operations"][name]
        assert (said["variant"], said["header"]) == (variant.name, f"{name}/{name}.h")
        layout = kernel.layouts[variant.layout] if variant.layout else {}
        assert said["packers"] == layout
    assert not any(name.startswith(("ts_job", "ts_arena")) for name in defined | needed)


def test_the_library_keeps_no_state(stm32l4: Path) -> None:
    check_for_state(stm32l4 / library.ARCHIVE)


@pytest.mark.nightly
@pytest.mark.parametrize("target", ["gap9", "stm32h7"])
def test_no_targets_library_keeps_state(checkout: Path, catalogue: Catalogue, target: str) -> None:
    assert library.command(checkout, {"target": target}) == 0
    archive = checkout / "build" / "lib" / target / "llvm" / library.ARCHIVE
    check_for_state(archive)
    defined, needed = symbols(archive)
    assert foreign(needed - defined) <= RUNTIME
    assert {f"ts_{name}" for name in catalogue.kernels} <= defined


def check_for_state(archive: Path) -> None:
    for name, elf in members(archive).items():
        for section in elf.iter_sections():
            kept = section.name.startswith((".data", ".bss")) and "rel" not in section.name
            assert not (kept and section["sh_size"]), f"{name}: {section.name}"


def test_the_same_library_is_the_same_bytes(stm32l4: Path, checkout: Path) -> None:
    files = {path: path.read_bytes() for path in stm32l4.rglob("*") if path.is_file()}
    assert str(checkout).encode() not in files[stm32l4 / library.ARCHIVE]
    assert library.command(checkout, {"target": "stm32l4"}) == 0
    assert files == {path: path.read_bytes() for path in stm32l4.rglob("*") if path.is_file()}


@pytest.mark.parametrize("target", ["gap9", "stm32h7"])
def test_a_choice_of_operations_and_variants(checkout: Path, target: str) -> None:
    assert library.command(checkout, {"target": target, "kernel": "mhsa"}) == 0
    defined, needed = symbols(checkout / "build/lib" / target / "llvm" / library.ARCHIVE)
    assert "ts_mhsa" in defined and foreign(needed - defined) <= RUNTIME
    words = {"target": target, "kernel": "mhsa_dft,gelu", "variant": "portable"}
    assert library.command(checkout, words) == 0
    folder = checkout / "build" / "lib" / target / "llvm"
    defined, needed = symbols(folder / library.ARCHIVE)
    assert foreign(needed - defined) <= RUNTIME
    assert {"ts_mhsa_dft", "ts_gelu"} <= defined and "ts_mhsa" not in defined
    # mhsa_dft shares mhsa's arguments, so its header comes along.
    headers = {path.name for path in (folder / "include").rglob("*.h")}
    assert headers == {*library.PUBLIC, "mhsa.h", "mhsa_dft.h", "gelu.h"}


@pytest.mark.parametrize("name", ["every header alone", "as C++"])
def test_headers_need_nothing_else(stm32l4: Path, tmp_path: Path, name: str) -> None:
    plus = name == "as C++"
    words = ["c++", "-std=c++17"] if plus else ["cc", "-std=c11", "-Wstrict-prototypes"]
    for header in (stm32l4 / "include").rglob("*.h"):
        relative = header.relative_to(stm32l4 / "include").as_posix()
        source = tmp_path / f"one{'.cpp' if plus else '.c'}"
        source.write_text(f'#include "{relative}"\nint one;\n')
        zig(
            tmp_path,
            *words,
            "-Wall",
            "-Wextra",
            "-Werror",
            "-c",
            str(source),
            "-o",
            "one.o",
            f"-I{stm32l4 / 'include'}",
        )


def zig(folder: Path, *words: str) -> None:
    done = subprocess.run(
        [str(zig_path()), *words],
        cwd=folder,
        env=environment(Path(os.environ["ZIG_GLOBAL_CACHE_DIR"])),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def said_in_readme(start: str) -> list[str]:
    """The words of a command in docs/examples/firmware/README.md."""
    lines = re.search(rf"^    {re.escape(start)}(.*?)\n\n", README, re.MULTILINE | re.DOTALL)
    assert lines is not None
    return (start + lines[1].replace("\\\n", " ")).split()


def build_example(checkout: Path, folder: Path, *extra: str) -> Path:
    """The example as its README says, in a folder of the test's own."""
    make_header(checkout / "build/lib/stm32l4/llvm", folder)
    words = said_in_readme("build/env/bin/python -m ziglang")[3:]
    words = [f"-I{folder}" if word == "-I." else word for word in words]
    words[-1] = str(folder / "layer.elf")
    zig(checkout, *words, *extra, "-Wall", "-Wextra", "-Werror")
    return folder / "layer.elf"


def make_header(built: Path, folder: Path) -> None:
    program = [sys.executable, str(EXAMPLE / "make_layer.py"), str(built)]
    done = subprocess.run(program, capture_output=True, check=True)
    (folder / "layer.h").write_bytes(done.stdout)


def test_the_example_runs(stm32l4: Path, checkout: Path, tmp_path: Path) -> None:
    """On the embedded simulator, without anything of the harness."""
    elf = build_example(checkout, tmp_path)
    loadable = tmp_path / "layer.load"
    loadable.write_bytes(plain_loadable(elf))
    (tmp_path / "layer.costs").write_bytes(build_costs(loadable.read_bytes(), "cortex-m4"))
    program = Bench(tmp_path)._build_program("unicorn")
    memory = [
        word
        for place in ("0x08000000:0x100000", "0x20000000:0x10000")
        for word in ("--memory", place)
    ]
    words = [str(program), str(loadable), *memory, "--core", "cortex-m4"]
    words += ["--costs", str(tmp_path / "layer.costs"), "--unicorn", str(unicorn_library())]
    words += ["--stream", "said", "--log", "log", "--report", "report", "--over-reads", "allow"]
    words += ["--max-instructions", "10000000"]
    subprocess.run(words, cwd=tmp_path, check=True)
    report = json.loads((tmp_path / "report").read_text())
    assert (report["status"], report["exit_code"]) == ("exit", 0), report
    assert (tmp_path / "said").read_text() == SAID


def plain_loadable(elf: Path) -> bytes:
    """What is loaded of a program that has no job."""
    with elf.open("rb") as file:
        program = ELFFile(file)
        segments = tuple(
            Segment(s["p_vaddr"], s["p_paddr"], s["p_flags"], s.data(), s["p_filesz"])
            for s in program.iter_segments("PT_LOAD")
            if s["p_filesz"]
        )
        header = program.header
        return write_elf(Executable(EM_ARM, header["e_flags"], header["e_entry"], segments))


needs_qemu = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed"
)


def run_in_qemu(elf: Path) -> str:
    words = ["qemu-system-arm", "-M", "netduinoplus2", "-nographic", "-semihosting"]
    done = subprocess.run([*words, "-kernel", str(elf)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_qemu
def test_the_example_runs_in_qemu(stm32l4: Path, checkout: Path, tmp_path: Path) -> None:
    assert run_in_qemu(build_example(checkout, tmp_path)) == SAID
    elf = build_example(checkout, tmp_path, "-DNDEBUG")
    assert run_in_qemu(elf) == SAID.partition("\n")[2]


@needs_qemu
@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not installed"
)
def test_the_example_runs_with_gcc(checkout: Path, tmp_path: Path) -> None:
    assert library.command(checkout, {"target": "stm32l4", "toolchain": "gnu"}) == 0
    make_header(checkout / "build/lib/stm32l4/gnu", tmp_path)
    words = said_in_readme("arm-none-eabi-gcc -mcpu")
    words = [f"-I{tmp_path}" if word == "-I." else word for word in words]
    words[-1] = str(tmp_path / "layer.elf")
    subprocess.run([*words, "-Wall", "-Wextra", "-Werror"], cwd=checkout, check=True)
    assert run_in_qemu(tmp_path / "layer.elf") == SAID


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ({"S": "4"}, "lib: variable: found 'S'"),
        ({"target": "stm32l5"}, "target: found 'stm32l5'"),
        ({"target": "gap9", "variant": "xpulq"}, "variant: found 'xpulq'"),
        ({"target": "gap9", "toolchain": "iar"}, "toolchain (target gap9): found 'iar'"),
        ({"kernel": "nothing"}, "kernel: found 'nothing'"),
    ],
)
def test_bad_input_is_one_line(checkout: Path, words: dict[str, str], line: str) -> None:
    with pytest.raises(UserError) as caught:
        library.command(checkout, words)
    assert str(caught.value).startswith(line)
