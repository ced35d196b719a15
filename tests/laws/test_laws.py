"""The laws of the model, on a tiny world of two counties that runs for some years."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from worlds import tiny_inputs, tiny_world

import migrasim as ms
from migrasim import checks
from migrasim.core.chance import Decision
from migrasim.core.codes import N_TIERS, Form, Tenure, Tier
from migrasim.core.columns import Table
from migrasim.core.errors import InputError
from migrasim.indicators import decompose, groups, values
from migrasim.order import SCHEDULE, Simulation
from migrasim.population.tables import HOUSEHOLDS, PERSONS
from migrasim.survey import MOST_MEMBERS
from migrasim.world import World

CHAIN_SECTORS = [2, 3, 1, 1, 3, 3, 3, 8, 14]
HOUSEHOLDS_IN_ALL = 1500
YEARS = 4


def begin(levers: dict[str, Any] | None = None, seed: int = 7, shuffle: int | None = None, **world: Any) -> Simulation:
    inputs = tiny_inputs(levers=levers, parameters=world.pop("parameters", None))
    tiny = tiny_world(HOUSEHOLDS_IN_ALL, inputs=inputs, seed=seed, **world)
    if shuffle is not None:
        shuffle_rows(tiny, shuffle)
    return Simulation.start(tiny, CHAIN_SECTORS)


def run(years: int = YEARS, **options: Any) -> Simulation:
    simulation = begin(**options)
    for _ in range(years):
        simulation.step()
    return simulation


def shuffle_rows(world: World, seed: int) -> None:
    """Put households and their members in another order; nothing else changes."""
    rng = np.random.default_rng(seed)
    new_order = rng.permutation(len(world.households))
    world.households.take(new_order)
    new_row = np.empty_like(new_order)
    new_row[new_order] = np.arange(len(new_order))
    world.persons.household = new_row[world.persons.household].astype(np.int32)
    world.persons.take(rng.permutation(len(world.persons)))
    world.reindex()


def state(world: World) -> dict[str, np.ndarray]:
    """All columns in the order of keys, with households named by their key."""
    by_key = np.argsort(world.households.key)
    result = {f"household {name}": getattr(world.households, name)[by_key] for name in world.households.names}
    order = np.argsort(world.persons.key)
    for name in world.persons.names:
        column = getattr(world.persons, name)[order]
        result[f"person {name}"] = world.households.key[column] if name == "household" else column
    return result


def same(a: Simulation, b: Simulation) -> list[str]:
    """Names of what differs between two simulations, to the last bit."""
    left, right = state(a.world), state(b.world)
    differ = [name for name in left if not np.array_equal(left[name], right[name])]
    for mine, other in zip(a.history, b.history, strict=True):
        differ += [f"{mine.year} {name}" for name in mine.sums if not np.array_equal(mine.sums[name], other.sums[name])]
    return differ


def test_a_year_breaks_no_law() -> None:
    """People, dwellings, jobs, networks, land, savings and payments hold in every year (checks.py raises)."""
    simulation = run()
    assert simulation.world.year == 2020 + YEARS
    assert len(simulation.history) == YEARS + 1
    assert sum(record.flows.moves.sum() for record in simulation.history[1:] if record.flows) > 0


@pytest.mark.parametrize(
    ("column", "law"),
    [("occupied", "dwellings"), ("filled", "jobs"), ("network", "networks")],
)
def test_a_broken_law_is_found(column: str, law: str) -> None:
    """Changing one count behind the model's back stops the run with the name of the law."""
    simulation = run(1)
    world = simulation.world
    start = checks.before(world)
    getattr(world, column)[1, 2] += 1
    world.flows = type(world.flows).zero(world.geography.places)
    with pytest.raises(checks.LawBroken, match=law):
        checks.run(world, start)


def lose_land(world: World) -> None:
    """Take a household's land away."""
    world.households.land_mu[int(world.households.land_mu.argmax())] = 0.0


def owe(world: World) -> None:
    """Leave a household with debts."""
    world.households.savings_yuan[0] = -1


def pull_down(world: World) -> None:
    """Tear down all dwellings of a town."""
    world.dwellings[1] = 0


