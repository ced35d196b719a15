"""Newly published figures: what is refused, what is asked, and what taking them in does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from migrasim.analysis import assimilation, observations
from migrasim.analysis.assimilation import _quantile
from migrasim.core.errors import InputError
from migrasim.facts import FactBook
from migrasim.region import Region

VECTORS = [0.0, 0.1, 0.2, 0.3, 0.4]  # values of the parameter that the toy region has
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
        ("2021,Pingliang,urbanization_rate,4.602,percent,census 2020", "4.60 percent after 44.77"),
        ("²,Pingliang,residents,182.47,10k persons,census 2020", "years from 2021"),
        ("2019,Pingliang,residents,182.47,10k persons,census 2020", "years from 2021"),
        ("2021,Pingling,residents,182.47,10k persons,census 2020", "Pingliang"),
        ("2021,Pingliang,resident,182.47,10k persons,census 2020", "residents"),
        ("2021,Pingliang,residents,many,persons,census 2020", "no number"),
        ("2021,Pingliang,residents,-5,persons,census 2020", "above 0"),
        ("2021,Pingliang,residents,182.47,wan,census 2020", "allowed: persons, 10k persons"),
        ("2021,Pingliang,residents,,persons,census 2020", "every value is empty"),
        (
            "2021,Pingliang,residents,182.47,10k persons,census 2020\n"
            "2021,Pingliang,urbanization_rate,46.02,percent,census 2020\n"
            "2021,Pingliang,urban_residents,81.02,10k persons,census 2020",
            "line 4: urban_population .* 810,200 in 2021, but residents times rate are 839,727",
        ),
        (
            "2021,Pingliang,residents,182.47,10k persons,census 2020,,\n"
            "2022,Pingliang,residents,1,824,700,persons,census 2020",
            "line 3: has 8 cells, and the first line 6 names; a text with a comma needs quotes",
        ),
        ("2021,Pingliang,residents,1,824,700,persons,census 2020", "line 2: has 8 cells"),
        ("2021,Pingliang,residents,182.47,10k persons", "line 2: has 5 cells.* an empty cell needs its comma"),
        ("2021,Pingliang,residents,1_82.47,10k persons,census 2020", "value: '1_82.47' is no number"),
        ("\n\n2021,Pingliang,residents,many,persons,census 2020", "line 4: value"),
        ('"2021,Pingliang,residents,182.47,10k persons,census 2020', "no readable csv table"),
    ],
)
def test_bad_figures_are_refused_with_a_reason(tmp_path: Path, line: str, says: str) -> None:
    """Wrong units, another basis, gaps, duplicates, unknown names: one clear message, and nothing is taken in."""
    with pytest.raises(InputError, match=says):
        _read(tmp_path, HEAD + line + "\n")


def test_years_without_figures_leave_room_for_what_changed_in_them(tmp_path: Path) -> None:
    """A count or a rate may change by more over ten years of which nothing was published than in one."""
    empty = "".join(
        f"{year},Pingliang,{name},,{unit},census 2020\n"
        for name, unit in (("residents", "persons"), ("urbanization_rate", "percent"))
        for year in range(2021, 2030)
    )
    last = "2030,Pingliang,residents,1690000,persons,census 2020\n"
    last += "2030,Pingliang,urbanization_rate,58,percent,census 2020\n"
    assert _read(tmp_path, HEAD + empty + last)["year"].tolist() == [2030, 2030]


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    """A missing file, a missing column and an empty table each get a message."""
    with pytest.raises(InputError, match="no such file"):
        observations.read(tmp_path / "none.csv", Region.only())
    with pytest.raises(InputError, match="'basis' is missing"):
        _read(tmp_path, "year,place,indicator,value,unit\n2021,Pingliang,residents,1,persons\n")
    with pytest.raises(InputError, match="no rows"):
        _read(tmp_path, HEAD)
    with pytest.raises(InputError, match=r"no readable csv table \(No columns"):
        _read(tmp_path, "\n")
    with pytest.raises(InputError, match="column 'value' stands twice"):
        _read(tmp_path, HEAD.replace("basis", "basis,value"))


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (GOOD.encode("gbk"), "observations.csv: not a text file in UTF-8; a csv table is expected"),
        (GOOD.encode("utf-16"), "not a text file in UTF-8"),
        (GOOD.replace(",", ";").encode(), "its cells are separated by ';'; commas are expected"),
        (GOOD.replace(",", "\t").encode(), "its cells are separated by a tab; commas are expected"),
        (GOOD.replace(",", "，").encode(), "its cells are separated by '，'; commas are expected"),
        (GOOD.replace("year,place", "年份,地區").encode(), "column 'year' is missing; needed: year, place, indicator"),
    ],
)
def test_files_that_other_programs_saved_are_told_what_is_expected(tmp_path: Path, raw: bytes, says: str) -> None:
    """Another encoding, other signs between cells, names in Chinese: the message says what to save instead."""
    path = tmp_path / "observations.csv"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=says):
        observations.read(path, Region.only())


def test_marks_and_line_ends_of_windows_change_nothing(tmp_path: Path) -> None:
    """A table saved as CSV UTF-8 on Windows gives what it gives elsewhere."""
    path = tmp_path / "observations.csv"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    pd.testing.assert_frame_equal(observations.read(path, Region.only()), _read(tmp_path, GOOD))


def test_weights_move_quantiles() -> None:
    """With even weights the median is the median; with all weight on one member it is that member."""
    values = np.array([3.0, 1.0, 2.0])
    assert _quantile(values, np.full(3, 1 / 3), 0.5) == pytest.approx(2.0)
    assert _quantile(values, np.array([1.0, 0.0, 0.0]), 0.5) == pytest.approx(3.0)


def _toy_runs(vectors: list[dict[str, float]], lucks: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A region whose towns grow by what its only parameter says, and luck of a tenth of a percent."""

    def frame(growth: list[float]) -> pd.DataFrame:
        rows = [
            ("Pingliang", year, member, 1000.0, 400.0 * (1.0 + each) ** (year - 2020), 9.0, 8.0)
            for member, each in enumerate(growth)
            for year in range(2020, 2026)
        ]
        columns = ["place", "year", "member", "resident_population", "urban_population", "births", "deaths"]
        return pd.DataFrame(rows, columns=columns).set_index(["place", "year", "member"]).sort_index()

    growth = [vector["moving.home_utility"] / 10.0 for vector in vectors]
    return frame(growth), frame([growth[0] + 0.001 * number for number in range(lucks)])


