"""A workshop in a real browser: two people, one of them over the network, through a kill of the server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from migrasim.core.errors import InputError
from migrasim.present.workshop.access import network_address

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.model,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)"),
]
HOSTILE = "<img src=x onerror=alert(1)> Bo"
WAIT_MS = 240_000  # for a run of the model on a busy machine
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class Server:
    """`migrasim explore --workshop --share` as a process, in a folder."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.folder = folder
        self.here = f"http://127.0.0.1:{self.port}/"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "migrasim", "explore", "status_quo", "--workshop", "--share", "--no-open"]
        command += ["--name", "Trial", "--port", str(self.port), "--folder", str(self.folder)]
        with (self.folder.parent / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder.parent, start_new_session=True
            )
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.here}_workshop/alive", timeout=5) as answer:
                    assert answer.status == 200
                    return
            except OSError:
                assert self.process.poll() is None, (self.folder.parent / "server.log").read_text(encoding="utf-8")
                time.sleep(0.2)
        raise TimeoutError("the server did not start")

    def kill(self) -> None:
        """End it at once, with the processes that it started, as a power cut does."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def record(self) -> list[dict[str, object]]:
        """Events of its record."""
        return [json.loads(line) for line in (self.folder / "workshop.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running server, ended with the test."""
    made = Server(tmp_path / "meeting")
    made.folder.mkdir()
    made.start()
    yield made
    made.kill()


@pytest.fixture
def network() -> str:
    """Address of this machine on a network."""
    try:
        return network_address()
    except InputError:
        pytest.skip("this machine is on no network")


@pytest.fixture
def visit() -> Iterator[Callable[[str], playwright.Page]]:
    """Opens a page in a browser of its own; at the end nothing was asked of anybody else, and no error was shown."""
    asked: list[str] = []
    errors: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        def open_page(url: str) -> playwright.Page:
            page = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True).new_page()
            page.set_default_timeout(120_000)
            page.on("request", lambda request: asked.append(request.url))
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("dialog", lambda dialog: errors.append(f"dialog: {dialog.message}"))
            page.goto(url)
            return page

        yield open_page
        browser.close()
    local = ("127.0.0.1", network_address())
    assert not [
        url for url in asked if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname not in local
    ]
    assert not errors


def _join(page: playwright.Page, name: str, group: str, role: str) -> None:
    page.fill("[data-form=join] [name=name]", name)
    page.fill("[data-form=join] [name=group]", group)
    page.select_option("[data-form=join] [name=role]", role)
    page.click("[data-form=join] button")
    page.wait_for_selector("#person")


def _predict(page: playwright.Page, rate: float, urban: float) -> None:
    page.fill("[data-form=predict] [name=rate]", str(rate))
    page.fill("[data-form=predict] [name=urban]", str(urban))
    page.click("[data-form=predict] button")
    page.wait_for_selector(".ms-own")


def _propose(page: playwright.Page, name: str, why: str) -> None:
    page.get_by_role("button", name="Propose a scenario").click()
    page.get_by_role("button", name="All as in the plan").first.click()
    page.wait_for_selector(".ms-lever-changed")
    assert page.locator(".ms-chart").count() == 0  # nobody sees a result before it was predicted
    page.fill("[data-form=propose] [name=name]", name)
    page.fill("[data-form=propose] [name=why]", why)
    page.click("[data-form=propose] button")


