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

from migrasim.core.codes import N_SECTORS, N_TIERS, Activity, Form, Kind, Purse, Tenure, Tier
from migrasim.core.documents import read_mapping
from migrasim.core.rule import blocks_of, rows_of, threaded_kernel
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

_PERSON_COUNTS = (
    "residents",
    "registered",
    "urban_registered",
    "absent_near",
    "absent_far",
    "strangers",
    "elsewhere",
    "children_left",
    "elders_left",
    "employed",
    "off_farm",
    "chain_workers",
    "seeking",
    "pupils",
    "permit",
    "unregistered_urban",
)
_MONEY = ("income_urban", "members_urban", "income_rural", "members_rural", "split")
_PAYERS = {
    "county": Purse.COUNTY,
    "higher": Purse.HIGHER,
    "enterprise": Purse.ENTERPRISE,
    "household": Purse.HOUSEHOLD,
}
_RIGHTS = ("contract_land", "homestead", "collective")
CHILD_AGE, ELDER_AGE, SCHOOL_AGE = 15, 60, 6
_FIELD_BITS, _FIELD = 12, (1 << 12) - 1


def _words(*fields: np.ndarray) -> np.ndarray:
    """int64 words with a bit for each of the ``fields`` that holds; 12 bits a field, so that words can be added up."""
    return np.asarray(sum(field.astype(np.int64) << (_FIELD_BITS * k) for k, field in enumerate(fields)))


_age, _does, _in_chain = np.arange(ELDER_AGE + 1), np.arange(len(Activity))[:, None], np.array([False, True])
_hand = (_does == Activity.WORKER) | (_does == Activity.FARMER)
# people, those of 16 to 59, children, elders, those of school age
_BY_AGE = _words(
    _age >= 0, (_age >= 16) & (_age < ELDER_AGE), _age < CHILD_AGE, _age >= ELDER_AGE,
    (_age >= SCHOOL_AGE) & (_age < CHILD_AGE),
)  # fmt: skip
# workers and farmers, workers, those of both in chains, seekers
_BY_WORK = _words(
    _hand, _does == Activity.WORKER, _hand & _in_chain, _does == Activity.SEEKING,
)  # fmt: skip


@threaded_kernel
def _count(
    block,
    first,
    members,
    kind,
    home_place,
    hukou_urban,
    place,
    away_place,
    permit,
    birth_year,
    couple,
    is_away,
    activity,
    chain,
    income,
    year,
    inside,
    counts_of,
    money_of,
):
    counts, money = counts_of[block[2]], money_of[block[2]]
    for h in rows_of(block):
        ages, works, away_ages, away_works, away_couple = 0, 0, 0, 0, 0
        for i in range(first[h], first[h] + members[h]):
            by_age = _BY_AGE[min(max(year - birth_year[i], 0), ELDER_AGE)]
            by_work = _BY_WORK[activity[i], np.int64(chain[i] > 0)]
            ages += by_age
            works += by_work
            if is_away[i]:
                away_ages += by_age
                away_works += by_work
                away_couple += couple[i] > 0
        home = home_place[h]
        for a in range(2):
            here = away_place[h] if a else place[h]
            of_age, at_work = (away_ages, away_works) if a else (ages - away_ages, works - away_works)
            people, children = of_age & _FIELD, (of_age >> 2 * _FIELD_BITS) & _FIELD
            if 0 <= here < inside and kind[h] == Kind.FAMILY:
                village = here % N_TIERS == Tier.VILLAGE
                money[here, 2 if village else 0] += income[h, a]
                money[here, 3 if village else 1] += people
            if people == 0:
                continue
            counts[here, 0] += people
            if home < inside:
                counts[home, 1] += people
                if hukou_urban[h]:
                    counts[home, 2] += people
                if here == inside:
                    counts[home, 3] += people
                elif here == inside + 1:
                    counts[home, 4] += people
                elif here != home:
                    counts[here, 6] += people
            elif here < inside:
                counts[here, 5] += people
            if here == home:
                if a == 0 and away_couple > 0:
                    counts[here, 7] += children
                if (of_age >> _FIELD_BITS) & _FIELD == 0:
                    counts[here, 8] += (of_age >> 3 * _FIELD_BITS) & _FIELD
            for k in range(4):  # employed to seeking
                counts[here, 9 + k] += (at_work >> k * _FIELD_BITS) & _FIELD
            counts[here, 13] += (of_age >> 4 * _FIELD_BITS) & _FIELD
            if here < inside and here % N_TIERS != Tier.VILLAGE and here != home:
                counts[here, 15] += people
                if permit[h] and a == 0:
                    counts[here, 14] += people
        if away_place[h] >= 0 and home < inside:
            money[home, 4] += 1


