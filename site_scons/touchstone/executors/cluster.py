# SPDX-License-Identifier: Apache-2.0
"""`cluster`: a scheduler and workers on this machine, until it is interrupted.

    ./scons cluster workers=4              # then: ./scons executor=dask://127.0.0.1:8786

Dask has no passwords: whoever reaches a scheduler runs code on its workers. Nothing listens beyond
the loopback interface unless `open=1` is said together with `host=`.
"""

from __future__ import annotations

import ipaddress
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from touchstone.errors import UserError, unknown
from touchstone.executors.dask import ADVICE

VARIABLES = ("host", "open", "port", "resources", "workers")
MAX_WORKERS = 256


def cluster(root: Path, arguments: Mapping[str, str]) -> int:
    """Serve until interrupted; 0."""
    options = parse(arguments)
    try:
        from distributed import LocalCluster
    except ImportError:
        raise UserError(f"cluster: dask.distributed is not installed: {ADVICE}") from None
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    folder = str(root / "build" / "cluster")
    with LocalCluster(**options, local_directory=folder) as made:  # type: ignore[no-untyped-call]
        print(f"executor={made.scheduler_address.replace('tcp://', 'dask://')}", flush=True)
        ended.wait()
    print("cluster: ended", file=sys.stderr)
    return 0


def parse(arguments: Mapping[str, str]) -> dict[str, Any]:
    """The words as dask's LocalCluster takes them."""
    for name in arguments:
        if name not in VARIABLES:
            raise UserError(unknown("cluster: variable", name, VARIABLES))
    host = arguments.get("host", "127.0.0.1")
    if not is_loopback(host) and arguments.get("open") != "1":
        raise UserError(
            f"cluster: host={host}: found an address that others reach, allowed 127.0.0.1, ::1, or "
            "open=1 besides: dask has no passwords, who reaches it runs code here"
        )
    # The servers of figures too: dask would let them listen everywhere.
    figures = f"[{host}]:0" if ":" in host else f"{host}:0"
    return {
        "host": host,
        "scheduler_port": _number("port", arguments.get("port", "8786"), 65535, 0),
        "n_workers": _number("workers", arguments.get("workers", "2"), MAX_WORKERS),
        "threads_per_worker": 1,
        "processes": True,
        "dashboard_address": figures,
        "worker_dashboard_address": figures,
        "resources": _resources(arguments.get("resources", "")),
    }


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a name that is none says no."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _number(name: str, text: str, most: int, least: int = 1) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise UserError(f"cluster: {name}={text}: found {text!r}, allowed {least} to {most}")
    return int(text)


def _resources(text: str) -> dict[str, float]:
    """`qemu:1,gvsoc:1`: how many of each simulator a worker runs at once."""
    found: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, _, count = part.partition(":")
        found[name] = _number("resources", count or "1", MAX_WORKERS)
    return found
