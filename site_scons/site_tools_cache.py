# SPDX-License-Identifier: Apache-2.0
"""The cache of built files, checked: SCons itself gives back whatever lies in a cache.

    env.CacheDir(folder, checked_cache(readonly, note))

`note(entry)` is called, from any thread, with the name of an entry that was found damaged.
"""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from SCons.CacheDir import CacheDir
from SCons.Util import hash_signature

DIGEST_BYTES = hashlib.sha256().digest_size


def checked_cache(readonly, note):
    """A class for env.CacheDir(), which makes the object itself."""
    members = {"readonly": readonly, "note": staticmethod(note)}
    return type("ConfiguredCache", (CheckedCache,), members)


class CheckedCache(CacheDir):
    """Entries end with the SHA-256 of their name and file. A damaged one, or one under another's
    name, counts as missing, and is replaced."""

    readonly = False
    note = staticmethod(lambda entry: None)

    def is_readonly(self):
        """Whether nothing is added; asked by SCons too."""
        return self.readonly or super().is_readonly()

    def retrieve(self, node):
        """Fetch a node; called by SCons from several threads."""
        _, entry = self.cachepath(node)
        if entry is not None and os.path.exists(entry) and _payload(entry) is None:
            self.note(os.path.basename(entry))
            if not self.is_readonly():
                # SCons never overwrites an entry.
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(entry)
            return False
        return super().retrieve(node)

    def get_cachedir_csig(self, node):
        """The content signature of an entry's file, None if it is not there."""
        _, entry = self.cachepath(node)
        payload = None if entry is None else _payload(entry)
        return None if payload is None else hash_signature(payload)

    @classmethod
    def copy_from_cache(cls, env, src, dst):
        """Write an entry's file to `dst`."""
        payload = _payload(src)
        if payload is None:
            raise OSError(f"{src}: damaged")
        Path(dst).write_bytes(payload)
        return dst

    @classmethod
    def copy_to_cache(cls, env, src, dst):
        """Make an entry at `dst`, a temporary name that SCons then puts into place."""
        data = Path(src).read_bytes()
        Path(dst).write_bytes(data + _digest(dst, data))
        shutil.copymode(src, dst)
        return dst


def _payload(entry):
    """What was put into the cache, None if the entry is damaged or gone."""
    try:
        data = Path(entry).read_bytes()
    except OSError:
        return None
    payload, digest = data[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
    return payload if _digest(entry, payload) == digest else None


def _digest(entry, payload):
    """What an entry ends with; SCons' temporary names end as the entry's own does."""
    name = os.path.basename(entry)
    return hashlib.sha256(name.encode("ascii") + b"\0" + payload).digest()
