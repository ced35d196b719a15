"""Documents kept as data: read where the text is the same, made anew where damaged or where no plain data."""

from __future__ import annotations

import datetime
import errno
from pathlib import Path
from typing import Any

import pytest

from migrasim.core.kept import kept


def test_kept_until_text_maker_or_file_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text is read once; another text or maker, an emptied or a damaged file have it read anew."""
    monkeypatch.setenv("MIGRASIM_CACHE", str(tmp_path))
    made: list[Any] = []

    def of(value: Any, how: str = "plain", text: str = "text") -> Any:
        def make() -> Any:
            made.append(value)
            return value

        return kept(how, text, make)

    assert of({2020: [1.5, None, "一"]}) == of("not asked for") == {2020: [1.5, None, "一"]}
    assert of(2, how="otherwise") == 2
    assert of(3, text="other") == 3
    for path in (tmp_path / "documents").iterdir():
        path.write_bytes(b"")
    assert of(4) == 4
    for path in (tmp_path / "documents").iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert of(5) == 5
    assert of(datetime.date(2020, 1, 1), text="a date") == of(datetime.date(2020, 1, 1), text="a date")
    assert made[1:5] == [2, 3, 4, 5]
    assert len(made) == 7


def test_made_each_time_without_a_place_to_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be written, all goes on without it."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("MIGRASIM_CACHE", str(tmp_path / "file"))
    assert [kept("plain", "text", make) for make in (lambda: 1, lambda: 2)] == [1, 2]


def test_a_full_disk_is_not_filled_with_drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written whole is taken away."""

    def half(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("MIGRASIM_CACHE", str(tmp_path))
    monkeypatch.setattr(Path, "write_bytes", half)
    assert kept("plain", "text", lambda: 1) == 1
    assert list((tmp_path / "documents").iterdir()) == []


def test_what_fails_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault is told every time."""
    monkeypatch.setenv("MIGRASIM_CACHE", str(tmp_path))

    def fail() -> None:
        raise KeyError("fault")

    for _ in range(2):
        with pytest.raises(KeyError):
            kept("plain", "text", fail)
