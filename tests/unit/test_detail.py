"""Tables beside the indicators, counted by hand in tiny worlds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from worlds import tiny_inputs, tiny_world

from migrasim import detail
from migrasim.core.codes import N_SECTORS, N_TIERS, Activity, Purse, Sector, Tenure, Tier
from migrasim.domains.labour.incomes import incomes
from migrasim.indicators import CATALOGUE, DISTANCE, SECTIONS, groups, values
from migrasim.order import Simulation
from migrasim.runs.result import in_prices
from migrasim.survey import survey
from migrasim.welfare import QUINTILES, Groups, _quantiles, welfare_yuan_yr

CHAIN_SECTORS = [2, 3, 1, 1, 3, 3, 3, 8, 14]
# section 7 of the model's description, item by item: where each is found
ASKED = {
    "people": "resident_population urban_population urbanization_rate registered_population "
    "urban_registered_population hukou_urbanization_rate absent_near_population absent_far_population",
    "families": "split_households children_left_behind elderly_left_behind",
    "work": "vacancies unemployment_share chain_workers wage_newcomer_yuan_yr",
    "income": "income_urban_yuan_yr_pers income_rural_yuan_yr_pers income_ratio",
    "housing": "rent_yuan_mo occupancy_share waiting_households",
    "services": "school_pressure_share health_pressure_share school_places pupils",
    "registration": "permit_holders permit_coverage_share registration_transfers",
    "land": "contract_land_kept_households contract_land_lost_households exit_households idle_homesteads land_lent_mu",
    "money": "public_cost_yuan county_cost_yuan higher_cost_yuan enterprise_cost_yuan household_cost_yuan "
    "public_cost_yuan_per_new_resident cumulative_cost_yuan_per_new_resident unpaid_yuan",
}


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    """Two years of a tiny world with many levers at twice the plan."""
    inputs = tiny_inputs(levers={"all": "double"})
    begun = Simulation.start(tiny_world(1500, inputs=inputs), CHAIN_SECTORS)
    for _ in range(2):
        begun.step()
    return begun


def test_every_indicator_that_was_asked_for_is_there() -> None:
    """The catalogue holds section 7 of the description, each with titles, unit and how it is measured."""
    for section, names in ASKED.items():
        for name in names.split():
            assert CATALOGUE[name].section == section, name
    assert DISTANCE in CATALOGUE
    for each in CATALOGUE.values():
        assert each.section in SECTIONS and each.unit and len(each.how) > 5
        assert set(each.title) == {"en", "zh_hant"} and all(each.title.values())


def test_every_indicator_is_measured(simulation: Simulation) -> None:
    """No indicator lacks its sums; only ratios over nothing and the distance to targets are empty."""
    for _, _, places in groups(2, simulation.world.geography.inside):
        row = values(simulation.history[-1].sums, places)
        assert list(row) == list(CATALOGUE)
        empty = [name for name, value in row.items() if np.isnan(value)]
        assert all(name == DISTANCE or CATALOGUE[name].over or CATALOGUE[name].quotient for name in empty)


def test_jobs_of_a_place_are_those_of_its_columns(simulation: Simulation) -> None:
    """Workers by kind of job add up to the jobs taken, and vacancies are never negative."""
    world, table = simulation.world, detail.jobs(simulation.world)
    inside = world.geography.inside
    taken = world.filled[:inside].sum() - world.filled[:inside, Sector.AGRICULTURE].sum()
    assert table["filled"].sum() == taken * world.weight
    assert (table["vacancies"] >= 0).all()
    assert (table["wage_yuan_yr"] > 0).all()
    assert Sector.AGRICULTURE not in table["kind"]
    assert table["kind"].max() == N_SECTORS + 8


def test_dwellings_by_tenure_are_stock_and_flow(simulation: Simulation) -> None:
    """Those lived in agree with the columns, none is over-full, and only public rental has a queue."""
    world, table = simulation.world, detail.dwellings(simulation.world)
    urban = world.geography.urban
    counted = [int(t) for t in Tenure if t not in (Tenure.NONE, Tenure.DORMITORY)]
    assert table["occupied"].sum() == world.count_occupied()[urban][:, counted].sum()
    assert (table["occupied"] <= table["dwellings"] + 1e-9).all()
    assert table["waiting_households"][table["tenure"] != Tenure.PUBLIC_RENT].sum() == 0


def test_every_cost_has_a_payer_and_sums_agree(simulation: Simulation) -> None:
    """What counties and higher governments paid for levers is the indicator of public cost."""
    table = pd.DataFrame(detail.costs(simulation.world))
    levers = table[~table["item"].str.match("budget|household|relocation") & ~table["in_consumption"]]
    public = levers[levers["payer"].isin([Purse.COUNTY, Purse.HIGHER]) & (levers["payee"] != Purse.COUNTY)]
    measured = simulation.history[-1].sums["public_cost_yuan"].sum()
    assert public["yuan"].sum() == pytest.approx(measured)
    own = table.loc[table["in_consumption"], "yuan"].sum()
    assert own == pytest.approx(simulation.history[-1].sums["household_cost_yuan"].sum())
    assert {"public_housing.provident_fund", "industry.park_concentration", "urban.smart"} <= set(table["item"])


def test_groups_share_out_everybody(simulation: Simulation) -> None:
    """In every dimension each household, and each person, stands in one group; fifths rise in welfare."""
    world = simulation.world
    table = pd.DataFrame(simulation.history[-1].detail["groups"])
    for _, rows in table.groupby("dimension"):
        assert rows["households"].sum() == len(world.households)
        assert rows["persons"].sum() == len(world.persons)
    welfare = table.loc[table["dimension"] == 0, "welfare_yuan_yr"].to_numpy()
    assert (np.diff(welfare[:5]) > 0).all() and np.isnan(welfare[5])


def test_students_by_themselves_are_in_no_fifth() -> None:
    """Who lives alone and studies has a group of its own, divides no fifths and enters no mean of welfare."""
    world = Simulation.start(tiny_world(3000, inputs=tiny_inputs()), CHAIN_SECTORS).world
    alone = np.flatnonzero(world.members == 1)
    assert len(alone) > 20
    someone, others = world.first_member[alone[0]], world.first_member[alone[1:]]
    world.persons.activity[others] = Activity.WORKER
    world.persons.activity[someone] = Activity.PUPIL
    parts = incomes(world)
    welfare = welfare_yuan_yr(world, parts)
    welfare[alone[0]] = -1e9  # would be seen in every mean
    groups = Groups.of(world, welfare)
    codes = groups.codes(world, welfare)
    assert np.flatnonzero(codes[:, 0] == len(QUINTILES)).tolist() == [alone[0]]
    assert groups.cuts_yuan.tolist() == _quantiles(np.delete(welfare, alone[0]), len(QUINTILES)).tolist()
    table = pd.DataFrame(detail.groups(world, survey(world, parts), welfare, groups))
    students = table[(table["dimension"] == 0) & (table["group"] == len(QUINTILES))].squeeze()
    assert students["households"] == students["persons"] == world.weight and np.isnan(students["welfare_yuan_yr"])
    assert (table["welfare_yuan_yr"].dropna() > -1e6).all()
    fifths = table.loc[(table["dimension"] == 0) & (table["group"] < len(QUINTILES)), "households"]
    assert fifths.max() - fifths.min() <= 5 * world.weight  # some are equal


def test_welfare_is_what_is_left_after_rent() -> None:
    """A family that rents in a seat has its income less rent and living cost over its equivalent members."""
    world = Simulation.start(tiny_world(3000, inputs=tiny_inputs()), CHAIN_SECTORS).world
    parts = incomes(world)
    whole, welfare = parts.sum(axis=1), welfare_yuan_yr(world, parts)
    homes = world.households
    seat = (homes.place < world.geography.inside) & (homes.place % N_TIERS == Tier.SEAT) & (homes.away_place < 0)
    chosen = np.flatnonzero(seat & (homes.tenure == Tenure.MARKET_RENT) & (world.members > 1))
    assert len(chosen)
    h = int(chosen[0])
    members = int(world.members[h])
    d = int(homes.place[h])
    exponent = world.inputs.book["moving.equivalence_exponent"].central
    rent = world.place.rent_yuan_yr[d] - world.place.tenant_relief_yuan_yr[d]
    left = whole[h] - rent - members * world.place.living_cost_yuan_yr_pers[d]
    assert world.place.tenant_relief_yuan_yr[d] > 0
    assert welfare[h] == pytest.approx(left / members**exponent, rel=1e-6)
    assert Groups.of(world, welfare).codes(world, welfare).shape == (len(homes), 4)


def test_chains_tell_their_output(simulation: Simulation) -> None:
    """Output is workers times output a job times growth; a chain without workers turns out nothing."""
    table = detail.chains(simulation.world)
    assert len(table["chain"]) == 9
    assert ((table["output_yuan"] > 0) == (table["filled"] > 0)).all()


def test_nominal_money_is_real_money_at_the_prices_of_the_year(make_result) -> None:
    """Columns of money are renamed and multiplied; everything else is as it was."""
    result = make_result()
    result.provenance["price_index"] = {str(year): 1.02 ** (year - 2020) for year in range(2020, 2036)}
    nominal = result.nominal()
    real, priced = result.chains, nominal.chains
    assert "output_yuan" not in priced
    assert priced["output_yuan_nominal"].tolist() == pytest.approx(
        [value * 1.02 ** (year - 2020) for value, year in zip(real["output_yuan"], real["year"], strict=True)]
    )
    assert priced["filled"].equals(real["filled"])
    assert nominal.indicators.equals(result.indicators)  # no money in these


def test_nominal_outlay_since_the_base_year_is_the_sum_of_its_years() -> None:
    """Each year's payments count at the prices of that year, in any order of the rows, run by run."""
    rows = [
        (seed, year, 100.0 * seed * (year - 2020), 100.0 * (year - 2020) / 4)
        for year in (2022, 2020, 2021)
        for seed in (1, 2)
    ]
    table = pd.DataFrame(
        rows, columns=["seed", "year", "cumulative_cost_yuan", "cumulative_cost_yuan_per_new_resident"]
    )
    priced = in_prices(table, list(table.columns[2:]), {2020: 1.0, 2021: 1.5, 2022: 3.0}).set_index(["seed", "year"])
    assert priced.loc[1].loc[[2020, 2021, 2022], "cumulative_cost_yuan"].tolist() == [0.0, 150.0, 450.0]
    assert priced.loc[(2, 2022), "cumulative_cost_yuan"] == 900.0
    assert priced.loc[(1, 2022), "cumulative_cost_yuan_per_new_resident"] == 112.5


