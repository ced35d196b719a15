"""The record of a workshop: what was said stays said, whatever happens to the machine."""

from __future__ import annotations

import html
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from migrasim.core.errors import InputError
from migrasim.core.language import LANGS
from migrasim.facts import FactBook
from migrasim.present.explorer.draft import of_compact, opened
from migrasim.present.punctuation import title_in
from migrasim.present.workshop import journal as journals
from migrasim.present.workshop.host import Host, _unit, again, levers_of, minutes
from migrasim.present.workshop.journal import Journal
from migrasim.present.workshop.meeting import Meeting, Result
from migrasim.present.workshop.words import word

DRAFT = ["status_quo", {"residence_permit.education": 0.9}, "central", "more schools"]
RESULT = Result("0123456789ab", 0.02, {"urbanization_rate": 0.6}, {"urbanization_rate": 0.55})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a record may lie."""
    return tmp_path / "folder" / "workshop.jsonl"


@pytest.fixture
def meeting(path: Path) -> Meeting:
    """A workshop with two people and one proposal."""
    made = Meeting(path, "Trial", now=lambda: "2026-01-01T00:00:00+00:00")
    made.join("anna", "Anna", "Red", "finance")
    made.join("bo", "Bo", "Blue", "village")
    made.propose("anna", "More schools", DRAFT, "children first")
    return made


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_a_workshop_is_told_by_its_record(meeting, path):
    """Whoever opens the record again finds people, proposals, predictions, results, stage and votes."""
    meeting.predict("bo", 1, {"urbanization_rate": 0.58})
    meeting.predict("bo", 1, {"urbanization_rate": 0.59, "urban_population": 1e6})
    meeting.close(1)
    meeting.reveal(1, RESULT)
    meeting.move_to("vote")
    meeting.vote("anna", 1)
    for state in (meeting.state, Meeting(path).state):
        assert (state.name, state.stage) == ("Trial", "vote")
        assert state.people["bo"].group == "Blue"
        proposal = state.proposals[1]
        assert (proposal.name, proposal.by, proposal.group, proposal.why) == (
            "More schools", "Anna", "Red", "children first",
        )  # fmt: skip
        assert proposal.draft == DRAFT
        assert proposal.predictions == {"bo": {"urbanization_rate": 0.59, "urban_population": 1e6}}
        assert proposal.result == RESULT
        assert state.tally() == {1: 1}
    kinds = [json.loads(line)["kind"] for line in _lines(path)]
    assert kinds == ["opened", "joined", "joined", "proposed", "predicted", "predicted", "closed", "revealed", "stage",
                     "voted"]  # fmt: skip
    assert [json.loads(line)["n"] for line in _lines(path)] == list(range(1, 11))
    assert all(json.loads(line)["at"] for line in _lines(path))


@pytest.mark.parametrize("lang", LANGS)
def test_the_minutes_say_what_was_proposed_and_how_to_run_it_again(meeting, lang):
    """Each lever with unit, 2020, plan and value; the file and command that give the same run, and what its code is."""
    meeting.close(1)
    meeting.reveal(1, RESULT)
    host = Host(meeting, None)
    text = html.unescape(minutes(host, lang))
    assert "<code>migrasim levers</code>" in text
    row = re.search(r"<th scope=.row.>[^<]*</th><td>[^<]*</td><td>0.6</td><td>0.68 → 1</td><td>0.9</td>", text)
    assert row and title_in(FactBook.load().levers["residence_permit.education"].title, lang) in row[0]
    proposal = meeting.snapshot().proposals[1]
    file, scenario, command = again(proposal, RESULT)
    assert (file, command) == ("More_schools.yaml", "migrasim run More_schools.yaml --sample 0.02")
    assert scenario in text and command in text
    assert opened(scenario, file).content == of_compact(DRAFT).content
    assert word("run_code", lang, run=RESULT.run_id) in text
    assert " 0.9 " in levers_of(proposal, lang)[0]
    assert word("rounding_note", lang) in text
    assert ("Red: children first" if lang == "en" else "Red：children first") in text


@pytest.mark.parametrize("lang", ["zh-Hant", "zh-Hans"])
def test_units_beside_years_have_full_commas_in_chinese(lang):
    """A unit ends in a sign or a word: the comma behind it is full-width in either case."""
    assert _unit("urbanization_rate", "share", lang) == "%，2035年"


def test_nothing_that_was_written_is_ever_changed(meeting, path):
    """Every step leaves all bytes before it as they were."""
    steps = [
        lambda: meeting.predict("bo", 1, {"urbanization_rate": 0.5}),
        lambda: meeting.join("bo", "Bo", "Green", "household"),
        lambda: meeting.close(1),
        lambda: meeting.reveal(1, RESULT),
    ]
    for step in steps:
        before = path.read_bytes()
        step()
        after = path.read_bytes()
        assert after.startswith(before)
        assert len(after) > len(before)


def test_predictions_end_when_the_result_is_asked_for(meeting, path):
    """Nobody predicts, or changes a prediction, once the run has begun; nobody sees a result before that."""
    with pytest.raises(InputError, match="predictions are still open"):
        meeting.reveal(1, RESULT)
    meeting.predict("bo", 1, {"urbanization_rate": 0.5})
    meeting.close(1)
    size = path.stat().st_size
    with pytest.raises(InputError, match="predictions are closed"):
        meeting.predict("anna", 1, {"urbanization_rate": 0.6})
    with pytest.raises(InputError, match="asked for already"):
        meeting.close(1)
    assert path.stat().st_size == size
    assert list(meeting.state.proposals[1].predictions) == ["bo"]


def test_a_result_that_is_asked_for_twice_is_made_once(meeting, path, monkeypatch):
    """A double click on the button is no mistake to be told of."""
    made = []
    host = Host(meeting, None)
    monkeypatch.setattr(host, "_start", lambda proposal, sample: made.append(proposal.id))
    host.reveal(1)
    size = path.stat().st_size
    host.reveal(1)
    assert made == [1] and path.stat().st_size == size
    with pytest.raises(InputError, match="there is no 7"):
        host.reveal(7)


def test_the_file_of_a_proposal_is_no_option_of_the_command(meeting):
    """A name that begins with a minus gives a command that can be copied."""
    meeting.propose("anna", "-2% for all", DRAFT, "")
    assert again(meeting.snapshot().proposals[2], RESULT)[2] == "migrasim run 2_for_all.yaml --sample 0.02"


def test_a_vote_needs_its_stage_and_a_result_and_counts_once(meeting):
    """One voice a person, the last one; proposals are closed while people vote."""
    with pytest.raises(InputError, match="no vote now"):
        meeting.vote("bo", 1)
    meeting.propose("bo", "Other", DRAFT)
    meeting.move_to("vote")
    with pytest.raises(InputError, match="needs a result"):
        meeting.vote("bo", 1)
    for number in (1, 2):
        meeting.close(number)
        meeting.reveal(number, RESULT)
    meeting.vote("bo", 1)
    meeting.vote("bo", 2)
    meeting.vote("anna", 2)
    assert meeting.state.tally() == {1: 0, 2: 2}
    with pytest.raises(InputError, match="proposals are closed"):
        meeting.propose("bo", "Late", DRAFT)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda m: m.join("x", "", "Red", "finance"), "name: nothing was written"),
        (lambda m: m.join("x", "\n\t", "Red", "finance"), "name: nothing was written"),
        (lambda m: m.join("x", "X" * 61, "Red", "finance"), "61 characters are too many; allowed: 60"),
        (lambda m: m.join("x", "X", "Red", "financ"), "did you mean 'finance'"),
        (lambda m: m.propose("nobody", "A", DRAFT), "say first who you are"),
        (lambda m: m.predict("bo", 2, {"urbanization_rate": 0.5}), "there is no 2"),
        (lambda m: m.predict("bo", True, {"urbanization_rate": 0.5}), "there is no True"),
        (lambda m: m.predict("bo", 1, {}), "a number is expected"),
        (lambda m: m.predict("bo", 1, {"rent": 0.5}), "'rent' is not asked for"),
        (lambda m: m.predict("bo", 1, {"urbanization_rate": 55}), "allowed: 0 to 1"),
        (lambda m: m.predict("bo", 1, {"urbanization_rate": float("nan")}), "nan is not allowed"),
        (lambda m: m.move_to("lunch"), "stage: 'lunch' is none"),
        (lambda m: m.propose("bo", "A", ["x" * 300_000]), "too long"),
    ],
)
def test_what_is_not_allowed_leaves_no_trace(meeting, path, act, said):
    """A refused step says why and writes nothing."""
    before = path.read_bytes()
    with pytest.raises(InputError, match=said):
        act(meeting)
    assert path.read_bytes() == before


def test_half_a_line_is_passed_over_and_not_glued_to_the_next(meeting, path):
    """A kill in the middle of a line loses that line alone."""
    whole = path.read_bytes()
    for cut in (1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        again = Meeting(path)
        again.join("cy", "Cy", "Gold", "enterprise")
        last = json.loads(_lines(path)[-1])
        assert last["by"] == "cy"
        assert Meeting(path).state.people["cy"].name == "Cy"
        assert path.read_bytes().startswith(whole[:cut])


def test_lines_that_are_no_events_are_counted_and_passed_over(meeting, path):
    """Strange bytes, other JSON, deep nesting and events that break a rule do not stop a workshop."""
    strange = [
        b"\xff\xfe\x00", b"[1, 2]", b'"text"', b"{}", b'{"kind": 5}', b"[" * 100_000,
        b'{"kind": "voted", "by": "anna", "proposal": 1}', b'{"kind": "predicted", "by": "bo", "proposal": {}}',
        b'{"kind": "joined", "by": "x", "name": "X", "group": "R", "role": []}', b'{"kind": "revealed", "proposal": 1}',
        b'{"kind": "proposed", "by": "bo"}',
        b'{"kind": "joined", "by": {}, "name": "a", "group": "b", "role": "village"}',
    ]  # fmt: skip
    with path.open("ab") as file:
        file.write(b"\n".join(strange) + b"\n")
    again = Meeting(path)
    assert again.journal.damaged == 6
    assert again.passed_over == 6
    assert again.state.people.keys() == {"anna", "bo"}
    assert again.state.votes == {}
    again.predict("bo", 1, {"urbanization_rate": 0.5})
    assert Meeting(path).state.proposals[1].predictions == {"bo": {"urbanization_rate": 0.5}}


def test_threads_never_mix_their_lines(meeting, path):
    """Many at once: every entry is there, whole, numbered without a gap."""

    def talk(number: int) -> None:
        meeting.join(f"p{number}", f"Person {number}", "Group", "household")
        for _ in range(10):
            meeting.predict(f"p{number}", 1, {"urbanization_rate": number / 100})

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    events = [json.loads(line) for line in _lines(path)]
    assert [event["n"] for event in events] == list(range(1, 4 + 8 * 11 + 1))
    assert len(meeting.state.proposals[1].predictions) == 8


_TALKER = """
import sys
from pathlib import Path
from migrasim.present.workshop.meeting import Meeting
meeting = Meeting(Path(sys.argv[1]))
meeting.join(sys.argv[2], sys.argv[2], "Group", "household")
for number in range(int(sys.argv[3])):
    meeting.predict(sys.argv[2], 1, {"urban_population": float(number)})
    print(number, flush=True)
