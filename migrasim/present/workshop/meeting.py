"""What happens in a workshop, told from its record: who takes part, what is proposed, predicted, found, voted.

The state is a fold over the events of a `Journal`, so that whoever opens the record again, after a kill
or on another machine, has the same state. Every event is checked against the state under the lock of the
file before it is written; an event in a file that breaks a rule is passed over when it is read.
"""

from __future__ import annotations

import copy
import datetime
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from migrasim.core.errors import InputError, nearest
from migrasim.present.workshop.journal import Journal

Role = Literal["finance", "village", "enterprise", "household"]
ROLES: tuple[Role, ...] = ("finance", "village", "enterprise", "household")
Stage = Literal["propose", "vote", "closed"]
STAGES: tuple[Stage, ...] = ("propose", "vote", "closed")
PREDICTED: dict[str, tuple[float, float]] = {  # indicator: what can be said of its last year
    "urbanization_rate": (0.0, 1.0),
    "urban_population": (0.0, 10_000_000.0),
}
MOST_NAME, MOST_WHY = 60, 300
MOST_PEOPLE, MOST_PROPOSALS, MOST_EVENTS_EACH = 500, 100, 500
FORMAT = 1


@dataclass(frozen=True)
class Person:
    """Somebody who takes part, for a group and in a role."""

    id: str
    name: str
    group: str
    role: Role


@dataclass(frozen=True)
class Result:
    """What a run of a proposal gave: indicators of the proposal and of the status quo, and of what share."""

    run_id: str
    sample: float
    values: Mapping[str, float]
    reference: Mapping[str, float]


@dataclass
class Proposal:
    """A scenario that was proposed.

    Attributes
    ----------
    draft
        Plain data of the scenario (`migrasim.present.explorer.draft.compact`).
    predictions
        By person: indicator and value; nobody can change one after `closed`.
    closed
        Whether the result has been asked for.
    results
        What runs gave, the last one the best.
    """

    id: int
    name: str
    group: str
    by: str
    why: str
    draft: Any
    predictions: dict[str, dict[str, float]] = field(default_factory=dict)
    closed: bool = False
    results: list[Result] = field(default_factory=list)

    @property
    def result(self) -> Result | None:
        """The best result so far."""
        return self.results[-1] if self.results else None


@dataclass
class State:
    """Where a workshop stands."""

    name: str = ""
    stage: Stage = "propose"
    people: dict[str, Person] = field(default_factory=dict)
    proposals: dict[int, Proposal] = field(default_factory=dict)
    votes: dict[str, int] = field(default_factory=dict)
    events: int = 0
    by_person: dict[str, int] = field(default_factory=dict)

    def tally(self) -> dict[int, int]:
        """Votes by proposal."""
        return {number: sum(vote == number for vote in self.votes.values()) for number in self.proposals}


class Meeting:
    """A workshop and its record; safe for threads and for several processes.

    Parameters
    ----------
    path
        The record.
    name
        What to call the workshop, where the record is new.
    now
        The clock; universal time.
    """

    def __init__(self, path: Path, name: str = "", now: Callable[[], str] | None = None) -> None:
        self.journal = Journal(path)
        self._now = now or _universal_time
        self._mutex = threading.RLock()
        self._state = State()
        self._copied: State | None = None
        self.passed_over = 0
        self.refresh()
        if self._state.events == 0:
            self._add({"kind": "opened", "name": _text(name, "name", MOST_NAME) if name else "", "format": FORMAT})

    @property
    def state(self) -> State:
        """Where it stands, with what others have written since."""
        return self.refresh()

    def refresh(self) -> State:
        """Read what is new in the record."""
        with self._mutex:
            for event in self.journal.new():
                try:
                    _apply(self._state, event)
                except (InputError, KeyError, TypeError, ValueError, AttributeError, OverflowError):
                    self.passed_over += 1  # somebody's hand, or another version
            return self._state

    def snapshot(self) -> State:
        """A copy of where it stands, which nobody changes while it is shown."""
        with self._mutex:
            state = self.refresh()
            if self._copied is None or self._copied.events != state.events:
                self._copied = copy.deepcopy(state)
            return self._copied

    def join(self, who: str, name: str, group: str, role: str) -> Person:
        """Somebody takes part, or changes name, group or role.

        Raises
        ------
        InputError
            For an empty name or group, and a role that is none.
        """
        given = {"name": _text(name, "name", MOST_NAME), "group": _text(group, "group", MOST_NAME), "role": role}
        self._add({"kind": "joined", "by": who, **given})
        return self._state.people[who]

    def propose(self, who: str, name: str, draft: Any, why: str = "") -> int:
        """Put a scenario up; its number."""
        said = {"name": _text(name, "name", MOST_NAME), "why": _text(why, "why", MOST_WHY, empty=True)}
        with self._mutex, self.journal.locked():
            self._add({"kind": "proposed", "by": who, **said, "draft": draft})
            return max(self._state.proposals)

    def predict(self, who: str, proposal: int, values: Mapping[str, float]) -> None:
        """Say what will come out, before anybody knows; the last word counts."""
        self._add({"kind": "predicted", "by": who, "proposal": proposal, "values": dict(values)})

    def close(self, proposal: int) -> None:
        """No more predictions: the result is being made."""
        self._add({"kind": "closed", "proposal": proposal})

    def reveal(self, proposal: int, result: Result) -> None:
        """What a run gave."""
        about = {"run_id": result.run_id, "sample": result.sample}
        sums = {"values": dict(result.values), "reference": dict(result.reference)}
        self._add({"kind": "revealed", "proposal": proposal, **about, **sums})

    def move_to(self, stage: str) -> None:
        """Begin the next stage, or go back."""
        self._add({"kind": "stage", "stage": stage})

    def vote(self, who: str, proposal: int) -> None:
        """A vote; the last one counts."""
        self._add({"kind": "voted", "by": who, "proposal": proposal})

    def _add(self, event: dict[str, Any]) -> None:
        """Check an event against all that has been written, write it, take it in."""
        with self._mutex, self.journal.locked():
            state = self.refresh()
            _check(state, event)
            self.journal.append({"n": state.events + 1, "at": self._now(), **event})
            self.refresh()


