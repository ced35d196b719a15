"""The pictures of README.md and of docs/explorer.md and workshop.md, made anew: look at each before it is committed.

python tests/present/pictures.py [readme] [explore] [compare] [phone] [workshop]
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

import migrasim as ms
from migrasim.analysis import band
from migrasim.facts import FactBook
from migrasim.present.figures import trajectory
from migrasim.scenario import Scenario

OUT = Path(__file__).parents[2] / "docs" / "figures"
LEVER = "residence_permit.one_pass"
WAIT_MS = 600_000
SHOWN_ADDRESS = "http://192.0.2.2:8765/"  # kept for documents; the real one is nobody's business
MOVE = (
    "(field, value) => { field.value = value; field.dispatchEvent(new Event('input'));"
    " field.dispatchEvent(new Event('change')); }"
)


@contextmanager
def server(*options: str) -> Iterator[str]:
    """Address of `migrasim explore` in a folder of its own."""
    command = [sys.executable, "-m", "migrasim", "explore", *options, "--no-open"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as running,
    ):
        assert running.stderr is not None
        try:
            yield next(found[0] for line in running.stderr if (found := re.search(r"http://127[\d.:]+/", line)))
        finally:
            running.terminate()


def visit(browser: Any, address: str, width: int, height: int, **options: Any) -> Page:
    """A page of its own, drawn."""
    page: Page = browser.new_context(viewport={"width": width, "height": height}, **options).new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    return page


def drawn(page: Page) -> None:
    """Wait for the first charts."""
    page.wait_for_selector("[data-drawn=yes]")


def move(page: Page, value: float) -> None:
    """Move the lever and wait for the sentence."""
    page.locator(f'[data-lever="{LEVER}"] input[type=range]').evaluate(MOVE, value)
    page.wait_for_function(f"/[:：] ?{value:g}[^0-9][^]*→/.test(document.querySelector('.ms-change').innerText)")


def keep(page: Page, name: str) -> None:
    """Take the picture when nothing moves any more."""
    time.sleep(2)
    page.screenshot(path=OUT / name)
    print(OUT / name)


def explore(browser: Any) -> None:
    """Everybody run, with the range, after a lever was moved."""
    with server("plan") as address:
        page = visit(browser, address, 1280, 900)
        drawn(page)
        move(page, 0.6)
        page.get_by_text("Everybody was run").wait_for()
        page.get_by_text("8 runs").wait_for()
        keep(page, "explore.png")


def compare(browser: Any) -> None:
    """Two scenarios, all their draws, and the shares of levers below, in Chinese."""
    with server("plan", "--lang", "zh-Hant") as address:
        page = visit(browser, address, 1280, 1280)
        drawn(page)
        page.get_by_role("button", name="加入比較").click()
        move(page, 0.1)
        page.get_by_role("button", name="加入比較").click()
        page.get_by_role("button", name="比較（2）").click()
        page.get_by_text("已完成30／30次運行").wait_for()
        drawn(page)
        keep(page, "explore-compare.png")


def phone(browser: Any) -> None:
    """The first page on a phone, in Chinese."""
    with server("plan", "--lang", "zh-Hant") as address:
        page = visit(browser, address, 390, 844)
        drawn(page)
        keep(page, "explore-phone.png")


def workshop(browser: Any) -> None:
    """The door, a proposal with a prediction, the result beside the predictions."""
    with server("status_quo", "--workshop", "--share", "--name", "Trial", "--folder", "day") as address:
        host = visit(browser, address, 1280, 900)
        host.wait_for_selector(".ms-code")
        there, code = re.findall(r"http://\S+|[A-Z0-9]{8}", host.locator(".ms-code").inner_text())
        guest = visit(browser, there, 420, 560)
        keep(guest, "workshop-door.png")
        guest.fill("[name=code]", code)
        guest.click("button")
        for page, name, group, role in ((host, "Anna", "Red", "finance"), (guest, "李芳", "Blue", "village")):
            page.fill("[data-form=join] [name=name]", name)
            page.fill("[data-form=join] [name=group]", group)
            page.select_option("[data-form=join] [name=role]", role)
            page.click("[data-form=join] button")
            page.wait_for_selector("#person")
        host.get_by_role("button", name="Propose a scenario").click()
        host.get_by_role("button", name="All as in the plan").first.click()
        host.wait_for_selector(".ms-lever-changed")
        host.fill("[data-form=propose] [name=name]", "Permits for all")
        host.fill("[data-form=propose] [name=why]", "Children can go to school where their parents work")
        host.click("[data-form=propose] button")
        for page, rate, urban in ((host, 58, 960), (guest, 62, 1020)):
            page.wait_for_selector("[data-form=predict]")
            page.fill("[data-form=predict] [name=rate]", str(rate))
            page.fill("[data-form=predict] [name=urban]", str(urban))
            page.click("[data-form=predict] button")
            page.wait_for_selector(".ms-own")
        host.get_by_text("Predictions so far: 2").wait_for()
        hide(host, there)
        keep(host, "workshop-predict.png")
        host.get_by_role("button", name="Show the result").click()
        host.wait_for_selector(".ms-strip")
        host.select_option("[data-choice=stage]", "vote")
        guest.locator(".ms-vote").click()
        host.get_by_text("1 of 2 have voted").wait_for()
        host.set_viewport_size({"width": 1280, "height": 2020})
        hide(host, there)
        keep(host, "workshop-result.png")


def readme(_: Any) -> None:
    """The status quo and the plan with everybody, and the range over the plan's assumed values."""
    plan = Scenario.load("plan", FactBook.load())
    results = [ms.run(name, seed=0) for name in ("status_quo", "plan")]
    drawn_values = band.band(plan, draws=band.DRAWS, sample=band.SAMPLE, about=results[1])
    trajectory(results, OUT / "trajectory.png", bands={"plan": drawn_values})


def hide(page: Page, there: str) -> None:
    """Another address where the page says its own."""
    page.evaluate(
        """([own, shown]) => { const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (all.nextNode()) all.currentNode.data = all.currentNode.data.replace(own, shown); }""",
        [there.rstrip("/"), SHOWN_ADDRESS.rstrip("/")],
    )


def main() -> None:
    """Those that are named, or all."""
    makers = {"readme": readme, "explore": explore, "compare": compare, "phone": phone, "workshop": workshop}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name in sys.argv[1:] or makers:
            makers[name](browser)
        browser.close()


if __name__ == "__main__":
    main()
