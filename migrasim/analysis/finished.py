"""A finished batch as the analyses read it: its design, and one number a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from migrasim.core.errors import InputError, nearest
from migrasim.facts import Title
from migrasim.runs.batch import Batch
from migrasim.runs.design import LEVEL, Experiment
from migrasim.runs.factors import Factors
from migrasim.runs.runner import run_batch
from migrasim.runs.worker import atomic

if TYPE_CHECKING:
    from pandas import DataFrame, Series

BLOCK = ("future", "parameter_set", "replication")  # what runs share that are compared with one another
ABOUT = "experiment.json"
KEYS = ("run_id", "scenario", "seed", "year", "level", "place")


@dataclass(frozen=True)
class Measure:
    """An indicator of a place in a year; the whole region where no place is given."""

    indicator: str = "urbanization_rate"
    year: int = 2035
    place: str | None = None


@dataclass(frozen=True)
class Varied:
    """What a design or the parameters of a batch vary; see `migrasim.runs.factors.Factors`."""

    kind: str
    names: tuple[str, ...]
    ranges: Mapping[str, tuple[float, float]]
    orders: tuple[tuple[str, ...], ...]

    @staticmethod
    def of(factors: Factors) -> Varied:
        """What factors vary."""
        ranges = {name: (one.low, one.high) for name, one in factors.ranges.items()}
        return Varied(factors.kind, factors.names, ranges, factors.orders)


@dataclass(frozen=True)
class About:
    """What an experiment says of its batch beside the design table; it stands in the folder as ``experiment.json``.

    More replications do not change it.
    """

    name: str
    title: Mapping[str, str]
    scenarios: Mapping[str, Mapping[str, str]]
    design: Varied | None
    parameters: Varied
    seed: int
    sample: float
    luck: str
    analyse: Mapping[str, Any] | None
    on: str | None = None  # scenario that the points of the design are put on top of

    @staticmethod
    def of(experiment: Experiment) -> About:
        """What is to be known of an experiment."""
        return About(
            experiment.name,
            _title(experiment.title),
            {one.name: _title(one.title) for one in experiment.scenarios},
            None if experiment.design is None else Varied.of(experiment.design),
            Varied.of(experiment.parameters),
            experiment.seed,
            experiment.sample,
            experiment.luck,
            None if experiment.analyse is None else experiment.analyse.model_dump(),
            experiment.design.scenario.name if experiment.design and experiment.design.scenario else None,
        )

    def text(self) -> str:
        """As it stands in the folder."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    def write(self, folder: Path) -> None:
        """Put it into the folder of a batch."""
        with atomic(folder / ABOUT) as draft:
            draft.write_text(self.text(), encoding="utf-8")

    @staticmethod
    def read(folder: Path) -> About:
        """From the folder of a batch.

        Raises
        ------
        InputError
            Where the folder holds no batch of an experiment.
        """
        path = folder / ABOUT
        try:
            data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            for name in ("design", "parameters"):
                if data[name] is not None:
                    one = data[name]
                    given = {key: (float(low), float(high)) for key, (low, high) in one["ranges"].items()}
                    ranges = {key: given[key] for key in one["names"] if key in given}  # in the order of the columns
                    orders = tuple(tuple(each) for each in one["orders"])
                    data[name] = Varied(one["kind"], tuple(one["names"]), ranges, orders)
            return About(**data)
        except FileNotFoundError:
            raise InputError(
                f"{folder}: no batch of an experiment lies here ({ABOUT} is missing); allowed: a folder that "
                "`migrasim experiment` has written"
            ) from None
        except NotADirectoryError:
            raise InputError(f"{folder}: a file is in the way; give a folder") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from None


def _title(title: Title) -> dict[str, str]:
    return {"en": title.en, "zh_hant": title.zh_hant}


class Tables(Protocol):
    """What a batch is asked for; see `migrasim.runs.batch.Batch`."""

    def table(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        *,
        level: str | None = None,
        years: Sequence[int] | None = None,
    ) -> DataFrame: ...


