"""The explorer in a real Chromium: what a visitor sees, does and takes home, without a network."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
from playwright.sync_api import Page, sync_playwright

from migrasim.present.explorer.draft import region
from migrasim.present.explorer.words import say

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 240_000  # a loaded machine takes its time
CUT_OFF = "net::ERR_ABORTED"  # a page that is left gives up what it was fetching
SCHOOLS = "residence_permit.education"

pytestmark = [
    pytest.mark.model,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the server was started: an empty folder with another one for scenarios."""
    return tmp_path_factory.mktemp("started here")


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    """A server as `migrasim explore` starts it, whatever the folder."""
    with subprocess.Popen(
        [sys.executable, "-m", "migrasim", "explore", "plan", "--no-open", "--folder", "kept"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as server:
        found = None
        assert server.stderr is not None
        for line in server.stderr:
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            if found:
                break
        assert found
        yield found[0]
        server.send_signal(signal.SIGINT)
        server.wait(20)


@pytest.fixture(scope="module")
def chromium():
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, address, request) -> Iterator[Page]:
    """A fresh page; at its end nothing has left the machine, and nothing was wrong on the console."""
    size = getattr(request, "param", {"width": 1280, "height": 720})
    context = chromium.new_context(viewport=size, accept_downloads=True)
    made = context.new_page()
    made.set_default_timeout(WAIT_MS)
    outside: list[str] = []
    wrong: list[str] = []
    own = (address, address.replace("http", "ws"), "data:", "blob:", "file:")
    made.on("request", lambda one: None if one.url.startswith(own) else outside.append(one.url))
    made.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("requestfailed", lambda one: one.failure == CUT_OFF or wrong.append(f"failed: {one.url}: {one.failure}"))
    made.goto(address)
    made.wait_for_selector("[data-drawn=yes]")
    yield made
    context.close()
    assert outside == []
    assert wrong == []


def _move(page: Page, lever: str, value: float) -> None:
    page.locator(f'[data-lever="{lever}"] input[type=range]').evaluate(
        "(field, value) => { field.value = value; field.dispatchEvent(new Event('input'));"
        " field.dispatchEvent(new Event('change')); }",
        value,
    )


def _changed(page: Page) -> str:
    page.wait_for_function("document.querySelector('.ms-change').innerText.includes('→')")
    return page.locator(".ms-change").first.inner_text()


def _table(page: Page, chart: str) -> list[list[str]]:
    """Numbers of a chart, as its table shows them."""
    frame = page.locator(".ms-chart", has=page.get_by_role("heading", name=chart, exact=False)).first
    if frame.locator("table").count() == 0:
        frame.get_by_role("button", name=re.compile("^Table")).click()
    return frame.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.children].map(cell => cell.innerText))"
    )


def test_a_newcomer_sees_levers_charts_and_where_the_numbers_stand(page):
    """The first page has the four groups of levers, the rest behind a fold, charts, and says that it is a sample."""
    assert page.locator("[data-group]").count() == 4
    page.get_by_role("button", name="More levers of the plan").click()
    page.wait_for_function("document.querySelectorAll('[data-group]').length > 4")
    assert page.get_by_text(re.compile("sample of 1% of the households")).count()
    assert page.locator(".ms-chart").count() >= 12
    lever = page.locator(f'[data-lever="{SCHOOLS}"]')
    lever.get_by_role("button", name=re.compile("About this lever")).click()
    for part in ("The plan says", "allowed: 0 to 1", "Value of 2020", "Value in the plan", "assumed"):
        assert part in lever.inner_text()


