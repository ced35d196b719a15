"""The synthetic population meets every published marginal, and its rows make sense."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from migrasim import population
from migrasim.core.codes import Activity, Kind, Schooling, Sector, Tenure
from migrasim.core.errors import InputError
from migrasim.facts import FactBook
from migrasim.population import Population, raking
from migrasim.population.fit import EXACT, patterns
from migrasim.population.tables import HOUSEHOLDS, PERSONS, empty
from migrasim.region import Region

COUNTY_TOTALS = [
    "residents",
    "male",
    "female",
    "urban residents",
    "rural residents",
    "family households",
    "people in family households",
    "one-person households",
    "households of 4plus generations",
    "registered elsewhere: same county",
    "registered elsewhere: other county of the province",
    "registered elsewhere: other province",
    "men aged 85+",
    "women aged 0-4",
]


@pytest.fixture(scope="module")
def region() -> Region:
    return Region.load("pingliang")


@pytest.fixture(scope="module", params=[2020, 2010])
def pop(request: pytest.FixtureRequest, region: Region) -> Population:
    return population.load(region, base=request.param)


@pytest.fixture(scope="module")
def pop2020(region: Region) -> Population:
    return population.load(region)


def _place(pop: Population) -> np.ndarray:
    h = pop.persons["household"]
    away = pop.persons["is_away"] == 1
    return np.where(away, pop.households["away_place"][h], pop.households["place"][h]).astype(np.int64)


def _age(pop: Population) -> np.ndarray:
    return pop.base - pop.persons["birth_year"].astype(np.int64)


def test_county_totals_are_exact_to_the_person(pop: Population) -> None:
    """Residents, sexes, urban and rural, households, ages and registration elsewhere hold in every county."""
    fit = pop.fit[pop.fit["how"] == EXACT]
    assert set(COUNTY_TOTALS) <= set(fit["marginal"])
    assert (fit["error"] == 0).all(), fit[fit["error"] != 0].to_string()
    assert (fit.groupby("marginal")["county"].nunique() == 8).all()


def test_every_published_marginal_is_in_tolerance(pop: Population) -> None:
    """Schooling within 0.5 percent or 5 persons, work and tenure within the long form's sampling error."""
    fit = pop.fit[pop.fit["how"] != "soft constraint"]
    assert fit["ok"].all(), fit[~fit["ok"]].to_string()


def test_registered_totals_are_those_of_the_plan(pop2020: Population, region: Region) -> None:
    """2,325,500 registered, 828,400 of them urban, 1,848,607 residents; the absent are what is left."""
    home = pop2020.households["home_place"][pop2020.persons["household"]].astype(int)
    registered = home < region.inside
    absent = registered & (_place(pop2020) >= region.inside)
    urban = pop2020.households["hukou_urban"][pop2020.persons["household"]] == 1
    assert abs(registered.sum() - 2325500) <= 5
    assert abs((urban & registered).sum() - 828400) <= 5
    assert abs(absent.sum() - 558169) <= 5


def test_columns_are_those_of_the_dictionary(pop: Population) -> None:
    """Names, order and dtypes as in the data dictionary; one length a table; persons sorted by household."""
    for columns, table in ((PERSONS, pop.persons), (HOUSEHOLDS, pop.households)):
        assert list(table) == [column.name for column in columns]
        assert all(table[column.name].dtype == column.dtype for column in columns)
        assert len({values.size for values in table.values()}) == 1
    assert (np.diff(pop.persons["household"]) >= 0).all()
    first, members = population.index(pop.persons["household"], pop.households["key"].size)
    assert members.min() >= 1 and members.sum() == pop.persons["key"].size
    assert (pop.persons["household"][first] == np.arange(first.size)).all()


def test_keys_are_unique(pop: Population) -> None:
    """No two persons, no two households share luck."""
    assert np.unique(pop.persons["key"]).size == pop.persons["key"].size
    assert np.unique(pop.households["key"]).size == pop.households["key"].size


def test_places_of_parts_are_consistent(pop: Population, region: Region) -> None:
    """Away members exist where and only where the household has an away place; each part holds somebody."""
    h, rows = pop.persons["household"], pop.households["key"].size
    away = np.bincount(h[pop.persons["is_away"] == 1], minlength=rows)
    main = np.bincount(h[pop.persons["is_away"] == 0], minlength=rows)
    away_place = pop.households["away_place"]
    assert ((away > 0) == (away_place >= 0)).all()
    assert (main > 0).all()
    assert (away_place != pop.households["place"]).all()
    assert not (pop.households["place"] >= region.inside)[away > 0].any()
    assert ((pop.households["away_since_year"] > 0) == (away_place >= 0)).all()
    assert (pop.persons["since_year"] >= pop.persons["birth_year"]).all()
    assert (pop.persons["since_year"] <= pop.base).all()


