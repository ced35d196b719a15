"""One run from names to tables: the one engine behind command line, Python and browser."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from migrasim.core.codes import Form, Purse, Sector, Tenure
from migrasim.core.documents import kind
from migrasim.core.errors import InputError
from migrasim.core.rule import is_to_be_compiled, set_threads, sources_hash
from migrasim.facts import BASE_YEAR, FactBook
from migrasim.indicators import COMPONENTS, DISTANCE, Area, columns, decompose, groups, stacked
from migrasim.inputs import Inputs
from migrasim.order import OnPhase, Simulation, place_names
from migrasim.region import Region
from migrasim.runs import ahead
from migrasim.runs.profile import profile as profile_of
from migrasim.runs.result import LEVELS, TABLES, Made, RunResult, check_request, decoded
from migrasim.scenario import Scenario
from migrasim.variants import CENTRAL
from migrasim.variants import alternatives as alternatives_by_name
from migrasim.variants import future as future_of
from migrasim.world import Flows

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas import DataFrame

    from migrasim.population import Population

SCHEMA_VERSION = 1
_FLOWS = ("year", "origin", "destination", "form", "persons", "households")


@dataclass(frozen=True)
class Prepared:
    """Everything resolved and the world of the base year, ready to run."""

    region: Region
    inputs: Inputs
    simulation: Simulation
    population_key: str
    sample: float


def prepare(
    scenario: str | Scenario,
    *,
    seed: int = 0,
    sample: float = 1.0,
    until: int = 2035,
    base: int = 2020,
    threads: int | None = None,
    overrides: Mapping[str, Any] | Iterable[str] | None = None,
    parameters: Mapping[str, float] | None = None,
    region: str | None = None,
    future: str | None = None,
    alternatives: Iterable[str] = (),
) -> Prepared:
    """Resolve names, load the population and build the world; see `simulate` for the arguments."""
    asked = check_request(seed=seed, sample=sample, base=base, until=until, threads=threads)
    seed, sample, base, until, threads = asked
    first = is_to_be_compiled()
    book = FactBook.load()
    place = Region.load(region) if region is not None else only_region()
    resolved = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario, book)
    resolved = resolved.changed(settings_asked(overrides), book)
    without = listed("alternatives", "a list of names", alternatives)
    inputs = inputs_of(book, place, resolved, base, until, parameters, future, without)
    if threads is not None:
        set_threads(threads)
    if first:
        ahead.begin()
    people = _people(place, base, sample)
    simulation = Simulation.create(inputs, place, people, seed=seed, threads=threads)
    if first:
        ahead.go_on(base, region)
    return Prepared(place, inputs, simulation, people.key, sample)


_latest: list[tuple[tuple[Any, ...], Inputs]] = []


def inputs_of(
    book: FactBook,
    region: Region,
    scenario: Scenario,
    base: int,
    until: int,
    parameters: Mapping[str, float] | None,
    future: str | None,
    without: str | tuple[str, ...],
) -> Inputs:
    """Inputs of a request; those of the last one are kept, as replications differ in their seed alone."""
    given = repr(book.check_overrides(parameters or {}))
    asked = (book, region, scenario, base, until, given, future, without)
    for before, inputs in _latest:
        if before == asked:
            return inputs
    inputs = Inputs.build(book, region, scenario, base, until, parameters, future=future, alternatives=without)
    _latest[:] = [(asked, inputs)]
    return inputs


@lru_cache(maxsize=1)
def only_region() -> Region:
    """The region that ships, read once in a process."""
    return Region.only()


@lru_cache(maxsize=2)
def _people(region: Region, base: int, sample: float) -> Population:
    """The population, whose columns lie in files that processes share; a run copies what it changes."""
    from migrasim import population

    return population.load(region, base=base, sample=sample)


@lru_cache(maxsize=1)
def model_hash() -> str:
    """Hash of the model's sources, read once in a process."""
    return sources_hash()


def settings_asked(overrides: Mapping[str, Any] | Iterable[str] | None) -> list[str | tuple[str, Any]]:
    """Settings on top of a scenario as a list, each a text or a lever with its value."""
    if overrides is None:
        return []
    if isinstance(overrides, Mapping):
        return list(overrides.items())
    return list(listed("overrides", "a list of LEVER=VALUE or a mapping", overrides))


