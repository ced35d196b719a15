"""The choice of households once more, twice: as vectorised NumPy and as plain Mesa objects.

Both weigh every alternative and pass over none. They are oracle and yardstick of the kernels: for the
same luck every household must choose the same (see ``tests/laws/test_peers.py``), and the benches say
how much faster the kernels are. The NumPy version has formulas of its own; the Mesa version calls the
plain rules of the package, object by object, in a process without numba's compiler.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from migrasim.core.chance import Decision, stream
from migrasim.core.codes import N_FORMS, N_TIERS, Activity, Form, Nest, Tenure, Tier
from migrasim.core.rule import record
from migrasim.domains.moving import household
from migrasim.domains.moving.choice import FORM_STRIDE, ROUNDS, STAY, STAY_LUCK
from migrasim.domains.moving.considering import months
from migrasim.domains.moving.offers import views
from migrasim.domains.moving.rules import MovingParams
from migrasim.world import World

Array = Any
_M1, _M2, _GOLDEN = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB), np.uint64(0x9E3779B97F4A7C15)


def frozen(world: World, most: int | None = None) -> dict[str, Any]:
    """All that the choices of a year's beginning read, for the first ``most`` households that consider."""
    params = world.inputs.params("moving", MovingParams)
    p = record(params)
    people, families, places = views(world)
    rows = np.flatnonzero(months(world, people, families, places, params))[:most]
    homes, crew = household.gather(rows, people, families, places, world.year, p)
    return {
        "rows": rows, "people": people, "families": families, "homes": homes.view(np.recarray),
        "crew": crew.view(np.recarray), "places": places,
        "seed": world.seed, "year": world.year, "p": p,
    }  # fmt: skip


def cut(codes: Array) -> Array:
    """Lists of alternatives with nothing but STAY from STAY on."""
    return np.where(np.logical_or.accumulate(codes == STAY, axis=1), STAY, codes)


def _mix(word: Array) -> Array:
    word = (word ^ (word >> np.uint64(30))) * _M1
    word = (word ^ (word >> np.uint64(27))) * _M2
    return word ^ (word >> np.uint64(31))


def _bits(key: int, who: Array, alternative: Array) -> Array:
    with np.errstate(over="ignore"):
        number = (np.asarray(alternative).astype(np.uint64) + np.uint64(1)) * _GOLDEN
        return _mix(_mix(np.uint64(key) ^ who) + number)


def _unit(bits: Array) -> Array:
    return ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def _gumbel(bits: Array) -> Array:
    return -np.log(-np.log(_unit(bits)))


def _nest_luck(key: int, who: Array, nest: int, scale: float) -> Array:
    angle = np.pi * _unit(_bits(key, who, 2 * nest))
    exponential = -np.log(_unit(_bits(key, who, 2 * nest + 1)))
    log_s = np.log(np.sin(scale * angle)) - np.log(np.sin(angle)) / scale
    log_s += (1.0 - scale) / scale * (np.log(np.sin((1.0 - scale) * angle)) - np.log(exponential))
    return scale * log_s


def _of_form(form: int, homes: Array, crew: Array, of: Array) -> tuple[Array, Array]:
    """(members,) who goes, and who lives away afterwards."""
    number, away = np.arange(len(crew)), crew.is_away
    split = homes.split[of]
    if form == Form.FAMILY:
        return split & ~away, ~away
    if form == Form.STAY:
        return np.zeros(len(crew), bool), away
    if form == Form.WHOLE:
        return np.ones(len(crew), bool), np.ones(len(crew), bool)
    if form == Form.RETURN:
        return away, np.zeros(len(crew), bool)
    chief = number == homes.chief[of]
    if form == Form.WORKER:
        go = np.where(split, away, chief)
    elif form == Form.COUPLE:
        go = (number == homes.partner[of]) | (chief & ~split)
    elif form == Form.YOUNG:
        go = number == homes.young[of]
    else:
        parent = homes.parent[of]
        child = ~away & (crew.age < 15) & (parent >= 0) & (crew.parents == crew.couple[np.maximum(parent, 0)])
        go = (number == parent) | child
    return go, go | away


