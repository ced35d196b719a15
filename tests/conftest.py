"""What several tests share: a hand-made result, so that tables and files can be tested without a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from migrasim.runs.result import RunResult

MakeResult = Callable[..., RunResult]

# pytest loads readline, which tells processes that it starts, as those of xdist, of a terminal of 80 columns
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)


def details() -> dict[str, pd.DataFrame]:
    """Small tables beside the indicators, with invented numbers."""
    return {
        "ages": pd.DataFrame([{"year": 2021, "place": "First/seat", "sex": "female", "age": 20, "persons": 7.0}]),
        "homes": pd.DataFrame(
            [{"year": 2021, "origin_county": "First", "county": "outside", "persons": 3.0, "other_place_persons": 3.0}]
        ),
        "jobs": pd.DataFrame(
            [{"year": 2021, "place": "First/seat", "kind": "mining", "jobs": 5.0, "filled": 4.0, "vacancies": 1.0,
              "wage_yuan_yr": 40000.0}]
        ),
        "dwellings": pd.DataFrame(
            [{"year": 2021, "place": "First/seat", "tenure": "market_rent", "dwellings": 9.0, "occupied": 8.0,
              "occupancy_share": 8 / 9, "waiting_households": 0.0, "rent_yuan_mo": 700.0}]
        ),
        "chains": pd.DataFrame(
            [{"year": year, "chain": "red_cattle", "jobs": 5.0, "filled": 4.0, "output_yuan": 2e9}
             for year in (2021, 2026)]
        ),
        "costs": pd.DataFrame(
            [{"year": 2021, "county": "First", "item": "public_services.school_places", "payer": "county",
              "payee": "enterprise", "yuan": 1e6, "in_consumption": False}]
        ),
        "groups": pd.DataFrame(
            [{"year": year, "dimension": "income", "group": "poorest fifth", "households": 10.0, "persons": 30.0,
              "urban_persons": 9.0, "absent_persons": 3.0, "moved_persons": 1.0,
              "welfare_yuan_yr": 5000.0 + year - 2020}
             for year in (2020, 2026)]
        ),
    }  # fmt: skip


def _result(
    run_id: str = "0123456789ab",
    scenario: str = "plan",
    seed: int = 7,
    sample: float = 1.0,
    until: int = 2026,
    notes: tuple[str, ...] = (),
) -> RunResult:
    years = range(2020, until + 1)
    rows = [
        {
            "run_id": run_id,
            "scenario": scenario,
            "seed": seed,
            "year": year,
            "level": level,
            "place": place,
            "resident_population": size * (1000.0 - 10 * (year - 2020)),
            "urban_population": size * (450.0 + 5 * (year - 2020)),
            "urbanization_rate": (450.0 + 5 * (year - 2020)) / (1000.0 - 10 * (year - 2020)),
            "hukou_urbanization_rate": 0.35,
            "absent_population": size * 300.0,
        }
        for year in years
        for level, place, size in (("prefecture", "Somewhere", 2.0), ("county", "First", 1.0))
    ]
    parts = [
        {"year": year, "level": "prefecture", "place": "Somewhere", "component": component, "points": points}
        for year in years[1:]
        for component, points in (("moves_inside", 0.75), ("departures_rural", 0.25))
    ]
    move = {"origin": "First/village", "destination": "First/seat", "form": "whole", "persons": 3.0, "households": 1.0}
    return RunResult(
        run_id=run_id,
        scenario=scenario,
        seed=seed,
        sample=sample,
        base=2020,
        until=until,
        indicators=pd.DataFrame(rows),
        flows=pd.DataFrame([{"year": 2021, **move}]),
        decomposition=pd.DataFrame(parts),
        **details(),
        provenance={
            "region": {"name": "somewhere", "title": {"en": "Somewhere", "zh_hant": "某區"}, "hash": "0"},
            "versions": {"migrasim": "0.1.0"},
            "levers": {"three_rights.titling": {"2020": [0.9], "2021": [1.0]}},
            "parameters": {"moving.income_elasticity": 1.5},
            "targets": {"2025": 0.55, "2035": 0.7},
            "record": {"urbanization_rate": {"2014": 0.3447, "2021": 0.4602}},
        },
        notes=list(notes),
    )


@pytest.fixture
def make_result() -> MakeResult:
    """Maker of small results with two levels, two components and invented numbers."""
    return _result


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
