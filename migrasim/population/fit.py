"""How well a synthetic population meets every published marginal, by county."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from migrasim.core.codes import Activity, Kind, Schooling, Sector, Tenure, Tier
from migrasim.population import margins, work

if TYPE_CHECKING:
    import pandas as pd

    from migrasim.population import Population
    from migrasim.region import Region

EXACT = "exact"
TOTAL = "within 0.5 percent or 5 persons"
SAMPLING = "sampling error of the ten percent sample"
ESTIMATE = "estimate, not published"
ASSUMED = "soft constraint"
_GROUPS = [f"{a}-{a + 4}" for a in range(0, 85, 5)] + ["85+"]


def census_parts(population: Population, region: Region) -> dict[str, np.ndarray]:
    """Resident parts of family households: place, tenure, people, number of generations, any aged 65 and over."""
    persons, households = population.persons, population.households
    rows = households["place"].size
    part = persons["household"].astype(np.int64) + rows * persons["is_away"].astype(np.int64)
    people = np.bincount(part, minlength=2 * rows)
    generations = np.zeros(2 * rows, np.int64)
    for generation in range(5):
        generations += np.bincount(part[persons["generation"] == generation], minlength=2 * rows) > 0
    old = np.bincount(part[population.base - persons["birth_year"] >= 65], minlength=2 * rows) > 0
    place = np.concatenate([households["place"], households["away_place"]]).astype(np.int64)
    tenure = np.concatenate([households["tenure"], households["away_tenure"]])
    kept = np.tile(households["kind"] == Kind.FAMILY, 2) & (people > 0) & (place >= 0) & (place < region.inside)
    return {
        "place": place[kept],
        "tenure": tenure[kept],
        "people": people[kept],
        "generations": generations[kept],
        "old": old[kept],
    }


def fit(population: Population, region: Region) -> pd.DataFrame:
    """Published against synthetic, one row a marginal and county (and the prefecture).

    Columns: ``marginal, county, published, synthetic, error, tolerance, ok, how``; counts are at
    full scale; a sample is weighted, and its noise widens the tolerances.
    """
    import pandas as pd

    m = margins.read(region, population.base)
    base, c_all = population.base, region.n_counties
    persons, households = population.persons, population.households
    h = persons["household"]
    place = np.where(persons["is_away"] == 1, households["away_place"][h], households["place"][h]).astype(np.int64)
    home = households["home_place"][h].astype(np.int64)
    age = base - persons["birth_year"].astype(np.int64)
    resident = place < region.inside
    county = np.where(resident, place // 3, c_all)
    home_county = np.where(home < region.inside, home // 3, c_all)
    urban = resident & (place % 3 > Tier.VILLAGE)
    family = households["kind"][h] == Kind.FAMILY
    rows: list[tuple[str, str, float, float, float, str]] = []

    def people(mask: np.ndarray, by: np.ndarray = county) -> np.ndarray:
        return np.asarray(np.bincount(by[mask], minlength=c_all + 1)[:c_all] * population.weight)

    def add(
        name: str, published: np.ndarray, synthetic: np.ndarray, how: str, tolerance: np.ndarray | None = None
    ) -> None:
        known = np.asarray(published, float)
        total = np.nansum(known)
        loose = np.maximum(0.005 * known, 5.0) if tolerance is None else tolerance
        for c, county_name in enumerate(region.county_names):
            if not np.isnan(known[c]):
                rows.append(
                    (name, county_name, known[c], float(synthetic[c]), 0.0 if how == EXACT else float(loose[c]), how)
                )
        whole_tolerance = 0.0 if how == EXACT else max(0.005 * total, float(np.sqrt((loose**2).sum())), 5.0)
        rows.append((name, region.name, float(total), float(np.sum(synthetic)), whole_tolerance, how))

    def census(column: str) -> np.ndarray:
        return region.census(base, column)

    add("residents", census("resident_pop"), people(resident), EXACT)
    for sex, name in enumerate(("male", "female")):
        add(name, census(name), people(resident & (persons["sex"] == sex)), EXACT)
    add("urban residents", census("urban_pop"), people(urban), EXACT)
    add("rural residents", census("rural_pop"), people(resident & ~urban), EXACT)
    add("people in family households", census("pop_in_family_households"), people(resident & family), EXACT)

    parts = census_parts(population, region)
    at = parts["place"] // 3

    def homes(mask: np.ndarray) -> np.ndarray:
        return np.asarray(np.bincount(at[mask], minlength=c_all) * population.weight)

    add("family households", census("family_households"), homes(parts["people"] > 0), EXACT)
    add("one-person households", census("hh_1_person"), homes(parts["people"] == 1), EXACT)
    for number, word in enumerate(("1", "2", "3", "4plus"), 1):
        reached = parts["generations"] == number if number < 4 else parts["generations"] >= 4
        add(f"households of {word} generations", census(f"hh_{word}_generation"), homes(reached), EXACT)
    if not np.isnan(m.old_share).any():
        wanted = m.old_share * census("family_households")
        add(
            "households with people of 65 and over",
            wanted,
            homes(parts["old"]),
            ASSUMED,
            0.02 * census("family_households"),
        )

    group = np.minimum(age // 5, margins.GROUPS - 1)
    for g, name in enumerate(_GROUPS):
        for sex, word in enumerate(("men", "women")):
            add(
                f"{word} aged {name}",
                m.age[:, g, sex],
                people(resident & (group == g) & (persons["sex"] == sex)),
                EXACT,
            )

    for sex, word in enumerate(("men", "women")):
        wed = resident & (persons["couple"] > 0) & (persons["sex"] == sex)
        add(f"married {word} of 15 and over", m.married[:, sex], people(wed), ASSUMED, 0.04 * m.married[:, sex])

    outside = home >= region.inside
    other_county = resident & (home < region.inside) & (home_county != county)
    elsewhere = "registered elsewhere: "
    add(
        elsewhere + "same county",
        census("hukou_elsewhere_same_county"),
        people(resident & (home_county == county) & (home != place)),
        EXACT,
    )
    near = other_county | (resident & (home == region.near))
    add(
        elsewhere + "other county of the province", census("hukou_elsewhere_other_county_in_gansu"), people(near), EXACT
    )
    add(
        elsewhere + "other province",
        census("hukou_elsewhere_other_province"),
        people(resident & (home == region.far)),
        EXACT,
    )
    how = EXACT if base == 2010 else ESTIMATE
    add("registered people", m.registered, people(~outside, home_county), how)
    add("absent from the region (calculated)", m.absent, people(~resident & ~outside, home_county), ESTIMATE)
    urban_hukou = people((households["hukou_urban"][h] == 1) & ~outside, home_county)
    if base == 2020:
        about = region.record_yaml["population"]
        for name, key, found in (
            ("registered people, prefecture", "registered_total_2020", people(~outside, home_county).sum()),
            ("urban registered, prefecture", "urban_registered_2020", urban_hukou.sum()),
        ):
            value = float(about[key]["value"])
            rows.append((name, region.name, value, float(found), max(0.005 * value, 5.0), TOTAL))
    else:
        wanted = np.rint(census("nonagri_hukou_pct") / 100 * m.registered)
        add("non-agricultural registration (another concept than in 2020)", wanted, urban_hukou, TOTAL)

    if base == 2020:
        names = (
            "edu_none",
            "edu_primary",
            "edu_junior_middle",
            "edu_senior_middle",
            "edu_junior_college",
            "edu_bachelor_plus",
        )
        for level, column in zip(list(Schooling)[1:], names, strict=True):
            add(
                f"schooling {level.name.lower()}",
                census(column),
                people(resident & (persons["schooling"] == level)),
                TOTAL,
            )
        rest = census("resident_pop") - np.sum([census(column) for column in names], axis=0)
        add(
            "schooling under_age (in no column)",
            rest,
            people(resident & (persons["schooling"] == Schooling.UNDER_AGE)),
            TOTAL,
        )
    else:
        adult = resident & (age >= 15)
        years = (
            np.bincount(county[adult], work.YEARS[persons["schooling"][adult]], c_all + 1)[:c_all]
            / np.bincount(county[adult], minlength=c_all + 1)[:c_all]
        )
        mean = census("avg_years_schooling_15plus")
        rows += [
            ("mean years of schooling at 15 and over", n, float(mean[c]), float(years[c]), 0.05, TOTAL)
            for c, n in enumerate(region.county_names)
        ]

    adults = np.bincount(place[resident & (age >= 16)] // 3, minlength=c_all)
    jobs = work.employment(region, base, adults * population.weight)
    working = resident & (persons["sector"] > 0)
    if base == 2020:
        sample = census("longform_employed_sample")
        for sector in list(Sector)[1:]:
            share = jobs[:, sector] / jobs.sum(axis=1)
            error = 2 * np.sqrt(share * (1 - share) / sample) * jobs.sum(axis=1)
            found = people(working & (persons["sector"] == sector))
            add(f"working in {sector.name.lower()}", jobs[:, sector], found, SAMPLING, np.maximum(error, 5.0))
    else:
        groups = {"primary": [1], "secondary": [int(s) for s in work.SECONDARY]}
        groups["tertiary"] = [s for s in range(1, 20) if s not in groups["primary"] + groups["secondary"]]
        for name, members in groups.items():
            wanted = census(f"emp_{name}_pct") / 100 * jobs.sum(axis=1)
            error = 2 * np.sqrt(np.maximum(wanted * (1 - wanted / jobs.sum(axis=1)), 1) * 10)
            add(
                f"working in the {name} sector",
                wanted,
                people(working & np.isin(persons["sector"], members)),
                SAMPLING,
                error,
            )
    chains = work.chain_jobs(region, base, jobs)
    for chain in region.chains:
        add(
            f"chain jobs {chain.id}",
            chains[:, chain.number],
            people(resident & (persons["chain"] == chain.number)),
            ESTIMATE,
        )

    counts = work.tenure_counts(region, base, census("family_households").astype(np.int64))
    rent = (Tenure.MARKET_RENT, Tenure.PUBLIC_RENT, Tenure.AFFORDABLE_RENT)
    held = (
        ("self-built", (Tenure.SELF_BUILT,)),
        ("purchased", (Tenure.PURCHASED,)),
        ("rented", rent),
        ("other", (Tenure.OTHER,)),
    )
    total = census("family_households")
    for k, (name, codes) in enumerate(held):
        share = counts[:, k] / total
        error = 2 * np.sqrt(share * (1 - share) / (0.1 * total)) * total
        add(f"dwellings {name}", counts[:, k], homes(np.isin(parts["tenure"], codes)), SAMPLING, np.maximum(error, 5.0))

    frame = pd.DataFrame(rows, columns=["marginal", "county", "published", "synthetic", "tolerance", "how"])
    if population.weight > 1:  # whole households are drawn: four standard errors, three people moving together
        noise = 4 * np.sqrt(3 * population.weight * frame["published"].clip(lower=1))
        counted = frame["published"] > 100
        frame.loc[counted, "tolerance"] = np.hypot(frame["tolerance"], noise)[counted]
        frame.loc[~counted, "tolerance"] += 100.0
    frame.insert(4, "error", frame["synthetic"] - frame["published"])
    frame.insert(6, "ok", frame["error"].abs() <= frame["tolerance"] + 1e-6)
    return frame


def patterns(population: Population, region: Region) -> dict[str, float]:
    """Figures that were not fitted, for a look: families, ages, absent people (shares and years)."""
    persons, households = population.persons, population.households
    h = persons["household"]
    age = population.base - persons["birth_year"].astype(np.int64)
    place = np.where(persons["is_away"] == 1, households["away_place"][h], households["place"][h]).astype(np.int64)
    family = households["kind"][h] == Kind.FAMILY
    resident = place < region.inside
    part = h.astype(np.int64) * 2 + persons["is_away"]
    adults = np.bincount(part[age >= 16], minlength=2 * households["key"].size)
    alone = family & (age < 15) & (adults[part] == 0)
    worker = ~resident & (persons["activity"] == Activity.WORKER)
    found: dict[str, float] = {
        "children without an adult in their part": float(alone.sum()),
        "absent workers, mean age": float(age[worker].mean()),
        "absent workers, men": float((persons["sex"][worker] == 0).mean()),
    }
    for sex, word in enumerate(("men", "women")):
        grown = resident & (age >= 15) & (persons["sex"] == sex)
        found[f"{word} of 15 and over in a couple"] = float((persons["couple"][grown] > 0).mean())
    for tier in Tier:
        here = resident & (place % 3 == tier)
        found[f"children in {tier.name.lower()}"] = float((age[here] < 15).mean())
        found[f"people of 65 and over in {tier.name.lower()}"] = float((age[here] >= 65).mean())
    return found
