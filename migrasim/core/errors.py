"""Errors that a user can mend, the hint that helps to mend them, and the one that nobody but the program can."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class InputError(Exception):
    """Something that the user gave is wrong.

    The message is one line and names the file, the key, what is wrong, what is allowed and the
    nearest known name. The command line prints it and ends with exit code 2.
    """


class LawBroken(AssertionError):
    """A law of the model does not hold: a defect of the program, never of its input."""


def nearest(name: object, known: Iterable[object]) -> str:
    """Phrase that names the known word nearest to `name`, or an empty string.

    Parameters
    ----------
    name
        The word that was not found.
    known
        The words that would have been.

    Examples
    --------
    >>> nearest("public_rent_units", ["public_rental_units", "rent_subsidy"])
    "did you mean 'public_rental_units'?"
    >>> nearest("zzz", ["public_rental_units"])
    ''
    """
    words = [str(word) for word in known]
    # a last part is often all that is remembered: `education` for `residence_permit.education`
    found = [word for word in words if word.endswith(f".{name}") or word.casefold() == str(name).casefold()]
    found = found or difflib.get_close_matches(str(name), words, n=1, cutoff=0.5)
    return f"did you mean '{found[0]}'?" if found else ""


def standing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there: a file where one is in the way."""
    return next(each for each in (folder, *folder.absolute().parents) if each.exists() or each.is_symlink())
