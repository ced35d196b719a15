"""The house itself: what ships, and that its papers agree with one another."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import migrasim
from migrasim.scenario import shipped

ROOT = Path(__file__).parents[2]


def test_the_version_is_the_same_everywhere():
    """Package, changelog and citation name one version."""
    version = migrasim.__version__
    assert metadata.version("migrasim") == version
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_results_changed_stands_on_top_of_each_release():
    """Whoever updates sees first whether old results still hold."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for release in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heads = re.findall(r"^### (.+)$", release, flags=re.MULTILINE)
        assert heads[0] == "Results changed"


def test_every_scenario_of_the_repository_ships():
    """Scenarios are in the wheel, so that their names work from any folder, and are the same files."""
    here = {path.stem: path.read_bytes() for path in (ROOT / "scenarios").glob("*.yaml")}
    assert here
    assert {name: path.read_bytes() for name, path in shipped("scenarios").items()} == here


def test_the_tests_run_against_the_installed_package():
    """No test imports the source tree by accident: the package comes from where it is installed."""
    assert not Path(migrasim.__file__).is_relative_to(ROOT / "migrasim") or _is_editable()


def _is_editable() -> bool:
    direct = metadata.distribution("migrasim").read_text("direct_url.json") or ""
    return '"editable": true' in direct


def test_region_data_and_facts_are_in_the_package():
    """Tables, maps, facts and levers are package data."""
    package = Path(migrasim.__file__).parent
    assert list(package.glob("regions/*/region.yaml"))
    assert list(package.glob("regions/*/tables/*.csv"))
    assert list(package.glob("regions/*/NOTICE"))
    assert list(package.glob("domains/*/facts.yaml"))
    assert list(package.glob("domains/*/levers.yaml"))
    assert (package / "py.typed").is_file()


def test_every_dependency_is_pinned_in_the_constraints():
    """What the package and its development need has a version that continuous integration uses."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {_name(line) for line in lines if "==" in line}
    assert {_name(each) for each in needed} <= pinned


def _name(requirement: str) -> str:
    return re.split(r"[<>=;\[ ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


@pytest.mark.parametrize("name", migrasim.__all__)
def test_every_public_name_can_be_used(name):
    """What the package promises is there when it is first asked for."""
    assert getattr(migrasim, name) is not None
    assert name in dir(migrasim)


def test_an_unknown_name_is_an_attribute_error():
    """A typing error in a script is told as in any other package."""
    with pytest.raises(AttributeError, match="no attribute 'rnu'"):
        _ = migrasim.rnu


def test_nothing_in_the_code_names_a_region():
    """A region is a folder of tables; a second one needs no code."""
    package = ROOT / "migrasim"
    regions = [path.parent.name for path in (package / "regions").glob("*/region.yaml")]
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8").lower()
        assert not [name for name in regions if name in text], path


def test_every_test_states_a_behaviour():
    """A test's docstring says in words what it holds the program to."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name} has no docstring"


def test_readme_commands_are_the_ones_that_ci_knows():
    """The two commands of the README are there, each on one line."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/migrasim run plan" in lines
    assert 'python3 -m venv .venv && .venv/bin/pip install ".[dev]" && .venv/bin/pytest -n 2' in lines
