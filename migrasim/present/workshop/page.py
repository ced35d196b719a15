"""The page of a workshop: join, propose, predict, see the result, vote. Every page shows the same record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import solara

from migrasim.core.errors import InputError
from migrasim.present.chinese import told
from migrasim.present.explorer.draft import compact
from migrasim.present.explorer.levers import LeverPanel
from migrasim.present.explorer.serving import current
from migrasim.present.explorer.session import Session
from migrasim.present.explorer.widgets import Choice, Press, element, lasting
from migrasim.present.language import Lang
from migrasim.present.workshop.access import FACILITATOR, SEAT_HEADER, WHO_HEADER
from migrasim.present.workshop.host import (
    LAST_YEAR,
    LOOKS_AT,
    MINUTES,
    RATE,
    RECORD,
    URBAN,
    Host,
    indicator_rows,
    levers_of,
    minutes,
)
from migrasim.present.workshop.meeting import MOST_NAME, MOST_WHY, ROLES, STAGES, Person, Proposal, Result, State
from migrasim.present.workshop.words import word

STYLE = (Path(__file__).parent / "workshop.css").read_text(encoding="utf-8")
_LOOK_EVERY_S = 0.4
_SHOWN_LEVERS = 6
_NEW = "new"

Act = Callable[..., bool]


@solara.component_vue("form.vue")
def Form(
    name: str = "",
    fields: Sequence[Mapping[str, Any]] = (),
    button: str = "",
    wrong: str = "",
    event_submit: Callable[[Any], None] | None = None,
) -> None:
    """A few fields with their labels and a button."""


@solara.component_vue("strip.vue")
def Strip(title: str = "", points: Sequence[Mapping[str, Any]] = (), marks: Sequence[Mapping[str, Any]] = ()) -> None:
    """Predictions on a line, and what came out."""


@solara.component_vue("alive.vue")
def Alive(text: str = "") -> None:
    """Says that the server is gone, and opens the page anew when another one has taken its place."""


def seat() -> tuple[bool, str]:
    """Whether this page is the facilitator's, and the name of its browser."""
    found = solara.lab.headers.value or {}
    who = (found.get(WHO_HEADER) or ["here"])[0]
    return (found.get(SEAT_HEADER) or [""])[0] == FACILITATOR, who


def tabs_of() -> tuple[str, ...]:
    """Pages that a visitor may open: only the facilitator sees results of scenarios that nobody has predicted."""
    return ("workshop", "explore", "compare") if seat()[0] else ("workshop",)


def mine(state: State, who: str) -> list[Person]:
    """People who spoke from this browser; one laptop may serve a whole table."""
    return [each for key, each in state.people.items() if key == who or key.startswith(f"{who}.")]


def use_standing(host: Host) -> None:
    """Show the page anew whenever the record or a run has moved on."""
    _, tell = solara.use_state(())

    def follow() -> object:
        stop = threading.Event()

        def look() -> None:
            last: tuple[Any, ...] = ()
            while not stop.wait(_LOOK_EVERY_S):
                state = host.meeting.snapshot()
                found = (state.events, *(str(host.standing(number)) for number in state.proposals))
                if found != last:
                    last = found
                    tell(found)

        threading.Thread(target=look, daemon=True, name="migrasim-workshop-page").start()
        return stop.set

    solara.use_effect(follow, [])


@solara.component
def WorkshopPage(session: Session, host: Host) -> None:
    """Everything of the workshop that this visitor may see."""
    lang = session.lang.value
    use_standing(host)
    proposing, set_proposing = solara.use_state(False)
    chosen, set_chosen = solara.use_state("")
    wrong, set_wrong = solara.use_state("")
    is_facilitator, who = seat()
    state = host.meeting.snapshot()
    people = mine(state, who)
    person = next((each for each in people if each.id == chosen), people[-1] if people and chosen != _NEW else None)

    def act(step: Callable[..., Any], *arguments: Any) -> bool:
        try:
            step(*arguments)
        except InputError as error:
            set_wrong(told(str(error), lang))
            return False
        set_wrong("")
        return True

    solara.Style(STYLE)
    with solara.v.Html(tag="main", class_="ms-board", attributes={"id": "workshop"}):
        Alive(text=word("lost", lang))
        Bar(host, state, lang, is_facilitator, act)
        if wrong:
            element("p", wrong, classes="ms-wrong", role="alert")
        if person is None:
            Join(host, state, lang, who, act, set_chosen)
            return
        Speaker(people, person, lang, set_chosen)
        if proposing and state.stage == "propose":
            Propose(session, host, person, act, set_proposing)
            return
        with solara.v.Html(tag="div", class_="ms-card-head"):
            element("h2", word("proposals", lang))
            if state.stage == "propose":
                Press(word("new_proposal", lang), lambda: set_proposing(True), classes="ms-strong")
        if not state.proposals:
            element("p", word("no_proposals", lang))
        tally = state.tally()
        order = sorted(state.proposals.values(), key=lambda each: -tally[each.id] if state.stage == "closed" else 0)
        for proposal in order:
            Card(host, state, proposal, person, lang, is_facilitator, act).key(f"proposal-{proposal.id}")
        Record(host, lang, is_facilitator)


