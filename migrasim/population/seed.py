"""Candidate families: who could live together, and where, before any count is known.

No cross-table of households is published, so candidates are drawn from a plain life cycle
(ages at marriage and birth, children who leave, parents who live with a married son) and raking
gives each the weight under which all published margins hold at once. Slots of a family: husband,
wife, four children, grandfather, grandmother, great-grandmother.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from migrasim.population.margins import assumed, by_age

SLOTS = 9
HUSBAND, WIFE, CHILD, GRANDFATHER, GRANDMOTHER, GREAT = 0, 1, 2, 6, 7, 8
CHILDREN = slice(CHILD, GRANDFATHER)
GENERATION = np.array([2, 2, 3, 3, 3, 3, 1, 1, 0], np.int8)
OUT = 3  # where somebody lives: tier 0..2 of the county, or outside
STRANGER = 3  # home of in-migrants; else the tier of the home
NOWHERE = -1

_KINDS = ("single", "couple", "nuclear", "stem", "parents", "four")  # `by: family` of the facts
_SINGLE, _COUPLE, _NUCLEAR, _STEM, _PARENTS, _FOUR = range(len(_KINDS))


@dataclass
class Families:
    """Families as (rows, SLOTS) arrays; `away` marks members of the away part.

    ``home`` is the tier of the registered home or STRANGER, ``main`` and ``other`` say where the
    main part and the away part live (tier, OUT or NOWHERE), ``pattern`` numbers the pattern.
    """

    present: np.ndarray
    sex: np.ndarray
    age: np.ndarray
    away: np.ndarray
    home: np.ndarray
    main: np.ndarray
    other: np.ndarray
    pattern: np.ndarray
    prior: np.ndarray

    def __len__(self) -> int:
        return int(self.home.size)

    def take(self, rows: np.ndarray) -> Families:
        return Families(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @classmethod
    def join(cls, parts: list[Families]) -> Families:
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))

    def couples(self) -> tuple[np.ndarray, np.ndarray]:
        """(rows, SLOTS) number of the couple and of the parents' couple of each member."""
        couple = np.zeros(self.present.shape, np.int8)
        parents = np.zeros(self.present.shape, np.int8)
        couple[:, :2] = (self.present[:, HUSBAND] & self.present[:, WIFE])[:, None]
        couple[:, 6:8] = 2 * (self.present[:, GRANDFATHER] & self.present[:, GRANDMOTHER])[:, None]
        parents[:, CHILDREN] = 1
        elders = self.present[:, GRANDFATHER] | self.present[:, GRANDMOTHER]
        child = np.where(self.present[:, HUSBAND], HUSBAND, WIFE)  # parents live with a son, else with a daughter
        parents[np.arange(len(self)), child] = 2 * elders
        son = np.where(self.present[:, GRANDFATHER], GRANDFATHER, GRANDMOTHER)
        parents[np.arange(len(self)), son] = 3 * self.present[:, GREAT]
        return couple * self.present, parents * self.present

    def where(self) -> np.ndarray:
        """(rows, SLOTS) where each member lives; NOWHERE for empty slots."""
        spot = np.where(self.away, self.other[:, None], self.main[:, None])
        return np.where(self.present, spot, NOWHERE)

    def form(self, in_away: bool) -> np.ndarray:
        """(rows,) census form of one part: 0 one person, 1..4 generations; -1 where there is no such part."""
        here = self.present & (self.away == in_away)
        bits = np.zeros((len(self), 4), bool)
        for slot in range(SLOTS):
            bits[:, GENERATION[slot]] |= here[:, slot]
        generations = bits.sum(axis=1)
        people = here.sum(axis=1)
        return np.where(people == 0, -1, np.where(people == 1, 0, generations))


