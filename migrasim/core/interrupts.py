"""Signals that end a program, held back where they would leave a library in pieces."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_held: list[int] | None = None  # what came meanwhile; None where nothing is held back


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block has ended; then they do what they would have done.

    Python raises them between any two of its steps. Within llvmlite that leaves its lock taken for ever, or memory
    given back twice; pandas makes of it a fault of the table that it reads. Does nothing but in the main thread, which
    alone receives signals, and within another such block.
    """
    global _held
    if _held is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers: dict[signal.Signals, Any] = {}
    try:
        _held = came
        for each in _SIGNALS:
            handler = signal.getsignal(each)
            if callable(handler):  # neither ignored, nor left to the system, nor set by something that is not Python
                handlers[each] = signal.signal(each, lambda number, _frame: came.append(number))
        yield
    finally:
        _held = None
        for each, handler in reversed(handlers.items()):
            signal.signal(each, handler)
        for number in came[:1]:  # a second one was impatience
            signal.raise_signal(number)