@pytest.mark.parametrize(
    ("harm", "law"), [(lose_land, "land is conserved"), (owe, "never negative"), (pull_down, "than stand")]
)
def test_a_broken_law_of_stocks_is_found(harm: Callable[[World], None], law: str) -> None:
    """Land that vanishes, debts, and homes without a dwelling stop the run with the name of the law."""
    world = run(1).world
    start = checks.before(world)
    world.flows = type(world.flows).zero(world.geography.places)
    harm(world)
    with pytest.raises(checks.LawBroken, match=law):
        checks.run(world, start)


def test_dwellings_are_stock_and_flow() -> None:
    """In every county the stock of a year is that of the year before and what was built, let anew or brought along.

    Homes of the relocated are bought for them; homes of villages that join a seat come with their people.
    """
    simulation = begin(levers={"public_housing": "double"})
    world = simulation.world
    supply = world.inputs.book.facts["housing.renovation_supply_share"].value
    urban = world.geography.urban[: world.geography.inside].reshape(-1, N_TIERS)

    def standing() -> np.ndarray:
        stock = world.stock[: world.geography.inside].sum(axis=1).reshape(-1, N_TIERS)
        return np.asarray((stock * urban).sum(axis=1))

    brought_along = 0.0
    for _ in range(YEARS):
        before = standing()
        for name, work in simulation.year():
            stood = world.stock.copy()
            renovated = world.built("public_housing.renovation_units") * supply if name == "housing" else 0.0
            work()
            if name == "policy":  # villages that join a seat, and relocation
                brought = (world.stock - stood)[: world.geography.inside].sum(axis=1).reshape(-1, N_TIERS)
                gained = (brought * urban).sum(axis=1)
                assert np.all(gained >= world.measures.get("relocated_households", 0) * world.weight)
                brought_along += gained.sum()
            elif name == "housing":
                built = world.measures["built_units"].sum(axis=1) + renovated
                assert (built > 0).all()
            else:
                assert np.array_equal(stood, world.stock), name
        assert standing() == pytest.approx(before + gained + built, rel=1e-12)
    assert brought_along > 0


def test_a_household_weighs_a_move_once_a_year_and_stays_where_all_is_refused() -> None:
    """Nobody is asked in two waves of a year; who is refused in all rounds lives where it lived."""
    from migrasim.core.codes import Answer
    from migrasim.domains.moving.choice import STAY
    from migrasim.runs.choices import Notes

    simulation = begin(vacancy_share=0.0)
    world = simulation.world
    world.stock[:] = world.occupied * world.weight
    notes = Notes.of(simulation)
    refused = 0
    for _ in range(2):
        for name, work in simulation.year():
            work()
            if name != "moving":
                continue
            keys = np.concatenate([wave.state.families.key for wave in notes.waves])
            assert len(keys) > 100 and len(np.unique(keys)) == len(keys)
            outcome = np.concatenate([wave.outcome for wave in notes.waves])
            wished = np.concatenate([wave.codes[:, 0] for wave in notes.waves])
            answers = np.concatenate([wave.answers for wave in notes.waves])
            assert np.all((answers == Answer.GRANTED).sum(axis=1) <= 1)
            stays = keys[(outcome == STAY) & (wished != STAY)]
            refused += len(stays)
            assert notes.roll is not None
            for column in ("place", "away_place"):
                now = dict(zip(world.households.key.tolist(), getattr(world.households, column).tolist(), strict=True))
                was = dict(zip(notes.roll.key.tolist(), getattr(notes.roll, column).tolist(), strict=True))
                assert all(now[key] == was[key] for key in stays.tolist())
    assert refused > 0


def test_identity_comes_from_parents_and_never_twice() -> None:
    """After some years of births, marriages and arrivals all keys differ, and are the same in another order of rows."""
    whole, shuffled = run(), run(shuffle=3)
    for table in ("persons", "households"):
        keys = getattr(whole.world, table).key
        assert len(np.unique(keys)) == len(keys)
        assert np.array_equal(np.sort(keys), np.sort(getattr(shuffled.world, table).key))
    assert (whole.world.persons.birth_year > 2020).sum() > 50


def test_a_lost_person_is_found() -> None:
    """A person who vanishes without a flow stops the run."""
    simulation = run(1)
    world = simulation.world
    start = checks.before(world)
    world.flows = type(world.flows).zero(world.geography.places)
    keep = np.ones(len(world.persons), np.bool_)
    keep[np.flatnonzero(world.members[world.persons.household] > 1)[0]] = False
    world.persons.take(keep)
    world.reindex()
    with pytest.raises(checks.LawBroken, match="people are conserved"):
        checks.run(world, start)


