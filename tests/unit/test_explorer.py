"""The explorer without a browser: drafts, links, files from strangers, the engine, the charts, the words."""

from __future__ import annotations

import io
import re
import socket
import string
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from migrasim.core.errors import InputError
from migrasim.core.language import LANGS
from migrasim.facts import FactBook
from migrasim.indicators import CATALOGUE
from migrasim.present.explorer import apart, charts, charts_more, compare, draft, server, sources, view, words
from migrasim.present.explorer.draft import Draft
from migrasim.present.explorer.engine import FIRST_ANSWERS, Cache, Engine
from migrasim.present.explorer.explore import StartBox, step_text
from migrasim.present.explorer.files import packed
from migrasim.present.explorer.foot import about, foot
from migrasim.present.explorer.levers import OneLever, _about
from migrasim.present.explorer.runs import draws, request
from migrasim.present.explorer.session import Session
from migrasim.present.punctuation import title_in
from migrasim.scenario import Scenario
from migrasim.variants import futures

SCHOOLS = "residence_permit.education"
HOUSES = "public_housing.public_rental_units"


# -- drafts ------------------------------------------------------------------------------------------


def test_a_saved_draft_is_a_scenario_file_like_any_other(tmp_path):
    """What a page saves, every command reads, with the same numbers."""
    made = Draft("plan", {SCHOOLS: {2022: 0.7, 2030: 0.9}, HOUSES: {"Kongtong": 300.0}}, "boom", "schools first")
    path = draft.write_file(tmp_path, made)
    assert path.name == "schools_first.yaml"
    book = FactBook.load()
    read = Scenario.load(path, book)
    again = draft.Inputs.build(book, draft.region(), read, until=2035)
    mine = draft.inputs(made)
    assert again.content_hash() == mine.content_hash()
    assert draft.read_file(tmp_path, path.name) == made


def test_saving_never_writes_over_another_file(tmp_path):
    """A second scenario of the same name gets a name of its own, and a name is never a path."""
    first = draft.write_file(tmp_path, Draft("plan", {SCHOOLS: 0.7}, name="../../a"))
    second = draft.write_file(tmp_path, Draft("plan", {SCHOOLS: 0.8}, name="../../a"))
    assert [first.name, second.name] == ["a.yaml", "a-2.yaml"]
    assert first.parent == second.parent == tmp_path
    with pytest.raises(InputError, match="a name is needed"):
        draft.write_file(tmp_path, Draft(name="../.."))


BOMB = "a: &a [x,x]\n" + "\n".join(f"{b}: &{b} [*{a},*{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (BOMB, "anchors and aliases"),
        ("x: " + "[" * 5000, "too deep"),
        ("levers: {" + ", ".join(f"a{k}: 1" for k in range(6000)) + "}", "too deep or too long"),
        ("a" * 300_000, "larger than"),
        ("x: !!python/object/apply:os.system [ls]", "tags"),
        ("extends: /etc/passwd", "extends: the text '/etc/passwd' is not allowed"),
        ("extends: ../secret.yaml", "not allowed here"),
        ("extends: [plan]", "not allowed here"),
        ("levers: {residence_permit.educatoin: 0.5}", "did you mean 'residence_permit.education'"),
        ("levers: {residence_permit.education: 5}", "out of bounds"),
        ("levers: {residence_permit.education: {Nowhere: 0.5}}", "unknown county"),
        ("levers: {residence_permit.education: .inf}", "a number is expected"),
        ("levers: {spatial.core_share: 0.9, spatial.poles_share: 0.9}", "spatial"),
        ("future: doom", "future"),
        ("schema_version: 99", "newer"),
        ("- a\n- b", "a mapping"),
        ("a: [", "not valid YAML"),
        ("a: \0", "binary"),
        ("name: caf\ufffd", "not a text file in UTF-8"),
        ("", "a mapping"),
    ],
)
def test_a_hostile_file_is_refused_in_one_line(text, part):
    """Files of strangers are small, plain and built on nothing but what ships; else one message says why not."""
    began = time.perf_counter()
    with pytest.raises(InputError, match=re.escape(part)) as error:
        draft.opened(text, "theirs.yaml")
    assert "\n" not in str(error.value)
    assert time.perf_counter() - began < 20


