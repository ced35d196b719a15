"""Demography: laws of the year of the people, on a tiny world."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from worlds import fact_book, tiny_inputs, tiny_world

from migrasim.core.codes import N_TIERS, Activity, Form, Kind, Schooling, Sector, Sex, Tenure, Tier
from migrasim.core.columns import Table
from migrasim.core.rule import record, set_threads
from migrasim.domains.demography import living, phase, rules
from migrasim.domains.demography.rules import DemographyParams
from migrasim.world import Flows, World

PARAMS = fact_book().params("demography", DemographyParams)
RECORD = record(PARAMS)  # as kernels take them
FEW = {"demography.arrivals_near_persons_yr": 20.0, "demography.arrivals_far_persons_yr": 12.0}
NOBODY = dict.fromkeys(FEW, 0.0)
BUSY = {  # so that a small world sees every kind of event
    "demography.death_level": 4.0,
    "demography.split_rate_siblings_yr": 0.6,
    "demography.split_rate_parents_yr": 0.3,
    "demography.marriage_rate_top_yr": 0.8,
}


def world(households: int = 3000, parameters: dict[str, float] | None = None, **options: Any) -> World:
    """A tiny world with a few strangers a year."""
    return tiny_world(households, inputs=tiny_inputs({**FEW, **(parameters or {})}), **options)


def live(one: World, years: int = 1) -> World:
    """Run the phase for some years."""
    for _ in range(years):
        one.year += 1
        one.flows, one.measures = Flows.zero(one.geography.places), {}
        phase.run(one)
    return one


def land(one: World) -> float:
    """All land of households and of villages, mu."""
    return float(one.households.land_mu.sum(dtype=np.float64) + one.village_pool_mu.sum())


def by_key(one: World) -> dict[str, dict[int, tuple[Any, ...]]]:
    """Everything about persons and households, by key; households of persons by key too."""
    result = {}
    for name, table in (("persons", one.persons), ("households", one.households)):
        columns = {column: getattr(table, column) for column in table.names if column != "key"}
        if name == "persons":
            columns["household"] = one.households.key[one.persons.household]
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        result[name] = dict(zip(table.key.tolist(), rows, strict=True))
    return result


def shuffled(one: World, seed: int = 1) -> World:
    """The same people and households in another order of rows."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(one.households))
    place_of = np.empty(len(order), np.int32)
    place_of[order] = np.arange(len(order), dtype=np.int32)
    one.households.take(order)
    one.persons.household = place_of[one.persons.household]
    one.persons.take(rng.permutation(len(one.persons)))
    one.reindex()
    return one


def subset(one: World, households: np.ndarray) -> World:
    """Only some of the households, with their people."""
    new_row = np.cumsum(households, dtype=np.int32) - np.int32(1)
    one.persons.take(households[one.persons.household])
    one.households.take(households)
    taken = Table({name: getattr(one.persons, name) for name in one.persons.names})
    old = np.flatnonzero(households)
    assert len(old) == len(one.households)
    rows = taken.household.copy()
    one.persons.household = new_row[rows]
    one.reindex()
    one.occupied[:] = one.count_occupied()
    return one


@pytest.mark.parametrize("parameters", [{}, BUSY], ids=["usual", "busy"])
def test_people_are_conserved_in_every_place(parameters: dict[str, float]) -> None:
    """Residents before, births, deaths, arrivals and children who join their family give residents after."""
    one = world(parameters=parameters)
    for _ in range(4):
        before = one.residents()
        live(one)
        flows = one.flows
        moved = flows.moves.sum(axis=2)
        expected = before + flows.births - flows.deaths + flows.arrivals + moved.sum(axis=0) - moved.sum(axis=1)
        assert (expected == one.residents()).all()
        assert flows.births.sum() > 0
        assert flows.deaths.sum() > 0
        assert flows.arrivals.sum() == 32


