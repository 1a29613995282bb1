# SPDX-License-Identifier: Apache-2.0
"""`./scons`: words, environment, exit status. The environment is a fake one; no network."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from touchstone import environment, installation
from touchstone.environment import LOCKS, PARALLEL, TEST_LOCKS, Layout, SetupError

ROOT = Path(__file__).resolve().parents[2]
# Says how it was called; BEHAVIOUR is what a test wants it to do.
FAKE_PYTHON = """#!/bin/sh
printf '%s\\n' "$@" > "$(dirname "$0")/words"
env > "$(dirname "$0")/environ"
BEHAVIOUR
"""


class Checkout:
    """A checkout with the wrapper, two locks, and an interpreter that only notes its call."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.layout = Layout(str(root))
        package = root / "site_scons" / "touchstone"
        package.mkdir(parents=True)
        shutil.copy(ROOT / "scons", root / "scons")
        for name in ("__init__.py", "environment.py", "installation.py"):
            shutil.copy(ROOT / "site_scons" / "touchstone" / name, package / name)
        for lock in TEST_LOCKS:
            (root / lock).write_text(f"{lock}\n")

    def fake_python(self, behaviour: str = "exit 0") -> None:
        python = Path(self.layout.python)
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text(FAKE_PYTHON.replace("BEHAVIOUR", behaviour))
        python.chmod(0o755)

    def stamp(self, locks: tuple[str, ...]) -> None:
        Path(self.layout.stamp(locks)).write_bytes(environment.recipe(self.layout, locks))

    def ready(self, behaviour: str = "exit 0") -> None:
        self.fake_python(behaviour)
        self.stamp(LOCKS)
        self.stamp(TEST_LOCKS)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, str(self.root / "scons"), *words]

    def run(self, *words: str, **options: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, **options}
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, env=environ, cwd=self.root
        )

    def words(self) -> list[str]:
        return (Path(self.layout.environment) / "bin" / "words").read_text().splitlines()

    def environ(self) -> list[str]:
        return (Path(self.layout.environment) / "bin" / "environ").read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a checkout")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def test_words_go_to_scons(checkout: Checkout) -> None:
    checkout.ready()
    assert checkout.run("target=gap9", "-j", "2", "fidelity").returncode == 0
    assert checkout.words() == [
        "-m",
        "touchstone.start",
        "-Q",
        "target=gap9",
        "-j",
        "2",
        "fidelity",
    ]


@pytest.mark.parametrize("word", ["list", "doctor", "plan", "describe", "merge"])
def test_commands_that_build_nothing_go_to_the_package(checkout: Checkout, word: str) -> None:
    checkout.ready()
    assert checkout.run("kernel=fwsa", word).returncode == 0
    assert checkout.words() == ["-m", "touchstone.cli", word, "kernel=fwsa"]
    assert f"PYTHONPATH={checkout.root / 'site_scons'}" in checkout.environ()


@pytest.mark.parametrize(("code", "status"), [(0, 0), (1, 1), (2, 2), (4, 2), (5, 2)])
def test_test_runs_pytest(checkout: Checkout, code: int, status: int) -> None:
    checkout.ready(f"exit {code}")
    assert checkout.run("test", "-m", "nightly").returncode == status
    assert checkout.words() == ["-m", "pytest", *PARALLEL, "-m", "nightly"]


def test_a_file_is_tested_without_other_processes(checkout: Checkout) -> None:
    checkout.ready()
    assert checkout.run("test", "scons::some_test", "-x").returncode == 0
    assert checkout.words() == ["-m", "pytest", "scons::some_test", "-x"]
    assert checkout.run("test", "-n0").returncode == 0
    assert checkout.words() == ["-m", "pytest", "-n0"]


