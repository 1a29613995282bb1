# SPDX-License-Identifier: Apache-2.0
"""Damaged consoles, all of them or drawn by the hundred: another result never comes of one."""

from __future__ import annotations

import pytest
from bad_input import explore
from hypothesis import strategies as st
from test_records import EXPECTED, RUN_ID, end, frame, hello, report, whole

from touchstone.records import JobResult, RecordError, parse_stream
from touchstone.simulators.console import ends_with_record, split_console

STREAM = b"".join(whole())
RESULT = parse_stream(STREAM, EXPECTED)
LOG = b"boot\n"


def as_text(data: bytes) -> bytes:
    """A console that only passes text, as targets/common/console.c writes it."""
    chunks = [data[i : i + 32].hex().encode() for i in range(0, len(data), 32)]
    return b"".join(b"#ts " + chunk + b"\n" for chunk in chunks)


CONSOLES = {"bytes": LOG + STREAM + LOG, "text": LOG + as_text(STREAM) + LOG}


def result_of(console: bytes) -> JobResult | None:
    """What a console is taken for, None for no result; nothing else may come of it."""
    ends_with_record(console)
    stream, log = split_console(console)
    assert len(stream) <= len(console)
    assert len(log) <= len(console)
    try:
        return parse_stream(stream, EXPECTED)
    except RecordError as error:
        assert str(error).isprintable()
        return None


def test_every_value_of_every_byte_of_a_stream() -> None:
    damaged = bytearray(STREAM)
    tried = 0
    for position, right in enumerate(STREAM):
        for value in range(256):
            if value != right:
                damaged[position] = value
                with pytest.raises(RecordError):
                    parse_stream(bytes(damaged), EXPECTED)
                tried += 1
        damaged[position] = right
    assert tried == 255 * len(STREAM)


@pytest.mark.parametrize("kind", sorted(CONSOLES))
def test_every_damaged_byte_of_a_console(kind: str) -> None:
    """Of bytes between the records nothing depends; of any other byte everything does."""
    console = CONSOLES[kind]
    damaged = bytearray(console)
    inside = range(len(LOG), len(console) - len(LOG))
    harmless = 0
    for position, right in enumerate(console):
        for value in (right ^ 1, right ^ 0x20, right ^ 0xFF, 0, ord("\n"), ord("f")):
            if value != right:
                damaged[position] = value
                found = result_of(bytes(damaged))
                assert found in (None, RESULT), (position, value)
                harmless += found is not None and position in inside
        damaged[position] = right
    # Digits may be damaged into digits only, which the CRCs tell; nothing else counts as one.
    assert harmless == 0


@pytest.mark.parametrize("kind", sorted(CONSOLES))
def test_every_lost_byte_of_a_console(kind: str) -> None:
    console = CONSOLES[kind]
    for position in range(len(LOG), len(console) - len(LOG)):
        assert result_of(console[:position] + console[position + 1 :]) in (None, RESULT)
        assert result_of(console[:position] + LOG) is None


FRAMES = (*whole(), hello(), end(done=1), frame(4, 0, 0, b""), *report(0, b"abc"), *report(9, b""))
PIECES = st.one_of(
    st.sampled_from(FRAMES),
    st.sampled_from([as_text(data) for data in FRAMES]),
    st.binary(max_size=60),
    st.sampled_from(
        (b"TSRC", RUN_ID, b"#ts ", b"\n", b"\r\n", b"\xff" * 40, b"TSRC" + b"\xff" * 16)
    ),
)


@pytest.mark.parametrize(
    "cases", [pytest.param(25, id="some"), pytest.param(1000, marks=pytest.mark.nightly, id="many")]
)
def test_consoles_of_pieces(cases: int) -> None:
    explore(cases, st.lists(PIECES, max_size=8).map(b"".join), check_result)


def check_result(console: bytes) -> None:
    assert result_of(console) in (None, RESULT)
