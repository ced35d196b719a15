"""Codes that stand in the columns of the world, as IntEnums (no bare integers in rules).

A *place* is one number: ``3 * county + tier`` for the places of the region, then the two
outside places. Nothing here names a region: the number of counties comes from the region.
"""

from __future__ import annotations

from enum import IntEnum


class Tier(IntEnum):
    """Tier of a place inside the region; towns and seats are urban, as in the census."""

    VILLAGE = 0
    TOWN = 1
    SEAT = 2


N_TIERS = 3


class Outside(IntEnum):
    """The two places outside, counted from the last place inside."""

    NEAR = 0
    FAR = 1


N_OUTSIDE = 2
NOWHERE = -1


class Form(IntEnum):
    """Form of a move: who of the household goes."""

    STAY = 0
    WORKER = 1  # the chief worker
    COUPLE = 2  # the chief worker and the partner
    YOUNG = 3  # a young unmarried member alone: for a job by choice, for study by demography
    SCHOOL = 4  # a parent with the children of school age
    WHOLE = 5  # everybody
    RETURN = 6  # those who are away come back to where the family lives
    FAMILY = 7  # those who are left at home move, with children to a school in town or back home; the others stay away


N_FORMS = 8


class Nest(IntEnum):
    """Nests of the choice."""

    STAY = 0
    INSIDE = 1
    OUTSIDE = 2


class Answer(IntEnum):
    """What became of an alternative that a household wished for."""

    NOT_ASKED = 0
    GRANTED = 1
    NO_DWELLING = 2
    NO_SCHOOL_PLACE = 3


class Sex(IntEnum):
    MALE = 0
    FEMALE = 1


class Schooling(IntEnum):
    """Highest schooling attended, as the census has it; UNDER_AGE includes kindergarten."""

    UNDER_AGE = 0
    NONE = 1
    PRIMARY = 2
    JUNIOR = 3
    SENIOR = 4
    COLLEGE = 5
    BACHELOR = 6


class Activity(IntEnum):
    """What a person does."""

    CHILD = 0  # below school age
    PUPIL = 1  # at school or studying, any age
    FARMER = 2  # on the household's own land
    WORKER = 3  # in a job of some sector or chain
    SEEKING = 4
    HOME = 5  # housework, unable to work, other
    RETIRED = 6


class Sector(IntEnum):
    """The census's nineteen sectors; NONE for people without a job."""

    NONE = 0
    AGRICULTURE = 1
    MINING = 2
    MANUFACTURING = 3
    POWER_HEAT_GAS_WATER = 4
    CONSTRUCTION = 5
    WHOLESALE_RETAIL = 6
    TRANSPORT_POST = 7
    LODGING_CATERING = 8
    IT = 9
    FINANCE = 10
    REAL_ESTATE = 11
    LEASING_BUSINESS = 12
    SCIENCE_TECHNICAL = 13
    WATER_ENVIRONMENT_PUBLIC = 14
    RESIDENT_SERVICES = 15
    EDUCATION = 16
    HEALTH_SOCIAL = 17
    CULTURE_SPORT = 18
    PUBLIC_ADMIN = 19


N_SECTORS = 20


class Skill(IntEnum):
    LOW = 0
    MIDDLE = 1
    HIGH = 2


class Tenure(IntEnum):
    """How a part of a household holds the dwelling it lives in."""

    NONE = 0  # no such part, or outside (dwellings there are not counted)
    SELF_BUILT = 1
    PURCHASED = 2
    MARKET_RENT = 3
    PUBLIC_RENT = 4
    AFFORDABLE_RENT = 5
    SHARED_OWNERSHIP = 6
    DORMITORY = 7  # employer's or school's; no stock is counted
    OTHER = 8


N_TENURES = 9


class Kind(IntEnum):
    """Kind of household."""

    FAMILY = 0
    COLLECTIVE = 1  # one person outside family households (dormitory, school, home)


class Purse(IntEnum):
    """Whose money: the two sides of every payment of the public accounts."""

    COUNTY = 0  # county governments
    HIGHER = 1  # centre, province and prefecture: transfers
    ENTERPRISE = 2
    HOUSEHOLD = 3
    COLLECTIVE = 4  # village collectives


N_PURSES = 5