def test_nothing_outside_the_folder_is_read(tmp_path):
    """Only plain files right inside the folder are offered and opened; links and paths are not."""
    inside, outside = tmp_path / "in", tmp_path / "out.yaml"
    inside.mkdir()
    outside.write_text("extends: plan", encoding="utf-8")
    (inside / "link.yaml").symlink_to(outside)
    (inside / "own.yaml").write_text("extends: plan", encoding="utf-8")
    assert [each.name for each in draft.files(inside)] == ["own.yaml"]
    for name in ("link.yaml", "../out.yaml", str(outside)):
        with pytest.raises(InputError, match="no scenario file"):
            draft.read_file(inside, name)
    assert draft.read_file(inside, "own.yaml").base == "plan"


@pytest.mark.parametrize(
    "levers", ["{residence_permit.education: {Kongton: 0.5}}", "{spatial.core_share: 0.9, spatial.poles_share: 0.9}"]
)
def test_what_the_region_refuses_names_the_file(levers):
    """A wrong county and shares above one in sum are told of the file that has them."""
    with pytest.raises(InputError, match=r"^mine\.yaml: levers\."):
        draft.opened(f"name: x\nlevers: {levers}\n", "mine.yaml")


def test_groups_in_a_file_become_their_levers():
    """A file that sets a group opens with every lever of the group set, so that each can be moved."""
    found = draft.opened("extends: status_quo\nlevers: {three_rights: plan, three_rights.titling: 0.95}")
    book = FactBook.load()
    assert set(found.levers) == {lever.id for lever in book.of_group("three_rights") if lever.built}
    assert found.levers["three_rights.titling"] == 0.95


def test_a_link_brings_a_draft_back_and_no_other():
    """What stands in the address is checked like a file; nonsense and bombs are ignored."""
    made = Draft("plan", {SCHOOLS: {2022: 0.7, 2030: 0.9}}, "boom", "就業")
    link = draft.to_link(draft.compact(made))
    assert draft.of_compact(draft.from_link(link)) == made
    assert draft.from_link("no link") is None
    assert draft.from_link(draft.to_link("x" * 10_000_000)) is None
    for wrong in (None, [], ["plan", {SCHOOLS: 9}, "central", ""], ["/etc/passwd", {}, "central", ""], [1, 2, 3, 4]):
        assert draft.of_compact(wrong) is None


@pytest.mark.parametrize("shape", draft.SHAPES)
def test_a_path_starts_and_ends_where_it_was_told(shape):
    """Every shape of a path goes from the first value to the last, and stays between them."""
    for name, first, last in ((SCHOOLS, 0.6, 0.9), (HOUSES, 200.0, 900.0)):
        lever = FactBook.load().lever(name)
        found = draft.path(lever, 2022, first, 2030, last, shape)
        assert (found[2022], found[2030]) == (first, last)
        assert all(first <= value <= last for value in found.values())
        assert draft.opened(yaml.safe_dump({"levers": {name: found}})).levers[name] == found


def test_draws_share_luck_and_assumptions_across_scenarios():
    """A draw of one number has the same seed in every scenario, and the same value of a lever that both assume."""
    one, other = draws(draft.of_shipped("plan"), "luck", 3), draws(draft.of_shipped("three_rights"), "luck", 3)
    assert [each.seed for each in one] == [each.seed for each in other] == [1, 2, 3]
    for first, second in zip(one, other, strict=True):
        assert second.overrides
        assert set(second.overrides) < set(first.overrides)


def test_ranges_over_fitted_facts_keep_the_luck():
    """Each run has another vector that the record does not rule out, the same in every scenario, and nothing else."""
    one, other = (draws(draft.of_shipped(name), "parameters", 3) for name in ("plan", "status_quo"))
    assert [each.parameters for each in one] == [each.parameters for each in other]
    assert len({each.parameters for each in one}) == 3 and all(len(each.parameters) > 5 for each in one)
    assert {each.seed for each in one} == {0} and not any(each.overrides for each in one)
    assert draws(draft.of_shipped("plan"), "none") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"m": ["boom"]},
        {"w": ["changed_to", {"lever": [SCHOOLS]}]},
        {"w": ["changed_to", {"lever": SCHOOLS, "value": float("inf")}]},
        {"w": ["changed_to", {"lang": "en", "key": "x"}]},
        {"w": [["changed_to"], {}]},
    ],
)
def test_a_link_whose_words_are_nonsense_still_shows_its_drafts(wrong):
    """What led to the last change is left out where an address has it wrong; the page is drawn all the same."""
    made = Session(Draft("plan"))
    data = {"d": [draft.compact(Draft("plan")), draft.compact(Draft("plan", {SCHOOLS: 0.5}))]}
    assert made.restore(draft.to_link(data | wrong))
    assert step_text(made.steps.value[-1], "en") == ""
    assert made.draft.levers == {SCHOOLS: 0.5} and made.meet.value == ""