"""


def _talker(path: Path, name: str, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _TALKER, str(path), name, str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_processes_never_mix_their_lines(meeting, path):
    """Two programs on one record take turns: numbers without a gap, every line whole."""
    with _talker(path, "one", 30) as one, _talker(path, "two", 30) as two:
        for each in (one, two):
            each.communicate(timeout=120)
            assert each.returncode == 0
    events = [json.loads(line) for line in _lines(path)]
    assert [event["n"] for event in events] == list(range(1, 4 + 2 * 31 + 1))
    assert meeting.state.people.keys() == {"anna", "bo", "one", "two"}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_what_was_acknowledged_survives_a_kill(meeting, path):
    """After a kill at any moment all that was confirmed is there, and the record goes on."""
    for round_ in range(3):
        with _talker(path, f"killed{round_}", 100_000) as talker:
            assert talker.stdout is not None
            talker.stdout.readline()
            time.sleep(0.05 * (round_ + 1))
            os.kill(talker.pid, signal.SIGKILL)
            confirmed = [int(line) for line in talker.stdout.read().split()]
        again = Meeting(path)
        said = [json.loads(line) for line in _lines(path) if line.startswith("{") and line.endswith("}")]
        mine = [
            event["values"]["urban_population"]
            for event in said
            if event.get("by") == f"killed{round_}" and event["kind"] == "predicted"
        ]
        assert mine == [float(number) for number in range(len(mine))]
        assert len(mine) >= len(confirmed)
        again.join("after", "After", "Group", "village")
    assert Meeting(path).state.people["after"].name == "After"


def test_a_full_disk_leaves_no_half_line(meeting, path, monkeypatch):
    """Where a line cannot be written whole, its beginning is taken away and the reason is told."""
    before, write = path.read_bytes(), os.write

    def full(file, data):
        if len(data) > 20:
            return write(file, data[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journals.os, "write", lambda file, data: full(file, data[:40]))
    with pytest.raises(InputError, match="No space left"):
        meeting.predict("bo", 1, {"urbanization_rate": 0.5})
    monkeypatch.undo()
    assert path.read_bytes() == before
    meeting.predict("bo", 1, {"urbanization_rate": 0.5})
    assert Meeting(path).state.proposals[1].predictions["bo"] == {"urbanization_rate": 0.5}


def test_a_record_is_no_link_to_somewhere_else(tmp_path):
    """A link in the place of the record is refused: nothing outside the folder is written."""
    outside = tmp_path / "outside.txt"
    outside.write_text("mine", encoding="utf-8")
    (tmp_path / "workshop.jsonl").symlink_to(outside)
    with pytest.raises(InputError, match="cannot be opened"):
        Journal(tmp_path / "workshop.jsonl")
    assert outside.read_text(encoding="utf-8") == "mine"


def test_one_person_cannot_fill_the_record(meeting, monkeypatch):
    """Entries by one person are limited; the others go on."""
    monkeypatch.setattr("migrasim.present.workshop.meeting.MOST_EVENTS_EACH", 5)
    meeting.predict("anna", 1, {"urbanization_rate": 0.5})
    meeting.predict("anna", 1, {"urbanization_rate": 0.5})
    meeting.predict("anna", 1, {"urbanization_rate": 0.5})
    with pytest.raises(InputError, match="too many entries"):
        meeting.predict("anna", 1, {"urbanization_rate": 0.5})
    meeting.predict("bo", 1, {"urbanization_rate": 0.5})
