"""Many pages on one server for minutes: memory must not grow without bound, and nobody sees another's levers.

python tests/present/soak.py --sessions 30 --browsers 2 --minutes 10

Sessions are light pages that speak the protocol of the server (see `light_page`), and a few real ones in Chromium. Each
opens, moves a lever to values of its own with time to look between, checks what it is shown, and leaves as people do:
most say so, some just vanish, some lose the line and come back. Another one takes its place. What a page shows after a
change is checked four ways: the sentence names the page's own value, it starts where the page's change before ended,
the chart has the number of the sentence, and whoever moves the same lever to the same value sees the same row; some of
the rows are run once more by the function of the command line when all is over.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from light_page import LightPage, Seen

LEVER = "residence_permit.education"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
FORGOTTEN_S = 150  # after which a page that vanished is forgotten
LOOKS_S = (5.0, 25.0)  # at the charts between two changes
CHANGES = (2, 6)
COME_WITHIN_S = 20.0  # people do not come in step
RUN_AGAIN = 12
READ = """() => { const found = document.querySelector('.ms-change'); return found ? found.innerText : ''; }"""


@dataclass
class Count:
    """What came of the sessions, light ones and browsers together."""

    opened: int = 0
    closed: int = 0
    vanished: int = 0
    came_back: int = 0
    first: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    browser_waits: list[float] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    rows: dict[float, float] = field(default_factory=dict)

    def wrong(self, kind: list[str], text: str) -> None:
        """Note what must not be, and say it at once."""
        kind.append(text)
        print("  wrong:", text, flush=True)

    def check(self, value: float, seen: Seen, ended: float | None) -> None:
        """Hold what a page shows against what it asked for."""
        rate = float(seen.last_row[1])
        said = f"{value:g}: {seen.sentence} {seen.last_row}"
        if f": {value:g} " not in seen.sentence:
            self.wrong(self.mixed, f"another value: {said}")
        if seen.is_sample and ended is not None and abs(float(seen.last_row[3]) - ended) > 1e-9:
            self.wrong(self.mixed, f"another change before it ({ended}): {said}")
        if abs(rate - seen.after) > 0.0501:
            self.wrong(self.mixed, f"the chart says something else: {said}")
        if seen.is_sample and abs(self.rows.setdefault(value, rate) - rate) > 1e-9:
            self.wrong(self.mixed, f"another saw {self.rows[value]}: {said}")


async def light(address: str, until: float, count: Count) -> None:
    """Light pages one after the other, until the time is over."""
    await asyncio.sleep(random.uniform(0, COME_WITHIN_S))
    while time.monotonic() < until:
        page = LightPage(address)
        try:
            count.first.append(await page.open())
            count.opened += 1
            await page.rest(random.uniform(*LOOKS_S))
            ended = None
            for step in random.sample(range(10, 990), random.randint(*CHANGES)):
                if random.random() < 0.1:
                    await page.drop()
                    await asyncio.sleep(random.uniform(0.5, 5))
                    await page.connect()
                    count.came_back += 1
                value = step / 1000
                seen = await page.move(LEVER, value)
                count.waits.append(seen.wait_s)
                count.check(value, seen, ended)
                ended = float(seen.last_row[1]) if seen.is_sample else None
                await page.rest(random.uniform(*LOOKS_S))
                if page.lever(LEVER) != value:
                    count.wrong(count.mixed, f"the lever of another: {page.lever(LEVER)} for {value}")
            if random.random() < 0.3:
                await page.drop()
                count.vanished += 1
            else:
                await page.close()
                count.closed += 1
        except Exception as error:
            count.wrong(count.errors, f"{type(error).__name__}: {error}")
            await page.drop()


async def browser(address: str, until: float, count: Count, chromium: Any) -> None:
    """The same in a real browser."""
    move = (
        "(field, value) => { field.value = value; field.dispatchEvent(new Event('input'));"
        " field.dispatchEvent(new Event('change')); }"
    )
    while time.monotonic() < until:
        page = await chromium.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(180_000)
        try:
            began = time.monotonic()
            await page.goto(address)
            await page.wait_for_selector("[data-drawn=yes]")
            count.first.append(time.monotonic() - began)
            count.opened += 1
            for step in random.sample(range(1, 100), random.randint(*CHANGES)):
                value, began = step / 100, time.monotonic()  # as its slider has them
                lever = page.locator(f'[data-lever="{LEVER}"]')
                await lever.locator("input[type=range]").evaluate(move, value)
                await page.wait_for_function(f"/: {value:g} [^\\d]*\\. [^]*→/.test(({READ})())")
                count.browser_waits.append(time.monotonic() - began)
                await asyncio.sleep(random.uniform(*LOOKS_S))
                shown, said = await lever.locator("input[type=number]").input_value(), await page.evaluate(READ)
                if float(shown) != value or f": {value:g} " not in said:
                    count.wrong(count.mixed, f"in the browser: {shown} for {value}: {said}")
            count.closed += 1
        except Exception as error:
            count.wrong(count.errors, f"browser: {str(error).splitlines()[0]}")
        finally:
            await page.close()


def report(address: str, pid: int, when: str, count: Count) -> None:
    """Memory of the server and of the processes that make runs, and the pages that it remembers."""
    with urllib.request.urlopen(f"{address}resourcez") as answer:
        found = json.load(answer)
    makers = sorted(memory_mb(each) for each in children(pid))
    print(
        f"{when:>9}  server {memory_mb(pid):4.0f} MB  makers {' + '.join(f'{each:.0f}' for each in makers)} MB"
        f"  pages held {found['kernels']['total']:3d}  threads {found['threads']['active']:3d}"
        f"  processor {seconds(pid):4.0f} s  load {os.getloadavg()[0]:.0f}"
        f"  opened {count.opened} redrawn {len(count.waits) + len(count.browser_waits)}"
        f" mixed {len(count.mixed)} errors {len(count.errors)}",
        flush=True,
    )


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    return int(found[1]) / 1024 if found else 0.0


def seconds(pid: int) -> float:
    """Processor time of a process."""
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> set[int]:
    """Processes that a process has started."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(each) for task in tasks for each in (task / "children").read_text(encoding="utf-8").split()}