def test_a_link_whose_draft_is_not_allowed_never_shows_the_one_before():
    """The last draft of an address is what it was sent for: another one in its place would be taken for it."""
    made = Session(Draft("status_quo"))
    wrong = [draft.compact(Draft("plan", {SCHOOLS: 0.3})), ["plan", {SCHOOLS: 7}, "central", ""]]
    assert not made.restore(draft.to_link({"d": wrong}))
    assert made.draft == Draft("status_quo")


@pytest.mark.parametrize(
    "wrong",
    [
        {"c": "Nowhere"},
        {"c": ["Kongtong"]},
        {"y": 1990},
        {"y": "2030"},
        {"m": "bom"},
        {"l": "fr"},
        {"p": [["plan", {"residence_permit.eduction": 1}, "central", ""]]},
        {"p": [["plan", {}, "central", ""]] * 5},
        {"d": [["plan", {SCHOOLS: {"1990": 1}}, "central", ""], ["plan", {SCHOOLS: 0.5}, "central", ""]]},
    ],
)
def test_what_an_address_loses_is_told(wrong):
    """A county, year, pin or change before that is not allowed is left out, and the page says that something was."""
    made = Session(Draft("status_quo"))
    data = {"d": [["plan", {SCHOOLS: 0.5}, "central", ""]], "c": "Kongtong", "y": 2030, "p": [], "m": "boom", "l": "en"}
    assert made.restore(draft.to_link(data)) and not made.is_link_cut
    made = Session(Draft("status_quo"))
    assert made.restore(draft.to_link(data | wrong)) and made.is_link_cut
    assert made.draft.levers == {SCHOOLS: 0.5}


def test_every_link_of_a_page_is_whole():
    """What a page writes into its address is all taken back, from a new page and from one that was changed."""
    made = Session(Draft("plan"))
    for change in (lambda: None, lambda: made.pin(Draft("plan")), lambda: made.place.set("Kongtong")):
        change()
        again = Session(Draft("status_quo"))
        assert again.restore(made.link()) and not again.is_link_cut
        assert again.link() == made.link()


def test_a_saved_file_keeps_the_words_of_the_opened_one(tmp_path):
    """Title and description stay, in the file and in a link, until another name is given."""
    words = {"title": {"en": "More homes", "zh_hant": "多建房"}, "description": {"en": "Try.", "zh_hant": "試。"}}
    text = yaml.safe_dump({"name": "homes", **words, "levers": {HOUSES: 900}}, allow_unicode=True)
    found = draft.opened(text, "homes.yaml")
    saved = yaml.safe_load(draft.write_file(tmp_path, found).read_text(encoding="utf-8"))
    assert {key: saved[key] for key in words} == words
    assert draft.of_compact(draft.from_link(draft.to_link(draft.compact(found)))) == found
    session = Session(found)
    session.rename("fewer homes")
    assert session.draft.mapping()["title"]["en"] == "fewer homes"
    assert session.draft.mapping()["description"] == words["description"]


def test_another_future_keeps_the_words_of_a_file():
    """Title and description of an opened file stay when another future is chosen."""
    import solara
    from reacton.core import get_render_context

    found = draft.opened(
        "name: homes\ntitle: {en: More homes, zh_hant: 多建房}\ndescription: {en: Try., zh_hant: 試。}"
    )
    session = Session(found)

    @solara.component
    def Page() -> None:  # noqa: N802 (a component)
        session.drawing = get_render_context()
        StartBox(session)

    box, context = solara.render(Page(), handle_error=False)
    choice = next(one for one in box.children[0].children if getattr(one, "name", "") == "future")
    choice.vue_chosen("hard_times")
    assert session.draft == replace(found, future="hard_times") and session.draft.title
    context.close()


@pytest.mark.parametrize("base", ["status_quo", "plan"])
@pytest.mark.parametrize("name", [SCHOOLS, HOUSES])
def test_a_county_left_empty_is_what_its_field_shows(base, name):
    """Beside the field of a county stands the number that a run has there as long as only others are given."""
    import solara

    session, lever = Session(Draft(base)), FactBook.load().lever(name)

    @solara.component
    def Page() -> None:  # noqa: N802 (a component)
        OneLever(session, lever)

    box, context = solara.render(Page(), handle_error=False)
    control = box.children[0]
    first, *others = draft.region().county_names
    given = Draft(base, {name: {first: 0.7}})
    shown = {one["name"]: one["value"] for one in control.counties}
    for k, county in enumerate(others, 1):
        assert shown[county] == pytest.approx(draft.path_of(given, lever, k)[2035])
    context.close()