@pytest.mark.parametrize("parameters", [{}, BUSY], ids=["usual", "busy"])
def test_land_and_savings_are_conserved(parameters: dict[str, float]) -> None:
    """Land goes to new households or the village, savings to new households, husbands or estates; none is made."""
    one = world(parameters=parameters)
    land_before, savings_before = land(one), int(one.households.savings_yuan.sum())
    live(one, 5)
    assert land(one) == pytest.approx(land_before, rel=1e-7)
    assert int(one.households.savings_yuan.sum() + one.estates_yuan.sum()) == savings_before
    assert one.estates_yuan.sum() > 0
    assert one.village_pool_mu.sum() > 0
    assert one.households.savings_yuan.min() >= 0
    assert one.households.land_mu.min() >= 0


@pytest.mark.parametrize("parameters", [{}, BUSY], ids=["usual", "busy"])
def test_dwellings_lived_in_are_those_of_the_columns(parameters: dict[str, float]) -> None:
    """What is counted on the way agrees with the columns, and new couples never take a flat that is not vacant."""
    one = world(parameters=parameters)
    for _ in range(4):
        free = np.maximum(one.dwellings - one.occupied, 0)
        before = one.occupied.copy()
        live(one)
        assert (one.occupied == one.count_occupied()).all()
        urban = np.flatnonzero(one.geography.urban)
        for tenure in (Tenure.PURCHASED, Tenure.MARKET_RENT):
            assert (one.occupied[urban, tenure] - before[urban, tenure] <= free[urban, tenure]).all()


def test_no_flat_for_a_couple_where_none_is_vacant() -> None:
    """Without vacant dwellings in towns no couple founds a household there unless he already lived by himself."""
    one = world(parameters=BUSY, vacancy_share=0.0)
    one.dwellings[:] = one.occupied
    live(one, 3)
    urban = np.flatnonzero(one.geography.urban)
    assert (
        one.occupied[urban][:, [Tenure.PURCHASED, Tenure.MARKET_RENT]]
        <= one.dwellings[urban][:, [Tenure.PURCHASED, Tenure.MARKET_RENT]]
    ).all()


def test_couples_and_parents_are_consistent() -> None:
    """A couple is a man and a woman of one household and generation; the parents of a newborn are such a couple."""
    one = live(world(parameters=BUSY), 5)
    people = one.persons
    number = people.household.astype(np.int64) * 128 + people.couple
    paired = people.couple > 0
    numbers, counts = np.unique(number[paired], return_counts=True)
    assert (counts == 2).all()
    rows = np.flatnonzero(paired)[np.argsort(number[paired], kind="stable")]
    first, second = rows[::2], rows[1::2]
    assert (people.sex[first] != people.sex[second]).all()
    assert (people.generation[first] == people.generation[second]).all()
    infants = people.birth_year == one.year
    assert infants.any()
    parents = people.household[infants].astype(np.int64) * 128 + people.parents[infants]
    assert np.isin(parents, numbers).all()
    assert (people.activity[infants] == Activity.CHILD).all()


def test_the_wed_live_together() -> None:
    """Who married this year lives in the same part of the same household as the spouse, and no kin married."""
    one = world(parameters={**BUSY, "demography.death_level": 1.0})
    home = dict(zip(one.persons.key.tolist(), one.households.key[one.persons.household].tolist(), strict=True))
    single = set(one.persons.key[one.persons.couple == 0].tolist())
    live(one)
    people = one.persons
    new = np.flatnonzero((people.couple > 0) & np.isin(people.key, list(single)))
    assert len(new) > 40
    assert len(new) // 2 == one.measures["marriages"].sum()
    number = people.household[new].astype(np.int64) * 128 + people.couple[new]
    new = new[np.argsort(number, kind="stable")]
    he, she = new[::2], new[1::2]
    assert (people.household[he] == people.household[she]).all()
    assert (people.is_away[he] == people.is_away[she]).all()
    assert all(home[a] != home[b] for a, b in zip(people.key[he].tolist(), people.key[she].tolist(), strict=True))