def test_the_record_chooses_among_the_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weight goes to the vector that grew as published, the fan narrows, and a record beyond all is called outside."""
    monkeypatch.setattr(assimilation, "vectors_of", lambda *_: [{"moving.home_utility": x} for x in VECTORS])
    monkeypatch.setattr(assimilation._Runs, "of", lambda _, vectors, lucks: _toy_runs(vectors, lucks))
    urban = Region.only().census(2020, "urban_pop").sum()
    near = HEAD + f"2021,Pingliang,urban_residents,{urban * 1.02:.0f},persons,census 2020\n"
    found = assimilation.assimilate(_read(tmp_path, near), tmp_path, until=2025)
    assert found.weights.argmax() == VECTORS.index(0.2)
    assert 1.0 <= found.effective < len(VECTORS)
    assert found.narrowing < 1.0 and not found.record["outside"].any()
    far = HEAD + f"2021,Pingliang,urban_residents,{urban * 0.95:.0f},persons,census 2020\n"
    left = assimilation.assimilate(_read(tmp_path, far), tmp_path, until=2025)
    assert left.record["outside"].all() and left.too_few
    more = assimilation.assimilate(_read(tmp_path, near), tmp_path, until=2025, more=20)
    assert len(more.weights) == len(VECTORS) + 20 and more.effective > found.effective


def _taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, more: int = 0) -> assimilation.Update:
    """What figures do to the toy region."""
    monkeypatch.setattr(assimilation, "vectors_of", lambda *_: [{"moving.home_utility": x} for x in VECTORS])
    monkeypatch.setattr(assimilation._Runs, "of", lambda _, vectors, lucks: _toy_runs(vectors, lucks))
    return assimilation.assimilate(_read(tmp_path, HEAD + text), tmp_path, until=2025, more=more)


def _urban(growth: float) -> str:
    urban = Region.only().census(2020, "urban_pop").sum()
    return f"2021,Pingliang,urban_residents,{urban * (1.0 + growth):.0f},persons,census 2020\n"


def test_vectors_that_are_added_count_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was projected stays as it was, and the mean after many added vectors is that of the fitted ones.

    Between two vectors the record pulls towards the one that is nearer, by the likelihood once: the posterior mean of
    a smooth prior is what a fine grid over it gives, and not that of the likelihood squared.
    """
    text = _urban(0.024)
    first = _taken_in(tmp_path, monkeypatch, text)
    more = _taken_in(tmp_path, monkeypatch, text, 400)
    before = ["before_low", "before_median", "before_high"]
    assert more.fan[before].equals(first.fan[before])
    assert more.record.equals(first.record)
    # each fitted vector with those near it has a fifth of the prior
    at = np.array([vector["moving.home_utility"] for vector in more.vectors])
    step = np.std(VECTORS) / 3.0
    rng = np.random.default_rng(5)
    grid = np.clip(np.array(VECTORS)[:, None] + step * rng.normal(size=20_000), *_range()).ravel()
    width = np.hypot(0.004 * 1.024, 0.001 * np.sqrt(2.5 * 6 / 5))
    # the mean of the lucks is 0.2 points above the first one
    likely = np.exp(-0.5 * ((0.1 * grid + 0.002 - 0.024) / width) ** 2)
    true = float((grid * likely).sum() / likely.sum())
    assert float((at * more.weights).sum()) == pytest.approx(true, abs=0.004)