@pytest.mark.parametrize("lang", ["zh-Hant", "zh-Hans"])
def test_what_stands_behind_a_lever_has_full_marks_in_chinese(lang):
    """Years, ranges and sources of the values of all levers stand apart by full-width marks."""
    told = {text for lever in FactBook.load().levers.values() for _, text in _about(lever, lang)[1:3]}
    assert [text for text in told if re.search(r"\d[:;] |; |\d, ", text)] == []


# -- the engine --------------------------------------------------------------------------------------


def test_the_cache_drops_what_was_used_longest_ago(make_result):
    """Results are kept within a bound, and a result that is used stays."""
    result = make_result()
    cache = Cache()
    cache.put("0", result, 100)
    cache.most_bytes = 3 * cache.held_bytes
    for key in "12345":
        cache.put(key, result, 100)
        assert cache.get("0") is not None
        assert cache.held_bytes <= cache.most_bytes
    assert len(cache) == 3
    assert cache.get("1") is None


@pytest.fixture(scope="module")
def engine():
    """An engine with one process for first answers."""
    return Engine(quick=1)


@pytest.mark.model
@pytest.mark.slow
def test_the_engine_gives_the_numbers_of_the_command_line(engine):
    """Browser and command line call one function: the same request, the same run, to the last digit."""
    from migrasim.runs.simulate import simulate

    made = Draft("plan", {SCHOOLS: 0.3})
    found = engine.wait(request(made))
    direct = simulate(made.scenario(), sample=0.01, seed=0)
    assert found.run_id == direct.run_id
    assert found.indicators.drop(columns="scenario").equals(direct.indicators.drop(columns="scenario"))
    same = simulate("plan", sample=0.01, seed=0, overrides=[f"{SCHOOLS}=0.3"])
    assert same.run_id == direct.run_id


@pytest.mark.model
@pytest.mark.slow
def test_a_run_that_nobody_wants_is_stopped(engine):
    """A long run ends soon after its last ticket is given back, and the process is free for the next."""
    long, short = request(draft.of_shipped("plan"), sample=0.3), request(draft.of_shipped("status_quo"), sample=0.011)
    ticket = engine.submit(long)
    while engine.status(long.key).state != "running":
        time.sleep(0.05)
    engine.release(long.key, ticket)
    assert engine.wait(short).sample == 0.011
    assert engine.result(long.key) is None


@pytest.mark.model
@pytest.mark.slow
def test_one_run_serves_all_who_asked(engine):
    """Two who ask for the same run get one, and it goes on while one of them still waits."""
    wanted = request(draft.of_shipped("plan"), seed=5)
    first, second = engine.submit(wanted), engine.submit(wanted)
    engine.release(wanted.key, first)
    while engine.result(wanted.key) is None:
        assert not engine.status(wanted.key).message
        time.sleep(0.05)
    engine.release(wanted.key, second)
    assert engine.status(wanted.key).state == "done"
    assert engine.load()["jobs"] == 0


@pytest.mark.model
@pytest.mark.slow
def test_a_dead_process_is_replaced(engine):
    """Where a process dies, its run is reported as failed and the next run is made by another."""
    import os
    import signal

    doomed = request(draft.of_shipped("plan"), sample=0.3, seed=9)
    ticket = engine.submit(doomed)
    while engine.status(doomed.key).share == 0:
        time.sleep(0.05)
    worker = next(each for each in engine.makers if each.lane == "full")
    os.kill(worker.pid, signal.SIGKILL)
    while not engine.status(doomed.key).is_over:
        time.sleep(0.05)
    assert engine.status(doomed.key).state == "failed"
    engine.release(doomed.key, ticket)
    assert engine.wait(request(draft.of_shipped("plan"), sample=0.011)).sample == 0.011


@pytest.mark.model
@pytest.mark.slow
def test_a_first_answer_goes_before_a_range(engine):
    """A run for a range makes room for the run that somebody waits for, and is made afterwards."""
    later = [request(draft.of_shipped("plan"), seed=40 + k, lean=True) for k in range(3)]
    tickets = [engine.submit(each, FIRST_ANSWERS + k) for k, each in enumerate(later)]
    while engine.status(later[0].key).state != "running":
        time.sleep(0.01)
    first = request(draft.of_shipped("plan"), seed=50)
    engine.wait(first)
    assert not any(engine.status(each.key).is_over for each in later)
    for each, ticket in zip(later, tickets, strict=True):
        assert len(engine.wait(each).indicators)
        engine.release(each.key, ticket)


