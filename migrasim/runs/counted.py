"""A number and what is counted, in the number that English asks for."""

from __future__ import annotations


def counted(number: int, one: str, more: str | None = None) -> str:
    """A number with a noun.

    Parameters
    ----------
    number
        How many there are.
    one
        The noun for one.
    more
        The noun for none or several; the first with an ``s`` where it is left out.

    Examples
    --------
    >>> counted(1, "process", "processes"), counted(2, "run")
    ('1 process', '2 runs')
    """
    return f"{number} {one if number == 1 else more or f'{one}s'}"