def _universal_time() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _text(value: object, name: str, most: int, *, empty: bool = False) -> str:
    """Words of a person on one line, without control characters."""
    text = " ".join("".join(each if each.isprintable() else " " for each in str(value)).split())
    if not text and not empty:
        raise InputError(f"{name}: nothing was written; a few words are expected")
    if len(text) > most:
        raise InputError(f"{name}: {len(text)} characters are too many; allowed: {most}")
    return text


# -- rules -------------------------------------------------------------------------------------


def _check(state: State, event: Mapping[str, Any]) -> None:
    """Refuse an event that the state does not allow."""
    kind, who = event["kind"], event.get("by")
    if who is not None:
        if state.by_person.get(who, 0) >= MOST_EVENTS_EACH:
            raise InputError("too many entries by one person")
        if kind != "joined" and who not in state.people:
            raise InputError("say first who you are")
    if kind in _CHECKS:
        _CHECKS[kind](state, event)


def _proposal(state: State, event: Mapping[str, Any]) -> Proposal:
    number = event["proposal"]
    if isinstance(number, bool) or number not in state.proposals:
        raise InputError(f"proposal: there is no {number!r}")
    return state.proposals[number]


def _check_joined(state: State, event: Mapping[str, Any]) -> None:
    if event["role"] not in ROLES:
        hint = nearest(event["role"], ROLES)
        raise InputError(f"role: '{event['role']}' is none; allowed: {', '.join(ROLES)}. {hint}".rstrip())
    if event["by"] not in state.people and len(state.people) >= MOST_PEOPLE:
        raise InputError(f"no more than {MOST_PEOPLE} people can take part")


def _check_proposed(state: State, event: Mapping[str, Any]) -> None:
    if state.stage != "propose":
        raise InputError("proposals are closed")
    if len(state.proposals) >= MOST_PROPOSALS:
        raise InputError(f"no more than {MOST_PROPOSALS} proposals can be made")


def _check_predicted(state: State, event: Mapping[str, Any]) -> None:
    if _proposal(state, event).closed:
        raise InputError("the result is out: predictions are closed")
    values = event["values"]
    if not values:
        raise InputError("prediction: a number is expected")
    for name, value in values.items():
        if name not in PREDICTED:
            raise InputError(f"prediction: '{name}' is not asked for; allowed: {', '.join(PREDICTED)}")
        low, high = PREDICTED[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not low <= value <= high:
            raise InputError(f"prediction: {name}: {value!r} is not allowed; allowed: {low:g} to {high:,.0f}")


def _check_closed(state: State, event: Mapping[str, Any]) -> None:
    if _proposal(state, event).closed:
        raise InputError("the result has been asked for already")


def _check_revealed(state: State, event: Mapping[str, Any]) -> None:
    if not _proposal(state, event).closed:
        raise InputError("predictions are still open")


def _check_stage(state: State, event: Mapping[str, Any]) -> None:
    if event["stage"] not in STAGES:
        raise InputError(f"stage: '{event['stage']}' is none; allowed: {', '.join(STAGES)}")


def _check_voted(state: State, event: Mapping[str, Any]) -> None:
    if state.stage != "vote":
        raise InputError("there is no vote now")
    if not _proposal(state, event).results:
        raise InputError("a vote needs a result that everybody has seen")


_CHECKS: dict[str, Callable[[State, Mapping[str, Any]], None]] = {
    "joined": _check_joined,
    "proposed": _check_proposed,
    "predicted": _check_predicted,
    "closed": _check_closed,
    "revealed": _check_revealed,
    "stage": _check_stage,
    "voted": _check_voted,
}


def _apply(state: State, event: Mapping[str, Any]) -> None:
    """Take an event into the state."""
    _check(state, event)
    kind = event["kind"]
    if kind == "opened":
        state.name = str(event.get("name", ""))
    elif kind == "joined":
        name, group = (_text(event[key], key, MOST_NAME) for key in ("name", "group"))
        state.people[event["by"]] = Person(str(event["by"]), name, group, event["role"])
    elif kind == "proposed":
        number = len(state.proposals) + 1
        person = state.people[event["by"]]
        name, why = _text(event["name"], "name", MOST_NAME), _text(event.get("why", ""), "why", MOST_WHY, empty=True)
        state.proposals[number] = Proposal(number, name, person.group, person.name, why, event["draft"])
    elif kind == "predicted":
        values = {name: float(value) for name, value in event["values"].items()}
        _proposal(state, event).predictions[event["by"]] = values
    elif kind == "closed":
        _proposal(state, event).closed = True
    elif kind == "revealed":
        _proposal(state, event).results.append(_result(event))
    elif kind == "stage":
        state.stage = event["stage"]
    elif kind == "voted":
        state.votes[event["by"]] = event["proposal"]
    state.events += 1
    if "by" in event:
        state.by_person[event["by"]] = state.by_person.get(event["by"], 0) + 1


def _result(event: Mapping[str, Any]) -> Result:
    values, reference = (
        {str(name): float(value) for name, value in event[key].items()} for key in ("values", "reference")
    )
    return Result(str(event["run_id"]), float(event["sample"]), values, reference)
