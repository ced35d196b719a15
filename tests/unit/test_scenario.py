"""Scenario files: good ones mean what they say, bad ones get one message that helps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migrasim.core.errors import InputError
from migrasim.facts import FactBook
from migrasim.scenario import Scenario, Step, locate, override, shipped

BOOK = FactBook.load()
PERMIT = [lever.id for lever in BOOK.of_group("residence_permit")]


def write(folder: Path, text: str | bytes, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("name", ["status_quo", "plan", "four_groups", *list(BOOK.groups)[:4]])
def test_shipped_scenarios_load_by_name(name: str) -> None:
    """Each shipped scenario has its name, titles in two languages, a description, and reads without a path."""
    scenario = Scenario.load(name, BOOK)
    assert scenario.name == name
    assert scenario.title.en != scenario.title.zh_hant
    assert scenario.description is not None
    assert scenario.file == f"scenarios/{name}.yaml"


def test_the_shipped_plan_sets_every_built_lever() -> None:
    """The plan sets what is built, the four groups what they name, the status quo nothing."""
    built = {lever.id for lever in BOOK.levers.values() if lever.built}
    assert {setting.lever for setting in Scenario.load("plan", BOOK).settings} == built
    first = {lever.id for lever in BOOK.levers.values() if lever.group in list(BOOK.groups)[:4]}
    assert {setting.lever for setting in Scenario.load("four_groups", BOOK).settings} == first
    assert Scenario.load("status_quo", BOOK).settings == ()


def test_a_path_that_exists_comes_before_a_shipped_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file called like a shipped scenario is taken first; a folder of that name is not."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "industry").mkdir()
    write(tmp_path, "name: other\n", "plan")
    assert Scenario.load("plan", BOOK).name == "other"
    assert locate("scenarios", "industry") == shipped("scenarios")["industry"]


def test_a_child_acts_on_what_it_inherits(tmp_path: Path) -> None:
    """Settings of the parent come first, groups before single levers, whatever their order in the file."""
    write(tmp_path, "levers: {residence_permit: plan}\n", "parent.yaml")
    child = write(
        tmp_path, "extends: parent.yaml\nlevers:\n  residence_permit.education: 0.9\n  residence_permit: double\n"
    )
    scenario = Scenario.load(child, BOOK)
    assert [setting.lever for setting in scenario.settings] == [*PERMIT, *PERMIT, "residence_permit.education"]
    assert [setting.named for setting in scenario.settings] == ["plan"] * 7 + ["double"] * 7 + [None]
    assert scenario.name == "mine"


def test_a_child_meets_the_future_of_its_parent(tmp_path: Path) -> None:
    """Unless it names another; a scenario without a parent meets the central one."""
    write(tmp_path, "future: hard_times\n", "parent.yaml")
    found = [
        Scenario.load(write(tmp_path, text), BOOK).future
        for text in ("extends: parent.yaml\n", "extends: parent.yaml\nfuture: boom\n", "levers: {}\n")
    ]
    assert found == ["hard_times", "boom", "central"]


def test_all_forms_of_a_value() -> None:
    """A number, a path, changes of what is inherited, and each of them by county."""
    scenario = Scenario.from_mapping(
        {
            "levers": {
                "residence_permit.education": 0.9,
                "industry.red_cattle.jobs": {2026: 9000, 2035: "* 1.5"} | {2026: "+ -100"},
                "public_housing.public_rental_units": {"Kongtong": {2022: 800}, "Jingning": 100},
            }
        },
        BOOK,
    )
    education, cattle, dwellings = scenario.settings
    assert education.paths == {None: {None: Step(0.9)}}
    assert cattle.paths == {None: {2026: Step(-100.0, "+"), 2035: Step(1.5, "*")}}
    assert dwellings.paths == {"Kongtong": {2022: Step(800.0)}, "Jingning": {None: Step(100.0)}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=0.9", 0.9),
        ("a.b = plan", "plan"),
        ("a.b=double", "double"),
        ("a.b=*1.5", "*1.5"),
        ("a.b=+0.1", "+0.1"),
        ("a.b={2026: 9000, 2035: '* 2'}", {2026: 9000, 2035: "* 2"}),
        ("a.b={Kongtong: {2022: 800}}", {"Kongtong": {2022: 800}}),
    ],
)
def test_override_reads_what_set_is_given(text: str, value: object) -> None:
    """The value is a number, a name, a change, or a mapping in braces."""
    assert override(text) == ("a.b", value)


def test_overrides_come_last() -> None:
    """What --set says acts on top of the file."""
    scenario = Scenario.load("plan", BOOK, ["residence_permit.education=0.7", "industry=status_quo"])
    named = sum(lever.built for lever in BOOK.levers.values())
    assert scenario.settings[named].paths == {None: {None: Step(0.7)}}
    assert {setting.named for setting in scenario.settings[named + 1 :]} == {"status_quo"}


def test_the_message_for_a_newer_file_gives_the_reason(tmp_path: Path) -> None:
    """A file of a newer schema is refused even where its other keys are unknown."""
    with pytest.raises(InputError, match=r"schema_version: 9 is newer than 1.*use a newer migrasim"):
        Scenario.load(write(tmp_path, "schema_version: 9\nnews: 1\n"), BOOK)


BAD_FILES: list[tuple[str, str | bytes, str]] = [
    ("unknown lever", "levers: {residence_permit.eduction: 1}", "did you mean 'residence_permit.education'"),
    (
        "unknown group",
        "levers: {public_house: plan}",
        "levers: unknown lever 'public_house'.*did you mean 'public_housing'",
    ),
    ("unknown key", "lever: {}", "lever: unknown key; allowed: name, title.*did you mean 'levers'"),
    (
        "share above 1",
        "levers: {residence_permit.education: 90}",
        "education: 90 is out of bounds; allowed: 0 to 1 share",
    ),
    ("below", "levers: {public_housing.rent_subsidy: -5}", "allowed: 0 to 2000 yuan per month"),
    ("percent", "levers: {residence_permit.education: 90%}", "without a percent sign; allowed: 0 to 1 share"),
    ("word", "levers: {residence_permit.education: plann}", "'plann' is no number.*did you mean 'plan'"),
    ("truth value", "levers: {residence_permit.education: yes}", "not the truth value true; allowed: 0 to 1"),
    ("list", "levers: {residence_permit.education: [1]}", "a number is expected, not a list"),
    ("nothing", "levers: {residence_permit.education: }", "a number is expected, not nothing"),
    ("not a number", "levers: {residence_permit.education: .nan}", "a number is expected"),
    (
        "beyond size",
        "levers: {industry.red_cattle.jobs: 1" + "0" * 400 + "}",
        "a number without size; allowed: -30000 to",
    ),
    ("infinite change", "levers: {residence_permit.education: '* 1e400'}", "'[*] 1e400' is no number"),
    ("title text", "title: Mine", "scenario.title: a mapping of en, zh_hant, zh_hans is expected, not the text 'Mine'"),
    ("number for group", "levers: {residence_permit: 1}", "a group takes status_quo, plan, double"),
    ("year before", "levers: {residence_permit.education: {2019: 1}}", "year 2019 is outside; allowed: 2020 to 2060"),
    ("year after", "levers: {residence_permit.education: {2099: 1}}", "year 2099 is outside"),
    ("quoted year", "levers: {residence_permit.education: {'2025': 1}}", "write years without quotes"),
    ("mixed keys", "levers: {residence_permit.education: {2025: 1, Kongtong: 1}}", "years and counties are mixed"),
    ("mixed path", "levers: {residence_permit.education: {2025: 1, 2026: '* 2'}}", "are mixed; use one of them"),
    ("empty path", "levers: {residence_permit.education: {}}", "the mapping is empty"),
    (
        "county out of bounds",
        "levers: {residence_permit.education: {Kongtong: 2}}",
        "education.Kongtong: 2 is out of bounds",
    ),
    ("future", "future: bom", "future: there is no future 'bom'; allowed: central, boom, hard_times.*'boom'"),
    ("extends nothing", "extends: statusquo", "extends: no scenario 'statusquo'.*did you mean 'status_quo'"),
    ("circle", "extends: mine.yaml", "extends: goes in a circle: mine -> mine"),
    ("duplicated lever", "levers:\n  industry: plan\n  industry: double", r"'industry' stands twice \(lines 2 and 3\)"),
    ("duplicated year", "levers: {residence_permit.education: {2025: 1, 2025: 0}}", "key '2025' stands twice"),
    ("alias", "levers: {residence_permit.education: * 1.5}", "needs quotes"),
    ("empty", "", "the file is empty"),
    ("comments", "# nothing\n", "nothing but comments"),
    ("binary", b"\x89PNG\x00\xff\xfe", "not a text file in UTF-8"),
    ("zeros", b"a\x00b", "binary file"),
    ("a list", "- 1\n- 2\n", "a mapping .* is expected at the top, not a list"),
    ("a word", "plan\n", "a mapping .* is expected at the top, not the text 'plan'"),
    ("broken", "levers: {a: 1", "mine.yaml, line 1: not valid YAML"),
    ("levers list", "levers: [1]", "levers: a mapping .* is expected, not a list"),
    ("name", "name: 3", "name: a name is expected, not the number 3"),
    ("title", "title: {en: A, zh: B}", "title.zh: unknown key; allowed: en, zh_hant, zh_hans"),
    ("version", "schema_version: one", "schema_version: a whole number"),
]


@pytest.mark.parametrize(("text", "says"), [case[1:] for case in BAD_FILES], ids=[case[0] for case in BAD_FILES])
def test_a_wrong_file_gets_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes, says: str
) -> None:
    """The message names the file, the key, what is wrong and what is allowed, on one line."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, text)
    with pytest.raises(InputError, match=says) as caught:
        Scenario.load("mine.yaml", BOOK)
    assert str(caught.value).startswith("mine.yaml")
    assert "\n" not in str(caught.value)