def test_prices_follow_the_record_and_then_the_assumption() -> None:
    """1 in 2020, the published changes after it, and the assumed rise when the record ends."""
    inputs = tiny_inputs()
    last = max(inputs.cpi)
    assert inputs.price_index(2020) == 1.0
    assert inputs.price_index(2022) == pytest.approx(1.02**2)
    beyond = inputs.price_index(last + 1) / inputs.price_index(last)
    assert beyond == pytest.approx(1.0 + inputs.book["fiscal.inflation_rate_yr"].central)


def test_ages_and_homes_count_everybody_once():
    """Residents by place, sex and age add up to those of every place; homes to all people, by where they live."""
    world = tiny_world(400)
    found = survey(world, np.zeros((len(world.households), 2), np.int64))
    ages, homes = detail.ages(world, found), detail.homes(world, found)
    lives = world.person_place()
    inside = world.geography.inside
    by_place = np.bincount(ages["place"], weights=ages["persons"], minlength=inside)
    assert by_place.tolist() == np.bincount(lives[lives < inside], minlength=inside).tolist()
    children = (world.year - world.persons.birth_year < 5) & (lives < inside)
    assert ages["persons"][ages["age"] == 0].sum() == children.sum()
    assert homes["persons"].sum() == len(world.persons)
    home = world.households.home_place[world.persons.household]
    away = (home // 3 == lives // 3) & (home != lives) & (lives < inside)
    own = homes["origin_county"] == homes["county"]
    own &= homes["county"] < world.geography.counties
    assert homes["other_place_persons"][own].sum() == away.sum()


@pytest.mark.parametrize("rows", [1, 2, 7, 5_000])
@pytest.mark.parametrize("spread", [0.0, 1e-3, 1.0, 1e6])
def test_fifths_are_those_of_numpy(rows: int, spread: float) -> None:
    """To the last bit, whatever lies outside the bins or in one of them."""
    values = spread * np.random.default_rng(rows).standard_cauchy(rows) - 5.0
    assert _quantiles(values, 5).tolist() == [float(np.quantile(values, k / 5)) for k in range(1, 5)]