def test_keys_are_unique() -> None:
    """No two persons and no two households ever share a key."""
    one = live(world(parameters=BUSY), 6)
    assert len(np.unique(one.persons.key)) == len(one.persons)
    assert len(np.unique(one.households.key)) == len(one.households)


def test_every_household_has_members_and_every_part_a_place() -> None:
    """Nobody lives in an away part that has no place, no household is empty, no part without members keeps a place."""
    one = live(world(parameters=BUSY), 5)
    assert one.members.min() > 0
    homes, people = one.households, one.persons
    away = np.bincount(people.household[people.is_away > 0], minlength=len(homes))
    assert ((away > 0) == (homes.away_place >= 0)).all()
    assert (away < one.members).all()
    assert (homes.away_tenure[homes.away_place < 0] == Tenure.NONE).all()
    assert (np.diff(people.household) >= 0).all()
    assert (one.members[homes.kind == Kind.COLLECTIVE] == 1).all()


def test_children_are_not_left_alone_where_it_can_be_avoided() -> None:
    """Where a family has a grown-up anywhere, each of its parts with children has one."""
    one = live(world(parameters=BUSY), 5)
    grown = one.year - one.persons.birth_year >= PARAMS.minor_age_yr
    adults = np.zeros((len(one.households), 2), np.int64)
    np.add.at(adults, (one.persons.household[grown], one.persons.is_away[grown]), 1)
    left = ~grown & (adults[one.persons.household, one.persons.is_away] == 0)
    family = one.households.kind[one.persons.household] == Kind.FAMILY
    assert (adults.sum(axis=1)[one.persons.household[left & family]] == 0).all()
    assert (left & family).sum() == one.measures["orphans"][0]


@pytest.mark.parametrize("years", [1, 3])
def test_the_order_of_rows_changes_nothing(years: int) -> None:
    """People and households in another order live the same lives and found the same households."""
    straight, mixed = live(world(parameters=BUSY), years), live(shuffled(world(parameters=BUSY)), years)
    assert by_key(straight) == by_key(mixed)
    assert (straight.occupied == mixed.occupied).all()
    assert straight.village_pool_mu == pytest.approx(mixed.village_pool_mu, rel=1e-12)


def test_threads_change_nothing() -> None:
    """One and two threads give identical worlds."""
    try:
        set_threads(1)
        one = live(world(parameters=BUSY))
        set_threads(2)
        two = live(world(parameters=BUSY))
    finally:
        set_threads(64)
    assert by_key(one) == by_key(two)


def test_births_and_deaths_do_not_depend_on_the_sample() -> None:
    """A subset of the households sees the same deaths and births in these households as the whole."""
    whole, part = world(parameters=NOBODY), world(parameters=NOBODY)
    chosen = np.random.default_rng(5).random(len(part.households)) < 0.3
    people = set(part.persons.key[chosen[part.persons.household]].tolist())
    subset(part, chosen)
    assert set(part.persons.key.tolist()) == people
    live(whole)
    live(part)
    mine, all_of_them = by_key(part)["persons"], by_key(whole)["persons"]
    dead = people - set(mine)
    assert dead
    assert dead == people - set(all_of_them)
    born = {key for key in mine if key not in people}
    assert born
    assert born <= set(all_of_them)


def test_a_sample_takes_a_subset_of_the_strangers() -> None:
    """With a weight of two about half of the strangers of the full scale come, and all of them are among those."""
    many = dict.fromkeys(FEW, 1000.0)
    full, half = live(world(300, many)), live(world(300, many, weight=2.0))
    before = set(world(300).persons.key.tolist())
    come = [set(one.persons.key.tolist()) - before for one in (full, half)]
    assert full.flows.arrivals.sum() == 2000
    assert 880 < half.flows.arrivals.sum() < 1120
    assert len(come[1] - come[0]) < 40  # but for the newborn, whose mothers may have married in one of them only


