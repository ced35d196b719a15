"""Measure whole runs and the choice, and write the tables of ``docs/performance.md``.

``python tests/bench/measure.py`` takes some minutes; every measurement is a process of its own, warm
(kernels compiled and the population built before). Seconds are the processor's, of the main thread, which
takes its part of every parallel loop: other work on the machine does not stretch them, and on an idle
machine they are those of the clock. ``--quick`` leaves the largest out and writes nothing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
ALL_YEARS, MEASURED_YEARS = 15, 3
NATION, PROVINCE = 1412e6, 25e6  # persons; the nation at the census of 2020, and a province of usual size


def side_by_side(population: Any, copies: int) -> Any:
    """A population several times over, each copy with keys of its own, in one region."""
    import numpy as np

    from migrasim.core.chance import child_key

    if copies == 1:
        return population
    homes, persons = population.households, population.persons
    many = {name: np.tile(column, copies) for name, column in homes.items()}
    people = {name: np.tile(column, copies) for name, column in persons.items()}
    count, size = len(homes["key"]), len(persons["key"])
    for table, length in ((many, count), (people, size)):
        for copy in range(1, copies):
            part = slice(copy * length, (copy + 1) * length)
            with np.errstate(over="ignore"):
                table["key"][part] ^= np.uint64(child_key(np.uint64(copy), 0, 0))
    people["household"] = (people["household"].astype(np.int64) + np.repeat(np.arange(copies) * count, size)).astype(
        persons["household"].dtype
    )
    return replace(population, households=many, persons=people)


def one_run(sample: float, years: int, threads: int, copies: int) -> dict[str, Any]:
    """Run in this process and say how long and how large it was; the first year warms up where there are more."""
    from migrasim import population
    from migrasim.order import Simulation
    from migrasim.runs.profile import bandwidth_bytes_s
    from migrasim.runs.simulate import prepare

    began = time.thread_time()
    if copies == 1:
        simulation = prepare("plan", sample=sample, threads=threads).simulation
    else:
        ready = prepare("plan", sample=0.01, threads=threads)
        people = side_by_side(population.load(ready.region, base=2020, sample=sample), copies)
        simulation = Simulation.create(ready.inputs, ready.region, people, threads=threads)
    start = time.thread_time() - began
    seconds: list[float] = []
    phases: dict[str, float] = {}
    marks: list[tuple[str, float]] = []
    for year in range(years):
        if year == 1:
            simulation.rows.clear()
            phases.clear()
        marks.clear()
        simulation.step(lambda _year, name, _done, _all: marks.append((name, time.thread_time())))
        marks.append(("", time.thread_time()))
        seconds.append(marks[-1][1] - marks[0][1])
        for (name, began), (_, ended) in itertools.pairwise(marks):
            phases[name] = phases.get(name, 0.0) + ended - began
    counted = seconds[1:] or seconds
    return {
        "start_s": start, "year_s": sum(counted) / len(counted), "years": years,
        "households": len(simulation.world.households), "persons": len(simulation.world.persons),
        "phases": {name: each / len(counted) for name, each in phases.items()},
        "rows": {name: each[0] / len(counted) for name, each in simulation.rows.items()},
        "bytes": {name: each[1] / len(counted) for name, each in simulation.rows.items()},
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "bandwidth": bandwidth_bytes_s(),
    }  # fmt: skip


def choosing() -> dict[str, Any]:
    """Seconds a household that considers: kernels by one thread, NumPy, Mesa objects; and whether they agree."""
    import numpy as np
    import peers

    from migrasim.core.rule import set_threads
    from migrasim.domains.moving import choice, household
    from migrasim.runs.simulate import prepare

    simulation = prepare("plan", sample=0.05).simulation
    simulation.step()
    set_threads(1)
    given = peers.frozen(simulation.world)
    count = len(given["homes"])

    def kernels(given: dict[str, Any]) -> np.ndarray:
        args = (given["places"], given["seed"], given["year"], given["p"])
        homes, crew = household.gather(given["rows"], given["people"], given["families"], args[0], args[2], args[3])
        codes, values = np.full((len(homes), choice.ROUNDS), choice.STAY), np.zeros((len(homes), choice.ROUNDS))
        choice.choose_gathered(homes, crew, *args, codes, values)
        return codes

    def best(work: Any, rounds: int) -> tuple[float, Any]:
        least, found = np.inf, None
        for _ in range(rounds):
            began = time.thread_time()
            found = work()
            least = min(least, time.thread_time() - began)
        return least, found

    fast, codes = best(lambda: kernels(given), 7)
    vector, (vector_codes, values) = best(lambda: peers.choose_numpy(given), 2)
    few = peers.frozen(simulation.world, 150)
    object_codes, _, objects = peers.choose_mesa(few)
    with np.errstate(invalid="ignore"):
        ties = int(np.count_nonzero((values[:, :-1] - values[:, 1:] < 1e-9).any(axis=1)))
    return {
        "households": count, "few": len(object_codes), "kernels_s": fast / count, "numpy_s": vector / count,
        "mesa_s": objects / len(object_codes), "ties": ties,
        "numpy_differ": int((codes != peers.cut(vector_codes)).any(axis=1).sum()),
        "mesa_differ": int((codes[: len(object_codes)] != peers.cut(object_codes)).any(axis=1).sum()),
    }  # fmt: skip


def measure(*arguments: object) -> dict[str, Any]:
    """Run this file in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows])


