"""Experiment files: which runs a batch holds, in which order, and what tells them apart.

``Experiment.load(name or path)`` reads and checks a file of ``experiments/``; ``.specs()`` lists the runs
(`RunSpec`), ``.table()`` has one row for each of them in the same order (design point, scenario, future, parameter
set, replication, seed, and a column for each level). Scenarios and points of the design are crossed with futures,
parameter vectors and replications. The replication changes slowest, so that a batch grows at its end when more
replications are asked for, and all points of one replication share their luck.

Two rows may stand for the same run (a lever whose double is its plan): the table is about requests, and a
``run_id`` joined to it may stand twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from migrasim.core.documents import kind, read_mapping, validated
from migrasim.core.errors import InputError, nearest
from migrasim.facts import FactBook, Title
from migrasim.runs import factors
from migrasim.runs.factors import DesignFile, Factors, ParametersFile, Point
from migrasim.runs.spec import RunSpec
from migrasim.scenario import Scenario, locate, shipped_folder
from migrasim.variants import chosen_alternatives, future

if TYPE_CHECKING:
    from pandas import DataFrame

SCHEMA_VERSION = 1
MOST_RUNS = 1_000_000
BEST, ENSEMBLE = "best", "ensemble"
LEVEL, UNCERTAIN = "design.", "uncertain."  # what columns of levels and of uncertain facts begin with
NO_SHARED_LUCK = (
    "points of kind {kind} differ by their luck here (luck: independent), and luck would be taken for an effect; "
    "allowed: luck common, or kind latin_hypercube"
)
_SPREAD_LUCK = 1_000_003  # between the seeds of neighbouring points where luck is not shared


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(_Strict):
    """A number that an indicator of the whole region should reach in a year, with a chance."""

    indicator: str = "urbanization_rate"
    year: StrictInt = 2035
    at_least: Annotated[float, Field(allow_inf_nan=False)]
    chance: Annotated[float, Field(gt=0, lt=1)] = 0.8


class Budget(_Strict):
    """Most that may be spent beyond the scenario the search starts from, by who pays; None is no limit.

    Yuan of 2020, summed to the year of the target.
    """

    public_yuan: Annotated[float, Field(ge=0)] | None = None
    county_yuan: Annotated[float, Field(ge=0)] | None = None
    higher_yuan: Annotated[float, Field(ge=0)] | None = None
    enterprise_yuan: Annotated[float, Field(ge=0)] | None = None
    household_yuan: Annotated[float, Field(ge=0)] | None = None


LEAST_TRIALS, MOST_TRIALS = 4, 10_000


class SearchFile(_Strict):
    """What `migrasim search` looks for."""

    target: Target
    budget: Budget = Budget()
    trials: Annotated[StrictInt, Field(ge=LEAST_TRIALS, le=MOST_TRIALS)] = 60
    at_once: Annotated[StrictInt, Field(ge=1, le=1_000)] = 8
    finalists: Annotated[StrictInt, Field(ge=1, le=100)] = 6
    verify_replications: Annotated[StrictInt, Field(ge=2, le=1_000)] = 10


class AnalyseFile(_Strict):
    """What `migrasim analyse` does with the batch where nothing else is said."""

    method: Literal["differences", "attribution", "sensitivity", "discovery"]
    indicator: str = "urbanization_rate"
    year: StrictInt = 2035
    against: str | None = None
    at_least: Annotated[float, Field(allow_inf_nan=False)] | None = None


class _File(_Strict):
    """Schema of an experiment file."""

    name: str | None = None
    title: Title | None = None
    description: Title | None = None
    schema_version: StrictInt | None = None
    scenarios: tuple[str, ...] | None = None
    design: DesignFile | None = None
    futures: tuple[str, ...] | None = None
    parameters: Literal["best", "ensemble"] | ParametersFile = "best"
    alternatives: tuple[str, ...] = ()
    replications: Annotated[StrictInt, Field(ge=1, le=10_000)] = 1
    sample: Annotated[float, Field(gt=0, le=1, strict=True)] = 0.1  # true would be everybody
    seed: Annotated[StrictInt, Field(ge=0)] = 0
    luck: Literal["common", "independent"] = "common"
    until: StrictInt = 2035
    base: StrictInt = 2020
    analyse: AnalyseFile | None = None
    search: SearchFile | None = None


@dataclass(frozen=True)
class Experiment:
    """A batch that is asked for.

    Attributes
    ----------
    name, title, description
        As in the file.
    scenarios
        Run as they are.
    design
        Points over levers, put on top of a scenario each; none where there are only named scenarios.
    futures
        Names; None stands for the one that each scenario names.
    parameters
        Vectors of uncertain facts; one empty vector is ``best``.
    replications, seed, luck
        Seeds are counted up from `seed`; with ``common`` luck every point has the same ones.
    sample, base, until, alternatives
        Of every run.
    analyse, search
        What the file says of them.
    data, file
        The file as plain data, and where it was read.
    """

    name: str
    title: Title
    description: Title | None
    scenarios: tuple[Scenario, ...]
    design: Factors | None
    futures: tuple[str | None, ...]
    parameters: Factors
    replications: int
    seed: int
    luck: str
    sample: float
    base: int
    until: int
    alternatives: tuple[str, ...]
    analyse: AnalyseFile | None
    search: SearchFile | None
    data: dict[str, Any]
    file: str

    @staticmethod
    def load(name: str | Path) -> Experiment:
        """Read an experiment by path or shipped name.

        Raises
        ------
        InputError
            Naming file, key, what is wrong, what is allowed and the nearest known name.
        """
        path = locate("experiments", name)
        shown = f"experiments/{path.name}" if path.parent == shipped_folder("experiments") else str(path)
        return Experiment.from_mapping(read_mapping(path, shown), shown, path.parent, path.stem)

    @staticmethod
    def from_mapping(
        data: dict[str, Any], file: str = "experiment", folder: Path | None = None, name: str = "experiment"
    ) -> Experiment:
        """An experiment from plain data of the same form as a file.

        Parameters
        ----------
        data
            Its keys.
        file, name
            What to call it in messages, and its name where it has none.
        folder
            Where tables that it names are looked for first.

        Raises
        ------
        InputError
            As for `load`.
        """
        return _experiment(data, file, folder or Path(), name)

    def changed(self, **values: Any) -> Experiment:
        """The same experiment with another sample, seed, number of replications or last year."""
        return _checked(replace(self, **values))

    def with_trials(self, trials: int) -> Experiment:
        """The same search with another number of trials.

        Raises
        ------
        InputError
            Where it has no search, or the number is none that is allowed.
        """
        if self.search is None:
            raise InputError(f"{self.file}: search: this key is missing, so there are no trials")
        given = {**self.search.model_dump(), "trials": trials}
        return replace(self, search=validated(SearchFile, given, self.file, "search"))

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Points of the design, in order."""
        return self.design.points if self.design is not None else ()

    def __len__(self) -> int:
        """Number of runs asked for."""
        each = len(self.scenarios) + len(self.points)
        return each * len(self.futures) * len(self.parameters.points) * self.replications

    def specs(self) -> list[RunSpec]:
        """The runs, in the order of `table`."""
        scenarios = self._resolved()
        vectors = [dict(point.values) for point in self.parameters.points]
        return [
            RunSpec(
                scenarios[row["point"]],
                label=_label(row, len(vectors)),
                seed=row["seed"],
                sample=self.sample,
                base=self.base,
                until=self.until,
                future=row["future"],
                alternatives=self.alternatives,
                parameters={**self._facts(row["point"]), **vectors[row["parameter_set"]]},
            )
            for row in self._rows(scenarios)
        ]

    def table(self) -> DataFrame:
        """One row a run, in the order of `specs`.

        ``point, scenario, future, parameter_set, replication, seed``, a column ``design.<lever>`` for each factor of
        the design (empty for named scenarios) and ``uncertain.<fact>`` for each fact that is varied.
        """
        from pandas import DataFrame

        return DataFrame(list(self._described()))

    def _described(self) -> Iterator[dict[str, Any]]:
        scenarios = self._resolved()
        futures = [one.future for one in scenarios]
        named = len(self.scenarios)
        for row in self._rows(scenarios):
            point = self.points[row["point"] - named] if row["point"] >= named else None
            levels = {} if self.design is None else dict.fromkeys(self.design.names)
            if point is not None:
                levels |= point.levels
            facts = {**self._facts(row["point"]), **self.parameters.points[row["parameter_set"]].values}
            yield (
                {**row, "future": row["future"] or futures[row["point"]]}
                | {f"{LEVEL}{name}": level for name, level in levels.items()}
                | {f"{UNCERTAIN}{name}": float(number) for name, number in facts.items()}
            )

    def _facts(self, point: int) -> dict[str, float]:
        """Facts that a row of a table of both sets."""
        inside = point - len(self.scenarios)
        return dict(self.points[inside].values) if inside >= 0 else {}

    def _rows(self, scenarios: list[Scenario]) -> Iterator[dict[str, Any]]:
        for replication in range(self.replications):
            for vector in range(len(self.parameters.points)):
                for name in self.futures:
                    for number, scenario in enumerate(scenarios):
                        apart = 0 if self.luck == "common" else _SPREAD_LUCK * (number + 1)
                        yield {
                            "point": number,
                            "scenario": scenario.name,
                            "future": name,
                            "parameter_set": vector,
                            "replication": replication,
                            "seed": self.seed + replication + apart,
                        }

    def _resolved(self) -> list[Scenario]:
        """Named scenarios, then one scenario a point, named after the experiment and its number."""
        book = FactBook.load()
        found = list(self.scenarios)
        if self.design is not None and self.design.scenario is not None:
            names = point_names(self.name, len(self.points))
            for number, (name, point) in enumerate(zip(names, self.points, strict=True)):
                made = self.design.scenario.changed(point.settings, book)
                title = Title(en=f"{self.title.en}, {number}", zh_hant=f"{self.title.zh_hant}，{number}")
                found.append(replace(made, name=name, title=title, description=None, about=None))
        return found


