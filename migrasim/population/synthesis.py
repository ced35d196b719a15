"""From margins to people: families, who is where, exact ages, homes, rights, work; in columns.

Families are drawn from candidates (`seed`) with the weights that meet all margins of a county at
once (`raking.rake`), made whole, mended to the exact number of persons in every cell of living
place and home, and given the published ages by rank: the oldest slot of a place and sex gets the
oldest person, and so on, so that the age tables hold to the person and families keep their shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from migrasim.core.chance import child_key, mix
from migrasim.core.codes import Kind, Sex
from migrasim.core.rule import kernel, share_out
from migrasim.population import work
from migrasim.population.margins import GROUPS, Margins, assumed, read
from migrasim.population.mend import CELLS, give_ages, mend, single_years, swap_ages
from migrasim.population.raking import rake, systematic, whole
from migrasim.population.seed import (
    GENERATION,
    NOWHERE,
    OUT,
    SLOTS,
    STRANGER,
    Families,
    candidates,
)
from migrasim.population.tables import HOUSEHOLDS, PERSONS
from migrasim.region import Region

_CELL = np.full((4, 4), -1, np.int64)
for _number, (_spot, _home) in enumerate(CELLS):
    _CELL[_spot, _home] = _number
_AGES, _FORMS = 3 * 2 * GROUPS, 4 * 2 * GROUPS  # totals: ages by place, ages outside, forms, cells, soft ones
_CELLS = _FORMS + 5
_SOFT = _CELLS + len(CELLS)
_TOTALS = _SOFT + 8
_WIDTH = SLOTS + 2 + 2 + 8
_HARD, _FIRM, _LOOSE, _SOME = 0.5, 3.0, 400.0, 150.0


@kernel
def _keys(base: np.uint64, count: int) -> np.ndarray:
    keys = np.empty(count, np.uint64)
    for i in range(count):
        keys[i] = child_key(base, 0, i)
    return keys


@kernel
def _member_keys(household: np.ndarray, number: np.ndarray, keys: np.ndarray) -> np.ndarray:
    out = np.empty(household.shape[0], np.uint64)
    for i in range(household.shape[0]):
        out[i] = child_key(keys[household[i]], 1, number[i])
    return out


@dataclass
class _County:
    """Families and lone people of one county of residence (or of home, for the absent)."""

    families: Families
    origin: np.ndarray  # strangers: county of home 0.., then C near, C+1 far; -1 for natives
    single_spot: np.ndarray
    single_home: np.ndarray
    single_origin: np.ndarray
    single_sex: np.ndarray
    single_age: np.ndarray


def _incidence(f: Families) -> tuple[np.ndarray, np.ndarray]:
    """Which totals each candidate adds to, and how much; see the layout of the totals above."""
    a, rows = assumed(), len(f)
    index = np.full((rows, _WIDTH), -1, np.int64)
    value = np.zeros((rows, _WIDTH))
    spot = f.where()
    group = np.minimum(f.age // 5, GROUPS - 1).astype(np.int64)
    index[:, :SLOTS] = np.where(f.present, (spot * GROUPS + group) * 2 + f.sex, -1)
    value[:, :SLOTS] = f.present
    column = SLOTS
    inside = {False: f.main < OUT, True: (f.other >= 0) & (f.other < OUT)}
    for part in (False, True):
        form = f.form(part)
        index[:, column] = np.where(inside[part] & (form >= 0), _FORMS + form, -1)
        value[:, column] = 1.0
        column += 1
    for part in (False, True):
        people = (f.present & (f.away == part)).sum(axis=1)
        at = f.other if part else f.main
        cell = _CELL[np.maximum(at, 0), f.home]
        index[:, column] = np.where(people > 0, _CELLS + cell, -1)
        value[:, column] = people
        column += 1
    out = np.where(f.main == OUT, f.form(False), np.where(f.other == OUT, f.form(True), -1))
    out_people = (spot == OUT).sum(axis=1)
    away = f.away.any(axis=1)
    couple = (out_people == 2) & (out == 1)
    shares = (a.away_alone_share, a.away_couple_share, a.away_families_share)
    for k, kind in enumerate((out == 0, couple, out >= 2)):
        index[:, column] = np.where(out >= 0, _SOFT + k, -1)
        value[:, column] = kind - shares[k]
        column += 1
    index[:, column] = np.where(out >= 0, _SOFT + 3, -1)
    value[:, column] = out_people * (away - a.absent_split_share)
    column += 1
    moved = ((spot >= 1) & (spot < OUT) & (f.home == 0)[:, None]).sum(axis=1)
    split = away & (f.other < OUT)
    index[:, column] = np.where(moved > 0, _SOFT + 4, -1)
    value[:, column] = moved * (split - a.inside_split_share)
    column += 1
    old = np.zeros(rows)
    for part in (False, True):
        old += inside[part] & (f.present & (f.away == part) & (f.age >= 65)).any(axis=1)
    index[:, column] = np.where(old > 0, _SOFT + 5, -1)
    value[:, column] = old
    couple, _ = f.couples()
    for sex in range(2):
        column += 1
        married = ((couple > 0) & (spot >= 0) & (spot < OUT) & (f.sex == sex)).sum(axis=1)
        index[:, column] = np.where(married > 0, _SOFT + 6 + sex, -1)
        value[:, column] = married
    return index, value


def _cells(m: Margins, c: int) -> tuple[np.ndarray, np.ndarray]:
    """(4, 4) persons by living place and home, in families and outside them, in whole numbers."""
    a = assumed()
    single = m.collective[c].sum(axis=(1, 2))
    family = m.family_age[c].sum(axis=(1, 2))
    urban = (family + single)[1:] / (family + single)[1:].sum()
    strangers = int(m.elsewhere[c, 1:].sum())
    own = int(m.elsewhere[c, 0])
    lone, homes = np.zeros((4, 4), np.int64), np.zeros((4, 4), np.int64)
    elsewhere = a.collective_elsewhere_share * single
    spread = own / (own + strangers)
    for t in range(3):
        share = 1 - spread if t else a.collective_village_stranger_share
        lone[t, STRANGER] = int(elsewhere[t] * share)
        lone[t, 0] = int(elsewhere[t] * spread) if t else single[0] - lone[0, STRANGER]
        lone[t, t] = single[t] - lone[t, STRANGER] - (lone[t, 0] if t else 0)
    over = lone[:3, STRANGER].sum() - int(a.stranger_single_most_share * strangers)
    if over > 0:  # strangers outside families are at most a share of all strangers
        cut = whole(lone[:3, STRANGER] * (over / lone[:3, STRANGER].sum()), int(over))
        lone[:3, STRANGER] -= cut
        lone[[0, 1, 2], [0, 1, 2]] += cut
    left = strangers - int(lone[:3, STRANGER].sum())
    shares = np.array([a.stranger_village_share, *((1 - a.stranger_village_share) * urban)])
    homes[:3, STRANGER] = whole(shares, left)
    moved = whole(urban, own - int(lone[1:, 0].sum()))
    homes[1, 0] = moved[0]
    homes[2, 1] = min(int(a.town_home_share * moved[1]), int(a.town_home_most_share * family[1]))
    homes[2, 0] = moved[1] - homes[2, 1]
    for t in range(3):
        homes[t, t] = family[t] - homes[t].sum()
    absent = int(m.absent[c])
    at_home = np.array([homes[0, 0] + homes[1:, 0].sum(), homes[1, 1] + homes[2, 1], homes[2, 2]], float)
    homes[OUT, :3] = whole(at_home * np.array([1.0, a.absent_urban_ratio, a.absent_urban_ratio]), absent)
    return homes, lone


def _targets(m: Margins, c: int, homes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    target, slack = np.zeros(_TOTALS), np.full(_TOTALS, _HARD)
    target[:_AGES] = m.family_age[c].ravel()
    target[_AGES:_FORMS] = m.absent_age[c].ravel()
    target[_FORMS:_CELLS] = m.forms[c]
    target[_CELLS:_SOFT] = [homes[cell] for cell in CELLS]
    slack[:_FORMS] = np.minimum(_FIRM, 0.1 + 0.01 * target[:_FORMS])  # small cells give way less
    slack[_SOFT:] = _LOOSE
    slack[_SOFT + 5 :] = _SOME
    if np.isnan(m.old_share[c]):
        slack[_SOFT + 5] = 1e12
    else:
        target[_SOFT + 5] = m.old_share[c] * m.forms[c].sum()
    target[_SOFT + 6 :] = m.married[c]
    return target, slack


def _copies(f: Families, weight: np.ndarray, forms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(candidates,) whole copies with exactly the published number of households by form.

    Candidates are grouped by the forms of their two parts; the groups are rounded, then those with
    one part inside take up what is missing, and inside a group like stands beside like.
    """
    main = np.where(f.main < OUT, f.form(False), -1)
    other = np.where((f.other >= 0) & (f.other < OUT), f.form(True), -1)
    group = (main + 1) * 6 + other + 1
    sums = np.bincount(group, weight, 36)
    counts = np.rint(sums).astype(np.int64)
    for form in range(5):
        parts = counts.reshape(6, 6)[form + 1].sum() + counts.reshape(6, 6)[:, form + 1].sum()
        counts[(form + 1) * 6] += forms[form] - parts
    copies = np.zeros(len(f), np.int64)
    size = f.present.sum(axis=1)
    young = np.where(f.present, f.age, 200).min(axis=1)
    order = np.lexsort((young, size, f.pattern, group))
    edges = np.searchsorted(group[order], np.arange(37))
    for g in np.flatnonzero(counts > 0):
        rows = order[edges[g] : edges[g + 1]]
        copies[rows] = systematic(weight[rows], int(counts[g]), rng.random())
    return copies


