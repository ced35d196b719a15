"""Hand-worked cases of rules: every YAML file here is a list of them; adding one needs no Python.

A case gives the rule, its inputs by name (codes as ``Sex.FEMALE``), the facts it needs, what is
expected, within how much, the arithmetic and its source. Facts that are not given are not a
number, so that a case fails where the rule reads more than it says.
"""

from __future__ import annotations

import importlib
import inspect
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrasim.core import codes

FOLDER = Path(__file__).parent


def _cases() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        found += [pytest.param(document, case, id=f"{path.stem}: {case['says']}") for case in document["cases"]]
    return found


def _value(given: Any) -> Any:
    if isinstance(given, str):
        name, _, member = given.partition(".")
        return int(getattr(codes, name)[member])
    return given


@pytest.mark.parametrize(("document", "case"), _cases())
def test_hand_worked(document: dict[str, Any], case: dict[str, Any]) -> None:
    """A rule gives what was worked out by hand, compiled as well as plain."""
    module = importlib.import_module(document["module"])
    bundle = getattr(module, document["params"])
    facts = dict.fromkeys(bundle._fields, math.nan) | {
        name: float(each) for name, each in case.get("facts", {}).items()
    }
    rule = getattr(module, case["rule"])
    arguments = {name: _value(given) for name, given in case["inputs"].items()}
    if "p" in inspect.signature(rule.py_func).parameters:
        arguments["p"] = bundle(**facts)
    assert set(case) >= {"says", "rule", "inputs", "expected", "arithmetic", "source"}
    ordered = [arguments[name] for name in inspect.signature(rule.py_func).parameters]
    for result in (rule.compiled(*ordered), rule(*ordered)):
        assert result == pytest.approx(_value(case["expected"]), abs=case.get("within", 1e-9))