def test_a_lever_moves_the_line_to_the_numbers_of_the_command_line(page, tmp_path):
    """Moving a lever redraws, and the page then shows what `migrasim run` writes for the same sample."""
    import pandas as pd

    before = _table(page, "Urbanization rates")
    _move(page, SCHOOLS, 0.1)
    text = _changed(page)
    assert "Residence permit: compulsory schooling: 0.1" in text
    after = before
    for _ in range(100):  # the charts are drawn after the sentence, on a busy machine visibly so
        if (after := _table(page, "Urbanization rates"))[-1][1] != before[-1][1]:
            break
        page.wait_for_timeout(100)
    assert before[-1][1] != after[-1][1]
    out = tmp_path / "run"
    command = [sys.executable, "-m", "migrasim", "run", "plan", "--set", f"{SCHOOLS}=0.1", "--sample", "0.01", "--out"]
    subprocess.run([*command, str(out)], check=True, capture_output=True)
    table = pd.read_parquet(out / "indicators.parquet")
    rate = table[table["level"] == "prefecture"].set_index("year")["urbanization_rate"]
    assert [float(row[1]) for row in after] == [round(100 * value, 2) for value in rate]


def test_the_sentence_never_has_numbers_of_another_change(page):
    """A change is named when its own numbers stand beside it: they start where the change before it ended.

    No other test takes these values, so that all three are answered from the sample.
    """

    def told(value: float) -> tuple[str, str]:
        _move(page, SCHOOLS, value)
        page.wait_for_function(f"document.querySelector('.ms-change').innerText.match(/: {value}[^0-9][^]*→/)")
        before, after = re.findall(r"([\d.]+)%", page.locator(".ms-change").first.inner_text())[:2]
        return before, after

    first, second, third = told(0.15), told(0.85), told(0.25)
    assert first[1] == second[0] and second[1] == third[0]


def test_changes_can_be_undone_redone_and_replayed(page):
    """Undo takes a change back, redo brings it again, by button and by key; replay shows before and after."""
    number = page.locator(f'[data-lever="{SCHOOLS}"] input[type=number]')
    start = number.input_value()
    _move(page, SCHOOLS, 0.3)
    _changed(page)
    page.keyboard.press("Control+z")
    page.wait_for_function(
        f"document.querySelector('[data-lever=\"{SCHOOLS}\"] input[type=number]').value === '{start}'"
    )
    page.get_by_role("button", name="Redo").click()
    page.wait_for_function(f"document.querySelector('[data-lever=\"{SCHOOLS}\"] input[type=number]').value === '0.3'")
    page.get_by_role("button", name="Replay the last change").click()
    assert "→" in _changed(page)


def test_a_path_and_values_by_county_can_be_set(page):
    """A lever takes a path over years and numbers by county, and says so."""
    lever = page.locator(f'[data-lever="{SCHOOLS}"]')
    lever.get_by_role("button", name=re.compile("About this lever")).click()
    lever.get_by_label("Path over years").check()
    lever.get_by_label("value", exact=True).nth(1).fill("0.8")
    lever.get_by_label("Shape").select_option("late")
    lever.get_by_role("button", name="Apply").click()
    page.wait_for_function(f"document.querySelector('[data-lever=\"{SCHOOLS}\"]').innerText.includes('0.8 in 2035')")
    lever.get_by_label("By county").check()
    lever.get_by_label("Jingning").fill("0.2")
    lever.get_by_role("button", name="Apply").click()
    page.wait_for_function(
        f"document.querySelector('[data-lever=\"{SCHOOLS}\"] .ms-lever-foot').innerText.includes('by county')"
    )


def test_what_was_said_of_a_number_goes_with_it(page):
    """The reason why a number was not taken stands at the lever until it has another value, by whatever way."""
    lever = page.locator(f'[data-lever="{SCHOOLS}"]')
    number, wrong = lever.locator("input[type=number]").first, lever.locator("[role=alert]")
    number.fill("0.4")
    number.press("Enter")
    page.wait_for_function("document.querySelector('.ms-change').innerText.includes(': 0.4 ')")
    number.fill("-3")
    number.press("Enter")
    page.wait_for_function("document.querySelector('.ms-change').innerText.includes(': 0 ')")
    assert wrong.inner_text() == "allowed: 0 to 1 share"
    page.get_by_role("button", name="Undo").click()
    wrong.wait_for(state="detached")
    assert number.input_value() == "0.4"