def point_names(name: str, count: int) -> list[str]:
    """Names of the scenarios of the points of a design.

    Examples
    --------
    >>> point_names("mix", 11)[:2]
    ['mix-00', 'mix-01']
    """
    digits = len(str(count - 1))
    return [f"{name}-{number:0{digits}d}" for number in range(count)]


def shares_no_luck(kind: str, over_levers: bool, luck: str) -> bool:
    """Whether a design takes sizes of differences, or their squares, between points with luck of their own.

    Points over levers have; vectors of facts share the luck of their scenario. Luck makes such a mean larger than
    nothing where there is no effect, whatever its interval says.

    Examples
    --------
    >>> shares_no_luck("morris", True, "independent"), shares_no_luck("latin_hypercube", True, "independent")
    (True, False)
    """
    return over_levers and kind in ("morris", "sobol") and luck != "common"


def _label(row: dict[str, Any], vectors: int) -> str:
    words = [row["scenario"], row["future"], f"vector {row['parameter_set']}" if vectors > 1 else None]
    return ", ".join([*(each for each in words if each), f"seed {row['seed']}"])


def _experiment(data: dict[str, Any], file: str, folder: Path, stem: str) -> Experiment:
    given = _form(data, file)
    book = FactBook.load()
    loaded = tuple(_scenario(one, file, folder, book) for one in given.scenarios or ())
    names = [one.name for one in loaded]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{file}: scenarios: '{name}' is named twice; each is run once")
    design = None
    if given.design is not None:
        on = _scenario(given.design.scenario, file, folder, book, "design.scenario")
        design = factors.of_design(given.design, on, f"{file}: design", folder, book)
    if not loaded and design is None:
        raise InputError(f"{file}: neither scenarios nor design: there would be nothing to run")
    for name in given.futures or ():
        future(name, f"{file}: futures")
    vectors = factors.of_parameters(given.parameters, f"{file}: parameters", folder, book)
    name = given.name or stem
    return _checked(
        Experiment(
            name=name,
            title=given.title or Title(en=name, zh_hant=name),
            description=given.description,
            scenarios=loaded,
            design=design,
            futures=tuple(dict.fromkeys(given.futures)) if given.futures else (None,),
            parameters=vectors,
            replications=given.replications,
            seed=given.seed,
            luck=given.luck,
            sample=given.sample,
            base=given.base,
            until=given.until,
            alternatives=chosen_alternatives(given.alternatives, f"{file}: alternatives"),
            analyse=given.analyse,
            search=given.search,
            data=data,
            file=file,
        )
    )


