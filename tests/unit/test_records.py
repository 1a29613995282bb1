# SPDX-License-Identifier: Apache-2.0
"""The reader of the record stream: one whole report or an error, nothing in between."""

from __future__ import annotations

import dataclasses
import struct
import zlib

import pytest

from touchstone.job import kernel_tag
from touchstone.records import Expected, RecordError, parse_stream

RUN_ID = bytes(range(16))
EXPECTED = Expected(RUN_ID, "add", 8, 2, (3, 5))
HELLO, OUTPUT, CASE, END = 1, 2, 3, 4


def frame(kind: int, case: int, index: int, payload: bytes, run_id: bytes = RUN_ID) -> bytes:
    checked = struct.pack("<4I", kind, case, index, len(payload)) + run_id
    crc = zlib.crc32(checked + payload)
    return b"TSRC" + checked + struct.pack("<I", crc) + payload


def hello(abi: int = 1, tag: int = kernel_tag("add"), cores: int = 8) -> bytes:
    return frame(HELLO, 0, 0, struct.pack("<3I", abi, tag, cores))


def report(index: int, output: bytes, *record: int) -> list[bytes]:
    case = struct.pack("<IIiII", *(record or (0, 0, 0, 7, 7)))
    return [frame(OUTPUT, index, 2, output), frame(CASE, index, 0, case)]


def end(status: int = 0, cold: int = 120, warm: int = 100, stack: int = 64, done: int = 2) -> bytes:
    return frame(END, 0, 0, struct.pack("<5I", status, cold, warm, stack, done))


def whole() -> list[bytes]:
    return [hello(), *report(0, b"abc"), *report(1, b"defgh"), end()]


def test_whole_report() -> None:
    result = parse_stream(b"".join(whole()), EXPECTED)
    assert (result.status, result.status_text) == (0, "ok")
    assert (result.cycles_cold, result.cycles_warm, result.stack_bytes) == (120, 100, 64)
    assert [case.output for case in result.cases] == [b"abc", b"defgh"]
    assert [case.index for case in result.cases] == [0, 1]
    assert result.run_id == RUN_ID


def test_cycles_that_were_not_measured() -> None:
    stream = b"".join([*whole()[:-1], end(cold=0xFFFFFFFF, warm=0xFFFFFFFF)])
    result = parse_stream(stream, EXPECTED)
    assert result.cycles_cold is None
    assert result.cycles_warm is None


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ((1, 2, 0, 7, 8), "runs differ"),
        ((2, 0, 4, 7, 7), "input changed"),
        ((3, 2, -1, 7, 7), "guard overwritten"),
    ],
)
def test_what_is_wrong_with_a_case(record: tuple[int, ...], text: str) -> None:
    frames = [hello(), *report(0, b"abc"), *report(1, b"defgh", *record), end(status=record[0])]
    result = parse_stream(b"".join(frames), EXPECTED)
    case = result.cases[1]
    assert (case.status, case.operand, case.offset) == record[:3]
    assert (case.status_text, result.status_text) == (text, text)


@pytest.mark.parametrize(
    ("status", "text"), [(4, "scratch size mismatch"), (5, "bad job"), (6, "arena too small")]
)
def test_job_that_cannot_run(status: int, text: str) -> None:
    result = parse_stream(hello() + end(status=status, done=0), EXPECTED)
    assert (result.status, result.status_text, result.cases) == (status, text, ())


def test_every_flipped_byte_is_found() -> None:
    stream = b"".join(whole())
    for position in range(len(stream)):
        for mask in (0x01, 0x80, 0xFF):
            damaged = bytearray(stream)
            damaged[position] ^= mask
            with pytest.raises(RecordError):
                parse_stream(bytes(damaged), EXPECTED)


def test_every_truncation_is_found() -> None:
    stream = b"".join(whole())
    for length in range(len(stream)):
        with pytest.raises(RecordError):
            parse_stream(stream[:length], EXPECTED)


def test_every_missing_doubled_or_swapped_frame_is_found() -> None:
    frames = whole()
    streams = [frames[:i] + frames[i + 1 :] for i in range(len(frames))]
    streams += [frames[: i + 1] + frames[i:] for i in range(len(frames))]
    streams += [
        [*frames[:i], frames[i + 1], frames[i], *frames[i + 2 :]] for i in range(len(frames) - 1)
    ]
    for stream in streams:
        with pytest.raises(RecordError):
            parse_stream(b"".join(stream), EXPECTED)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "ends at byte 0 without an END"),
        (whole()[:-1], "without an END"),
        ([*whole(), b"\n"], "1 bytes after the last record"),
        ([b"x", *whole()], "byte 0: no record starts here"),
        ([hello(abi=2)], "ABI 2, expected 1"),
        ([hello(tag=1)], "not one for add"),
        ([hello(cores=4)], "on 4 cores, expected 8"),
        ([hello(), *report(0, b"abcd"), end(done=1)], "OUTPUT of case 0: expected 3 bytes"),
        ([hello(), *report(0, b"abc")[:1], end(done=1)], "expected CASE of case 0"),
        ([hello(), *report(0, b"abc"), end(done=1)], "1 cases ran, expected 2"),
        ([*whole()[:-1], *report(2, b"x"), end(done=3)], "more than the expected 2 cases"),
        ([*whole()[:-1], end(done=1)], "counts 1 cases, the stream has 2"),
        ([*whole()[:-1], end(status=1)], "status 1, but the cases say 0"),
        ([*whole()[:-1], end(status=9)], "status 9, but the cases say 0"),
        ([*whole()[:-1], end(status=5)], "bad job, but 2 cases ran"),
        ([hello(), end(status=0, done=0)], "0 cases ran, expected 2"),
        ([hello(), *report(0, b"abc", 9, 0, 0, 7, 7)], "unknown status 9"),
        ([hello(), *report(0, b"abc", 0, 0, 0, 7, 8)], "hashes differ"),
        ([hello(), frame(7, 0, 0, b"")], "found type 7"),
        ([frame(HELLO, 0, 0, struct.pack("<3I", 1, kernel_tag("add"), 8), bytes(16))],
         f"stale result: run id {bytes(16).hex()}, expected {RUN_ID.hex()}"),
    ],
)  # fmt: skip
def test_message(frames: list[bytes], message: str) -> None:
    with pytest.raises(RecordError, match=message) as caught:
        parse_stream(b"".join(frames), EXPECTED)
    assert "\n" not in str(caught.value)


def test_output_of_another_operand() -> None:
    other = dataclasses.replace(EXPECTED, output_index=1)
    with pytest.raises(RecordError, match="index 1, found OUTPUT of case 0, index 2"):
        parse_stream(b"".join(whole()), other)