def test_a_path_is_taken_as_the_page_offers_it(page):
    """Values between the steps of the slider are values, in a path and by county; a field left empty is asked for."""
    page.locator("[data-group=three_rights] button").first.click()
    lever = page.locator('[data-lever="three_rights.exit_market"]')
    lever.get_by_role("button", name=re.compile("About this lever")).click()
    lever.get_by_label("Path over years").check()
    invalid = "form => [...form.querySelectorAll('input')].filter(one => !one.validity.valid).length"
    assert lever.locator(".ms-path").evaluate(invalid) == 0
    lever.get_by_label("from year").fill("")
    assert lever.locator(".ms-path").evaluate(invalid) == 1
    lever.get_by_label("By county").check()
    lever.get_by_label("Kongtong").fill("0.036")
    assert lever.locator(".ms-path").evaluate(invalid) == 0


def test_a_reload_keeps_everything(page):
    """Levers, language, year and pins stand in the address, so that a reload or a bookmark brings them back."""
    _move(page, SCHOOLS, 0.2)
    _changed(page)
    page.get_by_role("button", name="Pin for comparison").click()
    page.get_by_label("Language").select_option("zh-Hant")
    page.wait_for_function("document.documentElement.lang === 'zh-Hant'")
    page.reload()
    page.wait_for_selector("[data-drawn=yes]")
    assert page.locator(f'[data-lever="{SCHOOLS}"] input[type=number]').input_value() == "0.2"
    assert page.evaluate("document.documentElement.lang") == "zh-Hant"
    assert page.get_by_role("button", name="比較（1）").count() == 1


@pytest.mark.parametrize(
    ("lang", "words"), [("zh-Hant", "城鎮化率"), ("zh-Hans", "城镇化率"), ("en", "Urbanization rates")]
)
def test_the_page_speaks_three_languages(page, lang, words):
    """Everything on the page is in the language chosen, levers and charts among it."""
    page.get_by_label("Language").select_option(lang)
    page.wait_for_function(f"document.documentElement.lang === '{lang}'")
    page.wait_for_function(f"document.querySelector('.ms-chart h3').innerText === '{words}'")
    lost = "getComputedStyle(document.documentElement).getPropertyValue('--ms-lost')"
    page.wait_for_function(f"words => {lost}.includes(words)", arg=say("lost", lang))  # when the program has ended
    if lang != "en":
        text = page.locator(".ms-side").inner_text() + page.locator(".ms-status").inner_text()
        english = re.findall(r"[A-Za-z]{4,}", text)
        assert english == []


def test_half_an_address_is_no_scenario(page, address):
    """An address that was cut, or invented, says so: nobody takes the start for what was meant."""
    page.goto(f"{address}?s=eJyrVkrNLSjJz0lV")
    page.get_by_role("alert").get_by_text("incomplete").wait_for()
    page.goto(f"{address}?lever={SCHOOLS}&year=2030")
    page.get_by_role("alert").get_by_text("does not read: lever; year").wait_for()
    page.wait_for_function("!window.location.search.includes('lever')")  # else it would be copied with the link
    page.goto(address)
    page.wait_for_selector("[data-drawn=yes]")
    assert page.get_by_role("alert").count() == 0


def test_pinned_scenarios_are_compared(page):
    """Only levers that differ are listed; differences come with how often they hold."""
    page.get_by_role("button", name="Pin for comparison").click()
    _move(page, SCHOOLS, 0.0)
    _changed(page)
    page.get_by_role("button", name="Pin for comparison").click()
    page.get_by_role("button", name="Compare (2)").click()
    page.wait_for_selector("[data-table=levers]")
    rows = page.locator("[data-table=levers] tbody tr")
    assert rows.count() == 1
    assert "compulsory schooling" in rows.first.inner_text()
    page.wait_for_function("document.querySelector('[data-table=differences]').innerText.includes('higher in')")
    page.wait_for_function(
        "[...document.querySelectorAll('.ms-change')].some(one => /In \\d+ of \\d+ draws A: /.test(one.innerText))"
    )
    page.get_by_label("Future for all").select_option("hard_times")
    page.wait_for_function("document.querySelector('.ms-pin').innerText.includes('Hard times')")