def test_a_lever_whose_channel_is_missing_is_refused() -> None:
    """What would change nothing is an error, by its own name as by its group's; the message says what is built."""
    off = {
        name: lever.model_copy(update={"built": False}) if lever.group == "transport" else lever
        for name, lever in BOOK.levers.items()
    }
    book = replace(BOOK, levers=off)
    with pytest.raises(InputError, match="intercounty: its channel is not built yet"):
        Scenario.from_mapping({"levers": {"transport.intercounty": 0.5}}, book)
    with pytest.raises(InputError, match=r"transport: its channel is not built yet.*residence_permit"):
        Scenario.from_mapping({"levers": {"transport": "plan"}}, book)


def test_a_circle_of_two_is_found(tmp_path: Path) -> None:
    """Two files that extend each other are named in order."""
    write(tmp_path, "extends: b.yaml\n", "a.yaml")
    write(tmp_path, "extends: a.yaml\n", "b.yaml")
    with pytest.raises(InputError, match="in a circle: a -> b -> a"):
        Scenario.load(tmp_path / "a.yaml", BOOK)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("residence_permit.education", "--set 'residence_permit.education': LEVER=VALUE is expected"),
        ("education=0.9", "--set: unknown lever 'education'.*did you mean 'residence_permit.education'"),
        ("residence_permit.education=2", "--set residence_permit.education: 2 is out of bounds; allowed: 0 to 1 share"),
        ("residence_permit.education={2025: 1", "--set residence_permit.education, line 1: not valid YAML"),
    ],
)
def test_a_wrong_set_gets_one_message(text: str, says: str) -> None:
    """--set is checked like a file."""
    with pytest.raises(InputError, match=says):
        Scenario.load("plan", BOOK, [text])


def test_a_missing_scenario_names_the_shipped_ones(tmp_path: Path) -> None:
    """Neither a path nor a name: the shipped names are listed, the nearest first to hand."""
    with pytest.raises(
        InputError, match="no scenario 'plam'; allowed: a path, or core_first, four_groups.*did you mean 'plan'"
    ):
        Scenario.load("plam", BOOK)
    with pytest.raises(InputError, match="is a folder"):
        Scenario.load(tmp_path, BOOK)
