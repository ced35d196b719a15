"""A region package is read whole, and a broken one says what is broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from migrasim import region_files
from migrasim.core.errors import InputError
from migrasim.inputs import to_2020_yuan
from migrasim.region import REGIONS, Region, describe, validate, write_template


@pytest.fixture(scope="module")
def region() -> Region:
    return Region.load("pingliang")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    folder = tmp_path / "region"
    shutil.copytree(REGIONS / "pingliang", folder)
    return folder


def test_places_and_communities_are_numbered_as_agreed(region: Region) -> None:
    """Places go county by county and tier by tier, then near and far; communities villages first."""
    assert region.n_places == 23
    assert region.place("Jingning/seat") == 20
    assert region.place_names[region.near :] == ["near", "far"]
    assert region.core == region.place("Kongtong/seat")
    assert region.n_communities == 1455 + 14 + 2
    assert len(set(region.community_names)) == region.n_communities
    assert region.community("Huating/town") == 1455 + 2
    assert region.community_county[-2:].tolist() == [-1, -1]


def test_villages_are_the_registered_ones(region: Region) -> None:
    """Every county has its published number of villages and townships."""
    villages = np.bincount(region.villages["county"], minlength=7)
    assert villages.tolist() == region.long("village_committees", 2023).astype(int).tolist()
    kinds = [township.kind for township in region.townships]
    assert (kinds.count("town"), kinds.count("township"), kinds.count("subdistrict")) == (70, 32, 11)


def test_travel_times_are_plausible(region: Region) -> None:
    """Zero at home, positive elsewhere, seats symmetric, the published roads 1.2 to 1.3 times the straight line."""
    minutes = region.travel_min
    assert np.array_equal(np.diag(minutes), np.zeros(23))
    assert (minutes[~np.eye(23, dtype=bool)] > 0).all()
    seats = minutes[2:21:3, 2:21:3]
    assert np.allclose(seats, seats.T)
    assert (minutes[:21, region.far] > minutes[:21, region.near]).all()
    villages = region.community_travel_min[: region.n_villages]
    own_seat = villages[np.arange(region.n_villages), 3 * region.villages["county"].astype(int) + 2]
    assert np.allclose(own_seat, region.villages["travel_seat_min"])


def test_census_figures_are_those_of_the_tables(region: Region) -> None:
    """Counties add up to the prefecture's row, ages to residents, for both censuses."""
    for base, total in ((2020, 1848607), (2010, 2068033)):
        assert region.census(base, "resident_pop").sum() == total
        assert region.age_by_sex(base).sum() == total
    assert region.split_weights.sum() == pytest.approx(1.0)
    assert region.record["births"] == {2021: 17300.0, 2022: 15100.0}
    assert 2018 not in region.record["residents"]
    assert region.cpi[2020] == 2.5 and region.cpi[2021] == 0.9  # percent over the year before
    # a hundred yuan of 2012 buy what 118 yuan buy in 2020: the changes of 2013 to 2020 one after the other
    level = 1.026 * 1.02 * 1.014 * 1.02 * 1.016 * 1.021 * 1.029 * 1.025
    assert to_2020_yuan(100.0, 2012, region.cpi) == pytest.approx(100 * level)
    assert region.chain_jobs[region.county("Jingning"), region.chain("jingning_apple")] == 35000
    assert region.targets == {2025: 0.55, 2035: 0.70}


def test_counties_are_found_by_any_name(region: Region) -> None:
    """English, Chinese and code mean the same county; an unknown one names the nearest."""
    assert region.county("静宁县") == region.county("靜寧縣") == region.county(620826) == 6
    with pytest.raises(InputError, match="did you mean 'Jingning'"):
        region.county("Jinging")


def test_unknown_region_names_the_nearest() -> None:
    """A misspelt region is answered with the shipped one; a folder without region.yaml with what is missing."""
    with pytest.raises(InputError, match="known: pingliang; did you mean 'pingliang'"):
        Region.load("pinglian")
    with pytest.raises(InputError, match=r"no region\.yaml"):
        Region.load(str(REGIONS))


def test_missing_table_is_named(broken: Path) -> None:
    """A table that is not there is named with its path."""
    (broken / "tables" / "county_2010.csv").unlink()
    with pytest.raises(InputError, match=r"county_2010\.csv: table 'county_2010' is missing"):
        Region.load(broken)


def test_missing_column_is_named(broken: Path) -> None:
    """A column that is not there is named with the nearest one."""
    path = broken / "tables" / "county_2020.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("urban_pop", "urbn_pop", 1), encoding="utf-8")
    with pytest.raises(InputError, match="column 'urban_pop' is missing; did you mean 'urbn_pop'"):
        Region.load(broken)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no readable csv"),
        (b"\xff\xfe\x00\x01\x80binary", "no readable csv"),
        (b"a,b\n1,2,3,4\n1\n2,2,2,2,2,2\n", "csv"),
    ],
)
def test_broken_csv_is_one_message(broken: Path, content: bytes, message: str) -> None:
    """An empty, a binary and a ragged table each give one message with the file's name."""
    (broken / "tables" / "cpi.csv").write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        Region.load(broken)
    assert "cpi.csv" in str(caught.value) and "\n" not in str(caught.value)


