"""Candidate families: who could live together, and where, before any count is known.

No cross-table of households is published, so candidates are drawn from a plain life cycle
(ages at marriage and birth, children who leave, parents who live with a married son) and raking
gives each the weight under which all published margins hold at once. Slots of a family: husband,
wife, four children, grandfather, grandmother, great-grandmother.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SLOTS = 9
HUSBAND, WIFE, CHILD, GRANDFATHER, GRANDMOTHER, GREAT = 0, 1, 2, 6, 7, 8
CHILDREN = slice(CHILD, GRANDFATHER)
GENERATION = np.array([2, 2, 3, 3, 3, 3, 1, 1, 0], np.int8)
OUT = 3  # where somebody lives: tier 0..2 of the county, or outside
STRANGER = 3  # home of in-migrants; else the tier of the home
NOWHERE = -1

_SINGLE, _COUPLE, _NUCLEAR, _STEM, _PARENTS, _FOUR = range(6)


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


def _draw(n: int, rng: np.random.Generator, shares: tuple[float, ...]) -> Families:
    """Families at home by kind; what they are is in the module's text, the numbers are assumed."""
    kind = rng.choice(6, n, p=np.array(shares) / sum(shares))
    present = np.zeros((n, SLOTS), bool)
    sex = np.zeros((n, SLOTS), np.uint8)
    sex[:, [WIFE, GRANDMOTHER, GREAT]] = 1
    age = np.zeros((n, SLOTS), np.float32)

    low = np.array([18, 20, 20, 20, 20, 20])[kind]
    high = np.array([96, 92, 78, 62, 68, 44])[kind]
    wife = low + (high - low) * rng.random(n)
    husband = wife + np.clip(rng.normal(2.0, 1.7, n), -2.0, 6.0)
    age[:, WIFE], age[:, HUSBAND] = wife, husband
    alone = (kind == _SINGLE) | (np.isin(kind, [_NUCLEAR, _STEM]) & (rng.random(n) < 0.15))
    alone |= (kind == _PARENTS) & (rng.random(n) < 0.4)
    woman = rng.random(n) < 0.55
    present[:, HUSBAND] = ~alone | ~woman
    present[:, WIFE] = ~alone | woman
    age[:, HUSBAND] = np.where(alone, wife, husband)

    with_children = np.isin(kind, [_NUCLEAR, _STEM, _FOUR])
    ever = 1 + (rng.random(n) < 0.72) + (rng.random(n) < 0.22) + (rng.random(n) < 0.06 + 0.25 * (wife > 60))
    birth = np.minimum(np.clip(rng.normal(24.0, 3.5, n), 18.5, 38.0), wife)
    for order in range(4):
        slot = CHILD + order
        years = wife - birth
        son = rng.random(n) < 0.51 + 0.14 * (years > 24)
        stays = np.interp(years, [17, 20, 24, 28, 33, 40, 60], [1.0, 0.9, 0.65, 0.35, 0.15, 0.08, 0.05])
        present[:, slot] = with_children & (order < ever) & (years >= 0) & (birth < 44.5) & (rng.random(n) < stays)
        age[:, slot], sex[:, slot] = np.maximum(years, 0), ~son
        birth = birth + np.clip(rng.gamma(3.0, 1.2, n), 1.0, 9.0)
    none = with_children & ~present[:, CHILDREN].any(axis=1)
    present[none, CHILD] = True

    with_elders = np.isin(kind, [_STEM, _PARENTS, _FOUR])
    child = np.where(present[:, HUSBAND], age[:, HUSBAND], age[:, WIFE])
    mother = child + np.clip(rng.normal(24.5, 3.5, n), 18.5, 42.0)
    father = mother + np.clip(rng.normal(2.0, 1.8, n), -2.0, 6.0)
    lives = [np.interp(a, [50, 65, 75, 85, 95], [0.98, 0.9, 0.7, 0.35, 0.1]) for a in (father - 3, mother)]
    old_father = with_elders & (rng.random(n) < lives[0])
    old_mother = with_elders & ((rng.random(n) < lives[1]) | ~old_father)
    present[:, GRANDFATHER], present[:, GRANDMOTHER] = old_father, old_mother
    age[:, GRANDFATHER], age[:, GRANDMOTHER] = father, mother
    age[:, GREAT] = np.where(old_father, father, mother) + np.clip(rng.normal(23.0, 3.0, n), 18.5, 35.0)
    present[:, GREAT] = kind == _FOUR
    sex[:, GREAT] = rng.random(n) < 0.65

    plain = np.zeros(n, np.int8)
    families = Families(present, sex, age, np.zeros((n, SLOTS), bool), plain, plain, plain + NOWHERE, plain, np.ones(n))
    return families.take(np.flatnonzero(np.where(present, age, 0).max(axis=1) < 100))


