"""The examples in the documentation of the package run."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import migrasim

MODULES = [
    each.name for each in pkgutil.walk_packages(migrasim.__path__, "migrasim.") if not each.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    """Every example of a module, those of compiled rules included, gives what it says."""
    module = import_module(name)
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    examples = finder.find(module, name)
    for attribute, value in vars(module).items():
        plain = getattr(value, "py_func", None)
        if plain is not None and plain.__module__ == name:
            examples += finder.find(plain, f"{name}.{attribute}", module=module, globs=dict(vars(module)))
    told: list[str] = []
    for example in examples:
        runner.run(example, out=told.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(told)