def test_the_keyboard_goes_into_a_box_and_back(page):
    """*Where from?* takes the focus, Escape closes it, the focus is where it was, and no chart was made anew."""
    page.evaluate("window.chart = document.querySelector('.ms-chart-area')")
    page.get_by_role("button", name="Where from?: Urbanization rates").click()
    page.wait_for_function("document.activeElement.innerText === 'Close'")
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-box=source]", state="detached")
    page.wait_for_function("document.activeElement.getAttribute('aria-label') === 'Where from?: Urbanization rates'")
    page.get_by_role("button", name="Save, open, export").click()
    page.get_by_role("button", name="Download the scenario (YAML)").wait_for()
    assert page.evaluate("window.chart.isConnected")


def test_what_is_not_allowed_is_said_at_the_lever(page):
    """A number beyond the bounds says what is allowed, a path that ends before it starts is refused, with words."""
    lever = page.locator(f'[data-lever="{SCHOOLS}"]')
    lever.locator(".ms-number").fill("7")
    page.keyboard.press("Tab")
    lever.get_by_role("alert").get_by_text("allowed: 0 to 1 share").wait_for()
    _move(page, SCHOOLS, 0.9)
    page.locator(".ms-change").get_by_text("compulsory schooling: 0.9 share").wait_for()
    assert lever.get_by_role("alert").count() == 0
    lever.get_by_role("button", name=re.compile("About this lever")).click()
    lever.get_by_label("Path over years").check()
    lever.get_by_label("from year").fill("2030")
    lever.get_by_label("to year").fill("2025")
    lever.get_by_role("button", name="Apply").click()
    lever.get_by_role("alert").get_by_text("2030, 2025").wait_for()


def test_an_emptied_field_is_no_zero(page):
    """A number that is deleted, or words in its place, leave the lever where it was and say what is allowed."""
    lever = page.locator(f'[data-lever="{SCHOOLS}"]')
    field = lever.locator(".ms-number")
    for keys in ("", "abc"):
        before = field.input_value()
        field.fill("")
        field.press_sequentially(keys)
        page.keyboard.press("Tab")
        lever.get_by_role("alert").get_by_text("allowed: 0 to 1 share").wait_for()
        assert field.input_value() == before != "0"
    assert lever.locator(".ms-tag").count() == 0


def test_what_was_refused_is_not_shown(page):
    """A share that would make a sum larger than one goes back to what is run, and says why in Chinese."""
    page.get_by_label("Language").select_option("zh-Hant")
    page.get_by_role("button", name="規劃的其他槓桿").click()
    page.locator("[data-group=spatial] button").first.click()
    lever = page.locator('[data-lever="spatial.poles_share"]')
    before = lever.locator(".ms-number").input_value()
    _move(page, "spatial.poles_share", 1.0)
    lever.get_by_role("alert").get_by_text("之和為").wait_for()
    assert lever.locator(".ms-number").input_value() == before
    assert lever.locator("input[type=range]").input_value() == before


def test_a_pin_is_seen_and_leads_to_the_comparison(page):
    """Where nothing is pinned the page leads back; the button says that it is done and becomes the way there."""
    page.get_by_role("button", name="Compare (0)").click()
    page.get_by_role("button", name="← Explore").click()
    page.get_by_role("button", name="Pin for comparison").click()
    page.get_by_text("Pinned (1 of 4)").wait_for()
    page.get_by_role("button", name="Compare →").click()
    page.wait_for_selector(".ms-pin")


def test_four_scenarios_are_pinned_at_most(page):
    """The fifth takes the place of the first, and all four stand side by side."""
    for count, value in enumerate((0.11, 0.22, 0.33, 0.44, 0.55), start=1):
        _move(page, SCHOOLS, value)
        _changed(page)
        page.get_by_role("button", name="Pin for comparison").click()
        page.get_by_text(
            f"Pinned ({min(count, 4)} of 4)"
        ).wait_for()  # until then the button is that of the value before
    page.get_by_role("button", name="Compare (4)").click()
    page.wait_for_selector("[data-table=levers]")
    assert page.locator(".ms-pin").count() == 4
    cells = page.locator("[data-table=levers] tbody tr").first.locator("td").all_inner_texts()
    assert cells[-4:] == ["0.22", "0.33", "0.44", "0.55"]