def _form(data: dict[str, Any], file: str) -> _File:
    """The file against its schema, with a clear word for the mistakes that are made most."""
    known = list(_File.model_fields)
    for key, value in data.items():
        if key not in known:
            raise InputError(f"{file}: {key}: unknown key; allowed: {', '.join(known)}. {nearest(key, known)}".rstrip())
        if key in ("scenarios", "futures", "alternatives") and not _names(value):
            given = value if not isinstance(value, list) else next((one for one in value if not _names([one])), value)
            what = "an empty list" if given == [] else kind(given)
            raise InputError(f"{file}: {key}: a list of names is expected, not {what}")
        if key in ("design", "search", "analyse") and not isinstance(value, dict):
            raise InputError(f"{file}: {key}: a mapping is expected, not {kind(value)}")
    version = data.get("schema_version", SCHEMA_VERSION)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise InputError(
            f"{file}: schema_version: {version} is newer than {SCHEMA_VERSION}, the newest that this version of "
            "migrasim reads; use a newer migrasim"
        )
    parts: dict[str, Any] = dict(data)
    models: dict[str, type[BaseModel]] = {
        "design": DesignFile,
        "parameters": ParametersFile,
        "search": SearchFile,
        "analyse": AnalyseFile,
    }
    for key, model in models.items():
        if isinstance(parts.get(key), dict):
            parts[key] = validated(model, parts[key], file, key)
        elif key == "parameters" and parts.get(key, BEST) not in (BEST, ENSEMBLE):
            given = parts[key]
            raise InputError(
                f"{file}: parameters: {kind(given)} is not known; allowed: {BEST}, {ENSEMBLE}, or a mapping "
                f"(kind, facts, size). {nearest(given, [BEST, ENSEMBLE])}".rstrip()
            )
    return validated(_File, parts, file, "experiment")


