"""Many sessions on one server for minutes: memory must not grow without bound, and nobody sees another's levers.

python tests/present/soak.py --sessions 30 --minutes 10

Sessions are pages of a real Chromium. Each opens, moves a lever to a value of its own, checks that it is this value
that it sees, looks at the charts for a while, and closes; another one takes its place.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.async_api import async_playwright

LEVER = "residence_permit.education"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
FORGOTTEN_S = 150  # after which a page that was closed is forgotten
COUNT = {"opened": 0, "mixed": 0, "failed": 0}


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+)", text)
    return int(found[1]) / 1024 if found else 0.0


async def session(browser, address: str, until: float) -> None:
    """Pages one after the other, until the time is over."""
    while time.monotonic() < until:
        page = await browser.new_page(viewport={"width": 800, "height": 600})
        page.set_default_timeout(180_000)
        try:
            await page.goto(address)
            await page.wait_for_selector("[data-drawn=yes]")
            own = f"{random.randrange(10, 100) / 100:g}"
            script = (
                "(field, value) => { field.value = value; field.dispatchEvent(new Event('input'));"
                " field.dispatchEvent(new Event('change')); }"
            )
            await page.locator(f'[data-lever="{LEVER}"] input[type=range]').evaluate(script, own)
            await page.wait_for_function("document.querySelector('.ms-change').innerText.includes('→')")
            await asyncio.sleep(random.uniform(1, 8))
            seen = await page.locator(f'[data-lever="{LEVER}"] input[type=number]').input_value()
            COUNT["mixed"] += seen != own
            COUNT["opened"] += 1
        except Exception as error:
            COUNT["failed"] += 1
            print("failed:", str(error).splitlines()[0], flush=True)
        finally:
            await page.close()


async def soak(address: str, pid: int, sessions: int, minutes: float) -> None:
    """All sessions at once: a line at the start, one a minute, and one when the last page is forgotten."""
    print(f"{sessions} sessions for {minutes:g} minutes, load {os.getloadavg()[0]:.0f}")
    begun = time.monotonic()
    report(address, pid, "start")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        work = [asyncio.create_task(session(browser, address, begun + 60 * minutes)) for _ in range(sessions)]
        minute = 0
        while not all(each.done() for each in work):
            await asyncio.wait(work, timeout=begun + 60 * (minute + 1) - time.monotonic())
            minute = int((time.monotonic() - begun + 0.5) // 60)
            report(address, pid, f"{(time.monotonic() - begun) / 60:.1f} min")
        await browser.close()
    await asyncio.sleep(FORGOTTEN_S)
    report(address, pid, "closed")
    print(f"pages {COUNT['opened']}, of them with the state of another {COUNT['mixed']}, that failed {COUNT['failed']}")


def report(address: str, pid: int, when: str) -> None:
    """Memory of the server and of the processes that make runs, and the pages that it remembers."""
    with urllib.request.urlopen(f"{address}resourcez") as answer:
        found = json.load(answer)
    threads = Path(f"/proc/{pid}/task").iterdir()
    makers = {each for task in threads for each in (task / "children").read_text(encoding="utf-8").split()}
    others = sum(memory_mb(int(each)) for each in makers)
    print(
        f"{when:>9}  server {memory_mb(pid):5.0f} MB  makers of runs {others:5.0f} MB"
        f"  pages held {found['kernels']['total']:3d}  threads {found['threads']['active']:3d}  {COUNT}",
        flush=True,
    )


def main() -> None:
    """Start a server of its own and soak it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    command = [sys.executable, "-m", "migrasim", "explore", "--no-open"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as server,
    ):
        address = next(found[0] for line in server.stderr if (found := re.search(r"http://[\d.:]+/", line)))
        try:
            asyncio.run(soak(address, server.pid, options.sessions, options.minutes))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