def test_a_scenario_is_saved_opened_and_reported(page, folder, tmp_path, chromium):
    """A named scenario goes to the folder, its file opens again, its report opens without the server."""
    _move(page, SCHOOLS, 0.4)
    _changed(page)
    page.get_by_role("button", name="Save, open, export").click()
    page.locator("[data-text=scenario]").fill("<img src=x onerror=alert(1)> 學校")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Save in the folder").click()
    page.wait_for_selector("text=Saved:")
    saved = list((folder / "kept").glob("*.yaml"))
    assert len(saved) == 1
    assert SCHOOLS in saved[0].read_text(encoding="utf-8")
    with page.expect_download() as got:
        page.get_by_role("button", name="Report (HTML)").click()
    report = tmp_path / "report.html"
    got.value.save_as(report)
    with page.expect_download() as got:
        page.get_by_role("button", name="Tables, Parquet").click()
    assert got.value.suggested_filename.endswith("parquet.zip")
    with page.expect_download() as got:  # asked for, though the page is drawn anew before it is made
        page.get_by_role("button", name="Tables, Parquet").click()
        page.locator("[data-text=scenario]").fill("another name")
        page.keyboard.press("Tab")
    assert got.value.suggested_filename.endswith("parquet.zip")
    page.locator("[data-open=file]").set_input_files(saved[0])
    page.wait_for_selector("text=Opened:")
    assert page.locator(f'[data-lever="{SCHOOLS}"] input[type=number]').input_value() == "0.4"
    other = chromium.new_page()
    asked: list[str] = []
    other.on("request", lambda one: asked.append(one.url))
    other.on("dialog", lambda _: pytest.fail("a name became a script"))
    other.goto(report.as_uri())
    assert "migrasim" in other.content()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    other.close()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("bomb.yaml", "a: &a [x]\nb: [*a, *a]", "anchors and aliases"),
        ("path.yaml", "extends: /etc/passwd", "not allowed here"),
        ("huge.yaml", "x" * 300_000, "larger than 200 kB"),
        ("<b>bad</b>.yaml", "[", "<b>bad</b>.yaml"),
    ],
)
def test_a_hostile_upload_does_no_harm(page, tmp_path, name, content, says):
    """A bad file is refused in words, names are shown as they are, and the page goes on."""
    page.get_by_role("button", name="Save, open, export").click()
    page.locator("[data-open=file]").set_input_files(
        {"name": name, "mimeType": "text/yaml", "buffer": content.encode()}
    )
    page.wait_for_selector("[role=alert]")
    assert says in page.locator("[role=alert]").inner_text()
    assert page.locator("[role=alert] b").count() == 0
    _move(page, SCHOOLS, 0.6)
    assert _changed(page)


def test_each_number_leads_to_its_source(page):
    """Every chart opens a box with how it is measured, which run made it and the assumptions behind it."""
    page.locator(".ms-chart").first.get_by_text("Where from?").click()
    box = page.locator("[data-box=source]")
    box.wait_for()
    for part in ("How it is measured", "Computed by the model", "assumed", "Published figures"):
        assert part in box.inner_text()
    box.get_by_role("button", name="Close").click()
    page.wait_for_selector("[data-box=source]", state="detached")


def _taken(page: Page, chart: str, kind: str) -> bytes:
    """A chart as it leaves the page."""
    with page.expect_download() as got:
        page.get_by_role("button", name=f"{kind}: {chart}").click()
    return Path(got.value.path()).read_bytes()


