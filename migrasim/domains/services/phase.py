"""Supply of school places and health capacity, and their quality after crowding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from migrasim.core.codes import N_TIERS, Tier
from migrasim.core.rule import APART, blocks_of, kernel, record, rows_of, threaded_kernel, zeros
from migrasim.core.share import tilted_share
from migrasim.domains.services import rules
from migrasim.domains.services.rules import ServicesParams
from migrasim.world import World

SCHOOL_AGE, CHILD_AGE = 6, 15  # compulsory school: from 6 for nine years (Compulsory Education Law, articles 2 and 11)
_SCHOOLS, _HEALTH = "public_services.school_places", "public_services.health_capacity"
_LINKED = "public_services.resident_linked_supply"
_INDICES = (
    "urban.smart",
    "rural.public_services",
    "urban.municipal_utilities",
    "urban.livable",
    "urban.resilient",
    "urban.green",
    "urban.cultural",
    "rural.infrastructure",
)
_OPENED = (
    "residence_permit.waiting_months",
    "residence_permit.one_pass",
    "residence_permit.education",
    "residence_permit.healthcare",
    "public_services.remote_settlement",
    "residence_permit.social_security",
    "public_housing.tenant_equal_rights",
    "hukou.openness",
)


def params(world: World) -> ServicesParams:
    """Facts of this domain for the world's year."""
    return world.inputs.params("services", ServicesParams, year=world.year)


@threaded_kernel
def count_pupils(block, household, is_away, place, away_place, birth_year, year, pupils_of):
    """Count in ``pupils_of`` (blocks, places and more) children of 6 to 14 years by where they live."""
    pupils = pupils_of[block[2]]
    for i in rows_of(block):
        if SCHOOL_AGE <= year - birth_year[i] < CHILD_AGE:
            h = household[i]
            pupils[away_place[h] if is_away[i] else place[h]] += 1


def pupils(world: World) -> np.ndarray:
    """Children of compulsory school age by place, in sample units."""
    persons, households = world.persons, world.households
    counts = np.zeros((blocks_of(len(persons)), world.geography.places + APART), np.int64)
    count_pupils(
        len(persons),
        persons.household,
        persons.is_away,
        households.place,
        households.away_place,
        persons.birth_year,
        world.year,
        counts,
    )
    return np.asarray(counts.sum(axis=0)[: world.geography.places])


def start(world: World) -> None:
    """Capacity of the base year: those who are there and a little slack."""
    p = params(world)
    world.measures["pupils"] = pupils(world)
    world.place.school_places[:] = world.measures["pupils"] * world.weight * (1.0 + p.school_slack_share)
    world.place.health_beds[:] = world.residents() * world.weight * p.beds_per_1000 / 1000.0
    world.memory["residents_base"] = world.residents().astype(np.float64)
    world.memory["residents_before"] = world.residents().astype(np.float64)
    world.memory["beds_per_resident"] = np.full(1, p.beds_per_1000 / 1000.0)


def run(world: World) -> Callable[[], None]:
    """Add places and beds: the yearly programme, and what follows residents where it is linked; returns `updates`."""
    p = params(world)
    geography, place = world.geography, world.place
    world.measures["pupils"] = pupils(world)
    residents = world.residents().astype(np.float64)
    before = world.memory["residents_before"]
    zero = np.zeros(geography.counties)
    place_yuan, bed_yuan = (
        sum(once for once, _ in world.inputs.cost_by_payer(lever).values()) for lever in (_SCHOOLS, _HEALTH)
    )
    add_capacity(
        residents,
        before,
        world.measures["pupils"],
        world.memory["seat_gain"],
        world.memory["town_gain"],
        world.levers[_LINKED],
        world.above(_LINKED),
        world.built(_SCHOOLS),
        world.built(_HEALTH),
        world.memory.get("award_capacity_yuan", zero),
        world.weight,
        float(world.memory["beds_per_resident"][0]),
        float(place_yuan),
        float(bed_yuan),
        record(p),
        place.school_places,
        place.health_beds,
        world.memory.setdefault("linked_places", zero.copy()),
    )
    world.memory["residents_before"] = residents
    return update(world)