def test_files_are_where_the_user_stands(checkout: Checkout, tmp_path: Path) -> None:
    checkout.ready()
    command = checkout.command("config=my.yaml", "inputs=/x.npz", "model=tr,a.yaml", "kernel=fwsa")
    subprocess.run(command, cwd=tmp_path, check=True)
    files = [f"config={tmp_path / 'my.yaml'}", "inputs=/x.npz", f"model=tr,{tmp_path / 'a.yaml'}"]
    assert checkout.words() == ["-m", "touchstone.start", "-Q", *files, "kernel=fwsa"]


def test_an_onnx_graph_needs_what_reads_it() -> None:
    """Installed when one is first named."""
    assert environment._locks("", ["model=tr,a.onnx"])[-1] == "requirements-onnx.lock"
    assert environment._locks("describe", ["model=tr"]) == LOCKS


def test_what_would_lead_python_astray_is_taken_out(checkout: Checkout) -> None:
    checkout.ready()
    checkout.run("x=1", PYTHONPATH="/nowhere", KEPT="1")
    assert "KEPT=1" in checkout.environ()
    package = checkout.root / "site_scons"
    found = [line for line in checkout.environ() if line.startswith("PYTHONPATH=")]
    assert found == [f"PYTHONPATH={package}"]


@pytest.mark.parametrize(
    ("written", "code", "status"),
    [
        ("0", 0, 0),
        ("1", 2, 1),
        ("2", 2, 2),
        ("1", 0, 1),
        ("0", 2, 2),  # SCons failed: a run that calls itself good is not believed
        ("", 0, 2),
        ("nonsense", 0, 2),
        (None, 0, 0),
        (None, 2, 2),
    ],
)
def test_exit_status(checkout: Checkout, written: str | None, code: int, status: int) -> None:
    write = (
        ""
        if written is None
        else f"mkdir -p build/report; echo {written} > build/report/exit_status; "
    )
    checkout.ready(f"{write}exit {code}")
    assert checkout.run("x=1").returncode == status


def test_exit_status_of_an_earlier_run_does_not_count(checkout: Checkout) -> None:
    checkout.ready("exit 2")
    old = Path(checkout.layout.exit_status)
    old.parent.mkdir(parents=True)
    old.write_text("0\n")
    assert checkout.run("x=1").returncode == 2
    assert not old.exists()