@solara.component
def Bar(host: Host, state: State, lang: Lang, is_facilitator: bool, act: Act) -> None:
    """Name, stage, who is here; for the facilitator the code and the way to the next stage."""
    groups = len({each.group for each in state.people.values()})
    with solara.v.Html(tag="div", class_="ms-bar"):
        element("strong", state.name or word("workshop", lang))
        element("span", word(f"stage_{state.stage}", lang), data_stage=state.stage)
        element("span", word("people_here", lang, people=len(state.people), groups=groups))
        if is_facilitator:
            if host.code:
                element("span", word("share_line", lang, address=host.address, code=host.code), classes="ms-code")
            else:
                element("span", word("share_off", lang), classes="ms-small")
            stages = {each: word(f"stage_{each}", lang) for each in STAGES}
            Choice(word("stage", lang), state.stage, stages, lambda value: act(host.meeting.move_to, value), "stage")


@solara.component
def Join(host: Host, state: State, lang: Lang, who: str, act: Act, set_chosen: Callable[[str], None]) -> None:
    """Say who you are."""
    count = len(mine(state, who))

    def join(given: Any) -> None:
        key = who if count == 0 else f"{who}.{count}"
        about = [str(given.get(name, "")) for name in ("name", "group", "role")]
        if act(host.meeting.join, key, *about):
            set_chosen(key)

    with solara.v.Html(tag="section", class_="ms-card", attributes={"aria-label": word("join_title", lang)}):
        with solara.v.Html(tag="div", class_="ms-card-head"):
            element("h2", word("join_title", lang))
            if count:
                Press(word("back", lang), lambda: set_chosen(""))
        element("p", word("join_help", lang))
        roles = [[role, word(f"role_{role}", lang)] for role in ROLES]
        Form(
            name="join",
            fields=[
                {"name": "name", "label": word("name", lang), "most": MOST_NAME},
                {"name": "group", "label": word("group", lang), "most": MOST_NAME},
                {"name": "role", "label": word("role", lang), "options": roles, "value": ROLES[0]},
            ],
            button=word("join", lang),
            event_submit=join,
        )


@solara.component
def Speaker(people: Sequence[Person], person: Person, lang: Lang, set_chosen: Callable[[str], None]) -> None:
    """Who speaks from this page, and the way to let somebody else speak."""

    def line(one: Person) -> str:
        return word("you_are", lang, name=one.name, group=one.group, role=word(f"role_{one.role}", lang))

    with solara.v.Html(tag="div", class_="ms-row"):
        if len(people) > 1:
            Choice(word("person", lang), person.id, {each.id: line(each) for each in people}, set_chosen, "person")
        else:
            element("strong", line(person), id="person")
        Press(word("change_person", lang), lambda: set_chosen(_NEW))


@solara.component
def Propose(session: Session, host: Host, person: Person, act: Act, set_proposing: Callable[[bool], None]) -> None:
    """Levers without any result, and the form that puts them up."""
    lang = session.lang.value

    def propose(given: Any) -> None:
        data = compact(session.draft)
        if act(host.meeting.propose, person.id, str(given.get("name", "")), data, str(given.get("why", ""))):
            set_proposing(False)
            start = current().start  # whoever proposes next from this page begins where everybody does
            session.put(start, "start_changed", name=start.name or start.base)

    with solara.v.Html(tag="section", class_="ms-card", attributes={"aria-label": word("new_proposal", lang)}):
        with solara.v.Html(tag="div", class_="ms-card-head"):
            element("h2", word("new_proposal", lang))
            Press(word("back", lang), lambda: set_proposing(False))
        element("p", word("propose_help", lang))
        Form(
            name="propose",
            fields=[
                {"name": "name", "label": word("proposal_name", lang), "most": MOST_NAME},
                {"name": "why", "label": word("why", lang), "most": MOST_WHY, "free": True},
            ],
            button=word("propose", lang),
            event_submit=propose,
        )
        LeverPanel(session)