def test_money_from_nowhere_is_found() -> None:
    """A yuan more in every purse of the households than the accounts tell stops the run."""
    simulation = begin()

    def give(world: World) -> None:
        world.households.savings_yuan[:] += 1

    simulation.watch = give
    with pytest.raises(checks.LawBroken, match="savings change by what is paid"):
        simulation.step()


def test_the_decomposition_adds_up() -> None:
    """The sources of every year's change of the rate add up to it within 1e-9 points, for every area."""
    simulation = run()
    geography = simulation.world.geography
    for record in simulation.history[1:]:
        assert record.flows is not None
        areas = [area for area in groups(geography.counties, geography.inside) if area[0] != "place"]
        several = [places for _, _, places in areas]
        split = decompose(record.flows, record.before, record.after, several, geography.urban, geography.inside)
        for n, (level, number, places) in enumerate(areas):
            urban = np.intersect1d(places, np.flatnonzero(geography.urban))
            before = record.before[urban].sum() / record.before[places].sum()
            after = record.after[urban].sum() / record.after[places].sum()
            points = sum(float(each[n]) for each in split.values())
            assert abs(points - 100 * (after - before)) < 1e-9, (level, number)


def test_the_null_policy_is_the_status_quo() -> None:
    """Levers set to the values of the status quo give bit-identical worlds."""
    book = tiny_inputs().book
    quo = {name: "status_quo" for name, lever in book.levers.items() if lever.built}
    assert same(run(), run(levers=quo)) == []


def test_scenarios_agree_until_the_first_year_in_which_they_differ() -> None:
    """A lever that changes in 2023 leaves 2021 and 2022 bit-identical and then tells."""
    late = {"industry.smart_manufacturing.jobs": {2021: 0, 2022: 0, 2023: 3000, 2035: 3000}}
    a, b = begin(), begin(levers=late)
    for _ in range(2):
        a.step()
        b.step()
    assert same(a, b) == []
    a.step()
    b.step()
    assert same(a, b) != []


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    """Households and persons in another order live the same lives, to the last bit."""
    assert same(run(), run(shuffle=seed)) == []


def test_another_seed_is_another_luck() -> None:
    """Two seeds on one population give different moves."""
    a = run(1)
    b = begin()
    b.world.seed += 1
    b.step()
    assert a.history[1].flows is not None and b.history[1].flows is not None
    assert not np.array_equal(a.history[1].flows.moves, b.history[1].flows.moves)


def test_columns_are_written_by_their_owners_only() -> None:
    """A phase changes only columns that name it as a writer in the data dictionary."""
    simulation = begin()
    world = simulation.world
    world.year += 1
    world.flows = type(world.flows).zero(world.geography.places)
    world.measures, world.ledger = {}, {}
    writers = {("persons", c.name): c.writers for c in PERSONS} | {
        ("households", c.name): c.writers for c in HOUSEHOLDS
    }
    owner = {"matching": "labour"}
    for name, work in simulation._phases(checks.before(world)):
        before = {"persons": world.persons.copy(), "households": world.households.copy()}
        work()
        if name in ("demography", "check"):  # demography owns all columns and the number of rows
            continue
        for table, old in before.items():
            new: Table = getattr(world, table)
            if len(new) != len(old):  # strangers who departed
                assert name in ("moving", "hukou")  # or registered outside by now
                continue
            for column in old.names:
                if not np.array_equal(getattr(old, column), getattr(new, column)):
                    allowed = writers.get((table, column), ("demography",))
                    assert owner.get(name, name) in allowed, f"{name} wrote {table}.{column}"


def test_capacities_are_never_exceeded() -> None:
    """With hardly a vacant dwelling and no school place to spare, nothing is overfilled and moves are refused."""
    simulation = begin(vacancy_share=0.0)
    world = simulation.world
    world.stock[:] = world.occupied * world.weight
    refused = 0
    for _ in range(2):
        simulation.step()
        urban = world.geography.urban
        stands = world.units(world.stock, Decision.DWELLING)[urban]
        counted = [int(t) for t in Tenure if t not in (Tenure.NONE, Tenure.DORMITORY)]
        assert np.all(world.occupied[urban][:, counted] <= stands[:, counted])
        assert np.all(world.filled[urban][:, 2:] <= np.maximum(world.units(world.jobs[urban][:, 2:], Decision.JOB), 0))
        refused += int(world.measures["refused"].sum())
    assert refused > 0


