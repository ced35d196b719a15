"""Who considers moving this year, and in which month.

A household is asked by an age profile, by events of its year, by peers who left and by news of measures.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from migrasim.core.chance import Decision, stream, uniform
from migrasim.core.codes import (
    N_OUTSIDE,
    Activity,
    Tenure,
)
from migrasim.core.rule import empty, kernel, members_of, record, rows_of, threaded_kernel, zeros
from migrasim.domains.moving import rules
from migrasim.domains.moving.household import (
    CHILD_AGE,
    ELDER_AGE,
    JUNIOR_AGE,
    SCHOOL_AGE,
    Families,
    People,
    is_adult,
)
from migrasim.domains.moving.rules import MovingParams
from migrasim.domains.moving.terms import Places
from migrasim.facts import BASE_YEAR
from migrasim.world import World

CONCERNS_DEPENDENTS, CONCERNS_LAND, CONCERNS_TENANTS, CONCERNS_WORKERS, CONCERNS_ABSENT = range(5)
N_CONCERNS = 5
MONTHS = 12
_AGES = 120  # beyond them nobody is asked by `bounds`
_SLACK_PROB = 1e-9
_RANK, _AGE = 8, 255  # bits of an age
_EVENTS, _DEPENDENT = 15, 16  # bits of a household: of its four events, and of somebody who depends on others
_CONCERNS = (  # whom news of a lever concern, by the beginning of its name
    ("residence_permit.", CONCERNS_DEPENDENTS),
    ("hukou.", CONCERNS_DEPENDENTS),
    ("public_services.", CONCERNS_DEPENDENTS),
    ("three_rights.", CONCERNS_LAND),
    ("public_housing.", CONCERNS_TENANTS),
    ("industry.", CONCERNS_WORKERS),
    ("employment.", CONCERNS_WORKERS),
    ("rural.", CONCERNS_ABSENT),
)


@kernel
def bounds(peer_share, news, p):
    """(2, _AGES, 16) least and most that `rules.consider_prob` can be by age and four events, without a marriage.

    Whoever moved (``peer_share`` of communities) and whatever is new (``news`` of counties by whom they concern).
    """
    peers, loudest = 0.0, 0.0
    for community in range(peer_share.shape[0]):
        peers = max(peers, peer_share[community])
    for county in range(news.shape[0]):
        for concern in range(news.shape[1]):
            loudest = max(loudest, news[county, concern])
    bounds = empty((2, _AGES, 16), np.float64)
    for most in range(2):
        followed = peers if (p[0].consider_peer_factor > 0.0) == (most > 0) else 0.0
        heard = loudest if (p[0].consider_news_factor > 0.0) == (most > 0) else 0.0
        slack = _SLACK_PROB if most else -_SLACK_PROB
        for age in range(_AGES):
            for events in range(0, 16, 4):  # four before any is written: what is theirs by age is worked out once
                seeking, away = events & 4 > 0, events & 8 > 0
                neither = rules.consider_prob(age, False, False, seeking, False, followed, away, heard, p[0])
                event = rules.consider_prob(age, True, False, seeking, False, followed, away, heard, p[0])
                youth = rules.consider_prob(age, False, True, seeking, False, followed, away, heard, p[0])
                both = rules.consider_prob(age, True, True, seeking, False, followed, away, heard, p[0])
                bounds[most, age, events], bounds[most, age, events + 1] = neither + slack, event + slack
                bounds[most, age, events + 2], bounds[most, age, events + 3] = youth + slack, both + slack
    return bounds


@kernel
def by_age(most, p):
    """What the age of a member says, up to ``_AGES``, which stands for all beyond.

    Parameters
    ----------
    most : (_AGES, 16) of `bounds`

    Returns
    -------
    (_AGES + 1,) int64 bits: 1 an event of schooling, 2 of an age to be a youth, ``_DEPENDENT``; (at school or work,
    _AGES + 1) int64 rank among members, above the ``_RANK`` bits of the age itself: adults before others, who count
    where there are none, and among them the age at which a household is the likeliest to consider, whatever the events
    """
    events, rank = zeros(_AGES + 1, np.int64), zeros((2, _AGES + 1), np.int64)
    for age in range(_AGES + 1):
        schooling = (age == SCHOOL_AGE) | (age == JUNIOR_AGE) | (age == CHILD_AGE)
        youth = (CHILD_AGE < age) & (age < p[0].youth_until_yr)
        dependent = ((SCHOOL_AGE <= age) & (age < CHILD_AGE)) | (age >= ELDER_AGE)
        events[age] = schooling + 2 * youth + _DEPENDENT * dependent
        less = _AGES  # ages at which a household is less likely to consider; of the oldest nothing is known
        if age < _AGES:
            less = 0
            for other in range(_AGES):
                less += most[other, 0] < most[age, 0]
        for works in range(2):
            first = is_adult(age, Activity.WORKER.value if works else Activity.PUPIL.value)
            rank[works, age] = age + ((less + 2 * _AGES * first) << _RANK)
    return events, rank


@threaded_kernel
def _consider(
    block, people, families, places, peer_share, least, most, events_at, rank_of, wed, news, seed, year, p, month
):  # fmt: skip
    """Fill ``month`` (households,): 1 to 12 where the household considers moving, else 0.

    ``wed`` (households,) marks marriages of the year; ``news`` (counties + 1, N_CONCERNS) how loud the
    news of measures are by whom they concern, in the county of the community (the last row: no county).
    ``least`` and ``most`` are `bounds`, ``events_at`` and ``rank_of`` are those of `by_age`: whose luck is above the
    most for any who may be the likeliest mover need not be asked closely, nor whose luck is below the least.
    Students who live by themselves do not consider.
    """
    key = stream(seed, Decision.CONSIDER, year)
    month_key = stream(seed, Decision.MONTH, year)
    inside = places.at.shape[0] - N_OUTSIDE
    community_county = places.community_county
    who, first_member, members = families.key, families.first_member, families.members
    away_place, place, home_community = families.away_place, families.place, families.community
    land_mu, tenure = families.land_mu, families.tenure
    persons, born, couple = people.key, people.birth_year, people.couple
    activity, is_away, earning = people.activity, people.is_away, people.earning_factor
    for h in rows_of(block):
        events, likeliest = 0, 0
        for i in members_of(first_member, members, h):  # without branches
            at = np.uint8(min(max(np.int64(year) - born[i], 0), _AGES))
            does = activity[i]
            youth = (couple[i] == 0) & (is_away[i] == 0) & (does != Activity.PUPIL)
            events |= (events_at[at] & (_DEPENDENT + 1 + 2 * youth)) | ((does == Activity.SEEKING) << 2)
            likeliest = max(likeliest, rank_of[np.uint8((does != Activity.PUPIL) & (does != Activity.CHILD)), at])
        away = (away_place[h] >= 0) | (place[h] >= inside)
        at = np.uint8(likeliest & _AGE)
        luck = uniform(key, who[h], 0)
        month[h] = 0
        events += 8 * away  # four bits for the bounds, and whether somebody depends
        if not wed[h] and at < _AGES and luck >= most[at, np.uint8(events & _EVENTS)]:
            continue
        chief, youngest = -1, -1
        for i in members_of(first_member, members, h):
            age = np.int64(year) - born[i]
            if is_adult(age, activity[i]):
                if (
                    chief < 0
                    or earning[i] > earning[chief]
                    or (earning[i] == earning[chief] and persons[i] > persons[chief])
                ):
                    chief = i
        adult = chief >= 0
        if not adult:  # nobody of working age: the youngest, never the first of the rows
            for i in members_of(first_member, members, h):
                if (
                    youngest < 0
                    or born[i] > born[youngest]
                    or (born[i] == born[youngest] and persons[i] > persons[youngest])
                ):
                    youngest = i
            chief = youngest
        age = max(0, np.int64(year) - born[chief])
        if members[h] == 1 and activity[first_member[h]] == Activity.PUPIL:
            continue  # whoever studies away from home stays until the end of the course
        if not wed[h] and age < _AGES and luck < least[np.uint8(age), np.uint8(events & _EVENTS)]:
            month[h] = 1 + int(uniform(month_key, who[h], 0) * MONTHS)
            continue
        community = home_community[h]
        county = community_county[community]
        loudest = 0.0
        if events & _DEPENDENT:
            loudest = max(loudest, news[county, CONCERNS_DEPENDENTS])
        if land_mu[h] > 0.0:
            loudest = max(loudest, news[county, CONCERNS_LAND])
        if tenure[h] != Tenure.PURCHASED:
            loudest = max(loudest, news[county, CONCERNS_TENANTS])
        if adult:
            loudest = max(loudest, news[county, CONCERNS_WORKERS])
        if away:
            loudest = max(loudest, news[county, CONCERNS_ABSENT])
        event, youth, seeking = events & 1 > 0, events & 2 > 0, events & 4 > 0
        if luck < rules.consider_prob(age, event, youth, seeking, wed[h], peer_share[community], away, loudest, p[0]):
            month[h] = 1 + int(uniform(month_key, who[h], 0) * MONTHS)


def months(
    world: World, people: People, families: Families, places: Places, p: MovingParams, with_news: bool = True
) -> np.ndarray:
    """(households,) uint8 month in which a household considers moving this year; 0 where it does not.

    Parameters
    ----------
    with_news : False for who would consider moving had nobody heard of this year's changes of levers
    """
    month = np.zeros(len(world.households), np.uint8)
    peers = world.memory.get("peer_moves_share", np.zeros(world.geography.communities))
    wed = np.zeros(len(world.households), np.bool_)
    wed[world.measures.get("newlywed_rows", np.zeros(0, np.int64))] = True
    news = _news(world) if with_news else np.zeros((world.geography.counties + 1, N_CONCERNS))
    bundle = record(p)
    least, most = bounds(peers, news, bundle)
    (events, rank), rows = by_age(most, bundle), len(month)
    _consider(
        rows, people, families, places, peers, least, most, events, rank, wed, news, world.seed, world.year, bundle,
        month,
    )  # fmt: skip
    return month


@kernel
def by_month(month, place, places):
    """Who considers, in the order of the rows and month by month.

    Parameters
    ----------
    month, place : (households,) of `months`, and where a household lives

    Returns
    -------
    (n,) rows in their order; (n,) where each stands month by month; (n,) rows month by month, (MONTHS + 1,) how many
    consider until the end of each; (places,) how many live where
    """
    ends, considered = zeros(MONTHS + 1, np.int64), zeros(places, np.int64)
    found, total = empty(month.shape[0] + 1, np.int64), 0
    for h in range(month.shape[0]):  # without branches; a row after the last is written, too
        found[np.uint64(total)] = h
        total += month[h] > 0
    rows, slot, ordered = found[:total].copy(), empty(total, np.int64), empty(total, np.int64)
    for n in range(total):
        ends[month[rows[n]]] += 1
    for m in range(1, MONTHS + 1):
        ends[m] += ends[m - 1]
    cursor = ends.copy()
    for n in range(total):
        h = rows[n]
        at = cursor[month[h] - 1]
        cursor[month[h] - 1] += 1
        slot[n], ordered[at] = at, h
        considered[place[h]] += 1
    return rows, slot, ordered, ends, considered


def _news(world: World) -> np.ndarray:
    """(counties + 1, N_CONCERNS) how loud this year's changes of levers are, the loudest lever of each kind."""
    news = np.zeros((world.geography.counties + 1, N_CONCERNS))
    if world.year <= BASE_YEAR:  # the path before 2020 is no plan that anybody could have heard of
        return news
    concerns = [(name, concern) for name in world.last_levers if (concern := _concern(name)) is not None]
    names = [name for name, _ in concerns]
    if names:
        before, now, way = (
            np.concatenate([of(name) for name in names]).reshape(len(names), -1)
            for of in (world.last_levers.__getitem__, world.levers.__getitem__, world.inputs.way)
        )
        hear(now - before, way, np.array([concern for _, concern in concerns]), news)
    return news


@cache
def _concern(lever: str) -> int | None:
    """Whom news of a lever concern; None where nobody."""
    return next((number for start, number in _CONCERNS if lever.startswith(start)), None)


@kernel
def hear(change, way, concern, news):
    """Raise ``news`` (counties + 1, N_CONCERNS) to those of the ``change`` (levers, counties) of the loudest lever.

    ``way`` (levers, counties) is how far each goes, ``concern`` (levers,) whom it concerns.
    """
    for k in range(change.shape[0]):
        for c in range(change.shape[1]):
            if change[k, c] != 0.0:
                news[c, concern[k]] = max(news[c, concern[k]], rules.news_share(change[k, c], way[k, c]))
