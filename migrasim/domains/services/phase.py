"""Supply of school places and health capacity, and their quality after crowding."""

from __future__ import annotations

import numpy as np

from migrasim.core.codes import N_TIERS, Tier
from migrasim.core.rule import kernel
from migrasim.core.share import tilted_share
from migrasim.domains.services import rules
from migrasim.domains.services.rules import ServicesParams
from migrasim.world import World

SCHOOL_AGE, CHILD_AGE = 6, 15


def params(world: World) -> ServicesParams:
    """Facts of this domain for the world's year."""
    return world.inputs.params("services", ServicesParams, year=world.year)


@kernel
def count_pupils(household, is_away, place, away_place, birth_year, year, places):
    """(places,) int64 children of 6 to 14 years by where they live."""
    pupils = np.zeros(places, np.int64)
    for i in range(household.shape[0]):
        if SCHOOL_AGE <= year - birth_year[i] < CHILD_AGE:
            h = household[i]
            pupils[away_place[h] if is_away[i] else place[h]] += 1
    return pupils


def pupils(world: World) -> np.ndarray:
    """Children of compulsory school age by place, in sample units."""
    persons, households = world.persons, world.households
    return np.asarray(
        count_pupils(
            persons.household,
            persons.is_away,
            households.place,
            households.away_place,
            persons.birth_year,
            world.year,
            world.geography.places,
        )
    )


def start(world: World) -> None:
    """Capacity of the base year: those who are there and a little slack."""
    p = params(world)
    world.measures["pupils"] = pupils(world)
    world.place.school_places[:] = world.measures["pupils"] * world.weight * (1.0 + p.school_slack_share)
    world.place.health_beds[:] = world.residents() * world.weight * p.beds_per_1000 / 1000.0
    world.memory["residents_base"] = world.residents().astype(np.float64)
    world.memory["residents_before"] = world.residents().astype(np.float64)
    world.memory["beds_per_resident"] = np.full(1, p.beds_per_1000 / 1000.0)


def run(world: World) -> None:
    """Add places and beds: the yearly programme, and what follows residents where it is linked to them."""
    p = params(world)
    geography, place = world.geography, world.place
    world.measures["pupils"] = pupils(world)
    residents = world.residents().astype(np.float64)
    before = world.memory["residents_before"]
    linked = world.levers["public_services.resident_linked_supply"]
    seat_gain, town_gain = world.memory["seat_gain"], world.memory["town_gain"]
    linked_above = world.above("public_services.resident_linked_supply")
    paid = 1.0 - world.county.unpaid_share
    zero = np.zeros(geography.counties)
    linked_places = world.memory.setdefault("linked_places", zero.copy())
    award = world.memory.get("award_capacity_yuan", zero)
    place_yuan, bed_yuan = (
        sum(once for once, _ in world.inputs.cost_by_payer(lever).values())
        for lever in ("public_services.school_places", "public_services.health_capacity")
    )
    for c in range(geography.counties):
        seats = [N_TIERS * c + t for t in (Tier.TOWN, Tier.SEAT)]
        weight = residents[seats] / max(1.0, residents[seats].sum())
        in_seat = tilted_share(float(weight[1]), float(seat_gain[c]), float(town_gain[c]))
        split = weight if in_seat == weight[1] else np.array([1.0 - in_seat, in_seat])
        for d, share, placed in zip(seats, weight, split, strict=True):
            growth = max(0.0, (residents[d] - before[d]) * world.weight)
            pupils_each = world.measures["pupils"][d] / max(1.0, residents[d])
            place.school_places[d] *= 1.0 - p.attrition_rate_yr
            place.school_places[d] += linked[c] * growth * pupils_each
            place.school_places[d] += world.levers["public_services.school_places"][c] * placed * paid[c]
            place.health_beds[d] += linked[c] * growth * world.memory["beds_per_resident"][0]
            place.health_beds[d] += world.levers["public_services.health_capacity"][c] * placed * paid[c]
            linked_places[c] += linked_above[c] * growth * pupils_each
            place.school_places[d] += rules.capacity_bought(award[c] * share, p.award_school_share, place_yuan)
            place.health_beds[d] += rules.capacity_bought(award[c] * share, 1.0 - p.award_school_share, bed_yuan)
    world.memory["residents_before"] = residents
    update(world)