def sums(world: World, incomes: np.ndarray) -> dict[str, np.ndarray]:
    """(places,) float64 sums at full scale that indicators are made of, for the end of the year.

    Parameters
    ----------
    incomes : (households, 2) int64 income of the year, of the main part and of those away
    """
    geography, persons, households = world.geography, world.persons, world.households
    places, inside, w = geography.places, geography.inside, world.weight
    counts = np.zeros((blocks_of(len(households)), places, len(_PERSON_COUNTS)), np.int64)
    money = np.zeros((blocks_of(len(households)), places, len(_MONEY)), np.int64)
    _count(
        len(households),
        world.first_member,
        world.members,
        households.kind,
        households.home_place,
        households.hukou_urban,
        households.place,
        households.away_place,
        households.permit,
        persons.birth_year,
        persons.couple,
        persons.is_away,
        persons.activity,
        persons.chain,
        incomes,
        world.year,
        inside,
        counts,
        money,
    )
    counts, money = counts.sum(axis=0), money.sum(axis=0)
    person = {name: counts[:, k] * w for k, name in enumerate(_PERSON_COUNTS)}
    cash = {name: money[:, k] * w for k, name in enumerate(_MONEY)}
    urban = geography.urban
    inner = np.arange(places) < inside
    village = inner & ~urban
    seat = np.zeros(places, np.bool_)
    seat[:inside] = np.arange(inside) % N_TIERS == Tier.SEAT
    flows, place, measures = world.flows, world.place, world.measures
    moves = flows.moves * w
    into = np.where(urban, 1.0, 0.0)

    def by_county(values: np.ndarray) -> np.ndarray:
        spread = np.zeros(places)
        spread[seat] = values
        return spread

    def measured(name: str) -> np.ndarray:
        values = np.asarray(measures.get(name, np.zeros(places)), np.float64)
        return values if len(values) == places else by_county(values[: geography.counties])

    def forms(*wanted: Form) -> np.ndarray:
        return np.asarray(sum(moves[:, :, f].sum(axis=0) for f in wanted) * into)

    kept = [int(t) for t in Tenure if t not in (Tenure.NONE, Tenure.DORMITORY)]
    vacant = np.where(urban, (world.dwellings - world.occupied)[:, kept].sum(axis=1), 0) * w
    residents = np.where(inner, person["residents"], 0.0)
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
        "split_households": cash["split"],
        "children_left_behind": np.where(inner, person["children_left"], 0.0),
        "elderly_left_behind": np.where(inner, person["elders_left"], 0.0),
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
        "employed_population": np.where(inner, person["employed"], 0.0),
        "off_farm_population": np.where(inner, person["off_farm"], 0.0),
        "chain_workers": np.where(inner, person["chain_workers"], 0.0),
        "seeking_population": np.where(inner, person["seeking"], 0.0),
        "off_farm_workforce": np.where(inner, person["off_farm"] + person["seeking"], 0.0),
        "vacancies": np.where(urban, measured("vacancies"), 0.0) * w,
        "wage_sum": place.wage_newcomer_yuan_yr * urban_residents,
        "chance_sum": place.work_chance_share * urban_residents,
        "rent_sum": place.rent_yuan_yr / 12.0 * urban_residents,
        "income_urban": cash["income_urban"],
        "members_urban": cash["members_urban"],
        "income_rural": cash["income_rural"],
        "members_rural": cash["members_rural"],
        "public_rental_households": np.where(inner, world.occupied[:, Tenure.PUBLIC_RENT], 0) * w,
        "affordable_rental_households": np.where(inner, world.occupied[:, Tenure.AFFORDABLE_RENT], 0) * w,
        "waiting_households": measured("waiting_public") * w,
        "dwellings_vacant": vacant,
        "pupils": np.where(inner, person["pupils"], 0.0),
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
        "new_urban_residents": by_county(_urban_by_county(world) - world.county.urban_residents_base),
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
        counted = measures.get(f"rights_{outcome}_households", np.zeros((len(_RIGHTS), geography.counties)))
        for right, households_of in zip(_RIGHTS, counted, strict=True):
            result[f"{right}_{outcome}_households"] = by_county(households_of) * w
    chains = world.jobs.shape[1] - N_SECTORS
    for k in range(chains):
        result[f"chain_{k}"] = np.where(inner, world.filled[:, N_SECTORS + k], 0) * w
    return result