@pytest.mark.model
@pytest.mark.slow
def test_a_result_that_was_dropped_is_made_again_for_who_wants_it(engine):
    """A page that still wants a result waits for no ghost: what the cache has dropped is run once more."""
    wanted = request(draft.of_shipped("status_quo"), seed=60)
    news = threading.Event()
    ticket = engine.submit(wanted, news=news)
    first = engine.wait(wanted)
    engine.cache.drop(wanted.key)
    news.clear()
    assert engine.status(wanted.key).state == "waiting"
    assert news.wait(60)
    assert engine.wait(wanted).run_id == first.run_id
    engine.release(wanted.key, ticket)


@pytest.mark.model
@pytest.mark.slow
def test_a_lean_result_has_the_same_indicators_and_little_else(engine):
    """What ranges and pairs need of a run is what the whole run has, without its places and tables."""
    whole = engine.wait(request(draft.of_shipped("plan"), seed=70))
    lean = engine.wait(request(draft.of_shipped("plan"), seed=70, lean=True))
    assert lean.prefecture().equals(whole.prefecture())
    for county in ("Jingning", "Kongtong"):
        one, other = (view.table_of(each, county) for each in (lean, whole))
        assert len(one) and one.equals(other)
    assert not len(lean.costs) and list(lean.costs.columns) == list(whole.costs.columns)


def test_a_run_knows_nothing_of_who_asked_for_it():
    """Runs are shared by all who have the same numbers, so that no name of one visitor reaches another."""
    secret = Draft("plan", {SCHOOLS: 0.3}, name="the mayor's own", description={"en": "not for others"})
    assert request(secret).key == request(Draft("plan", {SCHOOLS: 0.3})).key
    assert "mayor" not in repr(request(secret).scenario) and "others" not in repr(request(secret).scenario)


def test_a_change_draws_a_page_once():
    """However many pieces read a value, and however many values a change has, the page is drawn once."""
    import solara
    from reacton.core import get_render_context

    drawn: list[int] = []
    session = Session(draft.of_shipped("plan"))

    @solara.component
    def Piece() -> None:  # noqa: N802 (a component)
        solara.Text(f"{session.draft.levers} {len(session.ahead.value)} {session.year.value}")

    @solara.component
    def All() -> None:  # noqa: N802 (a component)
        session.drawing = get_render_context()
        drawn.append(len(session.steps.value))
        for _ in range(5):
            Piece()

    _, context = solara.render(All(), handle_error=False)
    session.put(Draft("plan", {SCHOOLS: 0.3}), "changed_to")
    session.undo()
    assert drawn == [1, 2, 1]
    before = len(drawn)
    session.year.value = 2030
    assert len(drawn) == before
    context.close()


# -- charts ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results():
    """The plan and the status quo, a sample."""
    from migrasim.runs.simulate import simulate

    return simulate("plan", sample=0.01), simulate("status_quo", sample=0.01)


def _view(results, lang="en", place=None, role="current"):
    plan, quo = results
    lines = [view.Line("now", "#0072B2", role, plan), view.Line("quo", "#D55E00", "baseline", quo)]
    if role == "pin":
        lines[1] = view.Line("quo", "#D55E00", "pin", quo)
    return view.View(tuple(lines), lang, draft.region(), place, 2035, quo)


@pytest.mark.model
def test_gains_of_groups_are_told_in_yuan(results):
    """The poorest may have less than nothing left, of which a percentage would say the opposite."""
    shown = _view(results, "en", None, "current")
    chart = charts_more.groups(shown)
    assert chart is not None
    now, before = (shown.line(role).result.groups for role in ("current", "baseline"))
    means = [frame[(frame["year"] == 2035) & (frame["group"] == "poorest fifth")] for frame in (now, before)]
    gain = float(means[0]["welfare_yuan_yr"].iloc[0] - means[1]["welfare_yuan_yr"].iloc[0])
    assert chart.rows[0][1] == pytest.approx(gain / 1000, abs=0.006)
    assert "1,000 yuan" in chart.option["title"]["subtext"]


