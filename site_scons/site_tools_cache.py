# SPDX-License-Identifier: Apache-2.0
"""The cache of built files, checked: SCons itself gives back whatever lies in a cache.

env.CacheDir(folder, CheckedCache)
"""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from SCons.CacheDir import CacheDir
from SCons.Util import hash_signature

DIGEST_BYTES = hashlib.sha256().digest_size


class CheckedCache(CacheDir):
    """Entries end with their SHA-256. A damaged one counts as missing, and is replaced."""

    def retrieve(self, node):
        """Fetch a node; called by SCons from several threads."""
        _, entry = self.cachepath(node)
        if entry is not None and os.path.exists(entry) and _payload(entry) is None:
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
        Path(dst).write_bytes(data + hashlib.sha256(data).digest())
        shutil.copymode(src, dst)
        return dst


def _payload(entry):
    """What was put into the cache, None if the entry is damaged or gone."""
    try:
        data = Path(entry).read_bytes()
    except OSError:
        return None
    payload, digest = data[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
    return payload if hashlib.sha256(payload).digest() == digest else None
