"""What can be made again: the folder for it, and plain data kept there by what they were made of."""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

_KEPT, _DIGEST_BYTES = 256, 32


def cache_root() -> Path:
    """Folder for everything that can be made again: ``$MIGRASIM_CACHE`` or the user's cache."""
    return Path(os.environ.get("MIGRASIM_CACHE") or user_cache_dir("migrasim"))


def kept(how: str, text: str, make: Callable[[], Any]) -> Any:
    """Value of a text: from disk where it was made before, else made now and kept.

    Parameters
    ----------
    how
        What makes it, version included; together with the text it decides the value.
    text
        What it is made of.
    make
        Makes it. What it raises is not kept, nor what is more than numbers, texts, lists and mappings.
    """
    path = cache_root() / "documents" / _digest(f"{how} {marshal.version}\n{text}".encode()).hex()[:32]
    try:
        data = path.read_bytes()
        if data[:_DIGEST_BYTES] == _digest(data[_DIGEST_BYTES:]):  # else it was damaged
            return marshal.loads(data[_DIGEST_BYTES:])
    except OSError:
        pass
    value = make()
    with contextlib.suppress(OSError, ValueError):  # no place to keep it, or a date in it
        data = marshal.dumps(value)
        _write(path, _digest(data) + data)
    return value


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _write(path: Path, data: bytes) -> None:
    """Write beside it and rename, so that nobody sees half of it; the oldest of many others go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    aged = sorted(path.parent.iterdir(), key=lambda each: each.stat().st_mtime)
    for old in aged[:-_KEPT]:
        old.unlink(missing_ok=True)