def _label_strangers(size: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Origin of each stranger household so that persons by origin are exact; lone people fill up."""
    label = np.full(size.size, -1, np.int64)
    left = wanted.astype(np.int64).copy()
    order = rng.permutation(size.size)
    order = order[np.argsort(-size[order], kind="stable")]
    for row in order[size[order] > 1]:
        chance = np.where(left >= size[row], left, 0)
        pick = int(np.searchsorted(np.cumsum(chance), rng.random() * chance.sum(), side="right"))
        label[row] = pick
        left[pick] -= size[row]
    alone = order[size[order] == 1]
    label[alone] = np.repeat(np.arange(left.size), left)
    return label


def _county(
    region: Region, m: Margins, c: int, pool: Families, incidence: tuple[np.ndarray, np.ndarray], seed: int
) -> _County:
    rng = np.random.default_rng([seed, m.base, c])
    homes, lone = _cells(m, c)
    target, slack = _targets(m, c, homes)
    weight, _ = rake(*incidence, pool.prior * m.forms[c].sum(), target, slack)
    copies = _copies(pool, weight, m.forms[c], rng)
    f = pool.take(np.repeat(np.arange(len(pool)), copies))
    f.age += (rng.random(len(f)) - 0.5)[:, None] + 0.01 * rng.random(f.age.shape)
    f = mend(f, homes, rng)
    tables = np.concatenate([m.family_age[c], m.absent_age[c][None]])
    give_ages(f, tables, float(m.infant_share[c]), rng)

    swap_ages(f)

    arrivals = np.append(m.inside[:, c], [0, 0])
    arrivals[-1] = m.elsewhere[c, 2]
    arrivals[-2] = m.elsewhere[c, 1] - m.inside[:, c].sum()
    outside = whole(arrivals * (lone[:3, STRANGER].sum() / arrivals.sum()), int(lone[:3, STRANGER].sum()))
    origin = np.full(len(f), -1)
    strange = np.flatnonzero(f.home == STRANGER)
    origin[strange] = _label_strangers(f.present[strange].sum(axis=1), arrivals - outside, rng)

    spots, sexes, ages, single_home = [], [], [], []
    for spot in range(3):
        kinds = np.repeat(np.arange(4), lone[spot])
        single_home.append(rng.permutation(kinds))
        spots.append(np.full(kinds.size, spot))
        for sex in range(2):
            years = single_years(m.collective[c, spot, :, sex], 0.0)
            ages.append(years)
            sexes.append(np.full(years.size, sex))
    homes_of = np.concatenate(single_home)
    origins = np.full(homes_of.size, -1)
    origins[homes_of == STRANGER] = rng.permutation(np.repeat(np.arange(arrivals.size), outside))
    return _County(f, origin, np.concatenate(spots), homes_of, origins, np.concatenate(sexes), np.concatenate(ages))


def build(region: Region, base: int, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Persons and households of a base year at full scale, in the columns of `tables`."""
    m = read(region, base)
    pool = candidates(np.random.default_rng([seed, base, 99]))
    incidence = _incidence(pool)
    made: dict[int, _County] = {}

    def one(c: int) -> None:  # each county with luck of its own
        made[c] = _county(region, m, c, pool, incidence, seed)

    share_out(one, range(region.n_counties))
    parts = [made[c] for c in range(region.n_counties)]
    persons, households = _flatten(region, parts, base, seed)
    rng = np.random.default_rng([seed, base, 77])
    persons, households = _reunite(region, base, persons, households, rng)
    _urban_registration(region, base, persons, households, rng)
    work.give(region, base, m, persons, households, rng)
    return persons, households


def _flatten(
    region: Region, parts: list[_County], base: int, seed: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    a = assumed()
    person_parts: list[dict[str, np.ndarray]] = []
    household_parts: list[dict[str, np.ndarray]] = []
    first = 0
    for c, part in enumerate(parts):
        rng = np.random.default_rng([seed, base, c, 5])
        f = part.families
        lone = part.single_age.size
        rows = len(f) + lone
        outside = np.where(rng.random(len(f)) < a.absent_near_share, region.near, region.far)
        home = np.concatenate([f.home, part.single_home])
        origin = np.concatenate([part.origin, part.single_origin])
        spot = np.concatenate([f.main, part.single_spot])
        place = np.where(spot == OUT, np.append(outside, np.zeros(lone)), 3 * c + spot)
        other = np.where(f.other == OUT, outside, np.where(f.other >= 0, 3 * c + f.other, NOWHERE))
        native = home != STRANGER
        home_county = np.where(native, c, origin)
        stranger_tier = (rng.random(rows) < a.stranger_town_share).astype(np.int64)
        tier = np.where(native, home, stranger_tier)
        home_place = np.where(
            home_county < region.n_counties, 3 * home_county + tier, region.near + home_county - region.n_counties
        )
        h = {
            "kind": np.repeat([int(Kind.FAMILY), int(Kind.COLLECTIVE)], [len(f), lone]),
            "home_place": home_place,
            "place": place,
            "away_place": np.append(other, np.full(lone, NOWHERE)),
            "community": _communities(region, home_place, rng),
        }
        base_key = mix(np.uint64(seed) ^ mix(np.uint64(base * 1000 + c)))
        h["key"] = _keys(np.uint64(base_key), rows)
        household_parts.append(h)

        couple, parents = f.couples()
        r, s = np.nonzero(f.present)
        number = np.concatenate([s, np.zeros(lone, np.int64)])
        index = np.concatenate([r, np.arange(len(f), rows)])
        p = {
            "household": index + first,
            "birth_year": base - np.concatenate([f.age[r, s], part.single_age]),
            "sex": np.concatenate([f.sex[r, s], part.single_sex]),
            "generation": np.concatenate([GENERATION[s], np.full(lone, 2)]),
            "couple": np.concatenate([couple[r, s], np.zeros(lone)]),
            "parents": np.concatenate([parents[r, s], np.zeros(lone)]),
            "is_away": np.concatenate([f.away[r, s], np.zeros(lone)]),
            "key": _member_keys(index, number, h["key"]),
        }
        person_parts.append(p)
        first += rows
    persons = {
        k.name: np.concatenate([p[k.name] for p in person_parts]).astype(k.dtype)
        for k in PERSONS
        if k.name in person_parts[0]
    }
    households = {
        k.name: np.concatenate([h[k.name] for h in household_parts]).astype(k.dtype)
        for k in HOUSEHOLDS
        if k.name in household_parts[0]
    }
    for column in PERSONS:
        persons.setdefault(column.name, np.zeros(persons["key"].size, column.dtype))
    for column in HOUSEHOLDS:
        households.setdefault(column.name, np.zeros(households["key"].size, column.dtype))
    persons = {column.name: persons[column.name] for column in PERSONS}
    return persons, {column.name: households[column.name] for column in HOUSEHOLDS}


def _reunite(
    region: Region,
    base: int,
    persons: dict[str, np.ndarray],
    households: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Give young people who live alone in another county a family at home: they become its away part.

    A lone person of 18 to 32 registered in another county of the region joins a couple whose wife is 20 to 32
    years older, at home in the same place of origin and with nobody away. Censuses see the same
    one-person household before and after; who belongs together is not published (assumed).
    """
    a = assumed()
    youngest, oldest = int(a.youth_alone_youngest_yr), int(a.youth_alone_oldest_yr)
    rows = households["key"].size
    first, members = (
        np.searchsorted(persons["household"], np.arange(rows)),
        np.bincount(persons["household"], minlength=rows),
    )
    age = base - persons["birth_year"].astype(np.int64)
    home, place = households["home_place"].astype(np.int64), households["place"].astype(np.int64)
    family = households["kind"] == Kind.FAMILY
    other_county = (home < region.inside) & (place < region.inside) & (home // 3 != place // 3)
    lone = family & other_county & (members == 1) & (age[first] >= youngest) & (age[first] <= oldest)
    wife = (persons["couple"] == 1) & (persons["sex"] == Sex.FEMALE) & (persons["generation"] == 2)
    mother_age = np.zeros(rows, np.int64)
    mother_age[persons["household"][wife]] = age[wife]
    able = (
        family
        & (home == place)
        & (households["away_place"] == NOWHERE)
        & (mother_age > 0)
        & (members <= a.reunited_most_members)
    )
    target = np.full(rows, -1, np.int64)
    for h in np.unique(home[lone]):
        young = rng.permutation(np.flatnonzero(lone & (home == h)))
        parents = rng.permutation(np.flatnonzero(able & (home == h)))
        for years in range(youngest, oldest + 1):
            wanted = young[age[first[young]] == years]
            older = mother_age[parents] - years
            fit = parents[(older >= a.youth_mother_least_yr) & (older <= a.youth_mother_most_yr)][: wanted.size]
            target[wanted[: fit.size]] = fit
            parents = np.setdiff1d(parents, fit)
    moved = np.flatnonzero(target >= 0)
    into = target[moved]
    households["away_place"][into] = households["place"][moved]
    person = first[moved]
    persons["household"][person] = into
    persons["is_away"][person] = 1
    persons["generation"][person] = 3
    persons["parents"][person] = 1
    kept = np.ones(rows, bool)
    kept[moved] = False
    row = np.cumsum(kept) - 1
    order = np.argsort(persons["household"], kind="stable")
    persons = {name: column[order] for name, column in persons.items()}
    persons["household"] = row[persons["household"]].astype(np.int32)
    return persons, {name: column[kept] for name, column in households.items()}


def _communities(region: Region, home_place: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Home community of each household: villages of a county differ in size by an assumed spread."""
    a, villages, counties = assumed(), region.n_villages, region.n_counties
    turn = np.arange(villages) * 2.399963  # the golden angle, so that no neighbours are alike
    size = np.exp(a.village_size_spread * np.sin(turn))
    community = np.where(home_place >= region.inside, villages + 2 * counties + home_place - region.inside, -1)
    urban = (home_place < region.inside) & (home_place % 3 > 0)
    community = np.where(urban, villages + 2 * (home_place // 3) + home_place % 3 - 1, community)
    for c in np.unique(home_place[community < 0] // 3):
        rows = np.flatnonzero((community < 0) & (home_place == 3 * c))
        own = np.flatnonzero(region.villages["county"] == c)
        edges = np.cumsum(size[own]) / size[own].sum()
        community[rows] = own[np.searchsorted(edges, rng.random(rows.size))]
    return community


def _urban_registration(
    region: Region,
    base: int,
    persons: dict[str, np.ndarray],
    households: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Mark households whose registered address counts as urban, to the published number of persons.

    2020: all homes in towns and seats; the rest evenly over village homes (the published number is
    for the prefecture only). 2010: the published non-agricultural share of each county, another
    concept, homes in towns first.
    """
    size = np.bincount(persons["household"], minlength=households["key"].size)
    home = households["home_place"].astype(int)
    inside = home < region.inside
    village = inside & (home % 3 == 0)
    urban = np.zeros(home.size, bool)
    if base == 2020:
        urban |= inside & ~village
        wanted = float(region.record_yaml["population"]["urban_registered_2020"]["value"])
        groups = [(village, wanted - size[urban].sum())]
    else:
        registered, share = region.census(base, "hukou_pop"), region.census(base, "nonagri_hukou_pct") / 100
        groups = [(inside & (home // 3 == c), round(registered[c] * share[c])) for c in range(region.n_counties)]
    for mask, count in groups:
        rows = rng.permutation(np.flatnonzero(mask))
        rows = rows[np.lexsort((size[rows] == 1, village[rows]))]
        left = int(count)
        take = np.cumsum(size[rows]) <= left
        urban[rows[take]] = True
        left -= int(size[rows[take]].sum())
        spare = rows[~take][size[rows[~take]] == 1][:left]
        urban[spare] = True
    households["hukou_urban"][:] = urban