@solara.component
def Card(
    host: Host, state: State, proposal: Proposal, person: Person, lang: Lang, is_facilitator: bool, act: Act
) -> None:
    """A proposal with its predictions, its result and its votes, each when its time has come."""
    levers = solara.use_memo(lambda: levers_of(proposal, lang), [proposal.id, lang])
    with solara.v.Html(tag="article", class_="ms-card", attributes={"data-proposal": str(proposal.id)}):
        with solara.v.Html(tag="div", class_="ms-card-head"):
            element("h3", f"{proposal.id}. {proposal.name}")
            element("span", word("by", lang, name=proposal.by, group=proposal.group))
        if proposal.why:
            element("p", proposal.why)
        element("p", _levers_line(levers, lang), classes="ms-small")
        if not proposal.closed:
            Predict(host, proposal, person, lang, act)
            if is_facilitator:
                with solara.v.Html(tag="div", class_="ms-row"):
                    Press(word("reveal", lang), lambda: act(host.reveal, proposal.id), classes="ms-strong")
            return
        Running(host, proposal, lang, is_facilitator)
        if proposal.result is None:
            return
        Outcome(state, proposal, proposal.result, person, lang)
        Votes(host, state, proposal, person, lang, act)


def _levers_line(levers: Sequence[str], lang: Lang) -> str:
    if not levers:
        return word("no_levers", lang)
    between = "; " if lang == "en" else "；"
    shown = between.join(levers[:_SHOWN_LEVERS])
    if len(levers) > _SHOWN_LEVERS:
        shown += f" {word('and_more', lang, count=len(levers) - _SHOWN_LEVERS)}"
    return word("changed_levers", lang, levers=shown)


@solara.component
def Predict(host: Host, proposal: Proposal, person: Person, lang: Lang, act: Act) -> None:
    """What this person expects, before anybody knows."""
    own = proposal.predictions.get(person.id)

    def predict(given: Any) -> None:
        act(
            host.meeting.predict,
            person.id,
            proposal.id,
            {RATE: _number(given, "rate") / 100, URBAN: _number(given, "urban") * 1e3},
        )

    if own is not None:
        said = {"rate": f"{100 * own[RATE]:.1f}", "urban": f"{own[URBAN] / 1e3:,.0f}"}
        element("p", word("predict_yours", lang, **said), classes="ms-own")
    start = solara.use_memo(_start, [])
    element(
        "p", word("predict_now", lang, rate=f"{100 * start[0]:.1f}", urban=f"{start[1] / 1e3:,.0f}"), classes="ms-small"
    )
    Form(
        name="predict",
        fields=[
            {
                "name": "rate",
                "label": word("predict_rate", lang, year=LAST_YEAR),
                "type": "number",
                "low": 0,
                "high": 100,
            },
            {
                "name": "urban",
                "label": word("predict_urban", lang, year=LAST_YEAR),
                "type": "number",
                "low": 0,
                "high": 10000,
            },
        ],
        button=word("predict_send", lang),
        event_submit=predict,
    ).key(f"{person.id}-{lang}")
    element("p", word("predictions_count", lang, count=len(proposal.predictions)), classes="ms-small")


def _number(given: Any, name: str) -> float:
    try:
        return float(given.get(name, ""))
    except (TypeError, ValueError):
        return float("nan")  # refused with its reason where it is checked


def _start() -> tuple[float, float]:
    """Rate and urban residents of the census that the run starts from."""
    from migrasim.present.explorer.draft import region

    urban, everybody = (float(region().census(2020, column).sum()) for column in ("urban_pop", "resident_pop"))
    return urban / everybody, urban


@solara.component
def Running(host: Host, proposal: Proposal, lang: Lang, is_facilitator: bool) -> None:
    """Where the run of a proposal stands; the way to try again, or to run everybody."""
    status = host.standing(proposal.id)
    if status is not None and status.state != "failed":
        element("p", word("reveal_running", lang, percent=round(100 * status.share)), classes="ms-busy", role="status")
        return
    if status is not None:
        element("p", word("reveal_failed", lang, message=told(status.message, lang)), classes="ms-wrong", role="alert")
    if is_facilitator and (status is not None or proposal.result is None):
        Press(word("again", lang), lambda: host.again(proposal.id))
    elif is_facilitator and proposal.result is not None and proposal.result.sample < 1:
        Press(word("refine", lang), lambda: host.again(proposal.id, 1.0))


