# SPDX-License-Identifier: Apache-2.0
"""Where GVSOC is, what it is made of, and its configuration of `pulp-open`, prepared once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.files import read_json, write_atomically, write_json
from touchstone.fingerprint import file_digest
from touchstone.process import ProcessRegistry, run_limited
from touchstone.simulators.gvsoc_config import GvsocError, components

TARGET = "pulp-open"
HOME_VARIABLE = "GVSOC_HOME"
PYTHON_VARIABLE = "GVSOC_PYTHON"
ADVICE = f"build its public repository (make all TARGETS={TARGET}) and set {HOME_VARIABLE}"
PREPARE_SECONDS = 60.0
# Names for what differs from machine to machine in a prepared configuration.
HOME_MARK = "@GVSOC_HOME@"
NO_IMAGE = "/image.elf"
PARTS = ("bin", "lib", "models", "generators", "python")


@dataclass(frozen=True)
class Installation:
    """The folder that `make all TARGETS=pulp-open` installs into."""

    home: Path

    @property
    def script(self) -> Path:
        """Prepares configurations; it needs GVSOC's Python packages."""
        return self.home / "bin" / "gvsoc"

    @property
    def launcher(self) -> Path:
        """Runs a prepared configuration."""
        return self.home / "bin" / "gvsoc_launcher"

    def model(self, component: str) -> Path:
        """The shared object of a model."""
        return self.home / "models" / f"{component.replace('.', '/')}.so"

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """What the launcher runs in."""
        paths = [str(self.home / "lib"), base.get("LD_LIBRARY_PATH", "")]
        return {**base, "LD_LIBRARY_PATH": os.pathsep.join(path for path in paths if path)}


@dataclass(frozen=True)
class Prepared:
    """A GVSOC ready to run: its configuration without an image, and what both are made of.

    `version` is for people: the commit where the installation lies in its checkout, else the
    beginning of the fingerprint.
    """

    installation: Installation
    configuration: Path
    fingerprint: str
    version: str


def find_installation(environment: Mapping[str, str]) -> Installation:
    """By GVSOC_HOME (its install folder or the checkout around it), else by PATH."""
    home = environment.get(HOME_VARIABLE)
    if home:
        candidates = [Path(home).absolute(), Path(home).absolute() / "install"]
        where = f"{HOME_VARIABLE} ({home})"
    else:
        found = shutil.which("gvsoc", path=environment.get("PATH"))
        candidates = [Path(found).resolve().parents[1]] if found else []
        where = f"PATH, and {HOME_VARIABLE} is not set"
    for candidate in candidates:
        if Installation(candidate).launcher.is_file():
            return installation_at(candidate)
    raise GvsocError(f"gvsoc is not installed: no bin/gvsoc_launcher in {where}; {ADVICE}")


def installation_at(home: Path) -> Installation:
    """The installation in the folder `home`; GvsocError where it cannot run pulp-open."""
    installation = Installation(home)
    if not installation.launcher.is_file():
        raise GvsocError(f"{home}: no GVSOC is installed here (bin/gvsoc_launcher); {ADVICE}")
    if not (home / "generators" / f"{TARGET}.py").is_file():
        raise GvsocError(f"{home}: this GVSOC was built without {TARGET}; {ADVICE}")
    return installation


