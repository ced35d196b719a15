"""What a finished run is: tables, and where every number in them came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from migrasim.core.documents import plain
from migrasim.core.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas import DataFrame


TABLES = ("indicators", "flows", "decomposition", "jobs", "dwellings", "chains", "costs", "groups", "ages", "homes")
LEVELS = ("prefecture", "county", "place")
HEAD = ("run_id", "scenario", "seed")  # what tells a run at the head of its indicators
YEARLY = ("indicators", "jobs", "dwellings", "chains", "costs", "groups")  # tables in which money may stand


@dataclass(frozen=True)
class RunResult:
    """One finished run.

    Attributes
    ----------
    run_id
        First 12 hexadecimal digits of the hash of everything that determines the result.
    scenario, seed, sample, base, until
        What was asked for; `sample` is the share of households that was run, 1 is everybody.
    indicators
        One row per year, level and place: ``run_id, scenario, seed, year, level, place``, then one
        column per indicator (rates are shares 0..1). The base year is the first row.
    flows
        ``year, origin, destination, form, persons, households``.
    decomposition
        ``year, level, place, component, points``: the yearly change of the urbanization rate, split
        exactly, in percentage points.
    jobs, dwellings, chains, costs, groups, ages, homes
        By year: jobs, workers, vacancies and pay by place and kind of job; dwellings of towns and seats by tenure;
        the industrial chains with their output; every payment of the public accounts by county; households by
        income, schooling, age and county with their welfare; residents by place, sex and age; persons by the county
        where they are registered and the county where they live. Money is yuan of 2020.
    provenance
        Plain data (JSON): among it ``levers`` and ``parameters`` with every value given,
        ``versions``, ``inputs``, ``region`` (name, title, hash), ``targets`` (year: share) and ``record`` (name of an
        indicator: year: value as published).
    profile
        ``phase, seconds, rows, mb, ns_row, floor_s``, where it was asked for: see `migrasim.runs.profile`.
    households
        One row per household at the end, where it was asked for.
    notes
        Warnings in plain words, shown wherever the result is shown.
    """

    run_id: str
    scenario: str
    seed: int
    sample: float
    base: int
    until: int
    indicators: DataFrame
    flows: DataFrame
    decomposition: DataFrame
    jobs: DataFrame
    dwellings: DataFrame
    chains: DataFrame
    costs: DataFrame
    groups: DataFrame
    ages: DataFrame
    homes: DataFrame
    provenance: dict[str, Any]
    profile: DataFrame | None = None
    households: DataFrame | None = None
    notes: list[str | dict[str, str]] = field(default_factory=list)

    def prefecture(self) -> DataFrame:
        """Indicators of the whole region, one row per year, indexed by year."""
        rows = self.indicators[self.indicators["level"] == "prefecture"]
        return rows.set_index("year").sort_index()

    def nominal(self) -> RunResult:
        """The same run with money in the prices of each year, its columns named ``<column>_nominal``.

        Prices after the last published year rise as `fiscal.inflation_rate_yr` assumes.
        """
        from migrasim.runs.store import unit_of

        index = {int(year): float(each) for year, each in self.provenance["price_index"].items()}

        def priced(table: DataFrame) -> DataFrame:
            money = [name for name in table.columns if unit_of(str(name)).startswith("yuan of 2020")]
            if not money or "year" not in table:
                return table
            return in_prices(table, money, index).rename(columns={name: f"{name}_nominal" for name in money})

        tables: dict[str, Any] = {name: priced(getattr(self, name)) for name in YEARLY}
        return replace(self, **tables)

    def __repr__(self) -> str:
        share = "" if self.sample == 1 else f", sample={self.sample:g}"
        return f"<run {self.run_id}: {self.scenario}, seed {self.seed}, {self.base}-{self.until}{share}>"


def in_prices(table: DataFrame, money: Sequence[str], index: Mapping[int, float]) -> DataFrame:
    """A table whose columns of money are in prices of each year; outlay since the base year is the sum of its years."""
    prices = dict.fromkeys(money, table["year"].map(index))
    if (total := "cumulative_cost_yuan") in prices:
        path = table.sort_values("year", kind="stable")
        own = [path[name] for name in (*HEAD, "level", "place") if name in path]
        paid = path.groupby(own)[total].diff().fillna(path[total]) * path["year"].map(index)
        raised = (paid.groupby(own).cumsum() / table[total]).fillna(prices[total])
        prices |= {name: raised for name in money if name.startswith(total)}
    return table.assign(**{name: table[name] * prices[name] for name in money})


@dataclass(frozen=True)
class Made:
    """A finished run as a batch keeps it.

    Attributes
    ----------
    run_id, provenance
        As in `RunResult`.
    tables
        By name, without the columns of `HEAD`: those are the same in all rows of a run. Texts may be encoded by a
        dictionary.
    """

    run_id: str
    provenance: dict[str, Any]
    tables: Mapping[str, pa.Table]


def decoded(table: pa.Table) -> pa.Table:
    """The table with its texts written out in every row."""
    import pyarrow as pa

    for n, field_ in enumerate(table.schema):
        if pa.types.is_dictionary(field_.type):
            table = table.set_column(n, field_.name, table.column(n).cast(pa.string()))
    return table


def encoded(table: pa.Table) -> pa.Table:
    """The table in one piece, with texts as numbers into one dictionary a column, which are small to copy and join."""
    import pyarrow as pa

    for n, field_ in enumerate(table.schema):
        if pa.types.is_string(field_.type):
            table = table.set_column(n, field_.name, table.column(n).dictionary_encode())
    return table.unify_dictionaries().combine_chunks()


BASES = (2010, 2020)
LAST_YEAR = 2060  # of paths of levers, too


SMALLEST_SHARE = 1e-5  # a few households of a region; of a smaller share there may be none


def check_share(share: Any, name: str) -> None:
    """Refuse what is no share of the households that can be run.

    Parameters
    ----------
    share
        What was given.
    name
        What it is called in the message.

    Raises
    ------
    InputError
        Naming what is allowed.
    """
    share = plain(share)
    if isinstance(share, bool) or not isinstance(share, int | float) or not SMALLEST_SHARE <= share <= 1:
        raise InputError(f"{name}: {share!r} is not allowed; allowed: a share of the households, 0.00001 to 1")


class Asked(NamedTuple):
    """What a run is asked for, in Python's own numbers."""

    seed: int
    sample: float
    base: int
    until: int
    threads: int | None


