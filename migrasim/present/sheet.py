"""Tables that fit the width of a terminal without cutting a number.

rich shortens with an ellipsis what does not fit. Here all widths are set before: numbers keep theirs, heads are
broken between words and labels wrap; where that is not enough, the margins of the cells go, and at last the table is
parted into several, each with its first columns again. A listing of long words becomes a paragraph a row instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.table import Table
from rich.text import Text

# with and without margins: cells of a broken head over shorter numbers, and the least of a label
_HEAD, _LABEL = {1: 8, 0: 7}, {1: 14, 0: 11}
_LAYOUTS = ((True, 1), (False, 1), (False, 0))  # as wide as the longest line or not, and the margin, best first
_TALLEST = 6  # lines of a row of a listing
# what a line may be broken into: a word or number, or a Chinese character, with the marks that cling to it
_PIECES = re.compile(r"\s*(?:（*(?:[\x21-\x7e]+(?:(?<=\d) [%‰])?|[^\s（])[）、，：；。]*|（+)")


@dataclass(frozen=True)
class Column:
    """A column: numbers stay whole, words wrap; keys stand in every part of a table that had to be parted."""

    head: str
    number: bool
    key: bool


@dataclass
class Sheet:
    """A table that lays itself out by the width that it is given.

    Attributes
    ----------
    title, caption
        Lines above and below.
    columns, rows
        What was added; a row with its style, none where a line is drawn.
    align
        Where the title stands.
    """

    title: str
    caption: str = ""
    columns: list[Column] = field(default_factory=list)
    rows: list[tuple[tuple[str, ...], str] | None] = field(default_factory=list)
    align: JustifyMethod = "center"

    def words(self, *heads: str, key: bool = False) -> None:
        """Add columns of words."""
        self.columns += [Column(head, number=False, key=key) for head in heads]

    def numbers(self, *heads: str, key: bool = False) -> None:
        """Add columns of numbers."""
        self.columns += [Column(head, number=True, key=key) for head in heads]

    def row(self, *cells: str, style: str = "") -> None:
        """Add a row."""
        self.rows.append((cells, style))

    def part(self, title: str = "") -> None:
        """Draw a line; the rows below belong together, under a title where there is one."""
        self.rows.append(None)
        if title:
            self.row(title, *[""] * (len(self.columns) - 1), style="italic")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        every = range(len(self.columns))
        for natural, margin in _LAYOUTS:
            if widths := self._widths(every, options.max_width, natural=natural, margin=margin):
                yield self._table(every, widths, margin, self.title, self.caption)
                return
        blocks = self._blocks(options.max_width)
        for k, block in enumerate(blocks):
            widths = self._widths(block, options.max_width) or [self._least(n) for n in block]
            last = self.caption if k == len(blocks) - 1 else ""
            yield self._table(block, widths, 1, self.title if k == 0 else "", last)

    def _blocks(self, room: int) -> list[list[int]]:
        """Columns of each part: the keys, and as many of the others as there is room for."""
        keys = [n for n, column in enumerate(self.columns) if column.key]
        blocks = [keys]
        for n in (n for n, column in enumerate(self.columns) if not column.key):
            if blocks[-1] != keys and not self._widths([*blocks[-1], n], room):
                blocks.append(keys)
            blocks[-1] = [*blocks[-1], n]
        return blocks

    def _widths(self, chosen: Sequence[int], room: int, *, natural: bool = False, margin: int = 1) -> list[int] | None:
        """Widths of columns in cells, none where they do not fit; natural: as wide as their longest line."""
        room -= (1 + 2 * margin) * len(chosen) + 1
        most = [max(map(cell_len, (self.columns[n].head, *self._cells(n)))) for n in chosen]
        if natural:
            return most if sum(most) <= room else None
        least = [self._least(n, margin) for n in chosen]
        spare = room - sum(least)
        if spare < 0:
            return None
        wrapped = [k for k, n in enumerate(chosen) if not self.columns[n].number]
        while spare and (growing := [k for k in wrapped if least[k] < most[k]]):
            least[min(growing, key=lambda k: least[k])] += 1
            spare -= 1
        return least

    def _least(self, n: int, margin: int = 1) -> int:
        """The narrowest that a column can be: whole numbers, whole words."""
        column, cells = self.columns[n], self._cells(n)
        head, longest = cell_len(column.head), max(map(cell_len, cells), default=0)
        whole = [column.head] if column.number else [column.head, *cells]
        words = (cell_len(piece.strip()) for text in whole for piece in _PIECES.findall(text))
        usual = max(longest, min(head, _HEAD[margin])) if column.number else min(max(head, longest), _LABEL[margin])
        return max(usual, *words, 1)

    def _cells(self, n: int) -> list[str]:
        """Cells of a column; the title of a part may wrap as it likes."""
        return [row[0][n] for row in self.rows if row is not None and any(row[0][1:])]

    def _table(self, chosen: Sequence[int], widths: Sequence[int], margin: int, title: str, caption: str) -> Table:
        table = Table(caption_justify="left", padding=(0, margin), title_justify=self.align)
        table.show_header = any(self.columns[n].head for n in chosen)
        width = sum(widths) + (1 + 2 * margin) * len(chosen) + 1
        table.title = Text(broken(title, width), "bold") if title else None
        table.caption = Text(broken(caption, width), "table.caption") if caption else None
        for n, width in zip(chosen, widths, strict=True):
            number, head = self.columns[n].number, broken(self.columns[n].head, width)
            table.add_column(head, justify="right" if number else "left", no_wrap=number, overflow="fold", width=width)
        for row in self.rows:
            if row is None:
                table.add_section()
            else:
                cells = [broken(row[0][n], width) for n, width in zip(chosen, widths, strict=True)]
                table.add_row(*map(Text, cells), style=row[1] or None)
        return table


class Listing(Sheet):
    """A table of words; where a row would be tall, each is a paragraph: its first cell, then head and cell in turn."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        every = range(len(self.columns))
        for natural, margin in _LAYOUTS:
            widths = self._widths(every, options.max_width, natural=natural, margin=margin)
            if widths and self._tallest(widths) <= _TALLEST:
                yield self._table(every, widths, margin, self.title, self.caption)
                return
        if self.title:
            yield Text(broken(self.title, options.max_width), "bold")
        for cells, _ in filter(None, self.rows):
            yield Text(broken(cells[0], options.max_width), "bold")
            pairs = zip((one.head for one in self.columns[1:]), cells[1:], strict=True)
            told = " | ".join(f"{head}{': ' if head.isascii() else '：'}{cell}" for head, cell in pairs if cell)
            lines = broken(told, options.max_width - 4).replace("\n| ", " |\n")
            yield Text("\n".join(f"  {line}" for line in lines.split("\n")))

    def _tallest(self, widths: Sequence[int]) -> int:
        """Lines of the tallest row."""
        return max(
            broken(cell, width).count("\n") + 1
            for cells, _ in filter(None, self.rows)
            for cell, width in zip(cells, widths, strict=True)
        )


@dataclass(frozen=True)
class Prose:
    """A paragraph; unlike those of rich it breaks no number within Chinese text."""

    text: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(broken(self.text, options.max_width), style=self.style)


def broken(text: str, width: int) -> str:
    r"""A text in lines of so many cells, broken between words or Chinese characters.

    Examples
    --------
    >>> broken("To target, points", 7), broken("Year", 7)
    ('To\ntarget,\npoints', 'Year')
    """
    lines = [""]
    for piece in _PIECES.findall(text):
        if lines[-1] and cell_len(lines[-1] + piece) > width:
            lines.append(piece.strip())
        else:
            lines[-1] = (lines[-1] + piece).lstrip()
    return "\n".join(lines)