def groups(geography_counties: int, inside: int) -> list[tuple[str, int, np.ndarray]]:
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


def _urban_by_county(world: World) -> np.ndarray:
    residents = world.residents()[: world.geography.inside].reshape(-1, N_TIERS)
    return np.asarray((residents[:, Tier.TOWN] + residents[:, Tier.SEAT]) * world.weight)


def decompose(
    flows: Flows,
    residents_before: np.ndarray,
    residents_after: np.ndarray,
    places: np.ndarray,
    urban: np.ndarray,
    inside: int,
) -> dict[str, float]:
    """Split the change of the urbanization rate of a set of places exactly into its sources.

    Each source f changes urban residents by dU and residents by dN; its part is the mean of
    ``(dU - r0 dN) / N1`` and ``(dU - r1 dN) / N0``, which adds up to r1 - r0 whatever the sources.

    Parameters
    ----------
    residents_before, residents_after : (places,) persons at the ends of two years
    places : numbers of the places of the area
    urban : (places,) True for towns and seats

    Returns
    -------
    points of percent by component of ``COMPONENTS``
    """
    inner = np.zeros(len(urban), np.bool_)
    inner[places] = True
    elsewhere = np.zeros(len(urban), np.bool_)
    elsewhere[:inside] = True
    elsewhere &= ~inner
    outside = np.zeros(len(urban), np.bool_)
    outside[inside:] = True
    u, v = inner & urban, inner & ~urban
    moves = flows.moves.sum(axis=2).astype(np.float64)

    def between(origin: np.ndarray, destination: np.ndarray) -> float:
        return float(origin @ moves @ destination)  # whole numbers: exact in any order

    changes = {
        "moves_inside": (between(v, u) - between(u, v), 0.0),
        "departures_rural": (0.0, -between(v, outside)),
        "departures_urban": (-between(u, outside), -between(u, outside)),
        "arrivals_and_returns_rural": (0.0, between(outside, v) + float(flows.arrivals[v].sum())),
        "arrivals_and_returns_urban": (between(outside, u) + float(flows.arrivals[u].sum()),) * 2,
        "births_rural": (0.0, float(flows.births[v].sum())),
        "births_urban": (float(flows.births[u].sum()),) * 2,
        "deaths_rural": (0.0, -float(flows.deaths[v].sum())),
        "deaths_urban": (-float(flows.deaths[u].sum()),) * 2,
        "reclassification": (float(flows.reclassified[u].sum()), 0.0),
        "relocation": (float(flows.relocated[u].sum()), float(flows.relocated[inner].sum())),
        "other_counties_rural": (0.0, between(elsewhere, v) - between(v, elsewhere)),
        "other_counties_urban": (between(elsewhere, u) - between(u, elsewhere),) * 2,
    }
    n0, n1 = float(residents_before[inner].sum()), float(residents_after[inner].sum())
    r0 = float(residents_before[u].sum()) / n0 if n0 else 0.0
    r1 = float(residents_after[u].sum()) / n1 if n1 else 0.0
    if not n0 or not n1:
        return dict.fromkeys(COMPONENTS, 0.0)
    return {name: 50.0 * ((du - r0 * dn) / n1 + (du - r1 * dn) / n0) for name, (du, dn) in changes.items()}
