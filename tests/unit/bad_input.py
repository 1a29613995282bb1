# SPDX-License-Identifier: Apache-2.0
"""What people could get wrong, drawn by hypothesis: valid files mutated, and garbage with a shape.

TOUCHSTONE_FUZZ_SEED draws others (1), TOUCHSTONE_FUZZ_CASES draws more of each kind (what the test
says). Nothing is kept between runs: the same seed gives the same cases.
"""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable
from typing import Any, TypeVar

import hypothesis
import yaml
from hypothesis import HealthCheck, Phase, configuration
from hypothesis import strategies as st

Drawn = TypeVar("Drawn")
Path = tuple[Any, ...]

# Hypothesis keeps what it has learnt about Python's sources there; nothing of it belongs here.
configuration.set_hypothesis_home_dir(os.path.join(tempfile.gettempdir(), "touchstone-hypothesis"))

SEED = int(os.environ.get("TOUCHSTONE_FUZZ_SEED", "1"))
WORDS = (
    "S",
    "all",
    "default",
    "S4-E6",
    "gap9",
    "fwsa",
    "*",
    "?",
    "[",
    "no",
    "~",
    "../x",
    "a/b",
    "",
)
NUMBERS = (0, -1, 1, 2, 255, 256, 65535, 65536, 2**31, 2**32, 2**63, 2**64, 10**30, -(10**30))
SCALARS = st.one_of(
    st.sampled_from(NUMBERS),
    st.sampled_from(WORDS),
    st.sampled_from((None, True, False, 0.5, 4.0, 1e308, 1e-9)),
    st.text(max_size=12),
    st.text("SEPHF+-*/%()<>=! 0123456789", max_size=24),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
# No command line holds a NUL.
TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=30),
    st.sampled_from(WORDS),
    st.text("SEPHFcgap9stm324:,-./=*{}[]'\" \t0123456789", max_size=30),
)


def explore(cases: int, strategy: st.SearchStrategy[Drawn], check: Callable[[Drawn], None]) -> None:
    """Draw `cases` different things and check each; the smallest that fails is shown."""
    cases = int(os.environ.get("TOUCHSTONE_FUZZ_CASES", cases))
    tried = 0

    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=cases,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
    )
    @hypothesis.given(strategy)
    def one(drawn: Drawn) -> None:
        nonlocal tried
        tried += 1
        check(drawn)

    print(f"TOUCHSTONE_FUZZ_SEED={SEED} TOUCHSTONE_FUZZ_CASES={cases}")
    one()
    assert tried >= cases


@st.composite
def documents(draw: st.DrawFn, valid: tuple[Any, ...]) -> bytes:
    """One of the valid documents with one to three values or keys changed, as YAML."""
    document = copy.deepcopy(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 3))):
        document = _changed(draw, document)
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode(
        "utf-8", "surrogatepass"
    )


@st.composite
def texts(draw: st.DrawFn, valid: tuple[bytes, ...]) -> bytes:
    """The bytes of a valid file with pieces cut out, doubled, or written over."""
    data = draw(st.sampled_from(valid))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from((0, 1, 2, 7, 40, 400))))
        piece = draw(
            st.one_of(
                st.just(b""),
                st.just(data[start:end] * 2),
                st.binary(max_size=8),
                st.sampled_from((b"\t", b"*", b"&a ", b"!!python/name:os.system", b": ", b"- ")),
                st.sampled_from((b"\n", b"\r", b"\x00", b"{", b"[", b'"', b"\xff", b"---\n")),
            )
        )
        data = data[:start] + piece + data[end:]
    return data


def _changed(draw: st.DrawFn, document: Any) -> Any:
    places = list(_places(document, ()))
    place = draw(st.sampled_from(places))
    if not place:
        return draw(VALUES)
    holder = document
    for key in place[:-1]:
        holder = holder[key]
    key = place[-1]
    change = draw(st.sampled_from(("value", "value", "value", "gone", "name", "again", "inside")))
    if change == "value":
        holder[key] = draw(VALUES)
    elif change == "gone":
        del holder[key]
    elif change == "inside":
        holder[key] = draw(st.sampled_from(([holder[key]], {"S": holder[key]}, [[], holder[key]])))
    elif isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        name = draw(st.one_of(st.text(max_size=8), st.just(f"{key}s"), st.sampled_from(WORDS)))
        holder[name] = copy.deepcopy(holder[key]) if change == "again" else holder.pop(key)
    return document


def _places(value: Any, here: Path) -> Any:
    yield here
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield from _places(inner, (*here, key))