def test_a_signal_is_handed_on(checkout: Checkout) -> None:
    started = checkout.root / "started"
    checkout.ready("trap 'exit 7' TERM; touch started; while :; do sleep 0.02; done")
    with subprocess.Popen(checkout.command("x=1"), cwd=checkout.root) as process:
        wait_for(started.exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 7


def test_death_by_a_signal_is_not_success(checkout: Checkout) -> None:
    checkout.ready("kill -9 $$")
    assert checkout.run("x=1").returncode == 128 + 9


def test_a_whole_environment_costs_no_more_than_a_look(checkout: Checkout) -> None:
    checkout.ready()
    heavy = "{'subprocess', 'hashlib', 'tempfile', 'touchstone.installation'}"
    program = (
        "import sys; sys.path.insert(0, 'site_scons'); from touchstone.environment import main; "
        f"assert main({str(checkout.root)!r}, ['x=1']) == 0; "
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    command = [sys.executable, "-S", "-E", "-c", program]
    result = subprocess.run(command, cwd=checkout.root, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_compiled_python_goes_to_the_build_folder_if_not_beside_the_sources(
    checkout: Checkout,
) -> None:
    checkout.ready()
    checkout.run("target=gap9", PYTHONDONTWRITEBYTECODE="1", PYTHONPYCACHEPREFIX="")
    assert "PYTHONDONTWRITEBYTECODE=1" not in checkout.environ()
    assert environment.clean_environ({"PYTHONDONTWRITEBYTECODE": "1"}, checkout.layout) == {
        "PYTHONPYCACHEPREFIX": checkout.layout.compiled
    }
    said = {"PYTHONPYCACHEPREFIX": "elsewhere"}
    assert environment.clean_environ(said, checkout.layout) == said


@pytest.mark.parametrize("damage", ["no stamp", "other lock", "other python", "no interpreter"])
def test_an_incomplete_environment_is_made_anew(
    checkout: Checkout, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.ready()
    stamp = Path(checkout.layout.stamp(LOCKS))
    if damage == "no stamp":
        stamp.unlink()
    elif damage == "other lock":
        (checkout.root / LOCKS[0]).write_text("numpy==0\n")
    elif damage == "other python":
        stamp.write_bytes(stamp.read_bytes().replace(b"python 3.", b"python 2."))
    else:
        Path(checkout.layout.python).unlink()
    made: list[tuple[str, ...]] = []
    monkeypatch.setattr(installation, "install", lambda layout, locks, *_: made.append(locks))
    environment.ensure(checkout.layout, LOCKS, {})
    assert made == [LOCKS]


def test_a_second_process_waits_for_the_first(checkout: Checkout) -> None:
    checkout.fake_python()
    with Path(checkout.layout.environment + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(checkout.command("x=1"), stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line == "scons: waiting for another process that makes the environment\n"
        checkout.stamp(LOCKS)
    with process:
        assert process.wait(20) == 0
    assert checkout.words() == ["-m", "touchstone.start", "-Q", "x=1"]


def install_with_fake_venv(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, behaviour: str, environ: dict[str, str]
) -> None:
    monkeypatch.setattr(
        installation, "_make_venv", lambda layout, environ: checkout.fake_python(behaviour)
    )
    environment.ensure(checkout.layout, TEST_LOCKS, {"PATH": os.environ["PATH"], **environ})


def test_installation_pins_hashes_and_stamps_last(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    environ = {"PIP_TARGET": "/elsewhere", "PIP_INDEX_URL": "https://index.example/simple"}
    environ[installation.WHEELHOUSE] = str(wheels)
    install_with_fake_venv(checkout, monkeypatch, "exit 0", environ)
    options = ["--require-hashes", "--only-binary=:all:", "--no-input"]
    options += ["--disable-pip-version-check", "--progress-bar=off"]
    options += ["--no-index", "--find-links", str(wheels)]
    lock = str(checkout.root / "requirements-dev.lock")
    assert checkout.words() == ["-m", "pip", "install", *options, "-r", lock]
    assert "PIP_INDEX_URL=https://index.example/simple" in checkout.environ()
    assert not [line for line in checkout.environ() if line.startswith("PIP_TARGET=")]
    for locks in (LOCKS, TEST_LOCKS):
        recipe = environment.recipe(checkout.layout, locks)
        assert Path(checkout.layout.stamp(locks)).read_bytes() == recipe


def test_a_broken_pip_is_one_line_with_the_log(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SetupError) as caught:
        install_with_fake_venv(checkout, monkeypatch, "echo 'ERROR: no wheel'; exit 3", {})
    assert str(caught.value) == (
        "pip could not install requirements.lock (status 3): no wheel; log: build/env.log"
    )
    assert "ERROR: no wheel" in Path(checkout.layout.log).read_text()
    assert not Path(checkout.layout.stamp(LOCKS)).exists()


def test_a_failure_ends_with_status_2(checkout: Checkout) -> None:
    result = checkout.run("x=1", TOUCHSTONE_WHEELHOUSE="no-such-folder")
    message = "scons: TOUCHSTONE_WHEELHOUSE: found 'no-such-folder', allowed a folder of wheels\n"
    assert (result.returncode, result.stderr) == (2, message)


def test_debians_python_without_venv(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SetupError) as caught:
        environment.ensure(checkout.layout, LOCKS, {})
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert str(caught.value) == (
        f"Python {version} at {sys.executable} cannot make environments: install the package "
        f"python3-venv (Debian, Ubuntu: python{version}-venv), or run ./scons with another Python"
    )


def test_an_older_python_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    program = compile((ROOT / "scons").read_text(), "scons", "exec")
    with pytest.raises(SystemExit) as stopped:
        exec(program, {"__name__": "__main__", "__file__": str(ROOT / "scons")})
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "scons: found Python 3.9.2, allowed Python 3.10 or newer\n"