def test_counts_that_do_not_add_up_are_refused(broken: Path) -> None:
    """Urban and rural residents must be the residents."""
    path = broken / "tables" / "county_2020.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",332399,", ",332398,", 1), encoding="utf-8")
    with pytest.raises(InputError, match="of Kongtong do not add up"):
        Region.load(broken)


def test_words_where_numbers_belong_are_refused(broken: Path) -> None:
    """A word in a column of numbers is shown with county and column."""
    path = broken / "tables" / "county_2020.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",332399,", ",many,", 1), encoding="utf-8")
    with pytest.raises(InputError, match="urban_pop of Kongtong: 'many' is no number"):
        Region.load(broken)


def test_codes_that_are_none_and_codes_given_twice_are_refused(broken: Path) -> None:
    """A county is found by its code, once; a code that is no number is no defect."""
    path = broken / "tables" / "county_2020.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("620802,", "many,", 1), encoding="utf-8")
    assert "no row with adcode 620802" in validate(broken)[0]
    twice = next(line for line in text.splitlines() if line.startswith("620802,"))
    path.write_text(f"{text.rstrip()}\n{twice}\n", encoding="utf-8")
    assert "stands twice" in validate(broken)[0]


def test_prices_and_vectors_that_are_no_numbers_are_found(broken: Path) -> None:
    """What only a later run would read is checked, too."""
    path = broken / "tables" / "cpi.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("2012,2.6", "2012,many", 1), encoding="utf-8")
    assert "cpi.csv: is no readable table of numbers" in validate(broken)[0]


def test_broken_yaml_and_missing_keys_are_named(broken: Path) -> None:
    """region.yaml must be a mapping with all its keys."""
    path = broken / "region.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("core_county: Kongtong", "core_county: Kongtang"), encoding="utf-8")
    with pytest.raises(InputError, match="did you mean 'Kongtong'"):
        Region.load(broken)
    path.write_text(text.replace("core_county: Kongtong\n", ""), encoding="utf-8")
    with pytest.raises(InputError, match="'core_county' is missing"):
        Region.load(broken)
    path.write_text("a: [1, ", encoding="utf-8")
    with pytest.raises(InputError, match="no valid YAML"):
        Region.load(broken)
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="is empty or no mapping"):
        Region.load(broken)


def test_validate_lists_every_problem(broken: Path) -> None:
    """A whole region has none; two missing tables give two messages."""
    assert validate(broken) == []
    for name in ("cpi", "chains"):
        (broken / "tables" / f"{name}.csv").unlink()
    problems = validate(broken)
    assert len(problems) == 2
    assert "cpi.csv" in " ".join(problems) and "chains.csv" in " ".join(problems)


def test_template_holds_every_table_and_is_said_to_be_blank(tmp_path: Path) -> None:
    """A blank template has all headers; validating it says that the tables hold no rows."""
    folder = write_template(tmp_path / "blank")
    for name, columns in region_files.COLUMNS.items():
        assert (folder / "tables" / f"{name}.csv").read_text(encoding="utf-8").strip() == ",".join(columns)
    assert all("no rows" in problem for problem in validate(folder))
    with pytest.raises(InputError, match="not empty"):
        write_template(folder)


def test_description_has_a_source_for_every_table(region: Region) -> None:
    """Every table is described with rows, completeness and source."""
    rows = [row for row in describe(region) if str(row["item"]).startswith("table ")]
    assert len(rows) == len(region.tables)
    assert all(row["source"] and 0 < row["complete"] <= 1 for row in rows)


def test_hash_follows_the_content(broken: Path, region: Region) -> None:
    """The same content has the same hash wherever it lies; a changed figure changes it."""
    assert Region.load(broken).region_hash == region.region_hash
    path = broken / "tables" / "cpi.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0.9", "1.0", 1), encoding="utf-8")
    assert Region.load(broken).region_hash != region.region_hash


def test_code_names_no_region() -> None:
    """No source file outside the region packages holds the name of a shipped region's county."""
    region = Region.load("pingliang")
    names = [
        region.title["en"],
        *(word for county in region.counties for word in (county.en, county.zh, county.zh_hant)),
    ]
    here = REGIONS.parent
    found = [
        (path.name, name)
        for path in sorted(here.rglob("*.py"))
        for name in names
        if name in path.read_text(encoding="utf-8")
    ]
    assert found == []