@pytest.mark.model
@pytest.mark.parametrize("lang", LANGS)
def test_a_shaded_range_has_its_ends_in_the_table(results, lang):
    """Each line with a range has a column for either end of it, and what leaves the page says what the ends are."""
    plan, quo = results
    line = view.Line("now", "#0072B2", "current", plan, (quo,), plan)
    shown = view.View((line,), lang, draft.region(), None, 2035, quo, range_of="other luck")
    chart = charts.people(shown)
    assert len(chart.heads) == 1 + 2 * 3 and all(len(row) == len(chart.heads) for row in chart.rows)
    ends = [words.say(end, lang, what="") in head for head in chart.heads for end in ("low_end", "high_end")]
    assert sum(ends) == 4
    for year, value, low, high, *_ in chart.rows:
        other = float(quo.prefecture().loc[year, "urban_population"]) / 1e3
        assert (low, high) == pytest.approx((min(value, other), max(value, other)), abs=0.11)
    said = dict(about(shown, chart))[words.say("bands", lang)]
    assert "other luck" in said and words.say("ends_extremes", lang) in said
    many = replace(shown, lines=(replace(line, draws=(quo,) * 30),))
    assert words.say("ends_quantiles", lang) in dict(about(many, chart))[words.say("bands", lang)]
    plain = replace(shown, bands=False)
    assert len(charts.people(plain).heads) == 3 and words.say("bands", lang) not in dict(
        about(plain, charts.people(plain))
    )


@pytest.mark.model
def test_the_line_of_changes_is_of_the_county_that_is_shown(results):
    """With a county in focus its numbers stand in the sentence, and its name before them; else those of the region."""
    from migrasim.present.explorer.explore import change_text
    from migrasim.present.explorer.session import Step

    plan, quo = results
    step = Step(Draft("plan", {SCHOOLS: 0.5}), "start_changed", {"name": "plan"})
    for before in (quo, None):
        whole = change_text(step, plan, before, quo, "en", place=None, year=2035)
        county = change_text(step, plan, before, quo, "en", place="Jingning", year=2035)
        rows = plan.indicators[(plan.indicators["place"] == "Jingning") & (plan.indicators["year"] == 2035)]
        assert f"{100 * float(rows['urbanization_rate'].iloc[0]):.1f}%" in county and county.startswith("Jingning: ")
        rate = float(plan.prefecture().loc[2035, "urbanization_rate"])
        assert f"{100 * rate:.1f}%" in whole and "Jingning" not in whole
    assert change_text(step, plan, quo, quo, "zh-Hans", place="Jingning", year=2035).startswith("静宁县：")


@pytest.mark.model
def test_charts_of_the_whole_region_say_so_where_a_county_is_shown(results):
    """Groups and the map have no numbers of a single county: they are not called after one."""
    shown = _view(results, "en", "Jingning")
    for chart in (charts_more.groups(shown), charts.county_map(shown)):
        assert chart.option["title"]["subtext"].startswith("Pingliang")
        assert dict(about(shown, chart))[words.say("place", "en")].startswith("Pingliang")
    assert charts.people(shown).option["title"]["subtext"].startswith("Jingning")
    assert dict(about(shown, charts.people(shown)))[words.say("place", "en")].startswith("Jingning")


@pytest.mark.model
@pytest.mark.parametrize("role", ["current", "pin"])
@pytest.mark.parametrize("lang", LANGS)
def test_every_chart_can_be_drawn(results, lang, role):
    """All charts exist for the region and a county, in every language, with a title, a source line and a table."""
    import json

    for place in (None, "Jingning"):
        for build in charts_more.BUILDERS:
            chart = build(_view(results, lang, place, role))
            if chart is None:
                continue
            assert chart.title
            assert chart.rows
            assert all(len(row) == len(chart.heads) for row in chart.rows), chart.key
            assert chart.key in sources.BEHIND
            text = json.dumps(chart.option, allow_nan=False)
            assert "migrasim" in text


@pytest.mark.model
@pytest.mark.parametrize("lang", LANGS)
def test_what_leaves_the_page_can_be_read_alone(results, lang):
    """The scenario, what lines mean and who published the dots stand below a picture; columns tell their unit."""
    shown = replace(_view(results, lang), scenario="More homes")
    chart = charts.rates(shown)
    below = "\n".join(foot(shown, chart))
    assert "More homes" in below and "统计公报" in below
    assert words.say("key_baseline", lang) in below and words.say("key_before", lang) not in below
    assert all("%" in head for head in chart.heads[1:])
    target = next(one for one in chart.option["series"] if one["name"] == words.say("target", lang))
    assert target["symbol"].startswith("path://") and chart.option["legend"]["symbolKeepAspect"]  # else it is stretched
    unit = words.say("thousand_people", lang)
    assert all(unit in head for head in charts.people(shown).heads[1:])
    both = _view(results, lang, None, "pin")
    assert all(line.name in foot(both, charts.people(both))[0] for line in both.lines)
    said = dict(about(shown, chart))
    assert said[words.say("scenario", lang)] == "More homes"
    assert results[0].run_id in said[words.say("run_codes", lang)]
    assert "migrasim" in said[words.say("source", lang)] and "统计公报" in said[words.say("source", lang)]
    if lang != "en":
        assert not re.search("quoted|census|[;.] |。 ", below + said[words.say("source", lang)])
    for chart in (charts.decomposition(shown), charts.flows(shown), charts_more.groups(shown)):  # no column has years
        assert str(shown.year) in dict(about(shown, chart))[words.say("chart", lang)]


