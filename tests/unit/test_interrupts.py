"""Ctrl-C in the middle of what a library must not be left in."""

from __future__ import annotations

import io
import signal
import threading

import numpy as np
import pandas as pd
import pytest
from numba.core.dispatcher import Dispatcher

from migrasim.core.interrupts import held_back
from migrasim.core.rule import kernel
from migrasim.region import Region
from migrasim.region_files import read_table


@pytest.fixture(autouse=True)
def _interrupt_raises():
    """Ctrl-C as a command in the foreground takes it, whatever the tests were started by."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_signal_waits_until_the_block_has_ended() -> None:
    """The block goes on to its end, also within another one; then the signal does what it would have done."""
    done = []

    def work() -> None:
        with held_back():
            with held_back():
                signal.raise_signal(signal.SIGINT)
                done.append("inner")
            done.append("outer")
            signal.raise_signal(signal.SIGINT)
            done.append("end")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["inner", "outer", "end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):  # and the next one is not held back
        signal.raise_signal(signal.SIGINT)


def test_what_fails_in_the_block_is_told_though_a_signal_came() -> None:
    """An error of the block is the context of the interrupt, and handlers are those of before."""

    def work() -> None:
        with held_back():
            signal.raise_signal(signal.SIGINT)
            raise ValueError("broken")

    with pytest.raises(KeyboardInterrupt) as stop:
        work()
    assert isinstance(stop.value.__context__, ValueError)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_signal_stays_ignored() -> None:
    """A run behind ``nohup`` or of a shell's background does not end by what it ignores."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with held_back():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_hold_nothing_back() -> None:
    """Signals are the main thread's: a block in another one leaves its handlers alone."""
    found = []

    def look() -> None:
        with held_back():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


def test_an_interrupt_while_a_kernel_is_compiled_leaves_the_compiler_in_order(monkeypatch) -> None:
    """The kernel is there when the interrupt comes out, and another thread can compile.

    Otherwise the lock of the compiler would stay taken, and a thread that helps would wait for it for ever.
    """

    def double(x):
        return 2 * x

    compiled, compile_it = kernel(double), Dispatcher.compile

    def interrupted(self, sig):
        signal.raise_signal(signal.SIGINT)
        return compile_it(self, sig)

    monkeypatch.setattr(Dispatcher, "compile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compiled(np.int64(3))
    monkeypatch.undo()
    assert len(compiled.overloads) == 1
    answers = []
    thread = threading.Thread(target=lambda: answers.append(compiled(np.float64(1.5))))
    thread.start()
    thread.join(timeout=60)
    assert answers == [3.0]


def test_an_interrupt_while_a_table_is_read_is_no_fault_of_the_table(monkeypatch) -> None:
    """pandas would make an error of it, which told the user that a file of the region could not be read."""
    read = pd.read_csv

    class Interrupted(io.StringIO):
        def read(self, size=-1):
            signal.raise_signal(signal.SIGINT)
            return super().read(size)

    def read_interrupted(path, **options):
        return read(Interrupted(path.read_text(encoding="utf-8-sig")), **options)

    folder = Region.load("pingliang").folder
    monkeypatch.setattr(pd, "read_csv", read_interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_table(folder, "labour_demography")
