"""Newly published figures: what is refused, what is asked, and what taking them in does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from migrasim.analysis import observations
from migrasim.analysis.assimilation import _quantile
from migrasim.core.errors import InputError
from migrasim.region import Region

HEAD = "year,place,indicator,value,unit,basis\n"
GOOD = HEAD + (
    "2021,Pingliang,residents,182.47,10k persons,census 2020\n"
    "2022,Pingliang,residents,1822500,persons,census 2020\n"
    "2021,Pingliang,urbanization_rate,46.02,percent,census 2020\n"
    "2022,Pingliang,urbanization_rate,0.4679,share,census 2020\n"
    "2021,崆峒区,urban_residents,,persons,census 2020\n"
    "2022,Kongtong,urban_residents,340000,persons,census 2020\n"
)


def _read(tmp_path: Path, text: str) -> pd.DataFrame:
    path = tmp_path / "observations.csv"
    path.write_text(text, encoding="utf-8")
    return observations.read(path, Region.only())


def test_good_figures_come_in_as_persons_and_shares(tmp_path: Path) -> None:
    """Units are brought together, a year that was not published is passed over, Chinese names are known."""
    table = _read(tmp_path, GOOD)
    assert len(table) == 5
    values = table.set_index(["place", "indicator", "year"])["value"]
    assert values["Pingliang", "resident_population", 2021] == pytest.approx(1_824_700)
    assert values["Pingliang", "urbanization_rate", 2021] == pytest.approx(0.4602)
    assert values["Kongtong", "urban_population", 2022] == 340_000


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("2021,Pingliang,residents,182.47,persons,census 2020", "10k persons"),
        ("2021,Pingliang,residents,1824700,10k persons,census 2020", "given in persons"),
        ("2021,Pingliang,births,1.73,persons,census 2020", "10k persons"),
        ("2021,Pingliang,urbanization_rate,46.02,share,census 2020", "percent"),
        ("2021,Pingliang,urbanization_rate,146,percent,census 2020", "more than 100"),
        ("2021,Pingliang,urbanization_rate,0.46,percent,census 2020", "share"),
        ("2021,Pingliang,residents,212.5,10k persons,census 2020", "another basis"),
        ("2021,Pingliang,residents,182.47,10k persons,pre-census", "another basis"),
        ("2021,Pingliang,residents,182.47,10k persons,bulletin", "allowed: census 2020"),
        ("2022,Pingliang,residents,182.25,10k persons,census 2020", "2021 is missing"),
        (
            "2021,Pingliang,residents,182.47,10k persons,census 2020\n"
            "2021,Pingliang,residents,182.5,10k persons,census 2020",
            "stands also in line 2",
        ),
        ("2019,Pingliang,residents,182.47,10k persons,census 2020", "years from 2021"),
        ("2021,Pingling,residents,182.47,10k persons,census 2020", "Pingliang"),
        ("2021,Pingliang,resident,182.47,10k persons,census 2020", "residents"),
        ("2021,Pingliang,residents,many,persons,census 2020", "no number"),
        ("2021,Pingliang,residents,-5,persons,census 2020", "above 0"),
        ("2021,Pingliang,residents,182.47,wan,census 2020", "allowed: persons, 10k persons"),
        ("2021,Pingliang,residents,,persons,census 2020", "every value is empty"),
    ],
)
def test_bad_figures_are_refused_with_a_reason(tmp_path: Path, line: str, says: str) -> None:
    """Wrong units, another basis, gaps, duplicates, unknown names: one clear message, and nothing is taken in."""
    with pytest.raises(InputError, match=says):
        _read(tmp_path, HEAD + line + "\n")


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    """A missing file, a missing column and an empty table each get a message."""
    with pytest.raises(InputError, match="no such file"):
        observations.read(tmp_path / "none.csv", Region.only())
    with pytest.raises(InputError, match="'basis' is missing"):
        _read(tmp_path, "year,place,indicator,value,unit\n2021,Pingliang,residents,1,persons\n")
    with pytest.raises(InputError, match="no rows"):
        _read(tmp_path, HEAD)


def test_weights_move_quantiles() -> None:
    """With even weights the median is the median; with all weight on one member it is that member."""
    values = np.array([3.0, 1.0, 2.0])
    assert _quantile(values, np.full(3, 1 / 3), 0.5) == pytest.approx(2.0)
    assert _quantile(values, np.array([1.0, 0.0, 0.0]), 0.5) == pytest.approx(3.0)