@dataclass(frozen=True)
class Finished:
    """Runs of a batch.

    Attributes
    ----------
    about
        What the experiment says.
    design
        `Experiment.table` with the ``run_id`` of each row; one row a run that was asked for.
    tables
        Of the runs.
    """

    about: About
    design: DataFrame
    tables: Tables

    @staticmethod
    def open(folder: Path) -> Finished:
        """A batch that `migrasim experiment` has written.

        Raises
        ------
        InputError
            Where none lies there, or runs are missing.
        """
        about = About.read(folder)
        batch = Batch.open(folder)
        design = batch.design
        runs = batch.runs.set_index("run_id")
        for name in ("seed", "future"):  # what every run has stands with the runs
            design[name] = design["run_id"].map(runs[name])
        design["scenario"] = batch.scenarios.to_numpy()  # of the request: two may have come to the same run
        return Finished(about, design, batch)

    @property
    def levels(self) -> list[str]:
        """Names of the factors of the design."""
        return [name.removeprefix(LEVEL) for name in self.design.columns if name.startswith(LEVEL)]

    @property
    def named(self) -> int:
        """Number of scenarios that were run as they are; points of the design are counted on from there."""
        return len(self.about.scenarios)

    @property
    def replications(self) -> int:
        """Number of replications."""
        return int(self.design["replication"].max()) + 1

    def points(self) -> dict[int, dict[str, Any]]:
        """Levels by factor of each point of the design."""
        names = [f"{LEVEL}{name}" for name in self.levels]
        rows = self.design[self.design["point"] >= self.named].drop_duplicates("point")
        return {
            int(row["point"]): {name.removeprefix(LEVEL): row[name] for name in names}
            for row in rows.to_dict("records")
        }

    def values(self, measure: Measure) -> Series[float]:
        """The measure of each row of the design; empty where its run is missing or failed.

        Raises
        ------
        InputError
            For an indicator, a place or a year that the batch does not have.
        """
        level = "prefecture" if measure.place is None else "place" if "/" in measure.place else "county"
        years = [measure.year]
        try:
            if measure.indicator in KEYS:
                raise InputError(f"indicator: '{measure.indicator}' says which row it is")
            table = self.tables.table("indicators", ["run_id", "place", measure.indicator], level=level, years=years)
        except InputError:
            known = [
                str(name) for name in self.tables.table("indicators", level=level, years=years) if name not in KEYS
            ]
            _check("indicator", measure.indicator, known, "`migrasim indicators` lists them")
            raise
        if table.empty:
            raise InputError(f"year: {measure.year} is not in the batch; allowed: {self.years[0]} to {self.years[-1]}")
        if measure.place is not None:
            places = sorted({str(place) for place in table["place"]})
            _check("place", measure.place, places, f"allowed: {', '.join(places)}")
            table = table[table["place"] == measure.place]
        found: Series[float] = self.design["run_id"].map(table.set_index("run_id")[measure.indicator])
        if not found.notna().any():
            raise InputError(f"indicator: '{measure.indicator}' is empty in {measure.year} in every run of the batch")
        return found.astype(float)

    @cached_property
    def years(self) -> list[int]:
        """Years that were run."""
        return sorted({int(year) for year in self.tables.table("indicators", ["year"], level="prefecture")["year"]})


def _check(what: str, name: str, known: Sequence[str], hint: str) -> None:
    if name not in known:
        raise InputError(f"{what}: '{name}' is not in the batch; {hint}. {nearest(name, known)}".rstrip())


def run(experiment: Experiment, folder: Path, **options: Any) -> Finished:
    """Make the batch of an experiment in a folder, or go on with it, and hand it over.

    Parameters
    ----------
    experiment
        What to run.
    folder
        New, empty, or one that holds the beginning of this batch.
    options
        Of `migrasim.runs.runner.run_batch`: ``workers, scheduler, tables, levels, on_done`` and others.

    Raises
    ------
    InputError
        For a folder that holds another batch.
    """
    rows = [{str(name): value for name, value in row.items()} for row in experiment.table().to_dict("records")]
    title = _title(experiment.title)
    batch = run_batch(experiment.specs(), folder, name=experiment.name, title=title, columns=rows, **options)
    if len(batch.design) == len(experiment):  # else a part of what lies there was asked for
        About.of(experiment).write(folder)
    return Finished.open(folder)
