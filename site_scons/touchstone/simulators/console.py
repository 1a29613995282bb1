# SPDX-License-Identifier: Apache-2.0
"""Consoles that carry a record stream and a log: the two told apart.

Records are bytes that know their length, or, on consoles that only pass text, lines of the prefix
`#ts ` and hexadecimal digits (targets/common/console.c). Nothing is judged here: streams are parsed
strictly later.
"""

from __future__ import annotations

import re
import struct

from touchstone.records import END, HEADER, MAGIC

_MAGIC_BYTES = struct.pack("<I", MAGIC)
_TYPE_FIELD, _SIZE_FIELD = 4, 16
_TEXT_LINE = re.compile(rb"^#ts ((?:[0-9a-f]{2})+)\r*\n", re.MULTILINE)


def split_console(data: bytes) -> tuple[bytes, bytes]:
    """The record stream and the log."""
    if _MAGIC_BYTES not in data:
        digits = b"".join(_TEXT_LINE.findall(data))
        return bytes.fromhex(digits.decode("ascii")), _TEXT_LINE.sub(b"", data)
    stream: list[bytes] = []
    log: list[bytes] = []
    position = 0
    while position < len(data):
        start = data.find(_MAGIC_BYTES, position)
        start = len(data) if start < 0 else start
        log.append(data[position:start])
        position = _frame_end(data, start)
        stream.append(data[start:position])
    return b"".join(stream), b"".join(log)


def ends_with_record(data: bytes) -> bool:
    """Whether the stream's last record, END, has come whole."""
    stream, _ = split_console(data)
    position = 0
    while len(stream) >= position + HEADER.size:
        (kind,) = struct.unpack_from("<I", stream, position + _TYPE_FIELD)
        (size,) = struct.unpack_from("<I", stream, position + _SIZE_FIELD)
        position += HEADER.size + size
        if kind == END:
            return bool(position <= len(stream))
    return False


def _frame_end(data: bytes, start: int) -> int:
    """Behind the frame at `start`, or the end of the data where it is cut short."""
    if len(data) < start + HEADER.size:
        return len(data)
    (size,) = struct.unpack_from("<I", data, start + _SIZE_FIELD)
    return int(min(len(data), start + HEADER.size + size))