def _draw(n: int, rng: np.random.Generator, ratios: Mapping[str, float]) -> Families:
    """Families at home by kind; what they are is in the module's text, its numbers are facts."""
    a = assumed()
    shares = [ratios[name] for name in _KINDS]
    kind = rng.choice(len(_KINDS), n, p=np.array(shares) / sum(shares))
    present = np.zeros((n, SLOTS), bool)
    sex = np.zeros((n, SLOTS), np.uint8)
    sex[:, [WIFE, GRANDMOTHER, GREAT]] = 1
    age = np.zeros((n, SLOTS), np.float32)

    low, high = (np.array([ages[name] for name in _KINDS])[kind] for ages in (a.wife_youngest_yr, a.wife_oldest_yr))
    wife = low + (high - low) * rng.random(n)
    older = (a.husband_older_least_yr, a.husband_older_most_yr)
    husband = wife + np.clip(rng.normal(a.husband_older_yr, a.husband_older_spread_yr, n), *older)
    age[:, WIFE], age[:, HUSBAND] = wife, husband
    alone = (kind == _SINGLE) | (np.isin(kind, [_NUCLEAR, _STEM]) & (rng.random(n) < a.one_parent_share))
    alone |= (kind == _PARENTS) & (rng.random(n) < a.unmarried_with_parents_share)
    woman = rng.random(n) < a.woman_alone_share
    present[:, HUSBAND] = ~alone | ~woman
    present[:, WIFE] = ~alone | woman
    age[:, HUSBAND] = np.where(alone, wife, husband)

    with_children = np.isin(kind, [_NUCLEAR, _STEM, _FOUR])
    fourth = a.fourth_child_share + a.old_mother_child_share * (wife > a.old_mother_yr)
    ever = 1 + (rng.random(n) < a.second_child_share) + (rng.random(n) < a.third_child_share) + (rng.random(n) < fourth)
    first = rng.normal(a.first_birth_yr, a.first_birth_spread_yr, n)
    birth = np.minimum(np.clip(first, a.first_birth_least_yr, a.first_birth_most_yr), wife)
    for order in range(4):
        slot = CHILD + order
        years = wife - birth
        son = rng.random(n) < a.son_share + a.son_stays_share * (years > a.child_leaves_yr)
        stays = rng.random(n) < by_age(a.child_at_home_share, years)
        present[:, slot] = with_children & (order < ever) & (years >= 0) & (birth < a.last_birth_yr) & stays
        age[:, slot], sex[:, slot] = np.maximum(years, 0), ~son
        between = rng.gamma(a.birth_interval_shape, a.birth_interval_scale_yr, n)
        birth = birth + np.clip(between, a.birth_interval_least_yr, a.birth_interval_most_yr)
    none = with_children & ~present[:, CHILDREN].any(axis=1)
    present[none, CHILD] = True

    with_elders = np.isin(kind, [_STEM, _PARENTS, _FOUR])
    child = np.where(present[:, HUSBAND], age[:, HUSBAND], age[:, WIFE])
    birth = rng.normal(a.grandmother_birth_yr, a.grandmother_birth_spread_yr, n)
    mother = child + np.clip(birth, a.grandmother_birth_least_yr, a.grandmother_birth_most_yr)
    father = mother + np.clip(rng.normal(a.husband_older_yr, a.grandfather_older_spread_yr, n), *older)
    lives = [by_age(a.elder_alive_share, years) for years in (father - a.elder_man_younger_yr, mother)]
    old_father = with_elders & (rng.random(n) < lives[0])
    old_mother = with_elders & ((rng.random(n) < lives[1]) | ~old_father)
    present[:, GRANDFATHER], present[:, GRANDMOTHER] = old_father, old_mother
    age[:, GRANDFATHER], age[:, GRANDMOTHER] = father, mother
    birth = rng.normal(a.great_birth_yr, a.great_birth_spread_yr, n)
    birth = np.clip(birth, a.grandmother_birth_least_yr, a.great_birth_most_yr)
    age[:, GREAT] = np.where(old_father, father, mother) + birth
    present[:, GREAT] = kind == _FOUR
    sex[:, GREAT] = rng.random(n) < a.great_woman_share

    plain = np.zeros(n, np.int8)
    families = Families(present, sex, age, np.zeros((n, SLOTS), bool), plain, plain, plain + NOWHERE, plain, np.ones(n))
    return families.take(np.flatnonzero(np.where(present, age, 0).max(axis=1) < 100))


def _leave(f: Families, rule: str, rng: np.random.Generator) -> np.ndarray:
    """(rows, SLOTS) who is away under a form of splitting; nobody where the form does not fit."""
    a, n = assumed(), len(f)
    away = np.zeros((n, SLOTS), bool)
    both = f.present[:, HUSBAND] & f.present[:, WIFE]
    elders = f.present[:, GRANDFATHER] | f.present[:, GRANDMOTHER]
    working = (f.age[:, HUSBAND] < a.husband_away_oldest_yr) & (f.age[:, WIFE] < a.wife_away_oldest_yr)
    children, years = f.present[:, CHILDREN], f.age[:, CHILDREN]
    grown = children & (years >= a.child_away_youngest_yr) & (years < a.child_away_oldest_yr)
    pupils = children & (years >= a.pupil_away_youngest_yr) & (years < a.pupil_away_oldest_yr)
    first = np.where(grown, rng.random(grown.shape), -1).argmax(axis=1) + CHILD
    rows = np.arange(n)
    if rule in ("father", "father_child", "couple", "couple_kids"):
        away[:, HUSBAND] = both & working
    if rule in ("couple", "couple_kids", "mother", "mother_kids"):
        away[:, WIFE] = both & working
    if rule == "child" or rule == "father_child":
        away[rows, first] = grown.any(axis=1)
    if rule == "children":
        away[:, CHILDREN] = grown
    if rule == "father_child":
        away &= (grown.any(axis=1) & both & working)[:, None]
    if rule == "couple_kids":
        away[:, CHILDREN] = f.present[:, CHILDREN]
        away &= (both & working & elders & f.present[:, CHILDREN].any(axis=1))[:, None]
    if rule == "mother_kids":
        away[:, CHILDREN] = pupils
        away &= (both & pupils.any(axis=1) & (f.age[:, WIFE] < a.mother_with_pupils_oldest_yr))[:, None]
    if rule == "elder_kids":
        elder = np.where(f.present[:, GRANDMOTHER], GRANDMOTHER, GRANDFATHER)
        away[rows, elder] = True
        away[:, CHILDREN] = pupils
        away &= (elders & pupils.any(axis=1) & (f.present[:, HUSBAND] | f.present[:, WIFE]))[:, None]
    if rule == "unmarried":
        lone = elders & ~both & ~f.present[:, CHILDREN].any(axis=1)
        away[:, :2] = f.present[:, :2] & (lone & (f.age[:, HUSBAND] < a.unmarried_away_oldest_yr))[:, None]
    return np.asarray(away & f.present)