def test_school_by_age() -> None:
    """Nobody of school age stays a child; juniors are twelve to fourteen; no pupil stays beyond the last course."""
    one = live(world(), 3)
    age = one.year - one.persons.birth_year
    activity, schooling = one.persons.activity, one.persons.schooling
    assert (activity[age >= 6] != Activity.CHILD).all()
    assert (schooling[(activity == Activity.PUPIL) & (age >= 12) & (age < 15)] == Schooling.JUNIOR).all()
    assert (age[activity == Activity.PUPIL] < PARAMS.bachelor_leave_age_yr).all()
    assert (schooling[(activity == Activity.PUPIL) & (age >= PARAMS.college_age_yr)] >= Schooling.COLLEGE).all()


EVERYBODY_STUDIES = {
    "demography.senior_prob": 1.0,
    "demography.bachelor_prob": 1.0,
    "demography.college_prob": 0.0,
    "demography.college_core_share": 0.0,
    "demography.college_near_share": 1.0,
}


def place_of(one: World) -> dict[int, int]:
    """Place where each person lives, by key."""
    return dict(zip(one.persons.key.tolist(), one.person_place().tolist(), strict=True))


def test_those_who_enter_college_live_near_their_college_and_own_nothing() -> None:
    """Several of a family may go; each is a household of one, registered at home, counted among the moves."""
    together = {"demography.split_rate_siblings_yr": 0.0, "demography.split_rate_parents_yr": 0.0}
    one = world(parameters={**EVERYBODY_STUDIES, **NOBODY, **together})
    people, geography = one.persons, one.geography
    enters = (people.birth_year == one.year + 1 - int(PARAMS.college_age_yr)) & (people.activity == Activity.PUPIL)
    enters &= people.schooling == Schooling.SENIOR
    old = people.household.copy()
    elders = np.bincount(old[(one.year - people.birth_year >= 31) | (people.couple > 0)], minlength=len(one.households))
    goes = set(people.key[enters & (elders[old] > 1) & (one.person_place() < geography.inside)].tolist())
    registered = dict(zip(people.key.tolist(), one.households.home_place[old].tolist(), strict=True))
    before = place_of(one)
    live(one)
    people, homes = one.persons, one.households
    rows = np.flatnonzero(np.isin(people.key, list(goes)))
    assert len(rows) > 20
    assert (one.person_place()[rows] == geography.near).all()
    own = people.household[rows]
    assert (one.members[own] == 1).all()
    assert (homes.kind[own] == Kind.COLLECTIVE).all()
    assert (homes.land_mu[own] == 0).all()
    assert [registered[key] for key in people.key[rows].tolist()] == homes.home_place[own].tolist()
    left = np.bincount([before[key] for key in people.key[rows].tolist()], minlength=geography.places)
    assert (one.flows.moves[:, geography.near, Form.YOUNG] >= left).all()


@pytest.mark.parametrize("away", [False, True])
def test_the_last_of_a_family_may_go_to_college_too(away: bool) -> None:
    """Whoever is left alone, at home or in the away part, moves as a whole and is counted once."""
    one = world(parameters={**EVERYBODY_STUDIES, **NOBODY, "demography.death_level": 0.0})
    people, homes, geography = one.persons, one.households, one.geography
    families = np.flatnonzero((homes.place < geography.inside) & (homes.away_place < 0))[:200]
    last = np.zeros(len(people), np.bool_)
    last[one.first_member[families]] = True
    people.birth_year[last], people.couple[last] = one.year + 1 - int(PARAMS.college_age_yr), 0
    people.activity[last], people.schooling[last] = Activity.PUPIL, Schooling.SENIOR
    keys = people.key[last]
    if away:
        people.is_away[last] = 1
        homes.away_place[families], homes.away_tenure[families] = geography.core, Tenure.DORMITORY
    people.take(last | ~np.isin(people.household, families))
    one.reindex()
    one.count_network()
    one.occupied[:] = one.count_occupied()
    before = one.residents()
    live(one)
    moved = one.flows.moves.sum(axis=2)
    assert (
        before + one.flows.births - one.flows.deaths + moved.sum(axis=0) - moved.sum(axis=1) == one.residents()
    ).all()
    assert (one.occupied == one.count_occupied()).all()
    assert (one.person_place()[np.isin(one.persons.key, keys)] == geography.near).all()


