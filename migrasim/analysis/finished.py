"""A finished batch as the analyses read it: its design, and one number a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.core.errors import InputError, nearest
from migrasim.facts import Title
from migrasim.runs.design import LEVEL, Experiment
from migrasim.runs.factors import Factors

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
        )

    def text(self) -> str:
        """As it stands in the folder."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True) + "\n"

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
                    ranges = {key: (float(low), float(high)) for key, (low, high) in one["ranges"].items()}
                    orders = tuple(tuple(each) for each in one["orders"])
                    data[name] = Varied(one["kind"], tuple(one["names"]), ranges, orders)
            return About(**data)
        except FileNotFoundError:
            raise InputError(
                f"{folder}: no batch of an experiment lies here ({ABOUT} is missing); allowed: a folder that "
                "`migrasim experiment` has written"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from None


def _title(title: Title) -> dict[str, str]:
    return {"en": title.en, "zh_hant": title.zh_hant}


@dataclass(frozen=True)
class Finished:
    """Runs of a batch.

    Attributes
    ----------
    about
        What the experiment says.
    design
        `Experiment.table` with the ``run_id`` of each row; one row a run that was asked for.
    indicators
        ``run_id, year, level, place`` and the indicators.
    """

    about: About
    design: DataFrame
    indicators: DataFrame

    @staticmethod
    def open(folder: Path) -> Finished:
        """A batch that `migrasim experiment` has written.

        Raises
        ------
        InputError
            Where none lies there, or it is not finished.
        """
        import pyarrow.dataset as ds
        import pyarrow.parquet as pq

        about = About.read(folder)
        design = pq.read_table(folder / "design.parquet", partitioning=None).to_pandas()
        files = sorted(str(path) for path in (folder / "indicators").glob("part-*.parquet"))
        indicators = ds.dataset(files, format="parquet").to_table().to_pandas()
        return Finished(about, design, indicators)

    def save(self, folder: Path) -> None:
        """Write the batch as `open` reads it."""
        (folder / "indicators").mkdir(parents=True)
        (folder / ABOUT).write_text(self.about.text(), encoding="utf-8")
        self.design.to_parquet(folder / "design.parquet")
        self.indicators.to_parquet(folder / "indicators" / "part-0.parquet")

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
        table = self.indicators
        known = [str(name) for name in table.columns if name not in KEYS]
        _check("indicator", measure.indicator, known, "`migrasim indicators` lists them")
        if measure.place is None:
            table = table[table["level"] == "prefecture"]
        else:
            places = sorted({str(place) for place in table["place"]})
            _check("place", measure.place, places, f"allowed: {', '.join(places)}")
            table = table[table["place"] == measure.place]
        years = sorted({int(year) for year in table["year"]})
        if measure.year not in years:
            raise InputError(f"year: {measure.year} is not in the batch; allowed: {years[0]} to {years[-1]}")
        number = table[table["year"] == measure.year].set_index("run_id")[measure.indicator]
        found: Series[float] = self.design["run_id"].map(number[~number.index.duplicated()])
        if found.notna().sum() == 0:
            raise InputError(f"indicator: '{measure.indicator}' is empty in {measure.year} in every run of the batch")
        return found.astype(float)


def _check(what: str, name: str, known: Sequence[str], hint: str) -> None:
    if name not in known:
        raise InputError(f"{what}: '{name}' is not in the batch; {hint}. {nearest(name, known)}".rstrip())


def run_here(experiment: Experiment, **options: Any) -> Finished:
    """Run an experiment in memory, as small ones are in scripts and tests.

    Parameters
    ----------
    experiment
        What to run.
    options
        ``workers`` and ``on_done`` of `migrasim.runs.runner.execute`.

    Raises
    ------
    InputError
        Where runs failed.
    """
    import pandas as pd

    from migrasim.runs.runner import Failure, execute

    specs = experiment.specs()
    tables: dict[int, Any] = {}
    for number, result in execute(specs, **options):
        if isinstance(result, Failure):
            raise InputError(f"a run failed ({specs[number].label}): {result.error}")
        tables[number] = result.indicators
    design = experiment.table()
    design["run_id"] = [str(tables[number]["run_id"].iloc[0]) for number in range(len(specs))]
    indicators = pd.concat([tables[number] for number in range(len(specs))], ignore_index=True)
    return Finished(About.of(experiment), design, indicators.drop_duplicates(["run_id", "year", "level", "place"]))
