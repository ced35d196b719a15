"""An append-only file of JSON lines that survives being killed at any moment.

A line is written in one piece under a lock of the file and is on disk before `append` returns. What a
kill or a full disk left half-written is never read and never glued to what comes next.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from migrasim.core.errors import InputError

MOST_LINE = 200_000  # bytes of one event
MOST_FILE = 200_000_000  # bytes of one record


class Journal:
    """The events of a file, in their order; safe for threads and for several processes at once.

    Parameters
    ----------
    path
        The file; made with its folder where it is not there.

    Attributes
    ----------
    damaged
        Lines that are no events: half-written ones, or what somebody put in by hand.

    Raises
    ------
    InputError
        Where the file cannot be made or read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self._offset = 0
        self._mutex = threading.RLock()
        self._depth = 0  # blocks inside one another; the lock of the file knows none
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, flags, 0o600)
            _sync_folder(path.parent)
        except OSError as error:
            raise InputError(f"{path}: the record cannot be opened: {error.strerror or error}") from None

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes, in this process or another, until the block ends."""
        with self._mutex:
            if self._depth == 0:
                _lock(self._file)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    _unlock(self._file)

    def new(self) -> list[dict[str, Any]]:
        """Events that were written since the last call, by anybody; a line that is still open is left for later."""
        with self._mutex:
            size = os.fstat(self._file).st_size
            raw = _read(self._file, self._offset, min(size, MOST_FILE) - self._offset)
            end = raw.rfind(b"\n") + 1
            self._offset += end
            found = []
            for line in raw[:end].splitlines():
                event = _event(line)
                if event is not None:
                    found.append(event)
                elif line.strip():
                    self.damaged += 1
            return found

    def append(self, event: Mapping[str, Any]) -> None:
        """Write an event; it is on disk when this returns. `new` gives it back in its turn.

        Raises
        ------
        InputError
            Where it is too long or the disk does not take it; nothing of it is then left in the file.
        """
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        if len(line) > MOST_LINE:
            raise InputError(f"{self.path.name}: an event of {len(line):,} bytes is too long; allowed: {MOST_LINE:,}")
        with self.locked():
            size = os.fstat(self._file).st_size
            if size + len(line) > MOST_FILE:
                raise InputError(f"{self.path.name}: the record is full ({MOST_FILE:,} bytes); begin another one")
            torn = size > 0 and _read(self._file, size - 1, 1) != b"\n"
            try:
                _write(self._file, (b"\n" if torn else b"") + line)
                os.fsync(self._file)
            except OSError as error:
                os.ftruncate(self._file, size)  # our own beginning, nobody else's line
                raise InputError(f"{self.path}: cannot be written: {error.strerror or error}") from None


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("kind"), str) else None


def _read(file: int, start: int, length: int) -> bytes:
    parts = []
    while length > 0 and (part := os.pread(file, length, start)):
        parts.append(part)
        start, length = start + len(part), length - len(part)
    return b"".join(parts)


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _sync_folder(folder: Path) -> None:
    """The name of a new file is on disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lock(file: int) -> None:
    try:
        import fcntl
    except ImportError:  # no such locks here: the lock of the process is all there is
        return
    fcntl.flock(file, fcntl.LOCK_EX)


def _unlock(file: int) -> None:
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(file, fcntl.LOCK_UN)