def _range() -> tuple[float, float]:
    fact = FactBook.load()["moving.home_utility"]
    return float(fact.low or 0.0), float(fact.high or 0.0)


def test_a_figure_that_follows_from_two_others_carries_no_weight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Residents and rate weigh; urban residents beside them are shown and change nothing."""
    region = Region.only()
    urban, rural = (float(region.census(2020, name).sum()) for name in ("urban_pop", "rural_pop"))
    two = f"2021,Pingliang,residents,{urban + rural:.0f},persons,census 2020\n"
    two += f"2021,Pingliang,urbanization_rate,{102 * urban / (urban + rural):.4f},percent,census 2020\n"
    one, other = (_taken_in(tmp_path, monkeypatch, text) for text in (two, two + _urban(0.02)))
    np.testing.assert_allclose(other.weights, one.weights)
    assert other.record["weighed"].tolist() == [True, True, False]
    assert _taken_in(tmp_path, monkeypatch, _urban(0.02)).record["weighed"].all()


def test_bands_hold_what_another_luck_gives() -> None:
    """Vectors run under one luck are moved to the mean of all; nine of ten truths under new luck lie in the band."""
    rng = np.random.default_rng(3)
    vectors, inside = np.linspace(-0.05, 0.05, 40), []
    for _ in range(400):
        lucks = rng.normal(size=5)
        low, _, high = assimilation._ends(vectors + lucks[0], lucks, np.full(40, 1 / 40))
        inside.append(low <= rng.normal() <= high)
    assert 0.86 < np.mean(inside) < 0.94


def test_observations_beyond_the_last_year_are_refused(tmp_path: Path) -> None:
    """The message names both years."""
    table = _read(tmp_path, HEAD + "2021,Pingliang,residents,182.47,10k persons,census 2020\n")
    with pytest.raises(InputError, match="2020 lies before the last observation, 2021"):
        assimilation.assimilate(table, tmp_path, until=2020)