@pytest.mark.model
@pytest.mark.parametrize("lang", LANGS)
def test_tables_that_leave_the_page_can_be_read_alone(results, lang):
    """Every row says scenario and run; beside the tables stand the scenario file, the command and the columns."""
    made = Draft("plan", {SCHOOLS: 0.5}, name="More homes")
    with zipfile.ZipFile(io.BytesIO(packed(results[0], "csv", made, lang))) as archive:
        said = archive.read("about.txt").decode("utf-8-sig")
        assert results[0].run_id in said and "migrasim run More_homes.yaml --sample 0.01" in said
        assert draft.opened(archive.read("More_homes.yaml").decode(), "file").content == made.content
        tables = {
            one.removesuffix(".csv"): pd.read_csv(archive.open(one)) for one in archive.namelist() if "csv" in one
        }
    columns = tables.pop("columns").set_index(["table", "column"])
    for name, table in tables.items():
        assert list(table)[:3] == ["run_id", "scenario", "seed"]
        assert set(table["run_id"]) == {results[0].run_id}
        assert columns.loc[name, ["unit", "title_en"]].notna().all(axis=None)


@pytest.mark.model
@pytest.mark.parametrize("name", ["A: The plan as written", "A：按規劃執行"])
def test_lines_that_are_compared_are_called_by_their_letter(results, name):
    """Where a chart has several indicators, its legend has the letter of a scenario, in Chinese as in English."""
    seen = _view(results, "en" if ":" in name else "zh-Hant", role="pin")
    seen = replace(seen, lines=(replace(seen.lines[0], name=name),))
    names = [one["name"] for one in charts.rates(seen).option["series"] if one["id"].startswith("pin")]
    assert names and all(each.startswith("A · ") for each in names)


def test_axes_stay_while_a_lever_moves(results):
    """Two runs against one status quo are drawn on the same axes, so that a line moves and not the paper."""
    plan, quo = results
    for build in (charts.people, charts_more.rent, charts_more.families):
        ends = [
            build(view.View((view.Line("now", "#000", "current", one),), "en", draft.region(), frame=quo)).option[
                "yAxis"
            ]
            for one in (plan, quo)
        ]
        assert ends[0] == ends[1]


@pytest.mark.model
def test_the_decomposition_adds_up_on_the_chart(results):
    """The bars end in their sum, which is the change of the rate."""
    plan, _ = results
    chart = charts.decomposition(_view(results))
    rate = plan.prefecture()["urbanization_rate"]
    change = 100 * (rate.loc[2035] - rate.loc[2020])
    assert chart.rows[-1][1] == pytest.approx(change, abs=0.01)
    assert sum(row[1] for row in chart.rows[:-1]) == pytest.approx(change, abs=0.05)


@pytest.mark.model
def test_a_range_holds_the_line_it_stands_around(results):
    """The range of draws is never above or below its own line."""
    plan, quo = results
    line = view.Line("now", "#000", "current", plan, (quo,), plan)
    low, high = view.band(line, None, "urban_population")
    shown = plan.prefecture()["urban_population"].to_numpy()
    assert (low <= shown).all()
    assert (shown <= high).all()
    assert low[-1] == pytest.approx(quo.prefecture()["urban_population"].loc[2035])


@pytest.mark.model
def test_shares_of_levers_add_up_to_the_whole_effect(results):
    """The bars of the attribution end in their sum: the difference of the scenario from the status quo."""
    plan, quo = results
    made = Draft("status_quo", {SCHOOLS: 1.0, HOUSES: 900.0})
    names = list(compare.players(made, "en"))
    assert len(names) == 2
    runs = {frozenset(): quo, frozenset(names[:1]): quo, frozenset(names[1:]): quo, frozenset(names): plan}
    session = Session(made)
    session.pin(made)
    chart, _ = compare.attribution_chart(session, made, 0, runs, 2035)
    rate = [100 * one.prefecture()["urbanization_rate"].loc[2035] for one in (plan, quo)]
    assert chart.rows[-1][1] == pytest.approx(rate[0] - rate[1], abs=0.01)