# name (`by: pattern` of the facts), home tier, main part, away part, kinds of family, who is away, rows to draw
_PATTERNS = (
    ("village_home", 0, 0, NOWHERE, "family_home_ratio", None, 24000),
    ("village_part_outside", 0, 0, OUT, "family_split_ratio", "leaving_outward_ratio", 24000),
    ("village_part_in_town", 0, 0, 1, "family_split_ratio", "leaving_inward_ratio", 8000),
    ("village_part_in_seat", 0, 0, 2, "family_split_ratio", "leaving_inward_ratio", 12000),
    ("village_in_town", 0, 1, NOWHERE, "family_newcomer_ratio", None, 8000),
    ("village_in_seat", 0, 2, NOWHERE, "family_newcomer_ratio", None, 12000),
    ("village_in_town_part_outside", 0, 1, OUT, "family_newcomer_ratio", "leaving_from_town_ratio", 3000),
    ("village_in_seat_part_outside", 0, 2, OUT, "family_newcomer_ratio", "leaving_from_town_ratio", 6000),
    ("village_outside", 0, OUT, NOWHERE, "family_newcomer_ratio", None, 12000),
    ("town_home", 1, 1, NOWHERE, "family_town_ratio", None, 12000),
    ("town_part_outside", 1, 1, OUT, "family_split_ratio", "leaving_outward_ratio", 6000),
    ("town_in_seat", 1, 2, NOWHERE, "family_newcomer_ratio", None, 8000),
    ("town_outside", 1, OUT, NOWHERE, "family_newcomer_ratio", None, 4000),
    ("seat_home", 2, 2, NOWHERE, "family_town_ratio", None, 16000),
    ("seat_part_outside", 2, 2, OUT, "family_split_ratio", "leaving_outward_ratio", 6000),
    ("seat_outside", 2, OUT, NOWHERE, "family_newcomer_ratio", None, 4000),
    ("stranger_in_village", STRANGER, 0, NOWHERE, "family_newcomer_ratio", None, 6000),
    ("stranger_in_town", STRANGER, 1, NOWHERE, "family_newcomer_ratio", None, 6000),
    ("stranger_in_seat", STRANGER, 2, NOWHERE, "family_newcomer_ratio", None, 10000),
)


def candidates(rng: np.random.Generator) -> Families:
    """Families of every pattern of home, main part and away part, with prior weights that add up to 1.

    Kept are those in which every part with a child below 15 holds an adult, and parts away in
    which the same people could live.
    """
    a, parts = assumed(), []
    for number, (name, home, main, other, kinds, leaving, rows) in enumerate(_PATTERNS):
        family = _draw(rows, rng, getattr(a, kinds))
        forms: Mapping[str, float] | None = getattr(a, leaving) if leaving else None
        if forms is not None:
            rules = list(forms)
            chosen = rng.choice(len(rules), len(family), p=np.array(list(forms.values())) / sum(forms.values()))
            for k, rule in enumerate(rules):
                mask = chosen == k
                family.away[mask] = _leave(family.take(np.flatnonzero(mask)), rule, rng)
        family.home[:], family.main[:], family.other[:], family.pattern[:] = home, main, other, number
        keep = _livable(family)
        if main == OUT:
            keep &= family.present.sum(axis=1) <= a.family_outside_most_persons
        if forms is not None:
            keep &= family.away.any(axis=1) & (family.present & ~family.away).any(axis=1)
        family = family.take(np.flatnonzero(keep))
        family.prior[:] = a.pattern_ratio[name] / len(family)
        parts.append(family)
    joined = Families.join(parts)
    joined.prior /= joined.prior.sum()
    return joined


def _livable(f: Families) -> np.ndarray:
    fine = np.ones(len(f), bool)
    for away in (False, True):
        here = f.present & (f.away == away)
        child = (here & (f.age < 16)).any(axis=1)
        adult = (here & (f.age >= 19)).any(axis=1)
        teen = (here & (f.age < 17)).sum(axis=1) == here.sum(axis=1)
        fine &= (~child | adult) & (~teen | ~here.any(axis=1))
    return fine