def test_the_unmarried_who_live_away_from_their_parents_are_on_their_own() -> None:
    """After a year each of them is a household of one with the place of living kept; who is with a parent stays."""
    one = world(parameters={**NOBODY, "demography.death_level": 0.0, "demography.marriage_rate_top_yr": 0.0})
    people, homes = one.persons, one.households
    age = one.year + 1 - people.birth_year
    young = (people.couple == 0) & (age >= 16) & (age < 30) & (people.activity != Activity.PUPIL)
    parents = {
        (h, number): row
        for row, (h, number) in enumerate(zip(people.household.tolist(), people.couple.tolist(), strict=True))
        if number > 0 and not people.is_away[row]
    }
    alone, together = [], []
    for i in np.flatnonzero(young & (people.is_away == 0)):  # send away one child of each family, or one with a parent
        h = int(people.household[i])
        parent = parents.get((h, int(people.parents[i])))
        if homes.away_place[h] >= 0 or parent is None or people.parents[i] == 0:
            continue
        homes.away_place[h], homes.away_since_year[h] = one.geography.far, one.year
        people.is_away[i] = 1
        (alone if len(alone) <= len(together) else together).append(int(people.key[i]))
        if int(people.key[i]) in together:
            people.is_away[parent] = 1
    one.reindex()
    one.occupied[:] = one.count_occupied()
    live(one)
    people = one.persons
    assert len(alone) > 20
    assert len(together) > 20
    mine = np.isin(people.key, alone)
    assert (one.members[people.household[mine]] == 1).all()
    assert (one.person_place()[mine] == one.geography.far).all()
    theirs = np.isin(people.key, together)
    assert (one.members[people.household[theirs]] > 1).all()
    assert (people.is_away[theirs] == 1).all()


def test_without_independent_youth_nobody_leaves_by_demography() -> None:
    """The switch leaves families as they are: no household of one is split off and no young person moves."""
    families, alone = world(parameters=NOBODY), world(parameters=NOBODY)
    alone.inputs = replace(alone.inputs, alternatives=("no_independent_youth",))
    live(families)
    live(alone)
    assert families.flows.moves[:, :, Form.YOUNG].sum() > 0
    assert alone.flows.moves[:, :, Form.YOUNG].sum() == 0
    assert len(alone.households) < len(families.households)


def test_the_retired_leave_their_jobs() -> None:
    """Who has no job has no sector and no chain; where all stop at the statutory age, nobody works beyond."""
    one = live(world(parameters={"demography.retirement_prob": 1.0}), 3)
    people = one.persons
    idle = people.activity != Activity.WORKER
    assert (people.sector[idle] == 0).all()
    assert (people.chain[idle] == 0).all()
    age = one.year - people.birth_year
    assert not ((people.activity == Activity.WORKER) & (age >= 60)).any()
    assert not ((people.activity == Activity.FARMER) & (age >= 70)).any()


def test_widowed_people_are_single_again() -> None:
    """Where one of a couple dies the other's number becomes 0."""
    one = world(
        parameters={
            **NOBODY,
            "demography.death_level": 20.0,
            "demography.marriage_rate_top_yr": 0.0,
            "demography.marriage_late_rate_yr": 0.0,
        }
    )
    before = by_key(one)["persons"]
    live(one)
    column = one.persons.names.index("couple") - 1
    after = by_key(one)["persons"]
    widowed = [key for key, row in after.items() if key in before and before[key][column] > 0 and row[column] == 0]
    assert len(widowed) > 50


def test_a_founder_takes_a_share_of_the_land() -> None:
    """Households that are new in villages hold land, a homestead and a share where their family does."""
    one = world(parameters=BUSY)
    old = set(one.households.key.tolist())
    live(one)
    homes, inside = one.households, one.geography.inside
    village = (homes.place < inside) & (homes.place % N_TIERS == Tier.VILLAGE) & (homes.home_place == homes.place)
    new = ~np.isin(homes.key, list(old)) & village
    assert new.sum() > 10
    assert (homes.land_mu[new] > 0).mean() > 0.9
    assert homes.has_homestead[new].all()
    assert (homes.tenure[new] == Tenure.SELF_BUILT).all()


