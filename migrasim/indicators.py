"""Indicators: what is measured each year, for the prefecture, its counties and places.

Each indicator is a sum over places, or a ratio of two sums, so that one definition serves every
level. Sums are integers in sample units (money: whole yuan) until the weight is applied, so they do
not depend on the order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from migrasim.core.codes import N_SECTORS, N_TIERS, Form, Purse, Tenure, Tier
from migrasim.core.documents import read_mapping
from migrasim.survey import CHILD_AGE, COUNTS, Survey
from migrasim.world import Flows, World


@dataclass(frozen=True)
class Indicator:
    """One indicator: a sum, or ``over`` another sum, or the quotient of two indicators.

    Attributes
    ----------
    sum, over
        Names of sums (`sums`); a ratio is empty where nothing stands below the line.
    quotient
        Names of two indicators.
    """

    name: str
    section: str
    title: dict[str, str]
    unit: str
    how: str
    sum: str
    over: str = ""
    quotient: tuple[str, ...] = ()


FILE = "indicators.yaml"
DISTANCE = "target_distance_share"  # known where the targets are: filled by who collects a result


def _read() -> tuple[dict[str, dict[str, str]], dict[str, Indicator]]:
    sections, catalogue = {}, {}
    for section, entry in read_mapping(Path(__file__).with_name(FILE), FILE).items():
        sections[section] = entry["title"]
        for name, about in entry["indicators"].items():
            about = {"sum": name, **about, "quotient": tuple(about.get("quotient", ()))}
            catalogue[name] = Indicator(name=name, section=section, **about)
    return sections, catalogue


SECTIONS, CATALOGUE = _read()
_SUMMED = tuple(
    dict.fromkeys(
        name
        for one in CATALOGUE.values()
        if one.name != DISTANCE and not one.quotient
        for name in (one.sum, one.over)
        if name
    )
)

COMPONENTS = (
    "moves_inside",
    "departures_rural",
    "departures_urban",
    "arrivals_and_returns_rural",
    "arrivals_and_returns_urban",
    "births_rural",
    "births_urban",
    "deaths_rural",
    "deaths_urban",
    "reclassification",
    "relocation",
    "other_counties_rural",
    "other_counties_urban",
)

_PAYERS = {
    "county": Purse.COUNTY,
    "higher": Purse.HIGHER,
    "enterprise": Purse.ENTERPRISE,
    "household": Purse.HOUSEHOLD,
}
_RIGHTS = ("contract_land", "homestead", "collective")
SCHOOL_AGE = 6


def sums(world: World, found: Survey) -> dict[str, np.ndarray]:
    """(places,) float64 sums at full scale that indicators are made of, for the end of the year.

    Parameters
    ----------
    found : the survey of this very end of the year
    """
    geography = world.geography
    places, inside, w = geography.places, geography.inside, world.weight
    urban = geography.urban
    inner = np.arange(places) < inside
    village = inner & ~urban
    seat = np.zeros(places, np.bool_)
    seat[:inside] = np.arange(inside) % N_TIERS == Tier.SEAT
    counts = found.counts.T * w
    inside_of = dict(zip(COUNTS, np.where(inner, counts, 0.0), strict=True))
    counted = dict(zip(COUNTS, counts, strict=True))
    person = _people(found, inside, urban, w)
    flows, place, measures = world.flows, world.place, world.measures
    moves = flows.moves * w
    into = np.where(urban, 1.0, 0.0)
    nothing = np.zeros(places)

    def by_county(values: np.ndarray) -> np.ndarray:
        spread = np.zeros(places)
        spread[seat] = values
        return spread

    def measured(name: str) -> np.ndarray:
        values = np.asarray(measures.get(name, nothing), np.float64)
        return values if len(values) == places else by_county(values[: geography.counties])

    def forms(*wanted: Form) -> np.ndarray:
        return np.asarray(sum(moves[:, :, f].sum(axis=0) for f in wanted) * into)

    kept = [int(t) for t in Tenure if t not in (Tenure.NONE, Tenure.DORMITORY)]
    vacant = np.where(urban, (world.dwellings - world.occupied)[:, kept].sum(axis=1), 0) * w
    residents = person["residents"]
    urban_residents = np.where(urban, residents, 0.0)
    refused = measures.get("refused", np.zeros((places, 2)))
    result = {
        "resident_population": residents,
        "urban_population": urban_residents,
        "rural_population": np.where(village, residents, 0.0),
        "registered_population": person["registered"],
        "urban_registered_population": person["urban_registered"],
        "absent_population": person["absent_near"] + person["absent_far"],
        "absent_near_population": person["absent_near"],
        "absent_far_population": person["absent_far"],
        "stranger_population": person["strangers"],
        "elsewhere_population": person["elsewhere"],
        "split_households": inside_of["split"],
        "children_left_behind": inside_of["children_left"],
        "elderly_left_behind": inside_of["elders_left"],
        "births": np.where(inner, flows.births, 0) * w,
        "deaths": np.where(inner, flows.deaths, 0) * w,
        "arrivals": flows.arrivals * w,
        "moves_in_from_villages": moves[village].sum(axis=(0, 2)) * into,
        "moves_to_villages": moves[urban].sum(axis=(0, 2)) * np.where(village, 1.0, 0.0),
        "moves_out": np.where(inner, moves[:, inside:].sum(axis=(1, 2)), 0.0),
        "moves_back": np.where(inner, moves[inside:].sum(axis=(0, 2)), 0.0),
        "moves_whole_family": forms(Form.WHOLE),
        "moves_workers": forms(Form.WORKER, Form.COUPLE, Form.YOUNG),
        "moves_schooling": forms(Form.SCHOOL, Form.FAMILY),
        "refused_dwelling": refused[:, 0] * w,
        "refused_school": refused[:, 1] * w,
        "employed_population": inside_of["employed"],
        "off_farm_population": inside_of["off_farm"],
        "chain_workers": inside_of["chain_workers"],
        "seeking_population": inside_of["seeking"],
        "off_farm_workforce": inside_of["off_farm"] + inside_of["seeking"],
        "vacancies": np.where(urban, measured("vacancies"), 0.0) * w,
        "wage_sum": place.wage_newcomer_yuan_yr * urban_residents,
        "chance_sum": place.work_chance_share * urban_residents,
        "rent_sum": place.rent_yuan_yr / 12.0 * urban_residents,
        "income_urban": np.where(urban, counted["income"], 0.0),
        "members_urban": np.where(urban, counted["members"], 0.0),
        "income_rural": np.where(village, counted["income"], 0.0),
        "members_rural": np.where(village, counted["members"], 0.0),
        "public_rental_households": np.where(inner, world.occupied[:, Tenure.PUBLIC_RENT], 0) * w,
        "affordable_rental_households": np.where(inner, world.occupied[:, Tenure.AFFORDABLE_RENT], 0) * w,
        "waiting_households": measured("waiting_public") * w,
        "dwellings_vacant": vacant,
        "pupils": person["pupils"],
        "pupils_urban": np.where(urban, person["pupils"], 0.0),
        "school_places": np.where(urban, place.school_places, 0.0),
        "permit_holders": person["permit"],
        "unregistered_urban": person["unregistered_urban"],
        "registration_transfers": measured("transfers_persons") * w,
        "land_lost_mu": measured("land_lost_mu") * w,
        "land_sold_mu": measured("land_sold_mu") * w,
        "land_lent_mu": measured("land_lent_mu") * w,
        "land_lent_free_mu": measured("land_lent_free_mu") * w,
        "land_idle_mu": measured("land_idle_mu") * w,
        "idle_homesteads": measured("idle_homesteads") * w,
        "public_cost_yuan": measured("public_cost_yuan"),
        "relocated_population": np.maximum(0, flows.relocated) * w,
        "considered_households": np.where(inner, measured("considered"), 0.0) * w,
        "dwellings_occupied": np.where(urban, world.occupied[:, kept].sum(axis=1), 0) * w,
        "dwellings_standing": np.where(urban, world.dwellings[:, kept].sum(axis=1), 0) * w,
        "beds_wanted": np.where(urban, residents * world.memory["beds_per_resident"][0], 0.0),
        "beds_urban": np.where(urban, place.health_beds, 0.0),
        "exit_households": measured("exit_households") * w,
        "new_urban_residents": by_county(_urban_by_county(found, inside, w) - world.county.urban_residents_base),
        "cumulative_cost_yuan": by_county(world.memory.get("cumulative_cost_yuan", np.zeros(geography.counties))),
        "budget_revenue_yuan": measured("budget_revenue_yuan"),
        "budget_yuan": by_county(world.county.budget_yuan),
        "unpaid_yuan": measured("wanted_yuan") * by_county(world.county.unpaid_share),
        "relocation_cost_yuan": measured("relocation_cost_yuan"),
    }
    by_payer = measures.get("cost_by_payer_yuan", np.zeros((len(Purse), geography.counties)))
    for name, purse in _PAYERS.items():
        result[f"{name}_cost_yuan"] = by_county(by_payer[purse])
    for outcome in ("kept", "lost"):
        rights = measures.get(f"rights_{outcome}_households", np.zeros((len(_RIGHTS), geography.counties)))
        for right, households_of in zip(_RIGHTS, rights, strict=True):
            result[f"{right}_{outcome}_households"] = by_county(households_of) * w
    chains = world.jobs.shape[1] - N_SECTORS
    workers = np.where(inner, world.filled[:, N_SECTORS:].T, 0) * w
    for k in range(chains):
        result[f"chain_{k}"] = workers[k]
    return result


def _people(found: Survey, inside: int, urban: np.ndarray, weight: float) -> dict[str, np.ndarray]:
    """(places,) persons at full scale by where they live or, where a name says so, by registered home; 0 outside."""
    lives = found.people.sum(axis=(0, 1))
    inner, at_home = np.arange(len(urban)) < inside, np.diagonal(lives)
    to_town = np.where(urban, 1, 0)
    result = {
        "residents": lives.sum(axis=0),
        "registered": lives.sum(axis=1),
        "urban_registered": found.people[:, 1].sum(axis=(0, 2)),
        "absent_near": lives[:, inside],
        "absent_far": lives[:, inside + 1],
        "strangers": lives[inside:].sum(axis=0),
        "elsewhere": lives[:inside].sum(axis=0) - at_home,
        "pupils": found.ages[:, :, SCHOOL_AGE:CHILD_AGE].sum(axis=(1, 2)),
        "permit": found.people[1].sum(axis=(0, 1)) - np.diagonal(found.people[1].sum(axis=0)),
        "unregistered_urban": lives.sum(axis=0) - at_home,
    }
    for name in ("permit", "unregistered_urban"):
        result[name] = result[name] * to_town
    return {name: np.where(inner, counted, 0) * weight for name, counted in result.items()}


Area = tuple[str, int, np.ndarray]  # level, number, places that belong to it


def groups(geography_counties: int, inside: int) -> list[Area]:
    """Levels of the table: (level, number, places that belong to it)."""
    whole = [("prefecture", 0, np.arange(inside))]
    counties = [("county", c, np.arange(N_TIERS * c, N_TIERS * c + N_TIERS)) for c in range(geography_counties)]
    single = [("place", d, np.array([d])) for d in range(inside)]
    return whole + counties + single


def stacked(result: dict[str, np.ndarray]) -> np.ndarray:
    """(sums, places) the sums of a year in one array, for `columns`."""
    return np.array([result[name] for name in _SUMMED])


def columns(stacks: np.ndarray, areas: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Every indicator as a column over years and areas; a ratio over nothing, or over less, is not a number.

    Parameters
    ----------
    stacks : (years, sums, places) of `stacked`
    areas : numbers of the places of each

    Returns
    -------
    (years * areas,) by name, the areas of a year one after the other; distances to targets are left open
    """
    # places are added up in the order in which each sum would be alone
    added = np.stack([np.take(stacks, places, axis=2).sum(axis=2) for places in areas], axis=1)
    total = dict(zip(_SUMMED, added.reshape(-1, len(_SUMMED)).T, strict=True))
    found: dict[str, np.ndarray] = {}
    for name, indicator in CATALOGUE.items():
        if name == DISTANCE:
            found[name] = np.full(len(stacks) * len(areas), np.nan)
        elif indicator.quotient:
            top, bottom = (found[one] for one in indicator.quotient)
            found[name] = _ratio(top, bottom)
        elif indicator.over:
            found[name] = _ratio(total[indicator.sum], total[indicator.over])
        else:
            found[name] = total[indicator.sum].copy()
    return found


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0.0, top / bottom, np.nan)