def test_a_workshop_from_the_code_to_the_minutes(server, network, visit, tmp_path):
    """Code, roles, proposal, hidden predictions, result beside them, votes, a kill and a restart, the record."""
    facilitator = visit(server.here)
    there = f"http://{network}:{server.port}/"
    guest = visit(there)

    # the code
    code = (server.folder / "workshop.code").read_text(encoding="ascii")
    assert code in facilitator.locator(".ms-code").inner_text()
    guest.fill("[name=code]", "22222222")
    guest.click("button")
    assert "not the code" in guest.inner_text("body")
    guest.fill("[name=code]", code.lower())
    guest.click("button")

    # who is here, in what role; only the facilitator steers
    _join(facilitator, "Anna", "Red", "finance")
    _join(guest, HOSTILE, "Blue", "village")
    assert HOSTILE in guest.inner_text("#person")
    assert guest.locator(".ms-code, [data-choice=stage]").count() == 0
    guest.get_by_role("button", name="Save, open, export").click()  # what guests have goes to their own machine
    guest.get_by_role("button", name="Download the scenario (YAML)").wait_for()
    for name in ("Explore", "Compare", "Save in the folder", "Report (HTML)", "Save the record"):
        assert guest.get_by_role("button", name=name).count() == 0
    guest.get_by_role("button", name="Save, open, export").click()
    facilitator.get_by_text("People: 2, groups: 2").wait_for()
    facilitator.get_by_role("button", name="Somebody else speaks").click()
    facilitator.get_by_role("button", name="Back to the proposals").click()  # nobody else has to join first
    assert "Anna" in facilitator.inner_text("#person")

    # a proposal reaches the other page; predictions stay hidden
    _propose(facilitator, "Permits for all", "children first")
    facilitator.get_by_role("button", name="Propose a scenario").click()
    facilitator.get_by_role("button", name="All as in the plan").first.wait_for()
    assert facilitator.locator(".ms-lever-changed").count() == 0  # the next group begins where everybody does
    facilitator.get_by_role("button", name="Back to the proposals").click()
    guest.wait_for_selector("[data-proposal='1']")
    assert guest.get_by_role("button", name="Show the result").count() == 0
    _predict(facilitator, 57.3, 941)
    _predict(guest, 63.4, 1010)
    guest.get_by_text("Predictions so far: 2").wait_for()
    assert "57.3" not in guest.inner_text("body")
    assert "63.4" not in facilitator.inner_text("body")

    # the result, beside what was predicted, each role's own side first
    facilitator.get_by_role("button", name="Show the result").click()
    for page, role in ((facilitator, "County finance"), (guest, "Village")):
        page.wait_for_selector(".ms-strip", timeout=WAIT_MS)
        words = page.inner_text("[data-proposal='1']")
        assert "Anna 57.3" in words and f"{HOSTILE} 63.4" in words
        assert f"What {role} looks at" in words
        assert page.locator("[data-form=predict]").count() == 0
    revealed = next(event for event in server.record() if event["kind"] == "revealed")
    rate = f"{100 * revealed['values']['urbanization_rate']:.1f}"
    assert f"The model {float(rate):g}" in guest.inner_text("[data-proposal='1']")

    # on a phone all of it is seen without moving it sideways
    guest.set_viewport_size({"width": 400, "height": 800})
    guest.wait_for_function("document.querySelector('.ms-strip svg').viewBox.baseVal.width < 400")
    inside = "[...document.querySelectorAll('.ms-card *')].every((one) => one.getBoundingClientRect().right <= 400)"
    assert guest.evaluate(inside)
    guest.set_viewport_size({"width": 1280, "height": 720})

    # a dropped connection: the page says so, and goes on when it is back
    guest.context.set_offline(True)
    guest.wait_for_selector(".ms-lost")
    guest.context.set_offline(False)
    guest.wait_for_selector(".ms-lost", state="detached")

    # votes
    facilitator.select_option("[data-choice=stage]", "vote")
    for page in (facilitator, guest):
        page.locator(".ms-vote").click()
        page.wait_for_selector(".ms-vote[aria-pressed=true]")
    facilitator.select_option("[data-choice=stage]", "closed")
    guest.get_by_text("Votes: 2").wait_for()

    # the power goes, and comes back
    before = server.record()
    server.kill()
    guest.wait_for_selector(".ms-lost")
    server.start()
    for page, who in ((facilitator, "Anna"), (guest, HOSTILE)):
        page.wait_for_selector(".ms-lost", state="detached", timeout=WAIT_MS)
        page.get_by_text("Votes: 2").wait_for(timeout=WAIT_MS)
        assert who in page.inner_text("#person")
    assert server.record() == before
    _show_in_chinese(guest)

    # one file to take home, and one to read
    with facilitator.expect_download() as found:
        facilitator.get_by_text("Save the record").click()
    saved = Path(found.value.path()).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in saved] == before
    kinds = [event["kind"] for event in before]
    assert kinds == ["opened", "joined", "joined", "proposed", "predicted", "predicted", "closed", "revealed", "stage",
                     "voted", "voted", "stage"]  # fmt: skip
    with facilitator.expect_download() as found:
        facilitator.get_by_text("Save the minutes").click()
    text = Path(found.value.path()).read_text(encoding="utf-8")
    assert "Permits for all" in text and "57.3" in text and rate in text
    assert HOSTILE not in text and "&lt;img src=x" in text


def _show_in_chinese(page: playwright.Page) -> None:
    size = "getComputedStyle(document.querySelector('.ms-page')).fontSize"
    large = page.evaluate(size)
    page.select_option("[data-choice=language]", "zh-Hant")
    page.get_by_text("村關注的指標").wait_for()
    assert page.evaluate("document.documentElement.lang") == "zh-Hant"
    assert page.evaluate(size) == large  # as large as it was
