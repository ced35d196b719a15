"""All rules of the model, found where they stand, so that they can be listed and documented."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from migrasim.facts import DOMAINS

PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Rule:
    """One rule: a pure function of numbers and one bundle of parameters.

    Attributes
    ----------
    arguments
        Names of what it is given; ``p`` is the bundle of facts.
    facts
        Facts that it reads from the bundle, by id.
    summary, formula
        First paragraph of its docstring; the rest of it up to the lists of parameters and examples.
    file, line
        Where it stands, from the folder of the package.
    """

    domain: str
    name: str
    arguments: tuple[str, ...]
    facts: tuple[str, ...]
    summary: str
    formula: str
    file: str
    line: int

    @property
    def id(self) -> str:
        """Domain and name."""
        return f"{self.domain}.{self.name}"


@lru_cache(maxsize=1)
def rules() -> dict[str, Rule]:
    """Rules by id, domain by domain, in the order in which they are written."""
    found = {}
    for domain in DOMAINS:
        module = import_module(f"migrasim.domains.{domain}.rules")
        for name, value in vars(module).items():
            plain = getattr(value, "py_func", None)
            if plain is None or plain.__module__ != module.__name__:
                continue
            one = _rule(domain, name, plain)
            found[one.id] = one
    return found


def _rule(domain: str, name: str, plain: object) -> Rule:
    source, line = inspect.getsourcelines(plain)  # type: ignore[arg-type]
    text = inspect.getdoc(plain) or ""
    prose = text.split("\nParameters\n")[0].split("\nExamples\n")[0].split("\nReturns\n")[0].strip()
    summary, _, formula = prose.partition("\n\n")
    body = "".join(source)
    bundle = getattr(import_module(f"migrasim.domains.{domain}.rules"), f"{domain.title()}Params")
    read = [fact for fact in bundle._fields if f"p.{fact}" in body]
    file = Path(inspect.getsourcefile(plain) or "")  # type: ignore[arg-type]
    return Rule(
        domain=domain,
        name=name,
        arguments=tuple(inspect.signature(plain).parameters),  # type: ignore[arg-type]
        facts=tuple(f"{domain}.{fact}" for fact in read),
        summary=" ".join(summary.split()),
        formula=formula.strip(),
        file=f"migrasim/{file.relative_to(PACKAGE).as_posix()}",
        line=line,
    )