def _sums(form: int, homes: Array, crew: Array, of: Array) -> dict[str, Array]:
    """(households,) sums over members after a form."""
    go, away = _of_form(form, homes, crew, of)
    count = len(homes)
    if form == Form.STAY:
        go = np.zeros(len(crew), bool)

    def total(where: Array, what: Array | float = 1.0) -> Array:
        return np.bincount(of, np.where(where, what, 0.0), count)

    adult, farmer = crew.is_adult, crew.activity == Activity.FARMER
    child, elder = (crew.age >= 6) & (crew.age < 15), crew.age >= 60
    found = {
        "stay": total(~away), "go": total(away), "movers": total(go),
        "earn": total(go, crew.earning_factor.astype(float)), "lost": total(go, crew.income_yuan.astype(float)),
        "farmers": total(farmer & ~go & ~away), "adults_go": total(go & adult), "workers0": total(adult & ~away),
        "kids0": total(child & ~away), "kids1": total(child & away), "elders0": total(elder & ~away),
        "elders1": total(elder & away), "grown0": total(~away & (crew.age >= 15)),
    }  # fmt: skip
    found["schooling"] = np.zeros(count)
    np.maximum.at(found["schooling"], of[go], crew.schooling_yr[go].astype(float))
    # living apart: pairs of members of one household
    first, size = homes.first[of], homes.members[of]
    apart, left, alone = np.zeros(count), np.zeros(len(crew), bool), np.zeros(len(crew), bool)
    parent_seen, parent_with = np.zeros(len(crew), bool), np.zeros(len(crew), bool)
    adult_seen, adult_with = np.zeros(len(crew), bool), np.zeros(len(crew), bool)
    for k in range(int(size.max(initial=0))):
        there = size > k
        j = np.where(there, first + k, 0)
        same = away[j] == away
        later = there & (j > np.arange(len(crew)))
        apart += total(later & (crew.couple > 0) & (crew.couple[j] == crew.couple) & ~same)
        is_parent = there & (crew.couple[j] == crew.parents)
        parent_seen, parent_with = parent_seen | is_parent, parent_with | (is_parent & same)
        is_adult = there & adult[j]
        adult_seen, adult_with = adult_seen | is_adult, adult_with | (is_adult & same)
    left = (crew.age < 15) & (crew.parents > 0) & parent_seen & ~parent_with
    alone = elder & adult_seen & ~adult_with
    return found | {"apart": apart, "child_left": total(left), "elder_left": total(alone)}


def _can(form: int, homes: Array) -> Array:
    alone = (homes.kind == 1) | (homes.members < 2)
    split, chief = homes.split, homes.chief >= 0
    return {
        Form.STAY: np.ones(len(homes), bool), Form.WHOLE: np.ones(len(homes), bool), Form.RETURN: split,
        Form.WORKER: ~alone & (split | chief), Form.COUPLE: ~alone & (homes.partner >= 0) & (split | chief),
        Form.YOUNG: ~alone & (homes.young >= 0), Form.SCHOOL: ~alone & (homes.parent >= 0),
        Form.FAMILY: split & homes.grown_home,
    }[Form(form)]  # fmt: skip


