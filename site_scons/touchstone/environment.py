# SPDX-License-Identifier: Apache-2.0
"""What `./scons` does before SCons: make the environment from the locks, run in it, wait.

Standard library only, and little of it on the way that every call takes: the environment is
known to be right by a stamp that holds what it was made from, written last.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

# Words that build nothing: answered by touchstone.cli, without SCons.
COMMANDS = frozenset(
    {"describe", "doctor", "fuzz", "lib", "list", "merge", "plan", "report", "trend"}
)
BAD_INPUT = 2
INTERRUPTED = 130
_FILE_VARIABLES = ("cache", "config", "costs", "from", "inputs")
_HANDED_ON = (signal.SIGTERM, signal.SIGHUP)
# What would send pip elsewhere than into the environment, or Python to other packages.
_DISTURBING = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER")


class SetupError(Exception):
    """The environment cannot be made; the text is the one line that says why."""


@dataclass(frozen=True)
class Layout:
    """Where the files of a checkout at `root` are."""

    root: str

    @property
    def environment(self) -> str:
        """The folder of the environment."""
        return os.path.join(self.root, "build", "env")

    @property
    def python(self) -> str:
        """The environment's interpreter."""
        return os.path.join(self.environment, "bin", "python")

    @property
    def compiled(self) -> str:
        """Compiled Python, where none is wanted beside its sources."""
        return os.path.join(self.root, "build", "pycache")

    @property
    def log(self) -> str:
        """What the commands that made the environment printed."""
        return os.path.join(self.root, "build", "env.log")

    @property
    def exit_status(self) -> str:
        """The run's own exit status, as a digit; SCons has only zero and non-zero."""
        return os.path.join(self.root, "build", "report", "exit_status")

    def stamp(self, locks: Sequence[str]) -> str:
        """The stamp of an environment that holds these locks."""
        return os.path.join(self.environment, f"{locks[-1]}.stamp")


LOCKS = ("requirements.lock",)
TEST_LOCKS = ("requirements.lock", "requirements-dev.lock")
PARALLEL = ["-n", "auto", "--dist", "worksteal"]
CLUSTER_LOCKS = ("requirements.lock", "requirements-dask.lock")
ONNX_LOCKS = ("requirements.lock", "requirements-onnx.lock")


def main(root: str, arguments: Sequence[str]) -> int:
    """Run `./scons ARGUMENTS`; the exit status."""
    layout = Layout(root)
    command = _first_word(arguments)
    try:
        arguments = _absolute_files(arguments, root)
        os.chdir(root)
        ensure(layout, _locks(command, arguments), os.environ)
    except (SetupError, OSError) as error:
        sys.stderr.write(f"scons: {error}\n")
        return BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("scons: interrupted; the next call makes the environment anew\n")
        return INTERRUPTED
    if command == "test":
        words = test_words(_without(arguments, command))
        return _test_status(
            run([layout.python, "-m", "pytest", *words], clean_environ(os.environ, layout))
        )
    if command in COMMANDS:
        words = [command, *_without(arguments, command)]
        return _run_module(layout, "touchstone.cli", words)
    return _run_scons(layout, arguments)


def test_words(words: Sequence[str]) -> list[str]:
    """pytest's words: whole suites run on all cores, and a core without work takes some."""
    some = any(os.path.exists(word.partition("::")[0]) for word in words)
    parallel = [] if some or any(word.startswith("-n") for word in words) else PARALLEL
    return [*parallel, *words]


def _locks(command: str, arguments: Sequence[str]) -> Sequence[str]:
    """What a call needs to be installed."""
    if command == "test":
        return TEST_LOCKS
    if any(word.startswith("model=") and ".onnx" in word for word in arguments):
        return ONNX_LOCKS
    clustered = command == "cluster" or any(word.startswith("executor=dask") for word in arguments)
    return CLUSTER_LOCKS if clustered else LOCKS


def ensure(layout: Layout, locks: Sequence[str], environ: Mapping[str, str]) -> None:
    """Make the environment unless it is there and whole; SetupError where it cannot be made."""
    wanted = recipe(layout, locks)
    if is_whole(layout, locks, wanted):
        return
    with _only_one(layout.environment + ".lock"):
        # Another process may have made it while this one waited.
        if not is_whole(layout, locks, wanted):
            # Imported here: only a call that makes an environment needs it.
            from touchstone.installation import install

            install(layout, locks, wanted, environ)


