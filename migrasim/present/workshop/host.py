"""What a server adds to a meeting: runs of what was proposed, what each role looks at, one file to take home."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.present.punctuation import punctuated
from migrasim.present.workshop.meeting import Meeting, Proposal, Result, Role
from migrasim.present.workshop.words import WORDS, word

if TYPE_CHECKING:
    from migrasim.core.language import Lang
    from migrasim.present.explorer.engine import Engine, Request, Status
    from migrasim.runs.result import RunResult

RATE, URBAN, ABSENT = "urbanization_rate", "urban_population", "absent_population"
HEADS = (RATE, "hukou_urbanization_rate", URBAN, "resident_population", ABSENT)
LOOKS_AT: Mapping[Role, tuple[str, ...]] = {
    "finance": ("county_cost_yuan", "unpaid_yuan", "cumulative_cost_yuan_per_new_resident", "registration_transfers"),
    "village": ("rural_population", ABSENT, "elderly_left_behind", "children_left_behind", "idle_homesteads"),
    "enterprise": ("chain_workers", "vacancies", "wage_newcomer_yuan_yr", "enterprise_cost_yuan"),
    "household": (
        "income_rural_yuan_yr_pers", "income_urban_yuan_yr_pers", "rent_yuan_mo", "waiting_households",
        "school_pressure_share", "split_households",
    ),
}  # fmt: skip
SUMMED = ("county_cost_yuan", "enterprise_cost_yuan", "unpaid_yuan", "registration_transfers")  # over all years
LAST_YEAR = 2035
_MONEY = ("county_cost_yuan", "enterprise_cost_yuan", "unpaid_yuan")  # in millions
RECORD, CODE, MINUTES = "workshop.jsonl", "workshop.code", "minutes.html"


@dataclass
class Host:
    """A meeting with an engine.

    Attributes
    ----------
    meeting
        The workshop.
    engine
        Makes runs.
    address
        Where others on the network find it; empty where it is not shared.
    code
        What they need to come in.
    """

    meeting: Meeting
    engine: Engine
    address: str = ""
    code: str = ""

    def __post_init__(self) -> None:
        self._mutex = threading.Lock()
        self._runs: dict[int, tuple[Request, Status]] = {}

    def resume(self) -> None:
        """Make the runs that had been asked for when the server before this one ended."""
        for proposal in self.meeting.snapshot().proposals.values():
            if proposal.closed and not proposal.results:
                self._start(proposal, _sample())

    def reveal(self, number: int) -> None:
        """End predictions and make the run, from a sample; every page sees the result when it is there.

        A second press of the button, on its way when the first one arrived, changes nothing.
        """
        proposal = self.meeting.snapshot().proposals.get(number)
        if proposal is not None and proposal.closed:
            return
        self.meeting.close(number)
        self._start(self.meeting.snapshot().proposals[number], _sample())

    def again(self, number: int, sample: float | None = None) -> None:
        """Make the run once more: where it failed, or of all households."""
        self._start(self.meeting.snapshot().proposals[number], _sample() if sample is None else sample)

    def standing(self, number: int) -> Status | None:
        """Where the run of a proposal stands; None where none is at work."""
        from migrasim.present.explorer.engine import Status

        with self._mutex:
            found = self._runs.get(number)
        if found is None:
            return None
        request, status = found
        if status.state == "failed":
            return status
        running = self.engine.status(request.key)
        return running if running.state == "running" else Status("waiting")

    def _start(self, proposal: Proposal, sample: float) -> None:
        from migrasim.present.explorer.draft import Draft, of_compact
        from migrasim.present.explorer.engine import Status
        from migrasim.present.explorer.runs import request

        draft = of_compact(proposal.draft)
        if draft is None:
            return
        wanted = request(draft, sample=sample)
        reference = request(Draft("status_quo", {}, draft.future), sample=sample)
        with self._mutex:
            there = self._runs.get(proposal.id)
            if there is not None and there[1].state != "failed":
                return
            self._runs[proposal.id] = (wanted, Status("waiting"))
        threading.Thread(
            target=self._run, args=(proposal.id, wanted, reference), daemon=True, name="migrasim-workshop"
        ).start()

    def _run(self, number: int, wanted: Request, reference: Request) -> None:
        from migrasim.present.explorer.engine import Status

        try:
            before, after = self.engine.wait(reference, 3600.0), self.engine.wait(wanted, 3600.0)
            self.meeting.reveal(number, Result(after.run_id, after.sample, measured(after), measured(before)))
        except Exception as error:  # a worker died, the disk is full: told on the page, tried again by hand
            with self._mutex:
                self._runs[number] = (wanted, Status("failed", message=str(error) or type(error).__name__))
            return
        with self._mutex:
            del self._runs[number]


def _sample() -> float:
    from migrasim.present.explorer.maker import SAMPLE

    return SAMPLE


def measured(result: RunResult) -> dict[str, float]:
    """What a workshop keeps of a run: indicators of the last year, payments and transfers summed over all years."""
    frame = result.prefecture()
    names = dict.fromkeys([*HEADS, *(name for all_ in LOOKS_AT.values() for name in all_)])
    found = {}
    for name in names:
        if name in frame:
            value = float(frame[name].sum() if name in SUMMED else frame[name].iloc[-1])
            if value == value:
                found[name] = value
    return found


def levers_of(proposal: Proposal, lang: Lang) -> list[str]:
    """Levers that a proposal moves away from the status quo, each with its value and unit."""
    return [f"{row[0]} {row[-1]} {row[1]}" for row in lever_table(proposal, lang)]


def lever_table(proposal: Proposal, lang: Lang) -> list[list[str]]:
    """Levers that a proposal moves: title, unit, value in 2020, in the plan and in the proposal."""
    from migrasim.present.explorer.apart import lever_rows
    from migrasim.present.explorer.draft import Draft, differing, of_compact

    draft = of_compact(proposal.draft)
    return [] if draft is None else lever_rows(differing(Draft("status_quo", {}, draft.future), draft), [draft], lang)


def again(proposal: Proposal, result: Result) -> tuple[str, str, str]:
    """How to make the run of a proposal once more: name of its file, what stands in it, the command."""
    from migrasim.present.explorer.draft import Draft, file_stem, of_compact

    draft = of_compact(proposal.draft) or Draft()
    file = f"{file_stem(proposal.name) or f'proposal-{proposal.id}'}.yaml"
    sample = f" --sample {result.sample:g}" if result.sample < 1 else ""
    return file, replace(draft, name=proposal.name).yaml(), f"migrasim run {file}{sample}"


def minutes(host: Host, lang: Lang) -> str:
    """Who proposed, predicted and voted what, and what the model gave, as one page that opens offline."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from migrasim import __version__
    from migrasim.indicators import CATALOGUE
    from migrasim.present.report import commands

    state = host.meeting.snapshot()
    environment = Environment(
        loader=PackageLoader("migrasim.present.workshop", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["commands"] = commands
    said: Callable[..., str] = lambda key, **values: word(key, lang, **values)  # noqa: E731
    values: dict[str, Any] = {
        "lang": lang,
        "word": said,
        "state": state,
        "tally": state.tally(),
        "levers": {number: lever_table(each, lang) for number, each in state.proposals.items()},
        "again": again,
        "version": __version__,
        "rows": lambda result, role: indicator_rows(result, role, lang),
        "roles": list(LOOKS_AT),
        "last": LAST_YEAR,
        "catalogue": CATALOGUE,
        "rate": RATE,
        "urban": URBAN,
    }
    return environment.get_template("minutes.html").render(values)


def indicator_rows(result: Result, role: Role | None, lang: Lang) -> list[list[str]]:
    """Rows of a table: title and unit, proposal, status quo, difference; of a role, or of the heads for none."""
    from migrasim.indicators import CATALOGUE
    from migrasim.present.punctuation import title_in

    rows = []
    for name in HEADS if role is None else LOOKS_AT[role]:
        if name not in result.values or name not in result.reference:
            continue
        about = CATALOGUE[name]
        title = word(name, lang) if name in WORDS else title_in(about.title, lang)
        head = punctuated(f"{title} ({_unit(name, about.unit, lang)})", lang)
        values = [result.values[name], result.reference[name], result.values[name] - result.reference[name]]
        rows.append([head, *(written(name, value, signed=k == 2) for k, value in enumerate(values))])
    return rows


def _unit(name: str, english: str, lang: Lang) -> str:
    from migrasim.present.explorer.words import unit

    if name in SUMMED:
        what = word("million_yuan", lang) if name in _MONEY else unit(english.removesuffix(" a year"), lang)
        return word("unit_when", lang, unit=what, when=word("sum_of_years", lang, year=LAST_YEAR))
    what = "%" if english == "share" else unit(english, lang)
    return word("unit_when", lang, unit=what, when=word("in_year", lang, year=LAST_YEAR))


def written(name: str, value: float, *, signed: bool = False) -> str:
    """A value of an indicator in few characters: shares as percent, sums of money in millions.

    Examples
    --------
    >>> written("urbanization_rate", 0.6123), written("county_cost_yuan", 2.5e9), written("rent_yuan_mo", 3.0)
    ('61.2', '2,500', '3.0')
    """
    from migrasim.indicators import CATALOGUE

    sign = "+" if signed else ""
    if CATALOGUE[name].unit == "share":
        return f"{100 * value:{sign}.1f}"
    if name in _MONEY:
        return f"{value / 1e6:{sign},.0f}"
    return f"{value:{sign},.{0 if abs(value) >= 10 else 1}f}"


def start(folder: Path, engine: Engine, *, name: str = "", address: str = "", code: str = "") -> Host:
    """Open the workshop of a folder, go on where it was, and make what was asked for.

    Parameters
    ----------
    folder
        Holds the record.
    engine
        Of the server.
    name
        Of a new workshop.
    address, code
        Where others find it, and what lets them in; empty where it is not shared.

    Raises
    ------
    InputError
        Where the folder cannot be written.
    """
    host = Host(Meeting(folder / RECORD, name), engine, address, code)
    host.resume()
    return host