def test_school_places_admit_no_more_than_they_hold() -> None:
    """Where all places are taken when the waves begin, no move for schooling comes to a town or seat."""
    simulation = begin()
    world = simulation.world

    def close_schools(world: World) -> None:
        world.place.school_places[:] = 0.0

    simulation.watch = close_schools
    refused = 0
    for _ in range(2):
        simulation.step()
        assert world.flows.moves[:, world.geography.urban, Form.SCHOOL].sum() == 0
        refused += int(world.measures["refused"][:, 1].sum())
    assert refused > 0


def test_those_at_home_move_while_the_others_stay_away() -> None:
    """Families left at home move within the region, by themselves; the laws of every year hold (checks raise)."""
    simulation = begin()
    world = simulation.world
    moved = 0
    for _ in range(4):
        simulation.step()
        flows = world.flows.household_moves[:, :, Form.FAMILY]
        moved += int(flows.sum())
        inside = world.geography.inside
        assert flows[:, inside:].sum() == 0
    assert moved > 0


def test_a_family_left_at_home_is_weighed_as_its_two_parts() -> None:
    """Those at home pay and live at the destination, the others where they are; no term but the fixed ones is lost.

    Held against the family turned round: main part away, those at home the away part that moves on.
    """
    from migrasim.core.rule import record
    from migrasim.domains.moving import household, terms
    from migrasim.domains.moving.offers import views
    from migrasim.domains.moving.rules import MovingParams, Terms

    world = begin().world
    world.year += 1
    people, families, places = views(world)
    p = world.inputs.params("moving", MovingParams)
    rows = np.flatnonzero((world.households.away_place >= world.geography.inside) & (world.households.community < 8))
    homes, crew = household.gather(rows, people, families, places, world.year, record(p))
    seat, checked = 2, 0
    for one in homes:
        sums, turned = household.new_sums()[0], household.new_sums()[0]
        if not (one.grown_home and one.child_home) or one.place == seat:
            continue
        household.sum_up(Form.FAMILY, one, crew, sums)
        found = Terms(*terms.terms_of(one, Form.FAMILY, seat, sums, places, np.uint64(5), p))
        other, flipped = one.copy(), crew[one.first : one.first + one.members].copy()
        other.first = 0
        other.place, other.away_place = one.away_place, one.place
        other.tenure, other.away_tenure = one.away_tenure, one.tenure
        other.rooted, other.away_rooted = one.away_rooted, one.rooted
        for member in flipped:
            member.is_away = not member.is_away
            member.moves = member.apart = int(member.is_away) << Form.WORKER
        household.find_parted.py_func(flipped, 0, len(flipped))
        household.sum_up(Form.WORKER, other, flipped, turned)
        expected = Terms(*terms.terms_of(other, Form.WORKER, seat, turned, places, np.uint64(5), p))
        # the one difference of the forms: who minds the children works less
        assert found._replace(income=0.0) == pytest.approx(expected._replace(income=0.0))
        assert found.income <= expected.income + 1e-12
        checked += 1
    assert checked > 5


