"""Several pages on one server at once: a minute of what `soak.py` does for ten."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("solara", reason="the pages are not installed")
import soak

pytestmark = [pytest.mark.model, pytest.mark.slow]


def test_pages_at_once_see_their_own_numbers_and_nobody_elses(monkeypatch):
    """Pages that open, move a lever, lose the line and leave are each shown their own change, to the digit."""
    for name, value in {"LOOKS_S": (0.1, 1.0), "CHANGES": (2, 4), "COME_WITHIN_S": 2.0, "RUN_AGAIN": 3}.items():
        monkeypatch.setattr(soak, name, value)
    with soak.served() as (address, pid):
        count = asyncio.run(soak.soak(address, pid, 4, 0, 0.1, 0.0))
    assert count.errors == []
    assert count.mixed == []
    assert count.opened >= 4 and len(count.waits) >= 8
