# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can check."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE_SUFFIXES = {".py", ".c", ".h", ".S", ".ld", ".yaml", ".yml", ".toml", ".repl", ".resc"}
SOURCE_NAMES = {"scons", "SConstruct", ".clang-format", ".gitignore"}
MAX_LINES = 450
GENERATED = {"build", "__pycache__"}


def project_files() -> list[Path]:
    """What is committed or would be; without git, all that is neither hidden nor generated."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not _is_hidden(path.relative_to(ROOT))]
    return sorted(path for path in paths if path.is_file())


def _is_hidden(path: Path) -> bool:
    return bool(GENERATED & set(path.parts)) or any(part.startswith(".") for part in path.parts)


def sources() -> list[Path]:
    """The files that people write in a language."""
    return [p for p in project_files() if p.suffix in SOURCE_SUFFIXES or p.name in SOURCE_NAMES]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def run_tool(tool: str, *arguments: str) -> None:
    """Run a linter of this environment; its complaints are the test's message."""
    program = Path(sys.executable).parent / tool
    result = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True)
    if result.returncode != 0:
        output = (result.stdout + result.stderr).decode(errors="replace")
        pytest.fail(f"{tool}:\n{output[-6000:]}", pytrace=False)


def test_there_is_something_to_check() -> None:
    assert "scons" in names(sources())
    assert "tests/unit/test_lint.py" in names(sources())


def test_the_house_has_eight_rooms() -> None:
    """Whoever opens the repository sees where everything lives."""
    rooms = {path.relative_to(ROOT).parts[0] for path in project_files() if path.parent != ROOT}
    hidden = {room for room in rooms if room.startswith(".")}
    shown = {"configs", "docs", "golden", "kernels", "site_scons", "targets", "tests"}
    assert rooms - hidden == shown
    assert hidden == {".ci", ".github"}


def test_test_modules_have_names_of_their_own() -> None:
    """pytest imports them by name alone: with two of one name it collects nothing at all."""
    modules = [path.name for path in project_files() if path.match("tests/*/test_*.py")]
    assert sorted(set(modules)) == sorted(modules)


def test_ruff_has_no_complaint() -> None:
    run_tool("ruff", "check", "--quiet", ".")


def test_python_is_formatted() -> None:
    run_tool("ruff", "format", "--check", ".")


def test_types_are_strict() -> None:
    run_tool("mypy")


def test_c_is_formatted() -> None:
    files = [name for name in names(project_files()) if name.endswith((".c", ".h"))]
    if files:
        run_tool("clang-format", "--dry-run", "-Werror", *files)


def test_each_source_names_its_licence() -> None:
    missing = []
    for path in sources():
        with path.open(encoding="utf-8") as file:
            head = "".join(line for line, _ in zip(file, range(3), strict=False))
        if "SPDX-License-Identifier: Apache-2.0" not in head:
            missing.append(path)
    assert names(missing) == []


def test_no_source_is_too_long() -> None:
    long = [p for p in sources() if len(p.read_text(encoding="utf-8").splitlines()) > MAX_LINES]
    assert names(long) == []


def test_no_file_names_a_path_of_a_machine() -> None:
    # Spelt so that this file does not find itself.
    homes = [rf"(?<![\w.]){'/'}(?:home|Users|root){'/'}\w"]
    here = [str(ROOT.parent), str(Path.home())]
    pattern = re.compile("|".join([*homes, *(re.escape(f"{p}/") for p in here if len(p) > 1)]))
    found = []
    for path in project_files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {hit.group()}" for hit in pattern.finditer(text)]
    assert found == []
