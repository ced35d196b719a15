"""No rule is without a property: a test on all its inputs, not on an example."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from migrasim.facts import DOMAINS
from migrasim.rules import rules

HERE = Path(__file__).parent
CASES = HERE.parent / "cases"


def proved(path: Path) -> set[str]:
    """Rules that the tests of a file with inputs by hypothesis call, as ``rules.<name>``."""
    found = set()
    for test in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(test, ast.FunctionDef) and any("given(" in ast.unparse(one) for one in test.decorator_list):
            found |= {
                node.attr
                for node in ast.walk(test)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "rules"
            }
    return found


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_rule_has_a_property(domain: str) -> None:
    """The property file of a domain calls each of its rules over the whole range of inputs."""
    known = {one.name for one in rules().values() if one.domain == domain}
    assert known - proved(HERE / f"test_{domain}.py") == set()


def test_every_domain_has_cases_worked_by_hand() -> None:
    """At least sixty cases in all, and some for every domain."""
    count = {domain: len(yaml.safe_load((CASES / f"{domain}.yaml").read_text("utf-8"))["cases"]) for domain in DOMAINS}
    assert min(count.values()) >= 4
    assert sum(count.values()) >= 60