def listed(name: str, expected: str, given: Any) -> tuple[Any, ...]:
    """What was given as a list; a text is none, though Python goes through its letters."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"{name}: {expected} is expected, not {kind(given)}")
    return tuple(given)


def simulate(
    scenario: str | Scenario = "plan",
    *,
    seed: int = 0,
    sample: float = 1.0,
    until: int = 2035,
    base: int = 2020,
    threads: int | None = None,
    overrides: Mapping[str, Any] | Iterable[str] | None = None,
    parameters: Mapping[str, float] | None = None,
    region: str | None = None,
    on_phase: OnPhase | None = None,
    households: bool = False,
    profile: bool = False,
    future: str | None = None,
    alternatives: Iterable[str] = (),
) -> RunResult:
    """Run a scenario.

    Parameters
    ----------
    scenario : shipped name, path or object
    seed : of all luck; two scenarios with one seed share it
    sample : share of the households, 0.00001 to 1
    until : last year
    base : 2020 (seventh census) or 2010 (sixth)
    threads : of the kernels; every core where not given, and the results do not depend on it
    overrides : other values of levers, ``{"lever": value}`` or ``["LEVER=VALUE"]``; values are those of scenario files,
        such as ``{2021: 0, 2026: 9000}``
    parameters : other values of facts, by id
    region : shipped name or folder of a region; the only one that ships where not given
    on_phase : called with (year, phase, phases done, phases in all)
    households : add one row a household at the end
    profile : add the seconds, rows and bytes of each phase
    future : what the plan does not decide: a name of ``migrasim futures``; the scenario's where not given
    alternatives : parts of the model left out or put differently: names of ``migrasim alternatives``

    Raises
    ------
    InputError : for anything wrong in the request or the files it names
    """
    ready = prepare(
        scenario,
        seed=seed,
        sample=sample,
        until=until,
        base=base,
        threads=threads,
        overrides=overrides,
        parameters=parameters,
        region=region,
        future=future,
        alternatives=alternatives,
    )
    simulation = ready.simulation
    for _ in range(base, until):
        simulation.step(on_phase)
    return collect(ready, households=households, profile=profile)


def run_id(ready: Prepared, inputs_hash: str) -> str:
    """Identity of a run: everything that determines its result and nothing else."""
    world = ready.simulation.world
    inputs = ready.inputs
    return identity(
        inputs_hash,
        ready.population_key,
        ready.region.region_hash,
        seed=world.seed,
        sample=ready.sample,
        base=inputs.base,
        until=inputs.until,
    )


def identity(
    inputs_hash: str, population_key: str, region_hash: str, *, seed: int, sample: float, base: int, until: int
) -> str:
    """Identity of a run that need not have been made."""
    parts = {
        "inputs": inputs_hash,
        "population": population_key,
        "region": region_hash,
        "seed": seed,
        "sample": sample,
        "base": base,
        "until": until,
        "schema": SCHEMA_VERSION,
        "model": model_hash(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def collect(ready: Prepared, *, households: bool = False, profile: bool = False) -> RunResult:
    """Tables of a finished run."""
    simulation, inputs = ready.simulation, ready.inputs
    made = arrow(ready, TABLES, LEVELS)
    frames: dict[str, DataFrame] = {name: decoded(table).to_pandas() for name, table in made.tables.items()}
    told: dict[str, Any] = {"run_id": made.run_id, "scenario": inputs.scenario.name, "seed": simulation.world.seed}
    for n, (name, value) in enumerate(told.items()):
        frames["indicators"].insert(n, name, value)
    return RunResult(
        run_id=made.run_id,
        scenario=inputs.scenario.name,
        seed=simulation.world.seed,
        sample=ready.sample,
        base=simulation.world.base,
        until=inputs.until,
        **frames,
        provenance=made.provenance,
        profile=profile_of(simulation) if profile else None,
        households=_households(ready, place_names(list(inputs.county_names))) if households else None,
        notes=_notes(ready),
    )


def arrow(ready: Prepared, tables: Sequence[str], levels: Sequence[str]) -> Made:
    """A finished run as a batch keeps it: some of its tables, and of those by level some levels."""
    inputs, world = ready.inputs, ready.simulation.world
    inputs_hash = inputs.content_hash()
    identity = run_id(ready, inputs_hash)
    counties = list(inputs.county_names)
    of_level = {"prefecture": [ready.region.title["en"]], "county": counties, "place": place_names(counties)}
    areas = [area for area in groups(world.geography.counties, world.geography.inside) if area[0] in levels]
    wanted = {"indicators": _indicators, "decomposition": _decomposition}
    found = {name: make(ready, areas, of_level) for name, make in wanted.items() if name in tables}
    if "flows" in tables:
        found["flows"] = _flows(ready, of_level["place"])
    found |= _details(ready, of_level["place"], tables)
    said = provenance(inputs, inputs_hash, ready.region, ready.population_key, identity, world.seed, ready.sample)
    return Made(identity, said, {name: found[name] for name in tables})


def _text(labels: Sequence[str], numbers: np.ndarray | Sequence[int]) -> pa.Array:
    """Labels by their numbers, as such: no text stands in a row."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(np.asarray(numbers, np.int16), pa.array(labels, pa.string()))