def check_request(*, seed: Any, sample: Any, base: Any, until: Any, threads: Any = None, prefix: str = "") -> Asked:
    """Refuse what no run can be asked for; numbers of numpy are taken for those of Python.

    Parameters
    ----------
    seed
        A whole number from 0 below 2**63.
    sample
        Share of the households, see `check_share`.
    base
        2010 or 2020.
    until
        Last year, after the base year.
    threads
        1 or more; None is every core.
    prefix
        What stands before the names in messages: ``--`` on the command line.

    Raises
    ------
    InputError
        Naming what is wrong and what is allowed.
    """

    def refuse(name: str, value: object, allowed: str) -> None:
        raise InputError(f"{prefix}{name}: {value!r} is not allowed; allowed: {allowed}")

    seed, sample, base, until, threads = map(plain, (seed, sample, base, until, threads))
    if not _whole(seed) or not 0 <= seed < 2**63:
        refuse("seed", seed, "whole numbers from 0" if not _whole(seed) or seed < 0 else f"up to {2**63 - 1}")
    check_share(sample, f"{prefix}sample")
    if not _whole(base) or base not in BASES:
        refuse("base", base, " or ".join(str(each) for each in BASES))
    if not _whole(until) or not base < until <= LAST_YEAR:
        refuse("until", until, f"years from {base + 1} to {LAST_YEAR}")
    if threads is not None and (not _whole(threads) or threads < 1):
        refuse("threads", threads, "whole numbers from 1")
    return Asked(seed, sample, base, until, threads)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