@kernel
def add_capacity(
    residents, before, pupils, seat_gain, town_gain, linked, linked_above, schools, health, award, weight, beds,
    place_yuan, bed_yuan, p, school_places, health_beds, linked_places,
):  # fmt: skip
    """Add to places and beds (places,) of towns and seats, and to what the link to residents brought (counties,).

    ``residents`` now and ``before`` and ``pupils`` are (places,) in sample units of ``weight``; each resident asks
    for so many ``beds``. What levers and awards build, all (counties,), is split between town and seat.
    """
    p = p[0]
    for c in range(linked_places.shape[0]):
        town, seat = N_TIERS * c + Tier.TOWN, N_TIERS * c + Tier.SEAT
        both = max(1.0, residents[town] + residents[seat])
        usual = residents[seat] / both
        in_seat = tilted_share(usual, seat_gain[c], town_gain[c])
        for d in (town, seat):
            share = residents[d] / both
            placed = share if in_seat == usual else (in_seat if d == seat else 1.0 - in_seat)
            growth = max(0.0, (residents[d] - before[d]) * weight)
            pupils_each = pupils[d] / max(1.0, residents[d])
            school_places[d] *= 1.0 - p.attrition_rate_yr
            school_places[d] += linked[c] * growth * pupils_each
            school_places[d] += schools[c] * placed
            health_beds[d] += linked[c] * growth * beds
            health_beds[d] += health[c] * placed
            linked_places[c] += linked_above[c] * growth * pupils_each
            school_places[d] += rules.capacity_bought(award[c] * share, p.award_school_share, place_yuan)
            health_beds[d] += rules.capacity_bought(award[c] * share, 1.0 - p.award_school_share, bed_yuan)


def update(world: World) -> Callable[[], None]:
    """Quality after crowding and what newcomers reach, brought up to date between waves; returns `updates`."""
    bring_up_to_date = updates(world)
    bring_up_to_date()
    return bring_up_to_date


def updates(world: World) -> Callable[[], None]:
    """What does the same wave after wave; what no wave changes is worked out once."""
    p = params(world)
    geography, place, levers = world.geography, world.place, world.levers
    inside = geography.inside
    place.school_quality_share[inside:] = p.outside_quality_ratio
    place.school_access_share[inside:] = p.outside_quality_ratio * p.outside_access_share
    place.school_own_share[inside:] = place.school_access_share[inside:]
    place.health_quality_share[inside:] = p.outside_quality_ratio
    place.health_access_share[inside:] = p.outside_quality_ratio * rules.settled_outside(
        p.outside_access_share, float(world.above("public_services.remote_settlement").mean()), p
    )
    place.security_access_share[inside:] = p.outside_access_share
    gate = levers["residence_permit.education"] * levers["residence_permit.one_pass"]
    world.county.school_gate_share[:] = gate
    world.county.school_gate_own_share[:] = rules.own_county_access(gate, p.own_county_school_share)
    place.barrier_share[inside:] = 1.0
    size = world.memory["residents_base"]
    usual_size = float(np.exp(np.log(np.maximum(1.0, size[Tier.SEAT : inside : N_TIERS])).mean()))
    indices, opened = tuple(world.above(lever) for lever in _INDICES), tuple(levers[lever] for lever in _OPENED)
    renovated, beds = world.memory["renovated_share"], float(world.memory["beds_per_resident"][0])

    def bring_up_to_date() -> None:
        crowd = world.measures["pupils"] * world.weight
        fill_quality(
            indices,
            opened,
            renovated,
            size,
            usual_size,
            place.school_places,
            crowd,
            world.network,
            world.weight,
            beds,
            record(p),
            place.school_quality_share,
            place.health_quality_share,
            place.school_own_share,
            place.school_access_share,
            place.health_access_share,
            place.security_access_share,
            place.amenity_utility,
            place.barrier_share,
            place.health_beds,
        )
        world.measures["school_pressure"] = crowd / np.maximum(place.school_places, 1.0)

    return bring_up_to_date