def _names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value) and bool(value)


def _scenario(name: str, file: str, folder: Path, book: FactBook, key: str = "scenarios") -> Scenario:
    try:
        return Scenario.load(locate("scenarios", name, folder), book)
    except InputError as error:
        raise InputError(f"{file}: {key}: {error}") from None


def _checked(experiment: Experiment) -> Experiment:
    from migrasim.runs.result import check_request

    check_request(
        seed=experiment.seed,
        sample=experiment.sample,
        base=experiment.base,
        until=experiment.until,
        threads=None,
        prefix=f"{experiment.file}: ",
    )
    apart = 0 if experiment.luck == "common" else _SPREAD_LUCK * (len(experiment.scenarios) + len(experiment.points))
    if experiment.seed + experiment.replications - 1 + apart >= 2**63:
        raise InputError(
            f"{experiment.file}: seed: {experiment.seed} is too large for the seeds that are counted up from it; "
            "allowed: whole numbers from 0 to 2**62"
        )
    if len(experiment) > MOST_RUNS:
        raise InputError(
            f"{experiment.file}: {len(experiment):,} runs are asked for "
            f"({len(experiment.scenarios) + len(experiment.points):,} scenarios and points x "
            f"{len(experiment.futures)} futures x {len(experiment.parameters.points):,} parameter vectors x "
            f"{experiment.replications:,} replications); allowed: up to {MOST_RUNS:,}"
        )
    if experiment.analyse is not None:
        _check_analyse(experiment, experiment.analyse)
    return experiment


def _check_analyse(experiment: Experiment, asked: AnalyseFile) -> None:
    """Refuse what the batch could not answer once it has run."""
    from migrasim.indicators import CATALOGUE

    where, method, design = f"{experiment.file}: analyse", asked.method, experiment.design
    if asked.indicator not in CATALOGUE:
        raise InputError(
            f"{where}.indicator: there is no indicator '{asked.indicator}'; allowed: one of `migrasim indicators`. "
            f"{nearest(asked.indicator, CATALOGUE)}".rstrip()
        )
    if "year" in asked.model_fields_set and not experiment.base <= asked.year <= experiment.until:
        raise InputError(
            f"{where}.year: {asked.year} is not run; allowed: {experiment.base} to {experiment.until} (until)"
        )
    if asked.against is not None and method not in ("differences", "sensitivity"):
        raise InputError(
            f"{where}.against: {method} takes nothing off; leave it out, or ask for differences or sensitivity"
        )
    if asked.at_least is not None and method != "discovery":
        raise InputError(f"{where}.at_least: {method} has no threshold; leave it out, or ask for discovery")
    if asked.at_least is None and method == "discovery":
        raise InputError(f"{where}.at_least: discovery needs a threshold below which a case falls short, such as 0.7")
    named = [one.name for one in experiment.scenarios]
    known = [*named, *point_names(experiment.name, len(experiment.points))] if experiment.points else named
    numbers = [str(number) for number in range(len(known))] if method == "differences" else []
    if asked.against is not None and asked.against not in [*known, *numbers]:
        raise InputError(
            f"{where}.against: '{asked.against}' is not in the batch; allowed: {', '.join(known[:20])}. "
            f"{nearest(asked.against, known)}".rstrip()
        )
    if method == "attribution" and (design is None or design.kind != "coalitions"):
        raise InputError(
            f"{where}.method: a batch whose design has kind: coalitions is needed (experiments/attribution.yaml); "
            f"this one has {design.kind if design else 'named scenarios'}"
        )
    if method == "sensitivity" and not any(one is not None and one.ranges for one in (design, experiment.parameters)):
        raise InputError(
            f"{where}.method: sensitivity needs levers or facts spread over ranges; allowed: designs or parameters of "
            "kind morris, sobol or latin_hypercube"
        )
    if method == "sensitivity" and shares_no_luck(design.kind if design else "", design is not None, experiment.luck):
        raise InputError(f"{where}.method: {NO_SHARED_LUCK.format(kind=design.kind if design else '')}")
    if method == "differences" and experiment.luck != "common":
        raise InputError(
            f"{where}.method: the runs of this batch do not share their luck (luck: independent), so no pairs"
        )
    if method == "differences" and len(known) < 2:
        raise InputError(f"{where}.method: the batch has one scenario or point only; two are needed")