def update(world: World) -> None:
    """Quality after crowding and what newcomers reach, brought up to date between waves."""
    p = params(world)
    geography, place, levers = world.geography, world.place, world.levers
    inside = geography.inside
    residents = world.residents() * world.weight
    beds_each = world.memory["beds_per_resident"][0]
    crowd = world.measures["pupils"] * world.weight
    smart, rural = world.above("urban.smart"), world.above("rural.public_services")
    urban_gain, village_gain = _amenity_gains(world, p)
    size = world.memory["residents_base"]
    usual_size = float(np.exp(np.log(np.maximum(1.0, size[Tier.SEAT : inside : N_TIERS])).mean()))
    for d in range(inside):
        tier, c = d % N_TIERS, d // N_TIERS
        months, pass_share = levers["residence_permit.waiting_months"][c], levers["residence_permit.one_pass"][c]
        index, ratio = (
            (rural, p.rural_services_quality_ratio) if tier == Tier.VILLAGE else (smart, p.smart_quality_ratio)
        )
        schools = rules.improved_quality(p.school_quality_tier_share[tier], float(index[c]), ratio)
        clinics = rules.improved_quality(p.health_quality_tier_share[tier], float(index[c]), ratio)
        school = rules.crowded_quality(schools, place.school_places[d], float(crowd[d]), p)
        health = rules.crowded_quality(clinics, place.health_beds[d], residents[d] * beds_each, p)
        place.school_quality_share[d], place.health_quality_share[d] = school, health
        access = rules.newcomer_access(levers["residence_permit.education"][c], pass_share, months, p)
        equal = levers["public_housing.tenant_equal_rights"][c]
        place.school_access_share[d] = school * rules.tenant_access(access, equal, p.tenant_share)
        settled = max(levers["residence_permit.healthcare"][c], levers["public_services.remote_settlement"][c])
        place.health_access_share[d] = health * rules.newcomer_access(settled, pass_share, months, p)
        place.security_access_share[d] = rules.newcomer_access(
            levers["residence_permit.social_security"][c], pass_share, months, p
        )
        renovated = world.memory["renovated_share"][c] if tier == Tier.SEAT else 0.0
        place.amenity_utility[d] = p.amenity_tier_utility[tier] + p.renovation_amenity_utility * renovated
        place.amenity_utility[d] += village_gain[c] if tier == Tier.VILLAGE else urban_gain[c]
        if tier == Tier.SEAT:
            place.amenity_utility[d] += rules.size_amenity(float(size[d]), usual_size, p)
        place.barrier_share[d] = (1.0 - levers["hukou.openness"][c]) + p.one_pass_weight * (1.0 - pass_share)
        place.barrier_share[d] = max(0.0, place.barrier_share[d] - p.smart_barrier_share * smart[c])
        if tier == Tier.VILLAGE:
            place.barrier_share[d] = 0.0
    place.school_quality_share[inside:] = p.outside_quality_ratio
    place.school_access_share[inside:] = p.outside_quality_ratio * p.outside_access_share
    place.health_quality_share[inside:] = p.outside_quality_ratio
    place.health_access_share[inside:] = p.outside_quality_ratio * rules.settled_outside(
        p.outside_access_share, float(world.above("public_services.remote_settlement").mean()), p
    )
    place.security_access_share[inside:] = p.outside_access_share
    place.barrier_share[inside:] = 1.0
    world.measures["school_pressure"] = crowd / np.maximum(place.school_places, 1.0)


def _amenity_gains(world: World, p: ServicesParams) -> tuple[np.ndarray, np.ndarray]:
    """(counties,) amenity of towns and seats, and of villages, over the status quo of their qualities."""
    urban, village = np.zeros(world.geography.counties), np.zeros(world.geography.counties)
    for gain, lever, utility in (
        (urban, "urban.municipal_utilities", p.utilities_amenity_utility),
        (urban, "urban.livable", p.livable_amenity_utility),
        (urban, "urban.resilient", p.resilient_amenity_utility),
        (urban, "urban.green", p.green_amenity_utility),
        (urban, "urban.cultural", p.cultural_amenity_utility),
        (village, "rural.infrastructure", p.rural_infrastructure_amenity_utility),
    ):
        for c, above in enumerate(world.above(lever)):
            gain[c] += rules.amenity_gain(float(above), utility)
    return urban, village
