# SPDX-License-Identifier: Apache-2.0
"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` beside `path` under a temporary name, then rename it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        # mkstemp makes private files; what we build is as readable as anything else here.
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def canonical_json(document: Any) -> str:
    """The one spelling of a JSON document: sorted keys, no spaces, ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def write_json(path: Path, document: Any) -> None:
    """Write a document for people and machines: sorted, indented, with a final newline."""
    text = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=True) + "\n"
    write_atomically(path, text.encode("ascii"))


def write_rows(path: Path, document: Mapping[str, Any], key: str) -> bool:
    """As `write_json`, but each element of the list or mapping `document[key]` is one line.

    So a difference names the rows that differ, and hundreds of rows are written quickly. Whether
    the file is another than it was.
    """
    rows = document[key]
    if isinstance(rows, Mapping):
        lines = [f"{_line(name)}: {_line(rows[name])}" for name in sorted(rows)]
        inside = "{\n  " + ",\n  ".join(lines) + "\n }" if lines else "{}"
    else:
        inside = "[\n  " + ",\n  ".join(map(_line, rows)) + "\n ]" if rows else "[]"
    parts = {name: _line(value) for name, value in document.items() if name != key}
    fields = [f" {_line(name)}: {text}" for name, text in sorted({**parts, key: inside}.items())]
    data = ("{\n" + ",\n".join(fields) + "\n}\n").encode("ascii")
    try:
        changed = path.read_bytes() != data
    except OSError:
        changed = True
    if changed:
        write_atomically(path, data)
    return changed


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True)


def read_json(path: Path) -> Any:
    """The document at `path`, None where there is none or it is damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