def test_charts_leave_as_pictures_and_numbers(page):
    """PNG, SVG and CSV of a chart can be read alone: all names, the scenario, units, and who published the dots."""
    page.get_by_text(re.compile(r"^Range over .*, \d+ runs$")).wait_for()  # whose ends are columns
    assert _taken(page, "Urbanization rates", "PNG").startswith(b"\x89PNG")
    picture = _taken(page, "Urbanization rates", "SVG").decode("utf-8")
    for part in ("Scenario: The plan as written.", "Dotted: status quo.", "统计公报", "luck 0"):
        assert part in picture
    table = _taken(page, "Urbanization rates", "CSV").decode("utf-8-sig")
    head, first, *_ = table.splitlines()
    assert head.startswith("Year,Resident urbanization rate (%),")
    assert head.endswith(",Chart,Scenario,Shown for,Runs,Ranges,Source")
    assert "The plan as written" in first and re.search("now [0-9a-f]{12}; status quo [0-9a-f]{12}", first)
    chains = _taken(page, "Workers of the industrial chains", "SVG").decode("utf-8")
    assert all(one.title["en"] in chains for one in region().chains)


def test_the_map_has_the_proportions_of_the_land(page):
    """The map fills no box: it is as wide for its height as the region is."""
    picture = _taken(page, "Resident rate by county, 2035", "SVG").decode("utf-8")
    shapes = re.findall(r'<path d="([^"]+)" fill="rgb[^>]*stroke="#ffffff"', picture)
    assert len(shapes) == 7
    numbers = [float(one) for each in shapes for one in re.findall(r"[\d.]+", each)]
    across, down = numbers[::2], numbers[1::2]
    assert (max(across) - min(across)) / (max(down) - min(down)) == pytest.approx(2.37, abs=0.05)


def test_a_picture_of_a_map_that_was_not_drawn_yet_is_whole(page):
    """Charts below the screen are drawn later; who asks for a picture of the map before gets the same."""
    drawn = _taken(page, "Resident rate by county, 2035", "SVG")
    early = """title => {
      const button = [...document.querySelectorAll("button")].find(one => one.getAttribute("aria-label") === title);
      let here = button;
      while (!here.__vue__ || !here.__vue__.picture) here = here.parentElement;
      const chart = here.__vue__, echarts = chart.echarts, get = echarts.getMap;
      let registered = 0;
      chart.echarts = {...echarts, getMap: () => registered ? get(chart.map_name) : undefined,
        registerMap: (...given) => { registered += 1; echarts.registerMap(...given); }};
      button.click();
      chart.echarts = echarts;
      return registered;
    }"""
    with page.expect_download() as got:
        assert page.evaluate(early, "SVG: Resident rate by county, 2035") == 1
    paths = re.compile(rb'<path d="([^"]+)" fill="rgb[^>]*stroke="#ffffff"')
    assert paths.findall(Path(got.value.path()).read_bytes()) == paths.findall(drawn)


@pytest.mark.parametrize("page", [{"width": 390, "height": 844}], indirect=True)
def test_the_page_fits_a_phone(page):
    """Nothing sticks out sideways at the width of a phone."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 391
    assert page.locator(".ms-chart").first.bounding_box()["width"] <= 390


def test_the_keyboard_reaches_and_moves_a_lever(page):
    """Every control has a name, and a lever moves with the arrow keys."""
    slider = page.get_by_label("Residence permit: compulsory schooling", exact=True)
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert "compulsory schooling: 0.99" in _changed(page)
    nameless = page.locator("button, select, input, [role=img]").evaluate_all(
        "all => all.filter(one => !(one.innerText || '').trim() && !one.getAttribute('aria-label')"
        " && !(one.labels && one.labels.length)).map(one => one.outerHTML.slice(0, 120))"
    )
    assert nameless == []


def test_sessions_do_not_see_one_another(page, chromium, address):
    """What one visitor moves, another does not see."""
    _move(page, SCHOOLS, 0.5)
    _changed(page)
    other = chromium.new_page()
    other.set_default_timeout(WAIT_MS)
    other.goto(address)
    other.wait_for_selector("[data-drawn=yes]")
    assert other.locator(f'[data-lever="{SCHOOLS}"] input[type=number]').input_value() == "1"
    other.close()


def test_other_hosts_are_turned_away(address):
    """A page of another name that points to this machine gets nothing."""
    asked = urllib.request.Request(address, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(asked)
    assert error.value.code == 400
    error.value.close()
    with urllib.request.urlopen(f"{address}resourcez") as answer:
        assert json.load(answer)["kernels"]["total"] >= 0