def prepare(
    installation: Installation,
    folder: Path,
    registry: ProcessRegistry,
    environment: Mapping[str, str],
) -> Prepared:
    """Prepare once: again only after a file of the installation has changed.

    `folder` keeps the configuration and what is known of it. Where nothing changed this costs a
    stat per installed file, a few milliseconds in all.
    """
    configuration, memory = folder / "configuration.json", folder / "prepared.json"
    seen = signature(installation)
    known = read_json(memory)
    if (
        isinstance(known, dict)
        and known.get("signature") == seen
        and configuration.is_file()
        and known.get("configuration") == file_digest(configuration)
    ):
        return Prepared(installation, configuration, known["fingerprint"], known["version"])
    folder.mkdir(parents=True, exist_ok=True)
    document = _run_prepare(installation, folder, registry, environment)
    # In GVSOC's own order: nobody says that its order means nothing.
    text = json.dumps(document, separators=(",", ":")).replace(str(installation.home), HOME_MARK)
    fingerprint = _fingerprint(installation, text, document)
    version = _commit(installation) or f"files {fingerprint[:12]}"
    write_atomically(configuration, text.encode("ascii"))
    write_json(
        memory,
        {
            "signature": seen,
            "configuration": file_digest(configuration),
            "fingerprint": fingerprint,
            "version": version,
        },
    )
    return Prepared(installation, configuration, fingerprint, version)


def load_configuration(prepared: Prepared) -> Mapping[str, Any]:
    """The prepared configuration with the paths of this machine."""
    text = prepared.configuration.read_text("ascii")
    document: Mapping[str, Any] = json.loads(
        text.replace(HOME_MARK, json.dumps(str(prepared.installation.home))[1:-1])
    )
    return document


def _run_prepare(
    installation: Installation,
    folder: Path,
    registry: ProcessRegistry,
    environment: Mapping[str, str],
) -> Any:
    # In a folder of its own: several runs of one build may find nothing prepared at once.
    with tempfile.TemporaryDirectory(dir=folder) as private:
        words = (f"--target={TARGET}", "--binary", NO_IMAGE, f"--work-dir={private}", "prepare")
        result = run_limited(
            (str(installation.script), *words),
            Path(private),
            PREPARE_SECONDS,
            registry,
            environment=_script_environment(environment),
        )
        document = read_json(Path(private, "gvsoc_config.json"))
    if result.returncode != 0 or result.timed_out or document is None:
        lines = result.output.strip().splitlines()
        raise GvsocError(
            f"{installation.script} cannot prepare {TARGET}: {lines[-1] if lines else 'no message'}"
            f" (GVSOC's Python packages must be importable by the python3 of PATH; "
            f"{PYTHON_VARIABLE} names another interpreter)"
        )
    return document


def _script_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """GVSOC's scripts begin with `env python3`, which may well be a Python without its packages."""
    variables = dict(environment)
    python = variables.get(PYTHON_VARIABLE)
    if python:
        variables["PATH"] = os.pathsep.join((str(Path(python).parent), variables.get("PATH", "")))
    return variables


def installed_files(installation: Installation) -> Iterator[Path]:
    """What of an installation a run may depend on."""
    for part in PARTS:
        for folder, folders, names in os.walk(installation.home / part):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            yield from (Path(folder, name) for name in sorted(names))


def signature(installation: Installation) -> str:
    """Changes when a file of the installation does, or when it moves."""
    digest = hashlib.sha256(str(installation.home).encode())
    for path in installed_files(installation):
        status = path.stat()
        digest.update(f"\n{path.name}:{status.st_size}:{status.st_mtime_ns}".encode())
    return digest.hexdigest()


def _fingerprint(installation: Installation, configuration: str, document: Any) -> str:
    """Hash of what really runs: launcher, engine, the models in use, the configuration."""
    digest = hashlib.sha256(configuration.encode("ascii"))
    models = [installation.model(name) for name in sorted(set(components(document)))]
    libraries = sorted((installation.home / "lib").glob("libpulpvp.*"))
    for path in (installation.launcher, *libraries, *models):
        if not path.is_file():
            raise GvsocError(f"{path}: {TARGET} needs this file, and it is not there")
        digest.update(f"\n{path.name} {file_digest(path)}".encode())
    return digest.hexdigest()


def _commit(installation: Installation) -> str | None:
    """The commit of the checkout around the installation, None where there is none."""
    checkouts = (installation.home, installation.home.parent)
    if not any((folder / ".git").exists() for folder in checkouts):
        return None
    command = ["git", "-C", str(installation.home), "rev-parse", "--short=12", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