def _table(columns: Mapping[str, Any]) -> pa.Table:
    """Columns as they are kept: what is no number is null, texts are encoded."""
    import pyarrow as pa

    arrays = {name: pa.array(each, from_pandas=True) for name, each in columns.items()}
    texts = {name: each.dictionary_encode() for name, each in arrays.items() if pa.types.is_string(each.type)}
    return pa.table(arrays | texts)


def _area_columns(areas: Sequence[Area], of_level: Mapping[str, list[str]], years: Sequence[int]) -> dict[str, Any]:
    """Year, level and name of the areas, year after year."""
    named = [of_level[level][number] for level, number, _ in areas]
    which = np.tile(np.arange(len(areas)), len(years))
    return {
        "year": np.repeat(np.array(years, np.int64), len(areas)),
        "level": _text([level for level, _, _ in areas], which),
        "place": _text(named, which),
    }


def _flows(ready: Prepared, names: list[str]) -> pa.Table:
    """Persons and households who moved in a year, by origin, destination and form."""
    weight = ready.simulation.world.weight
    nothing = np.zeros(0, np.int64)  # before the first year
    years, cells, persons, households = [nothing], [np.zeros((3, 0), np.int64)], [nothing * weight], [nothing * weight]
    for record in ready.simulation.history:
        if record.flows is not None:
            found = np.nonzero(record.flows.moves)
            years.append(np.full(len(found[0]), record.year))
            cells.append(np.array(found))
            persons.append(record.flows.moves[found] * weight)
            households.append(record.flows.household_moves[found] * weight)
    origin, destination, form = np.concatenate(cells, axis=1)
    columns = (
        np.concatenate(years),
        _text(names, origin),
        _text(names, destination),
        _text([each.name.lower() for each in Form], form),
        np.concatenate(persons),
        np.concatenate(households),
    )
    return _table(dict(zip(_FLOWS, columns, strict=True)))


def _decomposition(ready: Prepared, areas: Sequence[Area], of_level: Mapping[str, list[str]]) -> pa.Table:
    """The yearly change of the urbanization rate of areas, split into its components."""
    geography = ready.simulation.world.geography
    areas = [area for area in areas if area[0] != "place"]
    places = [each for _, _, each in areas]
    lived = [record for record in ready.simulation.history if record.flows is not None]
    flows = Flows.stacked([record.flows for record in lived if record.flows is not None], geography.places)
    before, after = (
        np.array([getattr(record, name) for record in lived], np.int64).reshape(-1, geography.places)
        for name in ("before", "after")
    )
    split = decompose(flows, before, after, places, geography.urban, geography.inside)
    head = _area_columns(areas, of_level, [record.year for record in lived])
    rows = np.repeat(np.arange(len(lived) * len(areas)), len(COMPONENTS))
    head = {name: each[rows] if isinstance(each, np.ndarray) else each.take(rows) for name, each in head.items()}
    component = np.tile(np.arange(len(COMPONENTS)), len(lived) * len(areas))
    points = np.stack([split[name] for name in COMPONENTS], axis=2).ravel()  # years, areas, components
    return _table({**head, "component": _text(COMPONENTS, component), "points": points})