@pytest.mark.parametrize("lang", LANGS)
def test_no_two_pinned_scenarios_are_called_the_same(lang):
    """Where titles are equal, the values that differ stand beside them, then the future; a name of its own stays."""
    quo = draft.of_shipped("status_quo")
    drafts = [Draft("status_quo", {SCHOOLS: 0.8}), Draft("status_quo", {SCHOOLS: 1.0}), quo, Draft(future="boom"),
              Draft(name="Mine"), Draft("plan", name="Mine")]  # fmt: skip
    names = apart.names_of(drafts, lang)
    assert len(set(names)) == len(drafts)
    assert names[0].endswith("0.8") and names[1].endswith("1")
    assert title_in(futures()["boom"].title, lang) in names[3]
    assert apart.names_of([*drafts[:1], quo], lang)[1] == words.name_of(quo, lang)


def test_a_lever_is_told_beside_2020_and_the_plan():
    """Unit, 2020, plan and the draft in one row; counties that were set alone are named."""
    made = Draft("status_quo", {SCHOOLS: {"Kongtong": 0.9}})
    lever = FactBook.load().levers[SCHOOLS]
    (row,) = apart.lever_rows([lever], [made], "en")
    assert row[:4] == ["Residence permit: compulsory schooling", "share", "0.6", "0.68 → 1"]
    assert "Kongtong 0.9" in row[4] and "Jingning" not in row[4]


def test_a_scenario_of_many_levers_is_shared_out_among_few_players():
    """The plan has too many levers for all coalitions: the first groups and all others play, and none is left out."""
    found = compare.players(draft.of_shipped("plan"), "en")
    assert len(found) == compare.MOST_PLAYERS
    levers = [lever for each in found.values() for lever in each]
    assert sorted(levers) == sorted({each.id for each in draft.differing(Draft(), draft.of_shipped("plan"))})
    nobody = compare.coalition(draft.of_shipped("plan"), [], levers)
    assert draft.differing(Draft(), nobody) == []


# -- words -------------------------------------------------------------------------------------------


def test_every_phrase_says_the_same_in_both_languages():
    """English and Chinese are filled with the same things, and Chinese is Chinese."""
    for key, (english, chinese) in words.PHRASES.items():
        wanted = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (english, chinese)]
        assert wanted[0] == wanted[1], key
        if english != chinese:
            assert re.search(r"[\u3000-\u9fff\uff00-\uffef]", chinese), key


def test_the_title_is_written_as_readers_of_simplified_write_it():
    """Words that the table of characters leaves as they are elsewhere are chosen so that both scripts read well."""
    assert words.say("app", "zh-Hans").endswith("为什么")
    assert words.say("copy_link", "zh-Hans") == "复制链接"


def test_every_unit_is_said_in_chinese():
    """Levers and indicators show their unit in the language of the page."""
    units = {lever.unit for lever in FactBook.load().levers.values()} | {each.unit for each in CATALOGUE.values()}
    assert units <= set(words.UNITS)


def test_the_focus_of_the_keyboard_can_be_seen():
    """The outline of what has the keyboard stands out from white by three to one and more."""
    style = (Path(draft.__file__).parent / "style.css").read_text(encoding="utf-8")
    colour = style.split(":focus-visible { outline: 3px solid #")[1][:6]
    parts = [int(colour[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    light = sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    assert 1.05 / (light + 0.05) >= 3.0


def test_phrases_that_pages_use_are_there():
    """No page asks for a phrase that nobody has written."""
    folder = Path(words.__file__).parent
    used = {
        key for path in folder.glob("*.py") for key in re.findall(r'say\(\s*"([a-z_0-9]+)"', path.read_text("utf-8"))
    }
    assert used <= set(words.PHRASES)


@pytest.mark.parametrize("shared", [False, True])
def test_explorers_that_start_together_listen_at_ports_of_their_own(shared):
    """A port that one has looked up is nobody else's from then on, though its pages come seconds later."""
    with (
        server.listener(None, shared=shared) as one,
        server.listener(None, shared=shared) as other,
        socket.create_connection(("127.0.0.1", one.getsockname()[1]), timeout=5),
    ):
        taken = one.getsockname()[1]
        assert taken != other.getsockname()[1]
        with pytest.raises(InputError, match=f"--port: {taken} is in use"):
            server.listener(taken, shared=shared)
    with server.listener(taken, shared=shared) as again:  # free once it is closed
        assert again.getsockname()[1] == taken
