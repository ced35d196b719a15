"""What a user of mesa expects of the model, and every scenario that ships runs."""

from __future__ import annotations

import json
import pickle
from inspect import signature

import numpy as np
import pytest
from mesa.batchrunner import batch_run

import migrasim as ms
from migrasim.runs.simulate import prepare
from migrasim.runs.spec import RunSpec
from migrasim.scenario import shipped

pytestmark = pytest.mark.model
SMALL = {"sample": 0.005, "until": 2022}


@pytest.mark.parametrize("name", sorted(shipped("scenarios")))
def test_a_shipped_scenario_runs(name: str) -> None:
    """Two years of each scenario break no law and give every year."""
    run = ms.run(name, **SMALL)
    assert list(run.prefecture().index) == [2020, 2021, 2022]
    assert run.scenario == name


def test_a_step_of_the_mesa_model_is_a_year() -> None:
    """Steps go from the base year to the last, the data collector fills, and ``running`` ends."""
    model = ms.MigrationModel("plan", rng=7, **SMALL)
    assert model.year == 2020 and len(model.agents) == 7
    while model.running:
        model.step()
    collected = model.datacollector.get_model_vars_dataframe()
    assert collected["year"].tolist() == [2020, 2021, 2022]
    assert collected["urbanization_rate"].between(0.3, 0.7).all()
    assert 0 < min(agent.urbanization_rate for agent in model.agents)
    model.step()  # after the end nothing moves on
    assert model.year == 2022


def test_the_batch_run_of_mesa_reads_the_last_year() -> None:
    """What mesa's own batches read at the end, or of every step, has the last year, and the base year where asked."""
    asked = {"scenario": "plan", **SMALL}
    if "rng" in signature(batch_run).parameters:  # where mesa takes seeds apart from the parameters
        ends = batch_run(ms.MigrationModel, asked, rng=[1, 2], display_progress=False)
    else:
        ends = batch_run(ms.MigrationModel, asked | {"rng": [1, 2]}, display_progress=False)
    assert [(row["rng"], row["year"]) for row in ends] == [(1, 2022), (2, 2022)]
    assert ends[0]["urban_population"] != ends[1]["urban_population"]
    steps = batch_run(ms.MigrationModel, asked, data_collection_period=1, display_progress=False)
    assert [row["year"] for row in steps] == [2020, 2021, 2022]


def test_the_mesa_model_and_the_run_give_the_same_numbers() -> None:
    """One engine: the mesa model, Python's run and so the command line agree to the last digit."""
    model = ms.MigrationModel("plan", rng=3, **SMALL)
    while model.running:
        model.step()
    collected = model.datacollector.get_model_vars_dataframe().set_index("year")
    run = ms.run("plan", seed=3, **SMALL).prefecture()
    for name in ("urban_population", "resident_population", "hukou_urbanization_rate", "moves_out", "public_cost_yuan"):
        assert collected[name].tolist() == run[name].tolist(), name


@pytest.mark.parametrize("rng", [7.9, "7", -1, np.random.default_rng(7)])
def test_a_seed_of_the_mesa_model_that_is_none_is_refused(rng: object) -> None:
    """What is no whole number from 0 is named, not rounded; whole numbers of NumPy are as good as Python's."""
    with pytest.raises(ms.InputError, match="seed: .* is not allowed; allowed: whole numbers from 0"):
        ms.MigrationModel("status_quo", rng=rng, **SMALL)
    assert ms.MigrationModel("status_quo", rng=np.int64(7), **SMALL).simulation.world.seed == 7


def test_levers_from_python_take_what_a_scenario_file_takes() -> None:
    """Paths by year, by county too, small numbers and changes of what is inherited mean what they mean in a text."""
    homes, schools = "public_housing.public_rental_units", "residence_permit.education"
    for lever, value, text in (
        (homes, {"Kongtong": {2021: 300, 2022: 800}}, "{Kongtong: {2021: 300, 2022: 800}}"),
        (schools, {2021: 0.7, 2022: 0.9}, "{2021: 0.7, 2022: 0.9}"),
        (schools, 1e-05, "0.00001"),
        (schools, "* 0.5", "* 0.5"),
        (schools, "plan", "plan"),
    ):
        path = prepare("status_quo", overrides={lever: value}, **SMALL).inputs.lever_path(lever)
        asked = prepare("status_quo", overrides=[f"{lever}={text}"], **SMALL).inputs.lever_path(lever)
        assert path.tolist() == asked.tolist() and (path[1:] != path[0]).any(), value