def test_bounds_are_the_utility_at_a_strange_place_and_a_step_of_the_logarithm_at_most_more() -> None:
    """What bounds many alternatives at once is never below the utility of one, but for way and taste, nor far above.

    Never below with the best of all places; near where all places are as that one is.
    """
    from migrasim.core.codes import N_OUTSIDE, N_TIERS, NOWHERE, Outside, Tier
    from migrasim.core.rule import record
    from migrasim.domains.moving import choice, household, terms
    from migrasim.domains.moving.offers import views
    from migrasim.domains.moving.rules import MovingParams

    simulation = begin()
    simulation.step()  # people have moved away by then
    world = simulation.world
    people, families, places = views(world)
    p, inside = world.inputs.params("moving", MovingParams), world.geography.inside
    dearer = Outside.NEAR if p.far_cost_utility < p.near_cost_utility else Outside.FAR
    homes, crew = household.gather(np.arange(0, 400, 3), people, families, places, world.year, record(p))
    bound, alike = choice.bounds(places.at, record(p), places.core), {}
    assert bound.holds
    for d in range(inside + N_OUTSIDE):
        same = places.at.copy()
        same[:] = places.at[d]
        same["school_own"] = same["school_access"]  # whose schools a county's own children reach is asked elsewhere
        alike[d] = same, choice.bounds(same, record(p), places.core)
    step = p.income_elasticity * np.diff(bound.logs[:-1]).max()
    checked = set()
    for one in homes:
        sums, registered = household.new_sums()[0], places.registered[one.community]
        for form in Form:
            if form in (Form.STAY, Form.RETURN) or not household.can_form(form, one):
                continue
            household.sum_up(form, one, crew, sums)
            base = terms.base_of(one, form)
            here, land = places.at[base], places.land[max(0, one.county)]
            rest = terms.rest_of(
                one, form, NOWHERE, sums, float(places.network[one.community, base]), here, land, inside, p
            )
            settled = terms.settled_at_most(one, form, sums, rest, registered, p)
            for d in range(inside + N_OUTSIDE):
                own = d in (one.place, one.home, one.origin, one.away_place)
                village = d < inside and d % N_TIERS == Tier.VILLAGE
                if own or village or not terms.fits(form, d, one, inside):
                    continue
                nest, near = int(d >= inside), terms.Way(0.0, 0.0, registered, 0.0)
                utility = terms.utility_at(one, form, d, sums, rest, near, places.at[d], inside, p)
                assert terms.at_most(one, sums, rest, settled, bound.best[nest], bound.logs, p) >= utility - 1e-9
                same, by_itself = alike[d]
                utility = terms.utility_at(one, form, d, sums, rest, near, same[d], inside, p)
                most = terms.at_most(one, sums, rest, settled, by_itself.best[nest], bound.logs, p)
                if d - inside != dearer:  # a move there costs more than the bound says
                    assert utility - 1e-9 <= most <= utility + step + 1e-9
                checked.add((form, bool(one.split), d >= inside))
    assert {(Form.WORKER, False, True), (Form.WHOLE, False, False), (Form.WHOLE, True, True)} <= checked
    assert {form for form, _, _ in checked} >= {Form.WORKER, Form.COUPLE, Form.WHOLE}


@pytest.mark.parametrize("number", [1e-300, 0.5, 1.0, 1.03, 17.0, 2.0**31 - 1, 1e9, 2.0**40, 1e300])
def test_the_bound_of_the_logarithm_is_above_it_and_near(number: float) -> None:
    """Within a 32nd from 1 to 2**40; below and beyond it still holds, as 0 and as no bound."""
    from migrasim.domains.moving import terms

    edges = terms.log_edges()
    for found in (terms.log_at_most(number, edges), terms.log_at_most.compiled(number, edges)):
        assert found >= np.log(number)
        if 1.0 <= number < 2.0**40:
            assert found <= np.log(number) + np.log(1 + 1 / 32) + 1e-12


def test_a_household_larger_than_what_is_counted_is_refused() -> None:
    """Members are counted in words of few bits: nobody may run over unseen."""
    world = tiny_world(50)
    crowd = {name: np.repeat(getattr(world.persons, name)[:1], MOST_MEMBERS) for name in world.persons.names}
    world.persons.append(crowd | {"key": np.arange(MOST_MEMBERS, dtype=np.uint64)})
    with pytest.raises(InputError, match=f"counted up to {MOST_MEMBERS}"):
        Simulation.start(world, CHAIN_SECTORS)


def test_who_lives_nowhere_is_refused_and_who_comes_to_breaks_a_law() -> None:
    """Somebody away from a household that has nobody away has no place: never a look beyond the end of a column."""
    world = tiny_world(50)
    home = int(np.flatnonzero(world.households.away_place < 0)[0])
    stray = int(np.flatnonzero(world.persons.household == home)[0])
    world.persons.is_away[stray] = 1
    with pytest.raises(InputError, match="lives in no place"):
        Simulation.start(world, CHAIN_SECTORS)
    simulation = run(1)
    world = simulation.world
    before = checks.before(world)
    home = int(np.flatnonzero(world.households.away_place < 0)[0])
    world.persons.is_away[int(world.first_member[home])] = 1
    with pytest.raises(checks.LawBroken, match="people are conserved"):
        checks.run(world, before)