def _indicators(ready: Prepared, areas: Sequence[Area], of_level: Mapping[str, list[str]]) -> pa.Table:
    """Indicators of all years and areas."""
    history, targets = ready.simulation.history, ready.region.targets
    places = [each for _, _, each in areas]
    found = columns(np.array([stacked(record.sums) for record in history]), places)
    for n, record in enumerate(history):
        if record.year in targets and areas[0][0] == "prefecture":
            row = n * len(areas)  # the whole region stands first
            found[DISTANCE][row] = found["urbanization_rate"][row] - targets[record.year]
    chains = [chain.id for chain in ready.region.chains]
    workers = np.array([[record.sums[f"chain_{k}"] for k in range(len(chains))] for record in history])
    by_chain = np.stack([np.take(workers, each, axis=2).sum(axis=2) for each in places], axis=1)
    counted = by_chain.reshape(len(history) * len(areas), len(chains)).T
    head = _area_columns(areas, of_level, [record.year for record in history])
    more = {f"chain_workers_{name}": each for name, each in zip(chains, counted, strict=True)}
    return _table(head | found | more)


def _details(ready: Prepared, names: list[str], tables: Sequence[str]) -> dict[str, pa.Table]:
    """Tables beside the indicators, with numbers of places, kinds and groups turned into their names."""
    chains = [chain.id for chain in ready.region.chains]
    found = ready.simulation.groups
    assert found is not None
    in_dimension = [len(each) for each in found.names.values()]
    first_group = np.cumsum(in_dimension) - in_dimension
    labels: dict[str, Sequence[str]] = {
        "place": names,
        "county": list(ready.inputs.county_names),
        "kind": [*(sector.name.lower() for sector in Sector), *chains],
        "chain": chains,
        "tenure": [tenure.name.lower() for tenure in Tenure],
        "payer": [purse.name.lower() for purse in Purse],
        "payee": [purse.name.lower() for purse in Purse],
        "sex": ["male", "female"],
        "dimension": list(found.names),
        "group": [group for each in found.names.values() for group in each],
    }
    labels["county"] = labels["origin_county"] = [*labels["county"], "outside"]
    made = {}
    for name in ready.simulation.history[0].detail:
        if name not in tables:
            continue
        years = []
        for record in ready.simulation.history:
            columns: dict[str, Any] = dict(record.detail[name])
            rows = len(next(iter(columns.values())))
            years.append({"year": np.full(rows, record.year), **columns})
        filled = [each for each in years if len(each["year"])] or years[:1]
        joined: dict[str, Any] = {key: np.concatenate([each[key] for each in filled]) for key in filled[0]}
        if name == "groups":  # numbered within their dimension
            joined["group"] = joined["group"] + first_group[joined["dimension"]]
        for key in labels.keys() & joined.keys():
            joined[key] = _text(labels[key], joined[key])
        made[name] = _table(joined)
    return made


def _households(ready: Prepared, names: list[str]) -> DataFrame:
    import pandas as pd

    world = ready.simulation.world
    columns = world.households
    frame = {name: getattr(columns, name) for name in columns.names}
    table = pd.DataFrame(frame)
    labels = np.array([*names, ""], dtype=object)
    for name in ("home_place", "place", "away_place"):
        table[name] = labels[frame[name]]
    table["members"] = world.members
    table["income_yuan"] = _incomes(ready)
    return table.sort_values("key", ignore_index=True)


def _incomes(ready: Prepared) -> np.ndarray:
    from migrasim.domains.labour.incomes import incomes

    return np.asarray(incomes(ready.simulation.world).sum(axis=1))