def test_the_life_table_returns_its_life_expectancy() -> None:
    """The level of ageing is solved so that life lasts as long as the fact says, for both sexes."""
    for sex in (Sex.MALE, Sex.FEMALE):
        expected = rules.life_expectancy(2020, sex, PARAMS)
        level = rules.ageing_level(expected, sex, PARAMS)
        assert rules.expected_lifetime(sex, level, PARAMS) == pytest.approx(expected, abs=1e-6)


def test_mortality_falls_with_the_years_and_is_lower_for_women() -> None:
    """From 2020 to 2035 no probability of death rises, and grown women die less often than men of their age."""
    early, late = living.death_table(2020, RECORD), living.death_table(2035, RECORD)
    assert (late <= early).all()
    assert (early[Sex.FEMALE, 20:90] < early[Sex.MALE, 20:90]).all()
    assert (np.diff(early[:, 20:100], axis=1) > 0).all()


def test_deaths_and_births_come_as_often_as_their_probabilities() -> None:
    """Over a large world the numbers of deaths and births lie within four standard errors of what the rules expect."""
    one = world(30_000)
    people = one.persons
    age = 2021 - people.birth_year.astype(np.int64)
    prob = living.death_table(2021, RECORD)[people.sex, age]
    live(one)
    deaths, expected = one.flows.deaths.sum(), prob.sum()
    assert abs(deaths - expected) < 4 * np.sqrt((prob * (1 - prob)).sum())
    born = (one.persons.birth_year == 2021).sum()
    assert born == one.flows.births.sum()
    boys = (one.persons.sex[one.persons.birth_year == 2021] == Sex.MALE).sum()
    assert abs(boys - PARAMS.male_birth_share * born) < 4 * np.sqrt(born) / 2


def test_every_fact_is_read() -> None:
    """No fact of demography says that it is used and is read by no rule, but for the one that policy reads."""
    unread = fact_book().unread("demography", DemographyParams)
    assert [fact for fact in unread if not fact.startswith("demography.reclassified")] == []


def test_the_year_can_be_lived_with_nobody_left() -> None:
    """A world in which everybody dies goes on empty, and all land and savings are where they belong."""
    one = world(50, {**NOBODY, "demography.death_level": 1e9})
    land_before, savings = land(one), int(one.households.savings_yuan.sum())
    live(one, 2)
    assert len(one.persons) == 0
    assert len(one.households) == 0
    assert (one.occupied == 0).all()
    assert one.village_pool_mu.sum() == pytest.approx(land_before, rel=1e-7)
    assert one.estates_yuan.sum() == savings


def test_who_is_not_asked_would_not_change() -> None:
    """The tables that say who is asked leave out nobody for whom a rule has something."""
    ratio, change, youth = (
        rules.college_ratio(2021, PARAMS),
        living.change_table(2021, RECORD),
        living.youth_table(RECORD),
    )
    for age, schooling, sex, luck in itertools.product(range(60), Schooling, Sex, np.linspace(0.001, 0.999, 40)):
        if rules.schooling_of_pupil(age, schooling, ratio, luck, PARAMS) != schooling:
            assert change[Activity.PUPIL, schooling, age]
        if rules.is_young(age, 0, PARAMS):
            if rules.study_place(age, schooling, sex, luck, PARAMS) != rules.STUDY_AT_HOME:
                assert youth[age] & living.ENTERS
    for age, sex, activity, sector in itertools.product(range(rules.AGES), Sex, list(Activity)[2:], Sector):
        if rules.retires(age, sex, activity, sector, PARAMS):
            assert change[activity, :, age].all()
    assert not change[Activity.PUPIL, Schooling.PRIMARY, 10] and not change[Activity.WORKER, :, 30].any()