@kernel
def fill_quality(
    indices, opened, renovated, size, usual_size, school_places, pupils, network, weight, beds, p,
    school_quality, health_quality, school_own, school_access, health_access, security_access, amenity, barrier,
    health_beds,
):  # fmt: skip
    """Fill the columns (places,) of the places inside: quality after crowding, access, amenity, barrier.

    ``indices`` are levers over their status quo in the order of ``_INDICES``, ``opened`` levers in that of
    ``_OPENED``, all (counties,); ``pupils`` (places,) use the schools, and the residents, whom ``network``
    (communities, places) counts in sample units of ``weight``, ask for so many ``beds`` each.
    """
    p = p[0]
    residents = zeros(network.shape[1], np.int64)
    for community in range(network.shape[0]):
        for d in range(network.shape[1]):
            residents[d] += network[community, d]
    smart, rural_services, utilities, livable, resilient, green, cultural, infrastructure = indices
    waiting_months, one_pass, education, healthcare, remote, security, equal_rights, openness = opened
    for c in range(renovated.shape[0]):
        urban_gain = rules.amenity_gain(utilities[c], p.utilities_amenity_utility)
        urban_gain += rules.amenity_gain(livable[c], p.livable_amenity_utility)
        urban_gain += rules.amenity_gain(resilient[c], p.resilient_amenity_utility)
        urban_gain += rules.amenity_gain(green[c], p.green_amenity_utility)
        urban_gain += rules.amenity_gain(cultural[c], p.cultural_amenity_utility)
        village_gain = rules.amenity_gain(infrastructure[c], p.rural_infrastructure_amenity_utility)
        access = rules.newcomer_access(education[c], one_pass[c], waiting_months[c], p)
        reached = rules.tenant_access(access, equal_rights[c], p.tenant_share)
        reached_own = rules.own_county_access(access, p.own_county_school_share)
        settled = max(healthcare[c], remote[c])
        for tier in range(N_TIERS):
            d = N_TIERS * c + tier
            index, ratio = smart[c], p.smart_quality_ratio
            if tier == Tier.VILLAGE:
                index, ratio = rural_services[c], p.rural_services_quality_ratio
            schools = rules.improved_quality(p.school_quality_tier_share[tier], index, ratio)
            clinics = rules.improved_quality(p.health_quality_tier_share[tier], index, ratio)
            school_quality[d] = rules.crowded_quality(schools, school_places[d], pupils[d], p)
            health_quality[d] = rules.crowded_quality(clinics, health_beds[d], residents[d] * weight * beds, p)
            school_own[d] = school_quality[d] * reached_own
            school_access[d] = school_quality[d] * reached
            health_access[d] = health_quality[d] * rules.newcomer_access(settled, one_pass[c], waiting_months[c], p)
            security_access[d] = rules.newcomer_access(security[c], one_pass[c], waiting_months[c], p)
            renewed = renovated[c] if tier == Tier.SEAT else 0.0
            amenity[d] = p.amenity_tier_utility[tier] + p.renovation_amenity_utility * renewed
            amenity[d] += village_gain if tier == Tier.VILLAGE else urban_gain
            if tier != Tier.VILLAGE:
                amenity[d] += rules.size_amenity(size[d], usual_size, p)
            barrier[d] = (1.0 - openness[c]) + p.one_pass_weight * (1.0 - one_pass[c])
            barrier[d] = max(0.0, barrier[d] - p.smart_barrier_share * smart[c])
            if tier == Tier.VILLAGE:
                barrier[d] = 0.0
