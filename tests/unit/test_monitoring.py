"""The page of a year: published against projected, with the targets."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from migrasim.analysis.assimilation import Update
from migrasim.core.errors import InputError
from migrasim.present import monitoring
from migrasim.region import Region


def _update(place: str = "Pingliang") -> Update:
    """Two years observed, one of them far off, and a fan that halves."""
    record = pd.DataFrame(
        [
            (2021, place, "urbanization_rate", 0.4602, 0.456, 0.452, 0.461, False, "a bulletin"),
            (2022, place, "urbanization_rate", 0.4679, 0.470, 0.465, 0.475, False, "a bulletin"),
            (2022, place, "births", 15_100.0, 19_000.0, 18_000.0, 20_000.0, True, "a bulletin"),
        ],
        columns=["year", "place", "indicator", "value", "projected", "low", "high", "outside", "source"],
    ).assign(weighed=True)
    fan = pd.DataFrame(
        [
            (year, indicator, m - 4 * w, m, m + 4 * w, m - 2 * w, m, m + 2 * w)
            for indicator, m, w in (("urbanization_rate", 0.5, 0.01), ("urban_population", 9e5, 1e4))
            for year in (2021, 2025, 2030, 2035)
        ],
        columns=[
            *("year", "indicator", "before_low", "before_median", "before_high"),
            *("after_low", "after_median", "after_high"),
        ],
    )
    return Update(record, np.array([0.5, 0.5, 0.0, 0.0]), fan, 2.0, [{}] * 4)


def test_the_page_says_what_was_published_projected_and_aimed_at() -> None:
    """Figures, bands, targets and the warning stand there; the page points to nothing outside itself."""
    text = monitoring.page(_update(), Region.only(), 2022, "en", "migrasim report x --monitoring 2022")
    for part in ("46.79 %", "47.00 %", "15,100", "OUTSIDE the band", "55.00 %", "70.00 %", "Warning: 1 of 2", "<svg"):
        assert part in text
    assert "50 percent narrower" in text
    assert "<td>-0.21 points</td>" in text.replace(' class="number"', "")
    assert "migrasim report x --monitoring 2022" in text
    assert not re.search(r"(?:src|href)=\"(?!#)", text)


def test_the_page_says_which_targets_it_leaves_out() -> None:
    """Nobody takes the page for the whole of the plan's targets, in either language."""
    assert "follows the resident rate alone" in monitoring.page(_update(), Region.only(), 2022, "en", "x")
    assert "只監測常住人口城鎮化率" in monitoring.page(_update(), Region.only(), 2022, "zh-Hant", "x")


def test_the_page_says_which_figures_carry_no_weight() -> None:
    """It does where there are any, and is silent where there are none."""
    update, phrase = _update(), "would count what was published again"
    assert phrase not in monitoring.page(update, Region.only(), 2022, "en", "x")
    update.record["weighed"] = [True, False, True]
    assert f"{phrase} and is only shown (1 figures)" in monitoring.page(update, Region.only(), 2022, "en", "x")


def test_a_fan_that_did_not_narrow_is_called_so() -> None:
    """No page speaks of a fan that is minus two percent narrower."""
    update = _update()
    update.fan["after_low"] = update.fan["before_low"]
    update.fan["after_high"] = update.fan["before_high"] * 1.02
    text = monitoring.page(update, Region.only(), 2022, "en", "x")
    assert "is no narrower" in text and "percent narrower" not in text


def test_the_page_speaks_chinese() -> None:
    """Heads, sentences and titles of indicators are there in traditional and simplified characters."""
    assert "年度監測" in monitoring.page(_update(), Region.only(), 2022, "zh-Hant", "x")
    assert "年度监测" in monitoring.page(_update(), Region.only(), 2022, "zh-Hans", "x")


def test_places_of_the_record_are_chinese_in_chinese() -> None:
    """A county is called what its readers call it, in the table of what was published, too."""
    text = monitoring.page(_update("Kongtong"), Region.only(), 2022, "zh-Hant", "x")
    assert "崆峒區" in text and "Kongtong" not in text


@pytest.mark.parametrize("lang", ["en", "zh-Hant", "zh-Hans"])
def test_the_chart_is_drawn_for_a_phone_too(lang) -> None:
    """Wide and narrow with ids of their own, whole years, and the source below the narrow one where it can be read."""
    text = monitoring.page(_update(), Region.only(), 2022, lang, "x")
    figure = text[text.index('<figure id="chart-fan">') : text.index("</figure>")]
    wide, narrow = (float(box) for box in re.findall(r'viewBox="0 0 ([\d.]+) [\d.]+"', figure))
    assert wide > 2 * narrow and figure.count('class="wide"') == figure.count('class="narrow"') == 1
    ids = re.findall(r'\bid="([^"]+)"', figure)
    assert len(ids) == len(set(ids)) and figure.count("<small>") == 1 and "migrasim</small>" in figure
    assert re.search(r"<!-- 20\d\d -->", figure) and not re.search(r"<!-- 20\d\d\.\d -->", figure)


def test_names_in_files_do_no_harm() -> None:
    """What stands in a file of observations is escaped."""
    text = monitoring.page(_update("<script>alert(1)</script>"), Region.only(), 2022, "en", "<b>")
    assert "<script>" not in text and "<b>" not in text


def test_a_year_without_observations_is_refused() -> None:
    """The message names the years that there are."""
    with pytest.raises(InputError, match="2021, 2022"):
        monitoring.page(_update(), Region.only(), 2023, "en", "x")