def _leave(f: Families, rule: str, rng: np.random.Generator) -> np.ndarray:
    """(rows, SLOTS) who is away under a form of splitting; nobody where the form does not fit."""
    n = len(f)
    away = np.zeros((n, SLOTS), bool)
    both = f.present[:, HUSBAND] & f.present[:, WIFE]
    elders = f.present[:, GRANDFATHER] | f.present[:, GRANDMOTHER]
    working = (f.age[:, HUSBAND] < 64) & (f.age[:, WIFE] < 62)
    grown = f.present[:, CHILDREN] & (f.age[:, CHILDREN] >= 17) & (f.age[:, CHILDREN] < 40)
    pupils = f.present[:, CHILDREN] & (f.age[:, CHILDREN] >= 5) & (f.age[:, CHILDREN] < 18)
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
        away &= (both & pupils.any(axis=1) & (f.age[:, WIFE] < 55))[:, None]
    if rule == "elder_kids":
        elder = np.where(f.present[:, GRANDMOTHER], GRANDMOTHER, GRANDFATHER)
        away[rows, elder] = True
        away[:, CHILDREN] = pupils
        away &= (elders & pupils.any(axis=1) & (f.present[:, HUSBAND] | f.present[:, WIFE]))[:, None]
    if rule == "unmarried":
        lone = elders & ~both & ~f.present[:, CHILDREN].any(axis=1)
        away[:, :2] = f.present[:, :2] & (lone & (f.age[:, HUSBAND] < 50))[:, None]
    return np.asarray(away & f.present)


_AT_HOME = (0.18, 0.2, 0.34, 0.16, 0.08, 0.04)
_TOWN = (0.2, 0.16, 0.44, 0.12, 0.06, 0.02)
_NEWCOMER = (0.3, 0.2, 0.44, 0.04, 0.02, 0.0)
_STEMS = (0.0, 0.1, 0.35, 0.35, 0.16, 0.04)
_OUTWARD = {
    "father": 3,
    "couple": 3,
    "unmarried": 3,
    "child": 3,
    "children": 1,
    "father_child": 1,
    "couple_kids": 2,
    "mother": 0.5,
}
_INWARD = {
    "child": 3,
    "mother_kids": 3,
    "elder_kids": 1,
    "father": 1.5,
    "couple": 1,
    "couple_kids": 2,
    "unmarried": 1.5,
}

# home tier, main part, away part, kinds of family, forms of splitting, rows, prior share of households
_PATTERNS = (
    (0, 0, NOWHERE, _AT_HOME, None, 24000, 30.0),
    (0, 0, OUT, _STEMS, _OUTWARD, 24000, 14.0),
    (0, 0, 1, _STEMS, _INWARD, 8000, 1.0),
    (0, 0, 2, _STEMS, _INWARD, 12000, 5.0),
    (0, 1, NOWHERE, _NEWCOMER, None, 8000, 2.0),
    (0, 2, NOWHERE, _NEWCOMER, None, 12000, 9.0),
    (0, 1, OUT, _NEWCOMER, {"father": 2, "child": 1}, 3000, 0.2),
    (0, 2, OUT, _NEWCOMER, {"father": 2, "child": 1}, 6000, 1.2),
    (0, OUT, NOWHERE, _NEWCOMER, None, 12000, 12.0),
    (1, 1, NOWHERE, _TOWN, None, 12000, 3.0),
    (1, 1, OUT, _STEMS, _OUTWARD, 6000, 0.3),
    (1, 2, NOWHERE, _NEWCOMER, None, 8000, 1.0),
    (1, OUT, NOWHERE, _NEWCOMER, None, 4000, 0.5),
    (2, 2, NOWHERE, _TOWN, None, 16000, 12.0),
    (2, 2, OUT, _STEMS, _OUTWARD, 6000, 0.8),
    (2, OUT, NOWHERE, _NEWCOMER, None, 4000, 1.0),
    (STRANGER, 0, NOWHERE, _NEWCOMER, None, 6000, 0.6),
    (STRANGER, 1, NOWHERE, _NEWCOMER, None, 6000, 1.0),
    (STRANGER, 2, NOWHERE, _NEWCOMER, None, 10000, 5.0),
)


def candidates(rng: np.random.Generator) -> Families:
    """Families of every pattern of home, main part and away part, with prior weights that add up to 1.

    Kept are those in which every part with a child below 15 holds an adult, and parts away in
    which the same people could live.
    """
    parts = []
    for number, (home, main, other, kinds, forms, rows, share) in enumerate(_PATTERNS):
        family = _draw(rows, rng, kinds)
        if forms is not None:
            rules = list(forms)
            chosen = rng.choice(len(rules), len(family), p=np.array(list(forms.values())) / sum(forms.values()))
            for k, rule in enumerate(rules):
                mask = chosen == k
                family.away[mask] = _leave(family.take(np.flatnonzero(mask)), rule, rng)
        family.home[:], family.main[:], family.other[:], family.pattern[:] = home, main, other, number
        keep = _livable(family)
        if main == OUT:
            keep &= family.present.sum(axis=1) <= 5
        if forms is not None:
            keep &= family.away.any(axis=1) & (family.present & ~family.away).any(axis=1)
        family = family.take(np.flatnonzero(keep))
        family.prior[:] = share / len(family)
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