@pytest.mark.parametrize(
    "parameters",
    [{"demography.minor_age_yr": 23.0}, {"demography.arrivals_far_persons_yr": -9000.0}, {"labour.match_prob": 0.0}],
)
def test_parameters_far_from_their_ranges_break_no_law(parameters: dict[str, float]) -> None:
    """Late majority, arrivals below nobody, nobody ever matched: years go by, and every law holds."""
    simulation = Simulation.start(tiny_world(200, inputs=tiny_inputs(parameters=parameters)), CHAIN_SECTORS)
    for _ in range(3):
        simulation.step()


def test_a_sample_counts_with_its_weight() -> None:
    """Rows that stand for ten keep capacities at full scale and are reported tenfold."""
    simulation = run(2, weight=10.0)
    row = values(simulation.history[-1].sums, np.arange(simulation.world.geography.inside))
    inside = simulation.world.person_place() < simulation.world.geography.inside
    assert row["resident_population"] == 10.0 * inside.sum()


def test_the_schedule_is_what_runs() -> None:
    """The printed order of a year is the order in which phases report themselves."""
    seen: list[str] = []
    simulation = begin()
    simulation.step(lambda year, phase, done, total: seen.append(phase))
    assert seen == [phase.name for phase in SCHEDULE]


def test_a_pull_in_one_county_reaches_nobody_else_in_the_first_wave() -> None:
    """New jobs in East change no choice of a household that cannot move to East in the first wave of a year.

    News of them bring more households of East to weigh a move; they are switched off here.
    """
    from migrasim.domains.moving import phase as moving

    chosen: list[tuple[np.ndarray, np.ndarray]] = []
    for levers in (None, {"industry.smart_manufacturing.jobs": {"East": {2021: 2000, 2035: 2000}}}):
        simulation = begin(levers=levers, parameters={"moving.consider_news_factor": 0.0})
        world = simulation.world
        world.year += 1
        world.flows = type(world.flows).zero(world.geography.places)
        world.measures, world.ledger = {}, {}
        for name, work in simulation._phases(checks.before(world)):
            if name == "moving":
                break
            work()
        chosen.append(moving.first_choices(world))
    (households, before), (again, after) = chosen
    assert np.array_equal(households, again)
    changed = before[:, 0] != after[:, 0]
    east = np.array([N_TIERS * 0 + t for t in (Tier.TOWN, Tier.SEAT)])
    assert changed.any()
    assert np.all(np.isin(after[changed, 0] // 8, east))  # nobody leaves for, or stays out of, anywhere else


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_change_nothing(threads: int) -> None:
    """1, 2 and 4 threads give the same worlds to the last bit (in processes of their own)."""
    assert digest(NUMBA_NUM_THREADS=str(threads)) == digest(NUMBA_NUM_THREADS="3")


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [2, 7, 16])
def test_blocks_of_rows_change_nothing(blocks: int) -> None:
    """Every loop over rows gives the same in one block as in many, some of them empty."""
    assert digest(BLOCKS=str(blocks), NUMBA_NUM_THREADS="2") == digest(BLOCKS="1")


@pytest.mark.slow
def test_plain_rules_equal_compiled_kernels() -> None:
    """Every rule and kernel run as plain Python gives the same choices, row by row, and the same world.

    Households whose two best alternatives are nearer than 1e-9 are counted; there are none.
    """
    compiled, plain = digest(years=1), digest(years=1, NUMBA_DISABLE_JIT="1")
    assert compiled == plain
    assert compiled.split()[1] == "0"  # near ties


@cache
def digest(years: int = 2, **environment: str) -> str:
    """Hash of a tiny run in a process with these variables, and how many choices were near ties; made once."""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", os.path.join(os.path.dirname(__file__), "digest.py"), str(years)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_short_run_is_the_beginning_of_a_long_one() -> None:
    """How long a run lasts changes nothing in the years before: nobody knows when it ends."""
    short, long = (ms.run("plan", seed=3, sample=0.01, threads=1, until=until) for until in (2022, 2024))
    assert short.indicators.equals(long.indicators[long.indicators["year"] <= 2022].assign(run_id=short.run_id))
    assert short.flows.equals(long.flows[long.flows["year"] <= 2022])