def values(result: dict[str, np.ndarray], places: np.ndarray) -> dict[str, float]:
    """Every indicator for a set of places, from the `sums` of a year; see `columns`."""
    return {name: float(column[0]) for name, column in columns(stacked(result)[None], [places]).items()}


def _urban_by_county(found: Survey, inside: int, weight: float) -> np.ndarray:
    residents = found.people.sum(axis=(0, 1, 2))[:inside].reshape(-1, N_TIERS)
    return np.asarray((residents[:, Tier.TOWN] + residents[:, Tier.SEAT]) * weight)


def decompose(
    flows: Flows,
    residents_before: np.ndarray,
    residents_after: np.ndarray,
    areas: Sequence[np.ndarray],
    urban: np.ndarray,
    inside: int,
) -> dict[str, np.ndarray]:
    """Split the change of the urbanization rate of sets of places exactly into its sources.

    Each source f changes urban residents by dU and residents by dN; its part is the mean of
    ``(dU - r0 dN) / N1`` and ``(dU - r1 dN) / N0``, which adds up to r1 - r0 whatever the sources.

    Parameters
    ----------
    flows : of a year, or of several as `Flows.stacked` gives them
    residents_before, residents_after : (places,) persons at the ends of two years, or (years, places)
    areas : numbers of the places of each
    urban : (places,) True for towns and seats

    Returns
    -------
    (areas,), or (years, areas), points of percent by component of ``COMPONENTS``
    """
    inner = np.zeros((len(areas), len(urban)))
    for n, places in enumerate(areas):
        inner[n, places] = 1.0
    is_inside = np.arange(len(urban)) < inside
    elsewhere, outside = is_inside * (1.0 - inner), np.broadcast_to(1.0 * ~is_inside, inner.shape)
    u, v = inner * urban, inner * ~urban
    moves = flows.moves.sum(axis=-1).astype(np.float64)

    def between(origin: np.ndarray, destination: np.ndarray) -> np.ndarray:
        return np.asarray(((origin @ moves) * destination).sum(axis=-1))  # whole numbers: exact in any order

    def added(counts: np.ndarray, of: np.ndarray) -> np.ndarray:
        return np.asarray(counts.astype(np.float64) @ of.T)

    nothing = np.zeros(len(areas))
    changes = {
        "moves_inside": (between(v, u) - between(u, v), nothing),
        "departures_rural": (nothing, -between(v, outside)),
        "departures_urban": (-between(u, outside), -between(u, outside)),
        "arrivals_and_returns_rural": (nothing, between(outside, v) + added(flows.arrivals, v)),
        "arrivals_and_returns_urban": (between(outside, u) + added(flows.arrivals, u),) * 2,
        "births_rural": (nothing, added(flows.births, v)),
        "births_urban": (added(flows.births, u),) * 2,
        "deaths_rural": (nothing, -added(flows.deaths, v)),
        "deaths_urban": (-added(flows.deaths, u),) * 2,
        "reclassification": (added(flows.reclassified, u), nothing),
        "relocation": (added(flows.relocated, u), added(flows.relocated, inner)),
        "other_counties_rural": (nothing, between(elsewhere, v) - between(v, elsewhere)),
        "other_counties_urban": (between(elsewhere, u) - between(u, elsewhere),) * 2,
    }
    n0, n1 = added(residents_before, inner), added(residents_after, inner)
    lived = (n0 > 0) & (n1 > 0)
    n0, n1 = np.where(lived, n0, 1.0), np.where(lived, n1, 1.0)
    r0, r1 = added(residents_before, u) / n0, added(residents_after, u) / n1
    return {
        name: np.where(lived, 50.0 * ((du - r0 * dn) / n1 + (du - r1 * dn) / n0), 0.0)
        for name, (du, dn) in changes.items()
    }