def pages(quick: bool) -> Iterator[tuple[str, str]]:
    """The tables by name, each as soon as it is measured."""
    shares = (0.01, 0.1) if quick else (0.01, 0.1, 1.0)
    runs = {share: measure("--run", share, MEASURED_YEARS, 2, 1) for share in shares}
    largest = runs[max(shares)]
    alone = measure("--run", max(shares), MEASURED_YEARS, 1, 1)
    sizes = [
        [f"{share:g}", f"{run['households']:,}", f"{run['start_s']:.1f}", f"{run['year_s'] * ALL_YEARS:.1f}",
         f"{run['year_s'] / run['households'] * 1e9:,.0f}", f"{run['rss_mb']:,.0f}"]
        for share, run in runs.items()
    ]  # fmt: skip
    phases = []
    for name, seconds in sorted(largest["phases"].items(), key=lambda each: -each[1]):
        rows, size = largest["rows"][name], largest["bytes"][name]
        gain, floor = alone["phases"][name] / seconds, size / largest["bandwidth"]
        phases.append([name, f"{seconds:.3f}", f"{gain:.2f}", f"{rows:,.0f}", f"{size / 1e6:,.0f}",
                       f"{seconds / rows * 1e9:,.0f}", f"{floor:.3f}"])  # fmt: skip
    phases.append(["a year", f"{largest['year_s']:.3f}", f"{alone['year_s'] / largest['year_s']:.2f}", "", "", "", ""])
    size_heads = ["share", "households", "start, s", "15 years, s", "ns a household and year", "MB at the peak"]
    phase_heads = ["phase", "s a year", "1 thread over 2", "rows", "MB", "ns a row", "floor, s"]
    yield "sizes", table(size_heads, sizes)
    yield "phases", table(phase_heads, phases)
    found = measure("--choosing")
    kernels = found["kernels_s"]
    peers = [
        [name, f"{seconds * 1e6:,.2f}", f"{seconds / kernels:,.0f}", households, differ]
        for name, seconds, households, differ in (
            ("kernels, one thread, with gathering", kernels, f"{found['households']:,}", ""),
            ("vectorised NumPy", found["numpy_s"], f"{found['households']:,}", str(found["numpy_differ"])),
            ("Mesa objects", found["mesa_s"], f"{found['few']:,}", str(found["mesa_differ"])),
        )
    ]
    peer_heads = ["choice", "microseconds a household", "times the kernels", "households", "choose otherwise"]
    yield "peers", table(peer_heads, peers) + f"\n\nNear ties below 1e-9: {found['ties']}."
    if not quick:
        ten = measure("--run", 1.0, 1, 2, 10)
        person_year = ten["year_s"] / ten["persons"]
        person_mb = ten["rss_mb"] / ten["persons"]
        grown = ten["year_s"] / ten["households"] / (largest["year_s"] / largest["households"])
        rows = [["ten Pingliangs, measured", f"{ten['persons'] / 1e6:.1f}", f"{ten['year_s'] * ALL_YEARS / 60:.1f}",
                 f"{ten['rss_mb'] / 1024:.1f}"]]  # fmt: skip
        for name, persons in (("a province, extrapolated", PROVINCE), ("the nation, extrapolated", NATION)):
            rows.append([name, f"{persons / 1e6:,.0f}", f"{persons * person_year * ALL_YEARS / 60:,.0f}",
                         f"{persons * person_mb / 1024:,.0f}"])  # fmt: skip
        text = table(["population", "million persons", "minutes for 15 years", "GB"], rows)
        text += f"\n\nA household of ten Pingliangs takes {grown:.2f} times as long as one of one Pingliang."
        yield "beyond", text


def main() -> None:
    """Measure one thing where asked to, else everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--choosing", action="store_true")
    parser.add_argument("--run", nargs=4, metavar=("SAMPLE", "YEARS", "THREADS", "COPIES"))
    asked = parser.parse_args()
    if asked.choosing:
        print(json.dumps(choosing()))
    elif asked.run:
        sample, years, threads, copies = asked.run
        print(json.dumps(one_run(float(sample), int(years), int(threads), int(copies))))
    else:
        for name, text in pages(asked.quick):
            print(f"\n{name}\n\n{text}", flush=True)
            if not asked.quick:
                page = PAGE.read_text("utf-8")
                between = rf"(<!-- {name} -->\n).*?(\n<!-- end -->)"
                PAGE.write_text(re.sub(between, rf"\g<1>\n{text}\n\g<2>", page, flags=re.DOTALL), "utf-8")


if __name__ == "__main__":
    main()