def recipe(layout: Layout, locks: Sequence[str]) -> bytes:
    """What an environment is made from: the Python version and the locks."""
    parts = [f"python {sys.version_info[0]}.{sys.version_info[1]}\n".encode()]
    for lock in locks:
        with open(os.path.join(layout.root, lock), "rb") as file:
            parts.append(file.read())
    return b"".join(parts)


def is_whole(layout: Layout, locks: Sequence[str], wanted: bytes) -> bool:
    """Whether the environment was made to its end, from just this."""
    try:
        with open(layout.stamp(locks), "rb") as file:
            return file.read() == wanted and os.access(layout.python, os.X_OK)
    except OSError:
        return False


@contextmanager
def _only_one(path: str) -> Iterator[None]:
    """Hold the lock file `path`.

    The operating system lets go of it when this process and the commands it started are gone,
    so a killed call never leaves a pip behind that writes into the next call's environment.
    """
    import fcntl

    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("scons: waiting for another process that makes the environment\n")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _hand_on(child: int, received: int) -> None:
    """A signal may come when the child has just ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, received)


def run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command to its end and hand signals on; its exit status, 128 + n for signal n.

    An interrupt reaches the command from the terminal itself: this process only waits for it.
    """
    restored = [] if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else [signal.SIGINT]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Held back until there is a child to hand them to.
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDED_ON)
    child = os.posix_spawn(
        command[0], list(command), dict(environ), setsigdef=restored, setsigmask=[]
    )
    for number in _HANDED_ON:
        signal.signal(number, lambda received, _: _hand_on(child, received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDED_ON)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _run_scons(layout: Layout, arguments: Sequence[str]) -> int:
    if os.path.exists(layout.exit_status):
        os.unlink(layout.exit_status)
    code = _run_module(layout, "touchstone.start", ["-Q", *arguments])
    return translated_status(code, layout.exit_status)


def _run_module(layout: Layout, module: str, words: Sequence[str]) -> int:
    package = os.path.join(layout.root, "site_scons")
    environ = {**clean_environ(os.environ, layout), "PYTHONPATH": package}
    return run([layout.python, "-m", module, *words], environ)


def translated_status(code: int, path: str) -> int:
    """The status that the run wrote to `path`; SCons' own `code` where it wrote none.

    A run that calls itself good while SCons failed is not believed.
    """
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            text = file.read().strip()
    except OSError:
        return code
    if text not in ("0", "1", "2") or (text == "0" and code != 0):
        return code or BAD_INPUT
    return int(text)


def _test_status(code: int) -> int:
    return code if code in (0, 1) else BAD_INPUT


def clean_environ(environ: Mapping[str, str], layout: Layout | None = None) -> dict[str, str]:
    """The variables without those that would lead pip or Python astray.

    Who wants no compiled Python beside the sources gets it in the build folder of `layout`: without
    any, each command would compile the whole package anew, a tenth of a second.
    """
    kept = {name: value for name, value in environ.items() if name not in _DISTURBING}
    if layout is not None and kept.pop("PYTHONDONTWRITEBYTECODE", ""):
        kept.setdefault("PYTHONPYCACHEPREFIX", layout.compiled)
    return kept


def _first_word(arguments: Sequence[str]) -> str:
    """The first word that is no option, no variable and no number (as in `-j 4`)."""
    words = (w for w in arguments if "=" not in w and not w.startswith("-") and not w.isdigit())
    return next(words, "")


def _without(arguments: Sequence[str], command: str) -> list[str]:
    words = list(arguments)
    words.remove(command)
    return words


def _absolute_files(arguments: Sequence[str], root: str) -> list[str]:
    """Files named on the command line are where the user stands, not where the checkout is."""
    here = os.getcwd()
    if os.path.realpath(here) == os.path.realpath(root):
        return list(arguments)
    words = []
    for word in arguments:
        key, _, value = word.partition("=")
        if key == "model":
            word = f"model={','.join(_model_file(here, name) for name in value.split(','))}"
        is_file = key in _FILE_VARIABLES and value
        words.append(f"{key}={os.path.join(here, value)}" if is_file else word)
    return words


def _model_file(here: str, name: str) -> str:
    """A network by its file; those of configs/models have names."""
    return os.path.join(here, name) if name.endswith((".yaml", ".onnx")) else name
