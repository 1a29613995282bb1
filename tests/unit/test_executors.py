# SPDX-License-Identifier: Apache-2.0
"""executor= and cluster: what is said, what is refused. Simulations go out in tests/e2e."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from touchstone.errors import UserError
from touchstone.executors import cluster, dask


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(UserError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_addresses() -> None:
    assert dask.parse_executor("local") is None
    assert str(dask.parse_executor("dask://127.0.0.1:8786")) == "tcp://127.0.0.1:8786"
    assert str(dask.parse_executor("dask://[::1]:1")) == "tcp://[::1]:1"


@pytest.mark.parametrize("text", ["dask", "dask://", "dask://host", "dask://h:0", "tcp://h:1", "x"])
def test_wrong_addresses(text: str) -> None:
    assert refused(dask.parse_executor, text) == (
        f"executor={text}: found {text!r}, allowed local or dask://HOST:PORT"
    )


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = refused(dask.connect, "dask://127.0.0.1:1", ["xpulp"])
    assert "dask.distributed is not installed: install what requirements-dask.lock names" in said
    assert "not installed" in refused(cluster.cluster, Path(), {})


def test_no_scheduler_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole command says the same, at night: it waits for 15 s."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(dask, "CONNECT_SECONDS", 1)
    said = refused(dask.connect, "dask://127.0.0.1:9", ["xpulp"])
    assert said.startswith("executor=dask://127.0.0.1:9: found no scheduler there (")


class Client:
    """Stands for a connection to workers."""

    def __init__(self, *workers: dict[str, Any]) -> None:
        self.workers = dict(enumerate(workers))

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"workers": self.workers}


def worker(threads: int = 1, **resources: float) -> dict[str, Any]:
    return {"nthreads": threads, "resources": resources}


def test_slots_are_those_of_the_workers() -> None:
    assert dask.DaskExecutor(Client(worker(2), worker(3)), "dask://h:1").slots == 5


def test_workers_are_needed() -> None:
    executor = dask.DaskExecutor(Client(), "dask://h:1")
    assert "found no worker, allowed at least one" in refused(executor.check, ["xpulp"])


def test_installed_simulators_are_resources() -> None:
    executor = dask.DaskExecutor(Client(worker(), worker(gvsoc=2)), "dask://h:1")
    executor.check(["xpulp", "unicorn", "gvsoc"])
    said = refused(executor.check, ["xpulp", "qemu"])
    assert said == (
        "executor=dask://h:1: found no worker with the resource qemu, allowed one that was started "
        "with --resources qemu=1"
    )
    assert dask.resources_of("xpulp") == {}
    assert dask.resources_of("qemu") == {"qemu": 1}


def test_code_is_sent_as_the_same_bytes() -> None:
    assert dask.own_code() == dask.own_code()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback(host: str) -> None:
    assert cluster.is_loopback(host)
    assert cluster.parse({"host": host})["host"] == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "", "127.0.0.1.x"])
def test_nothing_listens_beyond_loopback_unless_told(host: str) -> None:
    said = refused(cluster.parse, {"host": host})
    assert said.startswith(f"cluster: host={host}: found an address that others reach, allowed")
    assert refused(cluster.parse, {"host": host, "open": "0"}) == said
    found = cluster.parse({"host": host, "open": "1"})
    assert found["host"] == host


def test_figures_listen_where_the_scheduler_does() -> None:
    """Dask's own default is every interface."""
    found = cluster.parse({})
    assert found["dashboard_address"] == found["worker_dashboard_address"] == "127.0.0.1:0"
    assert cluster.parse({"host": "::1"})["dashboard_address"] == "[::1]:0"


def test_words_of_a_cluster() -> None:
    found = cluster.parse({"workers": "3", "port": "0", "resources": "qemu:2,gvsoc"})
    assert (found["n_workers"], found["scheduler_port"]) == (3, 0)
    assert found["resources"] == {"qemu": 2, "gvsoc": 1}
    for name, value in (("workers", "0"), ("port", "65536"), ("resources", "qemu:x")):
        assert f"cluster: {name}=" in refused(cluster.parse, {name: value})
    assert "did you mean workers?" in refused(cluster.parse, {"worker": "1"})