def test_numbers_of_numpy_are_taken_for_those_of_python() -> None:
    """Seeds, shares, years and levers out of arrays ask for the same run; a truth value and an array are refused."""
    plain = RunSpec("plan", seed=3, sample=0.1, until=2022, overrides=(), parameters={"moving.income_elasticity": 0.5})
    numpys = RunSpec("plan", seed=np.int64(3), sample=np.float32(0.1), until=np.int16(2022),
                     parameters={"moving.income_elasticity": np.float32(0.5)})  # fmt: skip
    assert numpys.run_id() == plain.run_id() and json.dumps(numpys.request()) == json.dumps(plain.request())
    levers = {"residence_permit.education": {np.int64(2022): np.float32(0.9)}}
    options = {"sample": np.float64(0.01), "until": np.int64(2021), "threads": np.int8(1), "seed": np.uint8(3)}
    one = ms.run("status_quo", base=np.int64(2020), overrides=levers, **options)
    same = {"residence_permit.education": {2022: 0.9}}
    assert one.run_id == ms.run("status_quo", overrides=same, seed=3, sample=0.01, until=2021, threads=1).run_id
    both = ms.compare(["status_quo", "plan"], replications=np.int64(2), **options)
    assert both.seeds == (3, 4) and type(both.until) is int
    for seed in (np.bool_(True), np.float64(3), np.array([3])):
        with pytest.raises(ms.InputError, match=r"seed: .* is not allowed; allowed: whole numbers from 0"):
            ms.run("plan", seed=seed)


WRONG_TYPES = [
    (lambda: ms.run(5, **SMALL), "scenario: a name or a path is expected, not the number 5"),
    (lambda: ms.run(["plan"], **SMALL), "scenario: a name or a path is expected, not a list"),
    (
        lambda: ms.run("plan", overrides=5, **SMALL),
        "overrides: a list of LEVER=VALUE or a mapping is expected, not the n",
    ),
    (
        lambda: ms.run("plan", overrides=[5], **SMALL),
        "overrides: LEVER=VALUE is expected, or a lever and its value, not",
    ),
    (
        lambda: ms.run("plan", overrides={"hukou.opennes": 1}, **SMALL),
        "overrides: unknown lever.*did you mean 'hukou.op",
    ),
    (
        lambda: ms.run("plan", parameters=5, **SMALL),
        "parameters: a mapping from facts to numbers is expected, not the n",
    ),
    (
        lambda: ms.run("plan", parameters="x", **SMALL),
        "parameters: a mapping from facts to numbers is expected, not the",
    ),
    (lambda: ms.run("plan", parameters=[("x", 1)], **SMALL), "parameters: a mapping from facts to numbers is expected"),
    (lambda: ms.run("plan", alternatives=5, **SMALL), "alternatives: a list of names is expected, not the number 5"),
    (
        lambda: ms.compare(None, **SMALL),
        "compare: a list of scenarios, the first being the reference, is expected, not no",
    ),
    (
        lambda: ms.compare("plan", **SMALL),
        "compare: a list of scenarios, the first being the reference, is expected, not",
    ),
    (lambda: ms.compare([5, 6], **SMALL), "scenario: a name or a path is expected, not the number 5"),
    (lambda: ms.read(5), "read: the path of a folder is expected, not the number 5"),
    (lambda: ms.Scenario.from_mapping([1], ms.FactBook.load()), "scenario: a mapping is expected, not a list"),
    (
        lambda: ms.MigrationModel("plan", levers={"hukou.opennes": 1}),
        "^levers: unknown lever.*did you mean 'hukou.op",
    ),
    (
        lambda: ms.MigrationModel("plan", levers=5),
        "^levers: a list of LEVER=VALUE or a mapping is expected, not the n",
    ),
]


@pytest.mark.parametrize(("call", "told"), WRONG_TYPES)
def test_what_is_no_scenario_list_or_mapping_is_told_in_one_line(call, told) -> None:
    """Python's own errors of types are for the program, not for what it is handed."""
    with pytest.raises(ms.InputError, match=told):
        call()


def test_workers_of_the_chains_add_up() -> None:
    """Every chain of the region has a column, and together they are all workers of chains."""
    run = ms.run("plan", **SMALL).indicators
    chains = [name for name in run.columns if name.startswith("chain_workers_")]
    assert len(chains) == 9
    counties = run[run["level"] == "county"]
    assert counties[chains].sum(axis=1).tolist() == counties["chain_workers"].tolist()


def test_a_pickled_model_goes_on_as_the_original() -> None:
    """Pickle in the middle of a run: both copies end with the same numbers."""
    model = ms.MigrationModel("status_quo", rng=5, **SMALL)
    model.step()
    copy = pickle.loads(pickle.dumps(model))
    for each in (model, copy):
        each.step()
    left, right = (each.datacollector.get_model_vars_dataframe() for each in (model, copy))
    assert left.equals(right)


def test_solara_viz_of_mesa_shows_the_model() -> None:
    """SolaraViz renders the model with a plot of the rate."""
    solara = pytest.importorskip("solara")
    from mesa.visualization import SolaraViz, make_plot_component

    model = ms.MigrationModel("status_quo", **SMALL)
    page = SolaraViz(model, components=[make_plot_component("urbanization_rate")], model_params={"rng": 0, **SMALL})
    box, context = solara.render(solara.AppLayout(children=[page]), handle_error=False)
    assert box.children
    context.close()


def test_a_smaller_sample_is_a_subset_and_stands_for_all() -> None:
    """Samples give the residents of the census within their chance, and each says what a row counts for."""
    for sample in (0.01, 0.05):
        run = ms.run("status_quo", sample=sample, until=2021)
        residents = run.prefecture().loc[2020, "resident_population"]
        assert abs(residents / 1_848_607 - 1) < 4 * (2.5 / (775_000 * sample)) ** 0.5
        assert run.sample == sample