def test_collective_households_are_one_person_each(pop: Population) -> None:
    """People outside family households stand alone, inside, in dormitories, grown up."""
    single = pop.households["kind"] == Kind.COLLECTIVE
    members = np.bincount(pop.persons["household"], minlength=single.size)
    assert (members[single] == 1).all()
    assert (pop.households["tenure"][single] == Tenure.DORMITORY).all()
    assert (_age(pop)[single[pop.persons["household"]]] >= 15).all()


def test_homes_and_communities_agree(pop: Population, region: Region) -> None:
    """A home in a village has a village of the same county; town, seat and outside homes have theirs."""
    home, community = pop.households["home_place"].astype(int), pop.households["community"].astype(int)
    village = (home < region.inside) & (home % 3 == 0)
    assert (region.community_county[community[village]] == home[village] // 3).all()
    assert (community[village] < region.n_villages).all()
    urban = (home < region.inside) & ~village
    assert (community[urban] == region.n_villages + 2 * (home[urban] // 3) + home[urban] % 3 - 1).all()
    outside = home >= region.inside
    assert (community[outside] == region.n_villages + 2 * 7 + home[outside] - region.inside).all()
    assert (pop.households["has_homestead"][~village] == 0).all()
    assert (pop.households["land_mu"][~village] == 0).all()


def test_couples_are_a_man_and_a_woman_of_like_age(pop: Population) -> None:
    """A couple is two grown people of opposite sex; husbands are mostly 2 years younger to 6 years older."""
    married = np.flatnonzero(pop.persons["couple"] > 0)
    number = pop.persons["household"][married].astype(np.int64) * 8 + pop.persons["couple"][married]
    order = married[np.argsort(number, kind="stable")].reshape(-1, 2)
    assert (np.sort(number).reshape(-1, 2)[:, 0] == np.sort(number).reshape(-1, 2)[:, 1]).all()
    sex, age = pop.persons["sex"], _age(pop)
    assert (sex[order[:, 0]] != sex[order[:, 1]]).all()
    assert age[married].min() >= 18
    gap = np.where(sex[order[:, 0]] == 0, 1, -1) * (age[order[:, 0]] - age[order[:, 1]])
    assert ((gap < -3) | (gap > 7)).mean() < 0.003


def test_children_live_with_grown_people(pop: Population) -> None:
    """No child below 15 lives in a part of a family without somebody of 16 and more."""
    assert patterns(pop, pop.region)["children without an adult in their part"] == 0


def test_mothers_are_of_an_age_to_be_mothers(pop: Population) -> None:
    """Women of the middle generation are 18 to 45 years older than the children, but for two in a thousand."""
    persons, h = pop.persons, pop.persons["household"]
    age = _age(pop)
    family = pop.households["kind"][h] == Kind.FAMILY
    women = np.flatnonzero((persons["generation"] == 2) & (persons["sex"] == 1) & family)
    mother = np.full(pop.households["key"].size, -1)
    mother[h[women]] = women
    child = np.flatnonzero((persons["generation"] == 3) & (mother[h] >= 0))
    gap = age[mother[h[child]]] - age[child]
    assert ((gap < 18) | (gap > 45)).mean() < 0.002
    assert gap.min() > 0


def test_seats_are_younger_than_villages(pop2020: Population) -> None:
    """Seats have more children and fewer old people than villages, both by over five points (P24)."""
    found = patterns(pop2020, pop2020.region)
    assert found["children in seat"] - found["children in village"] > 0.05
    assert found["people of 65 and over in village"] - found["people of 65 and over in seat"] > 0.05


def test_activities_fit_ages_and_jobs(pop: Population, region: Region) -> None:
    """Jobs of sectors are inside, chains stand in their sectors, children do not work, farmers farm."""
    persons, age, resident = pop.persons, _age(pop), _place(pop) < region.inside
    works = persons["sector"] > 0
    assert not (works & ~resident).any()
    assert age[works].min() >= 16
    assert np.isin(persons["activity"][works], [Activity.WORKER, Activity.FARMER]).all()
    assert (persons["sector"][persons["activity"] == Activity.FARMER] == Sector.AGRICULTURE).all()
    assert (persons["activity"][age < 6] == Activity.CHILD).all()
    for chain in region.chains:
        sectors = persons["sector"][persons["chain"] == chain.number]
        assert np.isin(sectors, [int(sector) for sector in chain.sectors]).all()
    grown = age >= 18
    assert (persons["schooling"][grown] != Schooling.UNDER_AGE).all()
    assert (persons["schooling"][age < 12] <= Schooling.PRIMARY).all()


def test_pupils_are_at_a_school_of_their_age(pop: Population) -> None:
    """Nobody is at a school that the year's rules would send away, nor has finished one before its time."""
    facts = FactBook.load()
    college, left, last = (
        facts.value(f"demography.{name}_age_yr") for name in ("college", "college_leave", "bachelor_leave")
    )
    age = pop.base - pop.persons["birth_year"].astype(np.int64)
    schooling, pupil = pop.persons["schooling"], pop.persons["activity"] == Activity.PUPIL
    assert (age[pupil] < last).all() and (schooling[pupil & (age >= college)] >= Schooling.COLLEGE).all()
    assert (schooling[pupil & (age >= 15) & (age < college)] == Schooling.SENIOR).all()
    assert (schooling[(age < college)] <= Schooling.SENIOR).all()
    assert (schooling[~pupil & (age < left)] <= Schooling.SENIOR).all()
    assert (schooling[pupil & (age >= left)] == Schooling.BACHELOR).all()
    outside = (
        np.where(
            pop.persons["is_away"] == 1,
            pop.households["away_place"][pop.persons["household"]],
            pop.households["place"][pop.persons["household"]],
        )
        >= 3 * pop.region.n_counties
    )
    student = (age >= college) & (age < left)
    assert pupil[student & outside].mean() > 1.5 * pupil[student & ~outside].mean()


def test_dwellings_are_counted_inside_only(pop: Population, region: Region) -> None:
    """Every part inside has a dwelling, no part outside has one."""
    for place, tenure in (("place", "tenure"), ("away_place", "away_tenure")):
        inside = (pop.households[place] >= 0) & (pop.households[place] < region.inside)
        assert ((pop.households[tenure] > 0) == inside).all()


def residents(pop: Population, region: Region) -> np.ndarray:
    """(inside,) persons by the place where they live, in rows."""
    home, away = pop.households["place"], pop.households["away_place"]
    household = pop.persons["household"]
    lives = np.where(pop.persons["is_away"] > 0, away[household], home[household])
    return np.bincount(lives, minlength=region.inside)[: region.inside]


def test_a_smaller_sample_is_a_subset_of_a_larger_one(region: Region, pop2020: Population) -> None:
    """Samples draw whole households, as many as their share of every place and size, and carry their weight."""
    small, large = population.load(region, sample=0.02), population.load(region, sample=0.1)
    assert np.isin(small.households["key"], large.households["key"]).all()
    assert np.isin(large.persons["key"], pop2020.persons["key"]).all()
    assert small.weight == 50.0
    assert large.fit["ok"].mean() > 0.98
    size = pop2020.households["key"].size
    assert abs(large.households["key"].size - 0.1 * size) <= 2
    everybody = residents(pop2020, region)
    for sample in (small, large):
        off = sample.weight * residents(sample, region) - everybody
        assert np.abs(off).max() <= 20 * sample.weight  # a random draw is off by some 200
        urban = np.arange(region.inside) % 3 > 0
        assert abs(off[urban].sum()) / everybody.sum() < 0.001
    _, members = population.index(large.persons["household"], large.households["key"].size)
    whole = np.isin(pop2020.households["key"], large.households["key"])
    assert members.sum() == whole[pop2020.persons["household"]].sum()


@pytest.mark.slow
def test_cache_returns_the_same_bytes(
    region: Region, pop2020: Population, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A second load reads what the first one built; a build in an empty cache gives the same bytes again."""
    again = population.load(region)
    assert all(np.array_equal(again.persons[name], pop2020.persons[name]) for name in pop2020.persons)
    monkeypatch.setenv("MIGRASIM_CACHE", str(tmp_path))
    fresh = population.load(region)
    for table in ("persons", "households"):
        for name, column in getattr(fresh, table).items():
            assert column.tobytes() == getattr(pop2020, table)[name].tobytes(), name
    assert len(list((tmp_path / "population").iterdir())) == 1


DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "torn": ("persons.key.npy", lambda _: b"torn"),
    "emptied": ("persons.key.npy", lambda _: b""),
    "zeroed": ("persons.key.npy", lambda data: bytes(len(data))),
    "numbers zeroed": ("persons.key.npy", lambda data: data[:128] + bytes(len(data) - 128)),
    "one byte": ("households.key.npy", lambda data: data[:-1] + b"\7"),
    "an archive": ("persons.key.npy", lambda _: b"PK\3\4 none"),
    "another column": ("persons.key.npy", lambda data: data.replace(b"(3,)", b"(2,)")[:-8]),
    "no listing": ("columns.json", lambda _: b""),
    "another listing": ("columns.json", lambda _: b'{"persons": ["key"], "households": ["key"]}'),
    "fewer columns": ("columns.json", lambda data: data.split(b"\n")[0] + b'\n{"persons": {}, "households": {}}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_built_anew(
    region: Region, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: str
) -> None:
    """Of a folder in which a byte is not what was written nothing is believed, of the whole as of a sample."""
    from migrasim.population import synthesis

    monkeypatch.setenv("MIGRASIM_CACHE", str(tmp_path))
    built = []

    def build(*_: object) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        built.append(1)
        persons, households = empty(PERSONS, 3), empty(HOUSEHOLDS, 3)
        persons["key"][:] = persons["household"][:] = households["key"][:] = range(3)
        return persons, households

    monkeypatch.setattr(synthesis, "build", build)
    key = population.load(region).key
    population.load(region)
    assert len(built) == 1
    name, change = DAMAGES[damage]
    path = tmp_path / "population" / key / name
    path.write_bytes(change(path.read_bytes()))
    assert population.load(region).persons["key"].tolist() == [0, 1, 2]
    assert len(built) == 2
    share = population.load(region, sample=0.9).persons["key"].tolist()
    path = tmp_path / "population" / f"{key}-0.9" / name
    path.write_bytes(change(path.read_bytes()))
    assert population.load(region, sample=0.9).persons["key"].tolist() == share
    assert len(built) == 2


def test_a_file_in_the_way_of_the_cache_is_replaced(
    region: Region, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What lies under the name of a population is no reason to build it in every run."""
    from migrasim.population import synthesis

    monkeypatch.setenv("MIGRASIM_CACHE", str(tmp_path))
    one = {"key": np.arange(1, dtype=np.uint64)}
    monkeypatch.setattr(synthesis, "build", lambda *_: (one, one))
    folder = tmp_path / "population" / population.cache_key(region, 2020, 1)
    folder.parent.mkdir()
    folder.write_bytes(b"")
    population.load(region)
    assert folder.is_dir()


def test_wrong_base_and_share_are_refused(region: Region) -> None:
    """A base year without a census and a share outside (0, 1] are answered with what is allowed."""
    with pytest.raises(InputError, match="allowed: 2010, 2020"):
        population.load(region, base=2015)
    with pytest.raises(InputError, match="above 0 and at most 1"):
        population.load(region, sample=0.0)
    with pytest.raises(InputError, match="no household is in so small a share"):
        population.load(region, sample=1e-9)


def test_memory_stays_below_300_mb(pop: Population) -> None:
    """The columns of the full population take less than 300 MB."""
    assert sum(c.nbytes for table in (pop.persons, pop.households) for c in table.values()) < 300e6


def test_raking_meets_totals_and_stays_near_the_prior() -> None:
    """Two crossed margins of a two by two table give what proportional fitting gives."""
    index = np.array([[0, 2], [0, 3], [1, 2], [1, 3]])
    prior = np.array([1.0, 2.0, 3.0, 4.0])
    target = np.array([30.0, 70.0, 45.0, 55.0])
    weight, reached = raking.rake(index, np.ones((4, 2)), prior, target, np.full(4, 1e-6))
    fitted = raking.proportional_fit(prior.reshape(2, 2), target[:2], target[2:])
    assert np.allclose(reached, target, atol=0.06)
    assert np.allclose(weight.reshape(2, 2), fitted, atol=0.1)


def test_rounding_keeps_totals() -> None:
    """Largest remainders keep a total, rounded tables keep rows and columns, copies keep their number."""
    assert raking.whole(np.array([1.4, 1.4, 1.2]), 4).tolist() == [2, 1, 1]
    table = raking.whole_table(np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([1, 1]), np.array([1, 1]))
    assert table.sum(axis=0).tolist() == [1, 1] and table.sum(axis=1).tolist() == [1, 1]
    copies = raking.systematic(np.array([0.3, 0.3, 0.4, 2.0]), 3, 0.5)
    assert copies.sum() == 3 and copies[3] >= 1


def test_every_fact_of_the_synthesis_is_read() -> None:
    """Each fact of the synthesis is read by it: nothing on record is without effect."""
    from migrasim.facts import FactBook

    folder = Path(population.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    facts = [fact for fact in FactBook.load().facts.values() if fact.domain == "population"]
    names = [fact.id.removeprefix("population.") for fact in facts]
    unread = [name for name in names if f"a.{name}" not in code and f'"{name}"' not in code]
    assert not unread and len(names) > 100