def provenance(
    inputs: Inputs, inputs_hash: str, region: Region, population_key: str, identity: str, seed: int, sample: float
) -> dict[str, Any]:
    """Where every number of a run comes from, as plain data; the run need not have been made."""
    book = inputs.book
    from migrasim import __version__

    return {
        "run_id": identity,
        "schema_version": SCHEMA_VERSION,
        "region": {"name": region.name, "title": dict(region.title), "hash": region.region_hash},
        "scenario": inputs.scenario.name,
        "scenario_title": dict(inputs.scenario.title),
        "future": inputs.future,
        "alternatives": list(inputs.alternatives),
        "inputs": inputs_hash,
        "population": population_key,
        "model": model_hash(),
        "seed": seed,
        "sample": sample,
        "base": inputs.base,
        "until": inputs.until,
        "versions": {"migrasim": __version__, "python": platform.python_version(), "numpy": np.__version__},
        "levers": {
            name: dict(zip((str(year) for year in inputs.years), inputs.lever_path(name).tolist(), strict=True))
            for name in book.levers
        },
        "parameters": {name: inputs.parameters.get(name, book[name].central) for name in book.facts if book[name].used},
        "price_index": {str(year): inputs.price_index(int(year)) for year in inputs.years},
        "clusters": [dict(each) for each in region.clusters],
        "targets": {str(year): float(share) for year, share in region.targets.items()},
        "record": {
            name: {str(year): value for year, value in series.items()} for name, series in region.record.items()
        },
    }


def _notes(ready: Prepared) -> list[str | dict[str, str]]:
    inputs = ready.inputs
    notes: list[str | dict[str, str]] = list(inputs.clipped)
    levers = len(inputs.book.levers)
    unbuilt = sum(not lever.built for lever in inputs.book.levers.values())
    if unbuilt and inputs.scenario.name != "status_quo":
        notes.append(
            {
                "en": f"{unbuilt} of the plan's {levers} levers are not built yet and stand at the status quo.",
                "zh_hant": f"規劃的{levers}項槓桿中有{unbuilt}項尚未建成，維持現狀。",
            }
        )
    wanted = sum(float(record.sums["unpaid_yuan"].sum()) for record in ready.simulation.history)
    if wanted > 0.0:
        first = next(record.year for record in ready.simulation.history if record.sums["unpaid_yuan"].sum() > 0.0)
        notes.append(
            {
                "en": f"Counties could not pay for {wanted / 1e6:,.0f} million yuan of building from {first} on; "
                "it was not built (unpaid_yuan tells where).",
                "zh_hant": f"自{first}年起縣級財政無力支付{wanted / 1e8:,.2f}億元建設支出,"
                "相應項目未建成(分縣見指標unpaid_yuan)。",
            }
        )
    last = {each.lever: each for each in inputs.scenario.settings}
    taken = [inputs.book.levers[name] for name, each in last.items() if each.named == "plan"]
    assumed = sum(lever.plan.status in ("assumed", "estimated") for lever in taken)
    if assumed:
        notes.append(
            {
                "en": f"{assumed} of the {len(taken)} levers taken from the plan stand at assumed values; "
                "`migrasim run --band 40` shows the range.",
                "zh_hant": f"取自規劃的{len(taken)}項槓桿中有{assumed}項為假設值；`migrasim run --band 40` 顯示區間。",
            }
        )
    if inputs.future != CENTRAL:
        title = future_of(inputs.future).title
        notes.append(
            {
                "en": f"Future: {title.en}; growth, fertility and arrivals are assumed.",
                "zh_hant": f"未來情形:{title.zh_hant};增長、生育與遷入為假設。",
            }
        )
    if inputs.alternatives:
        titles = [alternatives_by_name()[name].title for name in inputs.alternatives]
        notes.append(
            {
                "en": f"Another model than usual; left out or put differently: {', '.join(one.en for one in titles)}.",
                "zh_hant": f"模型結構有改動:{'、'.join(one.zh_hant for one in titles)}。",
            }
        )
    if inputs.base < BASE_YEAR:
        notes.append(
            {
                "en": "Before 2020 levers follow a path that is assumed; from 2020 on the scenario.",
                "zh_hant": "2020年以前槓桿取假設路徑,2020年起按情景。",
            }
        )
    notes.append(
        {
            "en": "Parameters of moving are fitted to the censuses of 2010 and 2020 and the bulletins to 2022; "
            "docs/validation.md says how well.",
            "zh_hant": "遷移參數按2010、2020年普查及2021、2022年公報擬合；擬合程度見docs/validation.md。",
        }
        if ready.region.fitted
        else {
            "en": "Constants are priors or set by hand; nothing has been fitted to this region.",
            "zh_hant": "常數取先驗值或人工設定；尚未按本地區數據擬合。",
        }
    )
    return notes