def _reach(homes: Array, inside: int, core: int) -> Array:
    """(households, places) whether a destination is thought of."""
    d = np.arange(inside + 2)[None, :]
    place, county = homes.place[:, None], homes.county[:, None]
    own = np.where((county < 0) & (place < inside), place // N_TIERS, county)
    tier = d % N_TIERS
    seat = (place < inside) | (county < 0) | (d // N_TIERS == own) | (d == core)
    urban = np.where(tier == Tier.TOWN, d // N_TIERS == own, seat) & (tier != Tier.VILLAGE)
    always = (d >= inside) | (d == homes.home[:, None]) | (d == homes.origin[:, None])
    return (always | urban) & (d != place)


def choose_numpy(state: dict[str, Any]) -> tuple[Array, Array]:
    """(households, ROUNDS) codes and utilities with luck, best first, over all alternatives at once."""
    homes, crew, places, p = state["homes"], state["crew"], state["places"], state["p"][0]
    at, land, count = places.at.view(np.recarray), places.land.view(np.recarray), len(homes)
    inside = len(at) - 2
    of = np.repeat(np.arange(count), homes.members)
    d, key = np.arange(inside + 2)[None, :], homes.key
    place, away_place = homes.place, homes.away_place
    home, origin, members = homes.home[:, None], homes.origin[:, None], homes.members[:, None].astype(float)
    reach = _reach(homes, inside, places.core)
    keys = [int(stream(state["seed"], each, year)) for each, year in (
        (Decision.GUMBEL, state["year"]), (Decision.NEST, state["year"]), (Decision.TASTE, 0))]  # fmt: skip
    scale = p.nest_dissimilarity
    nested = np.where(
        d < inside,
        _nest_luck(keys[1], key, Nest.INSIDE, scale)[:, None],
        _nest_luck(keys[1], key, Nest.OUTSIDE, scale)[:, None],
    )
    bits, mask = _bits(keys[2], key[:, None], d), np.uint64((1 << 21) - 1)
    thirds = sum(((bits >> np.uint64(shift)) & mask).astype(float) for shift in (0, 21, 42))
    taste = p.taste_sd_utility * 2.0 * (thirds / float((1 << 21) - 1) - 1.5)
    network = places.network[homes.community].astype(float)
    registered = places.registered[homes.community][:, None]
    village = homes.from_village[:, None]
    county = np.maximum(homes.county, 0)
    codes = np.full((count, N_FORMS, inside + 2), STAY)
    worth = np.full((count, N_FORMS, inside + 2), -np.inf)
    rows = np.arange(count)

    def schooled(where: Array) -> Array:
        beyond = np.where(where // N_TIERS == home // N_TIERS, at.school_own[where], at.school_access[where])
        return np.where(where == home, at.school[where], beyond)

    def quality(where: Array, full: Array, access: Array) -> Array:
        return np.where(where == home, full[where], access[where])

    def rent(where: Array, tenure: Array, persons: Array) -> Array:
        asked = np.where(tenure == Tenure.PUBLIC_RENT, at.public_rent_yuan[where], at.rent_yuan[where])
        asked = np.where(tenure == Tenure.AFFORDABLE_RENT, at.affordable_rent_yuan[where], asked)
        pays = np.isin(tenure, [Tenure.PUBLIC_RENT, Tenure.AFFORDABLE_RENT, Tenure.MARKET_RENT])
        pays = pays | ((tenure == Tenure.NONE) & (where >= inside))
        relief = np.where(
            np.isin(tenure, [Tenure.PUBLIC_RENT, Tenure.AFFORDABLE_RENT]), 0.0, at.tenant_relief_yuan[where]
        )
        cost = np.where(persons <= 1, p.single_rent_share, 1.0) * asked - relief
        return np.where(pays, np.maximum(cost, 0.0), 0.0)

    for form in range(N_FORMS):
        s = {name: column[:, None] for name, column in _sums(form, homes, crew, of).items()}
        here_only = form in (Form.STAY, Form.RETURN)
        there = np.broadcast_to(d, (count, inside + 2)) if form != Form.STAY else np.broadcast_to(
            away_place[:, None], (count, inside + 2))  # fmt: skip
        open_ = _can(form, homes)[:, None] & (d == place[:, None] if here_only else reach)
        split = homes.split[:, None]
        main_place, other_place, main_tenure, other_tenure = place, away_place, homes.tenure, homes.away_tenure
        main_rooted, other_rooted = homes.rooted, homes.away_rooted
        if form == Form.FAMILY:
            main_place, other_place, main_tenure, other_tenure = away_place, place, other_tenure, main_tenure
            main_rooted, other_rooted = other_rooted, main_rooted
            to_town = homes.child_home[:, None] & (d % N_TIERS != Tier.VILLAGE)
            open_ = open_ & (d < inside) & (d != away_place[:, None]) & ((d == origin) | to_town)
        elif not here_only and form != Form.WHOLE:
            open_ = open_ & (s["grown0"] > 0) & ~((d < inside) & (d % N_TIERS == Tier.VILLAGE))
            open_ = open_ & (~split | ((d != away_place[:, None]) == (form == Form.WORKER)))
            if form == Form.SCHOOL:
                open_ = open_ & (d < inside)
        main = main_place[:, None] + 0 * d
        whole, at_origin, gone = s["stay"] == 0, main == origin, s["go"] > 0
        income = homes.earned_yuan[:, None] - s["lost"] + homes.other_income_yuan[:, None]
        farmers = np.where(at_origin & ~whole, s["farmers"], 0.0)
        if form == Form.RETURN:
            back_on_land = at_origin & village
            farmers = farmers + np.where(back_on_land, s["adults_go"], 0.0)
            income = income + np.where(back_on_land, 0.0, s["earn"] * at.wage_yuan[main] * at.work_chance[main])
        elif form != Form.STAY:
            less = p.school_parent_work_share if form in (Form.SCHOOL, Form.FAMILY) else 1.0
            income = income + s["earn"] * less * at.wage_yuan[there] * at.work_chance[there]
            farmers = np.where((whole | (form == Form.FAMILY)) & (d == origin) & village, s["adults_go"], farmers)
        works = np.where(whole & (form == Form.WHOLE), d == origin, (s["workers0"] > 0) & at_origin)
        if form == Form.FAMILY:
            works = np.where(s["adults_go"] > 0, d == origin, works)
        works = works | (at_origin if form == Form.RETURN else False)
        insecure = village & ~works
        kept = np.where(insecure, land.kept[county][:, None], 1.0)
        worked = np.where(
            homes.farmers_needed[:, None] > 0,
            np.minimum(1.0, farmers / np.where(homes.farmers_needed > 0, homes.farmers_needed, 1.0)[:, None]),
            0.0,
        )
        lent = np.where(village, land.rent_yuan[county][:, None], 0.0) * kept
        lent = lent + np.where(insecure, land.exit_income_yuan[county][:, None], 0.0)
        income = income + homes.farm_full_yuan[:, None] * worked + homes.land_mu[:, None] * (1.0 - worked) * lent
        shares = np.where(insecure, land.collective_kept[county][:, None], 1.0)
        income = income + homes.dividend_yuan[:, None] * shares
        income = income - np.where(
            whole, 0.0, rent(main, main_tenure[:, None], s["stay"]) + at.living_yuan[main] * s["stay"]
        )
        joins = (form == Form.STAY) | (split & (d == other_place[:, None]))
        single = np.where(s["go"] <= 1, p.single_rent_share, 1.0) * at.rent_yuan[there]
        new = np.maximum(0.0, single - np.where(d == home, 0.0, at.relief_yuan[there]))
        new = np.where((d >= inside) | (d % N_TIERS != Tier.VILLAGE), new, 0.0)
        pays = np.where(joins, rent(there, other_tenure[:, None], s["go"]), new)
        income = income - np.where(gone, pays + at.living_yuan[there] * s["go"], 0.0)
        floor = p.income_floor_yuan_yr_pers * members
        value = p.income_elasticity * (
            np.log(np.maximum(income, floor)) - p.equivalence_exponent * homes.log_members[:, None]
        )

        def both(full: Array, access: Array, first: Array, second: Array, main=main, there=there) -> Array:
            return first * quality(main, full, access) + second * quality(there, full, access)

        ones, kids, elders = np.ones(len(at)), s["kids0"] + s["kids1"], s["elders0"] + s["elders1"]
        few, old = np.maximum(kids, 1.0), np.maximum(elders, 1.0)
        reached = s["kids0"] * schooled(main) + s["kids1"] * schooled(there)
        value = value + p.school_access_utility * reached / few
        value = value + p.health_access_utility * both(at.health, at.health_access, s["elders0"], s["elders1"]) / old
        secure = both(ones, at.security_access, s["elders0"], s["elders1"])
        value = value + p.security_access_utility * secure / old
        value = value + (s["stay"] * at.amenity[main] + s["go"] * at.amenity[there]) / members
        if not here_only:
            start = (np.where(homes.split, away_place, place) if form == Form.WORKER else place)[:, None]
            own = places.community_distance[homes.community]
            way = places.distance[start[:, 0]]
            away = np.where(d == origin, 0.0, np.maximum(way, own))
            from_home = (start == origin) | (homes.county[:, None] < 0)
            value = value + np.where(from_home, np.where(village, own, way), away)
            leaves = (d >= inside) | (d % N_TIERS != Tier.VILLAGE)
            value = value + np.where(leaves, p.schooling_utility_yr * s["schooling"], 0.0)
            value = value + (p.young_leaves_utility if form == Form.YOUNG else 0.0)
            cost = np.where(d < inside, p.inside_cost_utility,
                            np.where(d == inside + 1, p.far_cost_utility, p.near_cost_utility))  # fmt: skip
            value = value - cost - p.member_cost_utility * np.maximum(0.0, s["movers"] - 1.0)
        elif form == Form.STAY:
            value = value + p.staying_utility
        their = network[rows[:, None], main] * ~at_origin * s["stay"]
        their = their + network[rows[:, None], there] * (there != origin) * s["go"]
        value = value + p.network_utility * np.where(registered > 0, their / members / np.maximum(registered, 1), 0.0)
        strange, stranger = (main != home) * s["stay"], (there != home) * s["go"]
        barred = strange * at.barrier[main] + stranger * at.barrier[there]
        value = value - p.registration_barrier_utility * barred / members
        eased = strange * (at.social[main] + main_rooted[:, None]) + stranger * at.social[there]
        stayed = np.maximum(0.0, s["go"] - s["movers"]) * other_rooted[:, None]
        value = value + (eased + (stranger > 0) * (there == other_place[:, None]) * stayed) / members
        unsafe = (1.0 - kept) * homes.land_mu[:, None] / 10.0
        value = value - np.where(works | ~village, 0.0, p.tenure_security_utility * unsafe)
        value = value - p.spouse_apart_utility * s["apart"] - p.child_left_utility * s["child_left"]
        value = value - p.elder_left_utility * s["elder_left"]
        at_home = at_origin * s["stay"] + (gone & (there == origin)) * s["go"]
        value = value + p.home_utility * at_home / members + taste
        returns = at_origin if form == Form.RETURN else (d == origin) & (form in (Form.WHOLE, Form.FAMILY))
        value = value + np.where(village & returns, land.return_gain[county][:, None], 0.0)
        if form == Form.STAY:
            value = value + _gumbel(_bits(keys[0], key[:, None], STAY_LUCK))
        else:
            code = d * FORM_STRIDE + form
            codes[:, form] = code
            value = value + scale * _gumbel(_bits(keys[0], key[:, None], code)) + nested
        worth[:, form] = np.where(open_, value, -np.inf)
    flat = worth.reshape(count, -1)
    best = np.argsort(-flat, axis=1, kind="stable")[:, :ROUNDS]
    return np.take_along_axis(codes.reshape(count, -1), best, 1), np.take_along_axis(flat, best, 1)


def choose_mesa(state: dict[str, Any]) -> tuple[Array, Array, float]:
    """Codes, utilities and the seconds of choosing of households that are ``mesa.Agent`` objects, in plain Python."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given", Path(folder) / "found"
        plain = {name: state[name] for name in ("seed", "year")}
        plain |= {name: np.asarray(state[name]) for name in ("homes", "crew", "p")}
        plain["places"] = [np.asarray(each) for each in state["places"]]
        given.write_bytes(pickle.dumps(plain))
        subprocess.run(
            [sys.executable, "-W", "ignore", __file__, str(given), str(found)],
            env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
            check=True,
            timeout=1200,
        )
        codes, values, seconds = pickle.loads(found.read_bytes())
        return codes, values, seconds


def _mesa_model(given: dict[str, Any]) -> Any:
    """A Mesa model: every household an agent, every member an object, every place an object."""
    import mesa

    from migrasim.core.codes import Nest
    from migrasim.core.logit import alternative_error, nest_error
    from migrasim.domains.moving import terms
    from migrasim.domains.moving.tipping import is_open

    class Thing:
        """Attributes of one record as plain numbers."""

        def __init__(self, names: tuple[str, ...], values: Any) -> None:
            for name, value in zip(names, values, strict=True):
                setattr(self, name, np.uint64(value) if name == "key" else value)

    class Things(list[Thing]):
        """Objects in a row."""

        @property
        def shape(self) -> tuple[int]:
            """Their number, as a column has it."""
            return (len(self),)

    def things(records: Array) -> Things:
        return Things(Thing(records.dtype.names, each) for each in records.tolist())

    class Family(mesa.Agent):
        """A household that weighs all alternatives."""

        def __init__(self, model: Any, one: Thing, crew: list[Thing]) -> None:
            super().__init__(model)
            self.one, self.crew, self.best = one, crew, []

        def choose(self) -> None:
            """Keep the best alternatives, best first."""
            one, model = self.one, self.model
            nests = [nest_error(model.nest_key, one.key, nest, model.p.nest_dissimilarity) for nest in Nest]
            found = []
            sums = Thing(household.SUMS.names, [0.0] * len(household.SUMS.names))
            for form in range(N_FORMS):
                if not household.can_form(form, one):
                    continue
                household.sum_up(form, one, self.crew, sums)
                for d in range(model.inside + 2):
                    if is_open(one, form, d, sums.grown0, model.inside, model.places.core):
                        found_terms = terms.terms_of(one, form, d, sums, model.places, model.taste_key, model.p)
                        value, code = terms.total(found_terms), d * FORM_STRIDE + form
                        if form == Form.STAY:
                            code = STAY
                            value += alternative_error(model.gumbel_key, one.key, STAY_LUCK, 1.0)
                        else:
                            value += alternative_error(model.gumbel_key, one.key, code, model.p.nest_dissimilarity)
                            value += nests[Nest.INSIDE if d < model.inside else Nest.OUTSIDE]
                        found.append((value, code))
            found.sort(key=lambda each: -each[0])
            self.best = found[:ROUNDS]

    class Families(mesa.Model):
        """All households that consider, on one frozen state."""

        def __init__(self) -> None:
            super().__init__()
            seed, year = given["seed"], given["year"]
            self.places = terms.Places(*given["places"])
            lists = {"at": things(self.places.at), "land": things(self.places.land)}
            self.places = self.places._replace(**lists, core=int(self.places.core))
            self.inside = len(lists["at"]) - 2
            self.p = things(given["p"])[0]
            self.gumbel_key, self.nest_key = stream(seed, Decision.GUMBEL, year), stream(seed, Decision.NEST, year)
            self.taste_key = stream(seed, Decision.TASTE, 0)
            crew = things(given["crew"])
            for one in things(given["homes"]):
                members = crew[one.first : one.first + one.members]
                for name in ("chief", "partner", "young", "parent"):
                    number = getattr(one, name)
                    setattr(one, name, number - one.first if number >= 0 else -1)
                one.first = 0
                Family(self, one, members)

        def step(self) -> None:
            """Everybody chooses."""
            self.agents.do("choose")

    return Families()


def main(given: str, found: str) -> None:
    """Read a frozen state, let the Mesa objects choose, write what they chose and how long it took."""
    model = _mesa_model(pickle.loads(Path(given).read_bytes()))
    with np.errstate(over="ignore"):
        began = time.thread_time()
        model.step()
        seconds = time.thread_time() - began
    codes, values = np.full((len(model.agents), ROUNDS), STAY), np.full((len(model.agents), ROUNDS), -np.inf)
    for n, agent in enumerate(model.agents):
        for r, (value, code) in enumerate(agent.best):
            codes[n, r], values[n, r] = code, value
    Path(found).write_bytes(pickle.dumps((codes, values, seconds)))


if __name__ == "__main__":
    main(*sys.argv[1:])