@solara.component
def Outcome(state: State, proposal: Proposal, result: Result, person: Person, lang: Lang) -> None:
    """Predictions beside the result, then what each role looks at, the own one first."""
    for indicator, key, factor, digits in ((RATE, "predict_rate", 100, 1), (URBAN, "predict_urban", 1e-3, 0)):
        said = sorted(
            (values[indicator] * factor, state.people[who].name)
            for who, values in proposal.predictions.items()
            if indicator in values and who in state.people
        )
        marks = [
            {
                "name": word("model_says", lang),
                "value": _round(result.values[indicator] * factor, digits),
                "colour": "#B04300",
            },
            {
                "name": word("status_quo", lang),
                "value": _round(result.reference[indicator] * factor, digits),
                "colour": "#444444",
            },
        ]
        points = [{"name": name, "value": _round(value, digits)} for value, name in said]
        Strip(title=word(key, lang, year=LAST_YEAR), points=points, marks=marks)
    heads = [word(each, lang) for each in ("indicator", "this_proposal", "status_quo", "difference")]
    role = word(f"role_{person.role}", lang)
    Rows(word("your_indicators", lang, role=role), heads, indicator_rows(result, person.role, lang))
    Rows(word("result", lang), heads, indicator_rows(result, None, lang))
    with solara.v.Html(tag="details"):
        element("summary", word("other_roles", lang))
        for other in LOOKS_AT:
            if other != person.role:
                Rows(word(f"role_{other}", lang), heads, indicator_rows(result, other, lang))
    share = f"{100 * result.sample:g}%"
    note = word("sample_note", lang, share=share) if result.sample < 1 else word("all_note", lang)
    between = " " if lang == "en" else ""
    notes = (note, word("assumed_note", lang), word("rounding_note", lang))
    element("p", between.join(notes), classes="ms-small")


def _round(value: float, digits: int) -> float:
    return round(value, digits) if digits else float(round(value))


@solara.component
def Rows(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table."""
    with solara.v.Html(tag="table"):
        element("caption", caption, style="text-align: left; font-weight: 600")
        element(
            "thead",
            element(
                "tr",
                *[
                    element("th", head, scope="col", style=None if k else "text-align: left")
                    for k, head in enumerate(heads)
                ],
            ),
        )
        body = [
            element("tr", element("th", row[0], scope="row"), *[element("td", cell) for cell in row[1:]])
            for row in rows
        ]
        element("tbody", *body)


@solara.component
def Votes(host: Host, state: State, proposal: Proposal, person: Person, lang: Lang, act: Act) -> None:
    """The vote while it is open, its count when it is over."""
    if state.stage == "closed":
        element("p", element("strong", word("votes", lang, count=state.tally()[proposal.id])), classes="ms-votes")
    if state.stage != "vote":
        return
    chosen = state.votes.get(person.id) == proposal.id
    with solara.v.Html(tag="div", class_="ms-row"):
        label = word("voted" if chosen else "vote", lang)
        Press(label, lambda: act(host.meeting.vote, person.id, proposal.id), pressed=chosen, classes="ms-vote")
        element(
            "span", word("votes_hidden", lang, count=len(state.votes), people=len(state.people)), classes="ms-small"
        )


@solara.component
def Record(host: Host, lang: Lang, is_facilitator: bool) -> None:
    """The record and the minutes, to take home."""
    path = host.meeting.journal.path
    record, read = lasting(lambda: path.open("rb")), lasting(lambda: minutes(host, lang))
    if not is_facilitator:
        return
    with solara.v.Html(tag="section", class_="ms-card", attributes={"aria-label": word("record", lang)}):
        element("h3", word("record", lang))
        element("p", word("record_help", lang))
        lost = host.meeting.journal.damaged + host.meeting.passed_over
        if lost:
            element("p", word("damaged", lang, count=lost), classes="ms-wrong")
        with solara.v.Html(tag="div", class_="ms-row"):
            solara.FileDownload(record, filename=RECORD, label=word("download", lang))
            solara.FileDownload(read, filename=MINUTES, label=word("minutes", lang))
