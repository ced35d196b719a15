"""A region package is read whole, and a broken one says what is broken."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from migrasim import region_checks, region_files
from migrasim.core.errors import InputError
from migrasim.inputs import to_2020_yuan
from migrasim.population import margins, work
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
    with pytest.raises(InputError, match=r"region\.yaml: no such file; a region is a folder"):
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
        (b"\xff\xfe\x00\x01\x80binary", "not a text file in UTF-8"),
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


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("region.yaml", "villages:", "vilages:", "vilages: unknown key; allowed: schema_version, .*'villages'"),
        ("region.yaml", "en: Kongtong, ", "", "counties.0.en: this key is missing"),
        ("region.yaml", "zh_hant: 崆峒區", "zh_hnt: 崆峒區", "counties.0.zh_hnt: unknown key; .*'zh_hant'"),
        ("region.yaml", "620881", "620802", "counties: code 620802 stands twice"),
        ("region.yaml", "en: Huating", "en: Kongtong", "counties: en 'Kongtong' stands twice"),
        ("region.yaml", "en: Huating", "en: Hua/ting", "'Hua/ting' has a slash"),
        ("region.yaml", "code: 620802", "code: true", "counties.0.code: a whole number is expected, not the truth"),
        ("region.yaml", "2025: 0.55", "2025: 55", "targets.2025: the number 55 is not allowed; allowed: at most 1"),
        ("region.yaml", "village_km_h: 30", "village_km_h: 0", "village_km_h: the number 0 is not allowed; .* above 0"),
        ("region.yaml", "village_km_h: 30", "village_km_h: x", "a number is expected, not the text 'x'"),
        ("region.yaml", "road_factor: 1.25", "road_factor: 0.5", "road_factor: .*allowed: at least 1"),
        ("region.yaml", "id: red_cattle", "id: coal_conversion", "chains: 'coal_conversion' stands twice"),
        ("region.yaml", "[MINING, POWER_HEAT_GAS_WATER]", "[MINNG]", "sector 'MINNG' is unknown; .*'MINING'"),
        ("region.yaml", "[MINING, POWER_HEAT_GAS_WATER]", "[]", "sectors: .* not an empty list"),
        ("region.yaml", "    Jingning: {", "    Jining: {", "land_mu_per_rural_person: 'Jining' is no county"),
        ("region.yaml", "indicator: births", "indicator: brths", "record.births: no indicator 'brths' .*'births'"),
        (
            "region.yaml",
            "zh: 平凉市}",
            "zh: 平京市}",
            "prefecture.zh: no row of '平京市' in city_annual.csv; .*'平凉市'",
        ),
        ("region.yaml", "value: 828400", "value: 8284000", "urban_registered_2020: .* is more than"),
        ("region.yaml", "name: pingliang", "name： pingliang", "region.yaml, line 4: not valid YAML"),
        ("region.yaml", "schema_version: 1", "schema_version: 1\nname: x", "key 'name' stands twice"),
        ("tables/distance_great_circle_km.csv", ",36.1,", ",-36.1,", "from Kongtong to Huating: -36.1 is not allowed"),
        ("tables/distance_great_circle_km.csv", ",36.1,", ",far,", "'far' is no number"),
        ("tables/distance_great_circle_km.csv", ",36.1,", ",90,", "90 one way and 36.1 the other"),
        ("tables/distance_great_circle_km.csv", "Jingchuan,67", "Jing,67", "no row 'Jingchuan'"),
        ("tables/cpi.csv", "2013,2.6", "2013,-150", "2013: -150.0 is not allowed; allowed: -20 to 50 percent"),
        ("tables/cpi.csv", "2013,2.6", "2013,102.6", "not an index"),
        ("tables/cpi.csv", "2013,2.6", "2012,2.6", "2012 stands twice"),
        ("tables/cpi.csv", "2013,2.6,", "2013.5,2.6,", "year: .* is no year"),
        ("tables/county_2020.csv", ",250802,253463,", ",1,253463,", "male, female of Kongtong do not add up"),
        ("tables/county_2020.csv", ",37397,78481,", ",78482,78481,", "hh_1_person of Kongtong come to more"),
        ("tables/county_2020.csv", ",11.46,36.41,", ",1146,36.41,", "tenure_rent_pct_calc of Kongtong: 1146 is not"),
        ("tables/county_2020.csv", ",33616,121119,", ",,121119,", "edu_none of Kongtong: is empty"),
        ("tables/county_seats.csv", ",1936,", ",-1936,", "area_km2 of Kongtong: -1936 is not allowed"),
        ("tables/chain_jobs_2020.csv", ",4100,", ",-4,", "line 2: jobs: -4 is not allowed"),
        ("tables/chain_jobs_2020.csv", "Kongtong,coal", "Kongtng,coal", "line 2: county 'Kongtng' is unknown"),
        ("tables/labour_demography.csv", ",pop_age_0-4_male,", ",pop_age_0_4_male,", "no row 'pop_age_0-4_male'"),
    ],
)
def test_each_thing_that_a_region_may_have_wrong_is_named(
    broken: Path, file: str, old: str, new: str, message: str
) -> None:
    """Wrong keys, names, numbers and sums are told with file, key or line, and a run from there is refused, too."""
    _edit(broken / file, old, new)
    if message.startswith("no row 'pop_age"):
        path = broken / file  # the first row of the indicator is the whole region's
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    found = validate(broken)
    assert any(re.search(message, one) for one in found), found
    assert all(one.startswith(str(broken / file.split("/")[0])) and "\n" not in one for one in found)
    with pytest.raises(InputError):
        Region.load(broken)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        ("{nope", "is no valid GeoJSON: Expecting"),
        ("[]", "a FeatureCollection with features is expected"),
        ('{"features": [{}]}', "features.0: properties.adcode is missing"),
        ('{"features": []}', "no outline of Kongtong .620802."),
        (
            '{"features": [{"properties": {"adcode": 620802, "name_en": "Kongtong"}, "geometry": {}}]}',
            "geometry: a Pol",
        ),
    ],
)
def test_a_broken_map_is_named(broken: Path, content: str | None, message: str) -> None:
    """The map is read by pages and reports long after the region: it is looked at with the rest."""
    path = broken / "map.geojson"
    path.unlink() if content is None else path.write_text(content, encoding="utf-8")
    found = validate(broken)
    assert any(one.startswith(str(path)) and re.search(message, one) for one in found), found


def test_rows_with_more_cells_than_names_are_refused(broken: Path) -> None:
    """Nothing is read under a wrong name where every row has a cell too many."""
    path = broken / "tables" / "chain_jobs_2020.csv"
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([head, *(f"{row},x" for row in rows)]) + "\n", encoding="utf-8")
    assert "chain_jobs_2020.csv: its rows have more cells than its first line has names" in validate(broken)[0]


def test_a_column_that_stands_twice_is_refused(broken: Path) -> None:
    """Nobody can tell which of the two was meant, so the first is not taken without a word."""
    path = broken / "tables" / "county_2020.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    k = lines[0].split(",").index("urban_pop")
    path.write_text("\n".join(f"{line},{line.split(',')[k]}" for line in lines) + "\n", encoding="utf-8")
    assert "county_2020.csv: column 'urban_pop' stands twice; keep one" in validate(broken)[0]


def test_a_table_of_semicolons_says_so(broken: Path) -> None:
    """Spreadsheets of some countries write them; a missing column would not tell what to do."""
    path = broken / "tables" / "cpi.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    assert "cpi.csv: its cells are separated by ';'; commas are expected" in validate(broken)[0]


def test_what_windows_writes_is_read(broken: Path) -> None:
    """Marks of the byte order, other ends of lines and blanks around the names of columns change nothing."""
    for path in (broken / "region.yaml", broken / "tables" / "cpi.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n").replace(b"year,", b"year ,"))
    assert validate(broken) == []


def test_fitted_vectors_stay_in_the_range_of_their_facts(broken: Path) -> None:
    """A fact that is none, and a value far out, are found before a run takes them."""
    path = broken / "fit" / "ensemble.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("moving.inside_cost_utility", "moving.nope", 1), encoding="utf-8")
    assert "ensemble.csv: unknown fact 'moving.nope'" in validate(broken)[0]
    head, first, *others = text.splitlines()
    number, _, *more = first.split(",")
    path.write_text("\n".join([head, ",".join([number, "1e9", *more]), *others]) + "\n", encoding="utf-8")
    assert "vector 0: " in validate(broken)[0] and "1e+09 is not allowed" in validate(broken)[0]


def test_rows_that_the_population_is_made_of_are_looked_for(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `validate` asks of labour_demography.csv is what the synthesis reads, no more and no less."""
    read: set[tuple[str, int]] = set()
    plain = Region.long

    def long(self: Region, indicator: str, year: int, missing: float | None = None) -> np.ndarray:
        if missing is None:
            read.add((indicator, year))
        return plain(self, indicator, year, missing)

    monkeypatch.setattr(Region, "long", long)
    for base in region_checks.BASES:
        margins.read(region, base)
        work.employment(region, base, np.full(region.n_counties, 1000.0))
    rows = {
        (name, base) for base in region_checks.BASES for name in (*region_checks.LONG[base], *region_files.AGE_ROWS)
    }
    assert read == rows


def test_broken_yaml_and_missing_keys_are_named(broken: Path) -> None:
    """region.yaml must be a mapping with all its keys."""
    path = broken / "region.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("core_county: Kongtong", "core_county: Kongtang"), encoding="utf-8")
    with pytest.raises(InputError, match="did you mean 'Kongtong'"):
        Region.load(broken)
    path.write_text(text.replace("core_county: Kongtong\n", ""), encoding="utf-8")
    with pytest.raises(InputError, match="core_county: this key is missing"):
        Region.load(broken)
    path.write_text("a: [1, ", encoding="utf-8")
    with pytest.raises(InputError, match="not valid YAML"):
        Region.load(broken)
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="the file is empty"):
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