def run_again(count: Count) -> None:
    """Some of what pages saw, by the function of the command line."""
    from migrasim.runs.simulate import simulate

    for value in random.sample(sorted(count.rows), min(RUN_AGAIN, len(count.rows))):
        rate = simulate("plan", sample=0.01, overrides={LEVER: value}).prefecture()["urbanization_rate"].iloc[-1]
        if round(100 * rate, 2) != count.rows[value]:
            count.wrong(count.mixed, f"{value}: pages saw {count.rows[value]}, the command line has {100 * rate:.2f}")


def spread(waits: list[float]) -> str:
    """Median and 95th percentile."""
    found = sorted(waits)
    return f"{found[len(found) // 2]:.1f} s, {found[int(0.95 * (len(found) - 1))]:.1f} s" if found else "none"


async def soak(address: str, pid: int, sessions: int, browsers: int, minutes: float, forgotten_s: float) -> Count:
    """All sessions at once: a line at the start, one a minute, and one when the last page is forgotten."""
    print(f"{sessions} light pages and {browsers} in Chromium for {minutes:g} minutes, load {os.getloadavg()[0]:.0f}")
    count, begun = Count(), time.monotonic()
    until = begun + 60 * minutes
    report(address, pid, "start", count)
    work = [asyncio.create_task(light(address, until, count)) for _ in range(sessions)]
    playwright = None
    if browsers:
        from playwright.async_api import async_playwright

        playwright = await async_playwright().start()
        chromium = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        work += [asyncio.create_task(browser(address, until, count, chromium)) for _ in range(browsers)]
    minute = 0
    while not all(each.done() for each in work):
        await asyncio.wait(work, timeout=max(1.0, begun + 60 * (minute + 1) - time.monotonic()))
        minute = int((time.monotonic() - begun + 0.5) // 60)
        report(address, pid, f"{(time.monotonic() - begun) / 60:.1f} min", count)
    if playwright is not None:
        await chromium.close()
        await playwright.stop()
    if forgotten_s:
        await asyncio.sleep(forgotten_s)
        report(address, pid, "forgotten", count)
    run_again(count)
    print(
        f"opened {count.opened}: said good-bye {count.closed}, vanished {count.vanished}; lost the line and came back"
    )
    print(f"  {count.came_back} times; redrawn {len(count.waits)} light, {len(count.browser_waits)} in Chromium")
    print(f"median and 95th percentile: first page {spread(count.first)}; redraw {spread(count.waits)};"
          f" in Chromium {spread(count.browser_waits)}")  # fmt: skip
    print(f"mixed {len(count.mixed)}, errors {len(count.errors)}")
    return count


def main() -> None:
    """Start a server of its own and soak it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--browsers", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--brief", action="store_true", help="do not wait until pages that vanished are forgotten")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    rest = 0.0 if options.brief else FORGOTTEN_S
    with served() as (address, pid):
        count = asyncio.run(soak(address, pid, options.sessions, options.browsers, options.minutes, rest))
    sys.exit(bool(count.mixed or count.errors))


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """Address and process of a server of its own; what it complains of is printed at the end."""
    command = [sys.executable, "-m", "migrasim", "explore", "--no-open"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as server,
    ):
        assert server.stderr is not None
        try:
            address = next(found[0] for line in server.stderr if (found := re.search(r"http://[\d.:]+/", line)))
            yield address, server.pid
        finally:
            server.terminate()
            for line in server.stderr:
                print("server:", line, end="")


if __name__ == "__main__":
    main()
