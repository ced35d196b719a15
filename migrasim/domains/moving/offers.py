"""What a newcomer finds at every place, and how far it is: the bundles that choices read.

Wages, rents, schools and the rest are columns of the world that other domains fill; here they are put into
records, brought up to date between the waves of a year.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from migrasim.core.codes import (
    N_TIERS,
    Tier,
)
from migrasim.core.rule import empty, kernel, record, rows_of, threaded_kernel
from migrasim.domains.moving import rules
from migrasim.domains.moving.household import (
    Families,
    People,
)
from migrasim.domains.moving.rules import MovingParams
from migrasim.domains.moving.terms import AT, LAND, Places
from migrasim.world import Geography, World

_INTERPLAY = ("residence_permit.", "three_rights.", "public_housing.", "industry.")
_OFFERS = ("relief_yuan", "school_own", "school_access", "health_access", "security_access", "barrier")
_LEAST_ROWS = 256  # of communities; fewer are not worth a thread
_RIGHTS = ("kept", "collective_kept", "exit_income_yuan")


def origin_places(world: World) -> np.ndarray:
    """(communities,) place of each community; a village that became a town is part of it."""
    geography = world.geography
    villages, county = geography.villages, geography.community_county
    place = np.empty(geography.communities, np.int64)
    place[:villages] = N_TIERS * county[:villages] + int(Tier.VILLAGE)
    place[:villages][world.villages.urban_since_year > 0] += int(Tier.TOWN) - int(Tier.VILLAGE)
    place[villages:-2] = (N_TIERS * np.arange(geography.counties)[:, None] + [int(Tier.TOWN), int(Tier.SEAT)]).ravel()
    place[-2:] = geography.near, geography.far
    return place


def places_of_villages(geography: Geography) -> np.ndarray:
    """(places,) True for the village places inside."""
    place = np.arange(geography.places)
    return np.asarray((place < geography.inside) & (place % N_TIERS == Tier.VILLAGE))


@partial(threaded_kernel, least_rows=_LEAST_ROWS)
def distances(block, minutes, home, factor, p, utility):
    """Fill ``utility`` with the distance term of ``minutes``, both (rows, places), times the factor of the year.

    ``home`` (rows,) is the place where each row begins, ``factor`` (places, places) that of travel between two.
    """
    p = p[0]
    for i in rows_of(block):
        h = home[i]
        for j in range(minutes.shape[1]):
            utility[i, j] = rules.distance_term(minutes[i, j] * factor[h, j], p)


def _distances(world: World) -> tuple[np.ndarray, np.ndarray]:
    """Distance terms between places and from communities to places; the same in every wave of a year."""
    memory, p = world.memory, world.inputs.params("moving", MovingParams, year=world.year)
    factors = _travel_factors(world, p)
    now = np.concatenate(
        [[world.year, p.distance_scale_min, p.distance_income_ratio, p.income_elasticity], factors.ravel()]
    )
    if not np.array_equal(memory.get("distance_of", np.zeros(0))[1:], now[1:]):
        geography, factor = world.geography, travel_factor(world.geography, factors)
        village = N_TIERS * geography.community_county[: geography.villages] + int(Tier.VILLAGE)
        home = np.concatenate([village, origin_places(world)[geography.villages :]])  # where it stands, town or not
        for name, minutes, start in (
            ("distance", geography.travel_min, np.arange(geography.places)),
            ("community_distance", geography.community_travel_min, home),
        ):
            memory[name] = np.empty_like(minutes)
            distances(len(minutes), minutes, start, factor, record(p), memory[name])
        memory["distance_of"] = now
    return memory["distance"], memory["community_distance"]


def _travel_factors(world: World, p: MovingParams) -> np.ndarray:
    """(3, counties) travel time over that of the base: between counties, to the outside, village to town and seat."""
    factors = np.empty((3, world.geography.counties))
    fill_travel_factors(
        world.levers["transport.intercounty"],
        world.inputs.status_quo("transport.intercounty"),
        world.above("spatial.cluster_integration"),
        world.above("transport.rural_roads"),
        record(p),
        factors,
    )
    return factors


@kernel
def fill_travel_factors(saved, saved_base, cluster, roads, p, factors):
    """Fill ``factors`` (3, counties) of `_travel_factors` from levers (counties,)."""
    p = p[0]
    for c in range(factors.shape[1]):
        factors[0, c] = rules.travel_factor(saved[c], saved_base[c])
        factors[1, c] = factors[0, c] * rules.cluster_factor(cluster[c], p)
        factors[2, c] = rules.rural_roads_factor(roads[c], p)


def travel_factor(geography: Geography, factors: np.ndarray) -> np.ndarray:
    """(places, places) minutes between places with this year's roads over those of the base.

    Parameters
    ----------
    factors : (3, counties) of the year, see ``_travel_factors``; a road between two counties takes
        the mean of both
    """
    inside = geography.inside
    county, tier = np.arange(inside) // N_TIERS, np.arange(inside) % N_TIERS
    between, outward, roads = factors[:, county]
    same = county[:, None] == county[None, :]
    village = tier == Tier.VILLAGE
    factor = np.ones((geography.places, geography.places))
    factor[:inside, :inside] = np.where(same, 1.0, (between[:, None] + between[None, :]) / 2.0)
    factor[:inside, :inside] *= np.where(same & (village[:, None] != village[None, :]), roads[:, None], 1.0)
    factor[:inside, inside:] = outward[:, None]
    factor[inside:, :inside] = outward[None, :]
    return factor


@kernel
def fill_welcome(integration, community, support, p, social, settling, return_gain):
    """Fill what places offer newcomers beside goods, from levers over their status quo (counties,).

    ``social`` (places,) cost that newcomers of towns and seats are spared, ``settling`` (places,) speed at which
    they grow roots, ``return_gain`` (counties,) pull of the home village.
    """
    p = p[0]
    for c in range(integration.shape[0]):
        for tier in range(N_TIERS):
            d = N_TIERS * c + tier
            social[d] = 0.0 if tier == Tier.VILLAGE else rules.social_ease(integration[c], community[c], p)
            settling[d] = rules.settling_speed(integration[c], p)
        return_gain[c] = rules.return_gain(support[c], p)


def _interplay(world: World, p: MovingParams, at: np.ndarray, land: np.ndarray | None) -> None:
    """Let the pulls of several groups of levers help or replace one another, where a run asks for it.

    What a place offers over the base year weighs more or less when other groups are set as well; with
    one group alone, or none, nothing changes. ``land`` is not given where it has been done already this year.
    """
    if p.interplay_exponent == 1.0:
        return
    base = world.memory.setdefault("offers_base", np.stack([at[name] for name in _OFFERS]).astype(np.float64))
    counties, inside = world.geography.counties, world.geography.inside
    set_levers = np.zeros((len(_INTERPLAY), counties))
    for g, group in enumerate(_INTERPLAY):
        names = [name for name in world.levers if name.startswith(group)]
        for name in names:
            for c, (above, way) in enumerate(zip(world.above(name), world.inputs.way(name), strict=True)):
                set_levers[g, c] += rules.news_share(float(above), float(way)) / len(names)
    factor = np.array(
        [rules.interplay_factor(float(one[0]), float(one[1]), float(one[2]), float(one[3]), p) for one in set_levers.T]
    )
    by_place = np.ones(len(at))
    by_place[:inside] = factor[np.arange(inside) // N_TIERS]
    for name, was in zip(_OFFERS, base, strict=True):
        at[name] = np.where(by_place == 1.0, at[name], was + by_place * (at[name] - was))
    at["barrier"] = np.maximum(0.0, at["barrier"])
    if land is None:
        return
    rights = world.memory.setdefault("rights_base", np.stack([land[name] for name in _RIGHTS]).astype(np.float64))
    for name, was in zip(_RIGHTS, rights, strict=True):
        land[name] = np.where(factor == 1.0, land[name], was + factor * (land[name] - was))
    for name in ("kept", "collective_kept"):
        land[name] = np.minimum(1.0, land[name])


def _offer(world: World, at: np.ndarray) -> None:
    """Write into the records ``at`` what places offer now: what goods cost and are worth changes from wave to wave."""
    place = world.place
    chance = place.work_chance_share
    if "myopic_income" in world.inputs.alternatives:  # a village's chance says how much work there is, not how sure
        chance = np.where(places_of_villages(world.geography), chance, 1.0)
    at["wage_yuan"] = place.wage_newcomer_yuan_yr
    at["work_chance"] = chance
    at["rent_yuan"] = place.rent_yuan_yr
    at["relief_yuan"] = place.rent_relief_yuan_yr
    at["tenant_relief_yuan"] = place.tenant_relief_yuan_yr
    at["public_rent_yuan"] = place.public_rent_yuan_yr
    at["affordable_rent_yuan"] = place.affordable_rent_yuan_yr
    at["living_yuan"] = place.living_cost_yuan_yr_pers
    at["school"] = place.school_quality_share
    at["school_own"] = place.school_own_share
    at["school_access"] = place.school_access_share
    at["health"] = place.health_quality_share
    at["health_access"] = place.health_access_share
    at["security_access"] = place.security_access_share
    at["amenity"] = place.amenity_utility
    at["barrier"] = place.barrier_share


@kernel
def registered(network):
    """(communities,) float64 people by community, of a network (communities, places)."""
    people = empty(network.shape[0], np.float64)
    for community in range(network.shape[0]):
        counted = 0
        for d in range(network.shape[1]):
            counted += network[community, d]
        people[community] = counted
    return people


def renew(world: World, p: MovingParams, at: np.ndarray, land: np.ndarray | None = None) -> None:
    """Bring what places offer, in the records ``at``, up to date; what counties offer where ``land`` is given."""
    _offer(world, at)
    _interplay(world, p, at, land)


def views(world: World) -> tuple[People, Families, Places]:
    """The columns that the choice reads, as bundles for the kernels."""
    persons, households, county = world.persons, world.households, world.county
    live = world.livelihood
    people = People(
        persons.key,
        persons.birth_year,
        persons.couple,
        persons.parents,
        persons.schooling,
        persons.activity,
        persons.is_away,
        live.earning_factor,
        live.income_yuan,
    )
    families = Families(
        households.key,
        households.kind,
        households.community,
        households.home_place,
        households.place,
        households.away_place,
        households.since_year,
        households.away_since_year,
        households.tenure,
        households.away_tenure,
        households.land_mu,
        world.first_member,
        world.members,
        live.farm_full_yuan,
        live.farmers_needed,
        live.other_income_yuan,
        live.dividend_yuan,
    )
    geography = world.geography
    network = world.network
    if "networks" in world.inputs.alternatives:
        network = world.memory.setdefault("network_base", network.copy())
    at, land = np.empty(geography.places, AT), np.empty(geography.counties, LAND)
    land["rent_yuan"] = county.land_rent_yuan_yr_mu
    land["kept"] = county.land_kept_share
    land["collective_kept"] = county.collective_kept_share
    land["exit_income_yuan"] = county.exit_income_yuan_yr_mu
    social, settling = np.zeros(geography.places), np.ones(geography.places)
    return_gain = np.empty(geography.counties)
    p = world.inputs.params("moving", MovingParams, year=world.year)
    fill_welcome(
        world.above("integration.community"),
        world.above("governance.community"),
        world.above("rural.returnee_support"),
        record(p),
        social,
        settling,
        return_gain,
    )
    at["social"], at["settling"], land["return_gain"] = social, settling, return_gain
    renew(world, p, at, land)
    places = Places(
        at,
        land,
        *_distances(world),
        geography.community_county,
        origin_places(world),
        network,
        registered(network),
        geography.core,
        geography.villages,
    )
    return people, families, places
