"""Commands that look things up: scenarios, futures, levers, facts, indicators, the order of a year, traces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from migrasim.cli.shared import (
    FutureOption,
    LangOption,
    WithoutOption,
    app,
    check_variants,
    flag,
    given_place,
    lang_of,
    only_with,
    quoted,
    say,
    show,
)
from migrasim.core.errors import InputError, nearest
from migrasim.core.language import Lang
from migrasim.present.punctuation import punctuated, title_in
from migrasim.runs.counted import counted

if TYPE_CHECKING:
    from migrasim.facts import Fact, FactBook, Lever, LeverValue
    from migrasim.scenario import Scenario, Setting


@app.command()
def scenarios(
    name: Annotated[str | None, typer.Argument(help="A shipped scenario or a path; default: all that ship.")] = None,
    lang: LangOption = "en",
) -> None:
    """List the scenarios that ship; or print the page of one: what it stands for, and the levers that it sets.

    Example: migrasim scenarios plan --lang zh-Hant
    """
    tongue = lang_of(lang)
    from migrasim.facts import FactBook
    from migrasim.present import tables
    from migrasim.region import Region
    from migrasim.scenario import Scenario, shipped

    book = FactBook.load()
    if name is not None:
        found = Scenario.load(name, book)
        region = Region.only()
        found.check_counties(region.county_names, region.county_called)
        _scenario_page(found, book, tongue)
        return
    loaded = [Scenario.load(path, book) for path in shipped("scenarios").values()]
    rows = [
        (
            each.name,
            title_in(each.title, tongue),
            "" if each.description is None else title_in(each.description, tongue),
        )
        for each in loaded
    ]
    show(tables.listing(["scenario", "title", "what it is"], rows, tongue))
    say("migrasim scenarios NAME prints the page of one; what the model cannot answer stands in docs/limits.md")


def _scenario_page(scenario: Scenario, book: FactBook, lang: Lang) -> None:
    from migrasim.present.sheet import Prose
    from migrasim.present.tables import listing

    head = f"{scenario.name}: {title_in(scenario.title, lang)} ({scenario.file}, {scenario.future})"
    show(Prose(punctuated(head, lang)), "")
    if page := scenario.about or scenario.description:
        for paragraph in title_in(page, lang).strip().split("\n\n"):
            show(Prose(paragraph), "")
    standing: dict[str, list[Setting]] = {}
    for each in scenario.settings:
        kept = standing.setdefault(each.lever, [])
        if each.begins_anew:
            kept.clear()
        kept.append(each)
    rows = []
    for setting in (each for kept in standing.values() for each in kept):
        lever, known = setting.lever, book.lever(setting.lever)
        value = _planned(known.plan, lang) if setting.named == "plan" else setting.named or _paths(setting)
        rows.append((lever, title_in(known.title, lang), value, known.unit, setting.named or "", setting.where))
    if rows:
        show(listing(["lever", "title", "value", "unit", "as in", "set in"], rows, lang))
    else:
        say("it sets no lever: all stay at the status quo of 2020")


def _planned(value: LeverValue, lang: Lang) -> str:
    """A value of a lever, and what it rests on."""
    from migrasim.present.chinese import said
    from migrasim.present.tables import number

    return punctuated(f"{number(value.values or value.value)} ({said(value.status, lang)})", lang)


def _paths(setting: Setting) -> str:
    """What a scenario file says about one lever, in short."""
    places = []
    for county, steps in setting.paths.items():
        path = ", ".join(
            (f"{year}: " if year is not None else "") + f"{step.operator}{step.number:g}"
            for year, step in steps.items()
        )
        places.append(path if county is None else f"{county}: {path}")
    return "; ".join(places)


@app.command()
def futures(lang: LangOption = "en") -> None:
    """List the futures, what the plan does not decide, and the facts that each changes.

    Example: migrasim futures
    """
    tongue = lang_of(lang)
    from migrasim import variants
    from migrasim.facts import FactBook
    from migrasim.present.chinese import said
    from migrasim.present.tables import listing, number

    book = FactBook.load()
    known = variants.futures().values()
    rows = [(each.id, title_in(each.title, tongue), title_in(each.description, tongue)) for each in known]
    show(listing(["future", "title", "what it is"], rows, tongue))
    changes = [
        (each.id, fact, number(book[fact].central), number(change.of(book[fact])), book[fact].unit, change.source)
        for each in known
        for fact, change in each.facts.items()
    ]
    heads = ["future", "fact", "central", "in it", "unit", "why (all assumed)"]
    title = said("a fact by year is given by its first value; by category, by a factor", tongue)
    show(listing(heads, changes, tongue, title))


@app.command()
def alternatives(lang: LangOption = "en") -> None:
    """List the parts of the model that `--without` leaves out or puts differently.

    Example: migrasim alternatives
    """
    tongue = lang_of(lang)
    from migrasim import variants
    from migrasim.present.tables import listing, number

    rows = [
        (
            each.word,
            each.id,
            each.kind,
            title_in(each.title, tongue),
            title_in(each.meaning, tongue),
            ", ".join([*(f"{fact} = {number(value)}" for fact, value in each.facts.items()), *each.read_by]),
        )
        for each in variants.alternatives().values()
    ]
    show(listing(["--without", "name", "kind", "title", "what it means", "set or read in"], rows, tongue))


@app.command()
def levers(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A group or a lever; default: all.")] = None,
    unbuilt: Annotated[bool, flag("--unbuilt", "Only levers whose channel is not built yet.")] = False,
    effects: Annotated[
        bool, flag("--effects", "Move each alone, run what that takes, write a page; hours for all.")
    ] = False,
    sample: Annotated[float, typer.Option("--sample", help="With --effects: share of the households to run.")] = 0.1,
    replications: Annotated[
        int, typer.Option("--replications", help="With --effects: pairs of runs for each number.", metavar="N")
    ] = 8,
    assumption_seeds: Annotated[
        int,
        typer.Option("--assumption-seeds", help="With --effects: the same for assumptions, 0 for none.", metavar="N"),
    ] = 2,
    assumption_sample: Annotated[
        float | None,
        typer.Option("--assumption-sample", help="With --effects: sample for assumptions; default: --sample."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", help="With --effects: processes; default: every core.", metavar="N")
    ] = None,
    keep: Annotated[
        Path, typer.Option("--keep", help="With --effects: folder that keeps finished runs.", metavar="DIR")
    ] = Path("runs/levers"),
    out: Annotated[
        Path, typer.Option("--out", help="With --effects: the page; its figure goes beside it.", metavar="FILE")
    ] = Path("levers.md"),
    lang: LangOption = "en",
) -> None:
    """List the levers: unit, bounds, 2020 value, value in the plan, room, status, file; or what each does.

    Example: migrasim levers public_housing
    """
    tongue = lang_of(lang)
    from migrasim.facts import FactBook

    if not effects:
        others = ("sample", "replications", "assumption_seeds", "assumption_sample", "workers", "keep", "out")
        only_with(context, "--effects", *others)
    book = FactBook.load()
    if name is not None and name not in book.groups and name not in book.levers:
        hint = nearest(name, [*book.groups, *book.levers])
        raise InputError(f"unknown lever or group '{name}'; groups: {', '.join(book.groups)}. {hint}".rstrip())
    if effects:
        chosen_ids = [each.id for each in book.levers.values() if name in (None, each.group, each.id)]
        _lever_effects(
            name,
            chosen_ids,
            sample=sample,
            replications=replications,
            assumption_seeds=assumption_seeds if name is None else 0,
            assumption_sample=sample if assumption_sample is None else assumption_sample,
            workers=workers,
            keep=keep,
            out=out,
        )
        return
    if name is not None and name in book.levers:
        _lever_card(book, book.lever(name), tongue)
        return
    chosen = [each for each in book.levers.values() if name in (None, each.group) and not (unbuilt and each.built)]
    _lever_tables(book, chosen, tongue)


def _lever_effects(name: str | None, levers: Sequence[str], *, keep: Path, out: Path, **options: Any) -> None:
    """Run what the page of effects takes; the command on it is the one that makes it again."""
    from migrasim.cli.analyse import lever_page

    words = ["migrasim levers", *([] if name is None else [name]), "--effects"]
    told = ["sample", "replications", *(["assumption_seeds", "assumption_sample"] if name is None else [])]
    words += [f"--{option.replace('_', '-')} {options[option]:g}" for option in told]
    lever_page(levers, command=" ".join(words), keep=given_place(keep), out=given_place(out), **options)


def _lever_tables(book: FactBook, chosen: Sequence[Lever], lang: Lang) -> None:
    from migrasim.present.tables import listing, number

    heads = ["lever", "title", "unit", "bounds", "2020", "plan", "room", "status", "built", "file"]
    for group, title in book.groups.items():
        rows = [
            (
                each.id,
                title_in(each.title, lang),
                each.unit,
                f"{number(each.bounds[0])} to {number(each.bounds[1])}",
                number(each.status_quo.values or each.status_quo.value),
                number(each.plan.values or each.plan.value),
                f"{each.room.left:.0%}" + (" (little)" if each.room.is_little else ""),
                each.plan.status,
                "yes" if each.built else "no",
                each.file,
            )
            for each in chosen
            if each.group == group
        ]
        if rows:
            show(listing(heads, rows, lang, punctuated(f"{group}: {title_in(title, lang)}", lang)))
    built = sum(each.built for each in chosen)
    say(f"{counted(len(chosen), 'lever')}, {built} of them built; setting one that is not built is an error")


def _lever_card(book: FactBook, lever: Lever, lang: Lang) -> None:
    from migrasim.present.chinese import said
    from migrasim.present.tables import card, number

    rows: list[tuple[str, object]] = [
        ("title", title_in(lever.title, lang)),
        ("group", title_in(book.groups[lever.group], lang)),
        ("chapter of the plan", lever.chapter),
        ("unit", lever.unit),
        ("bounds", f"{number(lever.bounds[0])} to {number(lever.bounds[1])}"),
        ("given for the region", "a total" if lever.aggregate == "total" else "copied to every county"),
        ("acts through", lever.acts_through),
        ("room", lever.room_words() or f"{lever.room.left:.0%} of the span between the bounds is left"),
        ("built", "yes" if lever.built else "no: setting it is an error"),
    ]
    for head, value in (("2020", lever.status_quo), ("plan", lever.plan)):
        rows.append((head, f"{_planned(value, lang)} {said(value.source, lang)}"))
        if value.range is not None:
            rows.append((f"{head}, range", number(value.range)))
    rows += [
        (
            "cost",
            punctuated(
                f"{number(each.value)} {said(each.unit, lang)}, {said(each.recurrence, lang)}, "
                f"{said(each.payer, lang)}, {each.price_year} ({said(each.status, lang)}) ",
                lang,
            )
            + said(each.source, lang),
        )
        for each in lever.cost
    ]
    rows += [("plan says", title_in({"zh_hant": lever.quote}, lang)), ("note", lever.note), ("file", lever.file)]
    show(card(lever.id, rows, lang))


@app.command()
def facts(
    name: Annotated[str | None, typer.Argument(help="A fact or a domain; default: all.", metavar="[ID]")] = None,
    lang: LangOption = "en",
) -> None:
    """List the facts: value, range, unit, status, source, file; or show one.

    Example: migrasim facts moving.income_elasticity
    """
    tongue = lang_of(lang)
    from migrasim.facts import FactBook
    from migrasim.present.tables import listing, number
    from migrasim.region import Region

    book = FactBook.load()
    if name is not None and name in book:
        _fact_card(book[name], tongue)
        quoted([book[name].source, book[name].note], tongue)
        return
    domains = list(dict.fromkeys(fact.domain for fact in book.facts.values()))
    if name is not None and name not in domains:
        hint = nearest(name, [*domains, *book.facts])
        raise InputError(f"unknown fact or domain '{name}'; domains: {', '.join(domains)}. {hint}".rstrip())
    fitted = Region.only().fitted
    heads = ["fact", "title", "value", "fitted", "range", "unit", "role", "status", "source", "file"]
    rows = [
        (
            each.id,
            title_in(each.title, tongue),
            number(each.values or each.value, tongue),
            number(fitted.get(each.id)) if each.id in fitted else "",
            number(each.range),
            each.unit,
            each.role if each.used else "on record",
            each.status,
            each.source,
            each.file,
        )
        for each in book.facts.values()
        if name in (None, each.domain)
    ]
    show(listing(heads, rows, tongue))
    quoted([each.source for each in book.facts.values() if name in (None, each.domain)], tongue)


def _fact_card(fact: Fact, lang: Lang) -> None:
    from migrasim.present.tables import card, number

    rows: list[tuple[str, object]] = [
        ("title", title_in(fact.title, lang)),
        ("symbol", fact.symbol),
        ("value", number(fact.values or fact.value, lang)),
        ("by", fact.by),
        ("range", number(fact.range)),
        *_fitted_rows(fact, lang),
        ("unit", fact.unit),
        ("role", fact.role),
        ("status", fact.status),
        ("source", fact.source),
        ("note", fact.note),
        ("read by a rule", "yes" if fact.used else "no: on record only"),
        ("file", fact.file),
    ]
    show(card(fact.id, rows, lang))


def _fitted_rows(fact: Fact, lang: Lang) -> list[tuple[str, object]]:
    """What the fit to the region made of a fact, beside its prior: the best, and the vectors that were kept."""
    from migrasim.present.language import phrase
    from migrasim.present.tables import number
    from migrasim.region import Region

    region = Region.only()
    if fact.id not in region.fitted:
        return [("fitted", None)]
    kept = region.ensemble[fact.id]
    low, high = float(kept.quantile(0.05)), float(kept.quantile(0.95))
    return [
        ("fitted", phrase("fitted_best", lang, value=number(region.fitted[fact.id]))),
        (
            "fitted, 5 to 95 percent",
            phrase(
                "fitted_kept", lang, range=number([low, high]), count=len(kept), file=f"{region.name}/fit/ensemble.csv"
            ),
        ),
    ]


@app.command()
def indicators(lang: LangOption = "en") -> None:
    """List the indicators: name in the tables, title, unit, how it is measured.

    Example: migrasim indicators --lang zh-Hant
    """
    tongue = lang_of(lang)
    from migrasim.indicators import CATALOGUE
    from migrasim.present.tables import listing

    rows = [(name, title_in(each.title, tongue), each.unit, each.how) for name, each in CATALOGUE.items()]
    show(listing(["indicator", "title", "unit", "how it is measured"], rows, tongue))


@app.command()
def rules(
    name: Annotated[str | None, typer.Argument(help="A domain or a rule; default: all.", metavar="[NAME]")] = None,
    lang: LangOption = "en",
) -> None:
    """List the rules of behaviour: what each says, and where it stands; or show one with its formula.

    Example: migrasim rules moving.income_term
    """
    tongue = lang_of(lang)
    from migrasim.present.tables import card, listing
    from migrasim.rules import rules as all_rules

    known = all_rules()
    domains = list(dict.fromkeys(one.domain for one in known.values()))
    if name in known:
        one = known[name]
        show(
            card(
                one.id,
                [
                    ("what it says", one.summary),
                    ("formula", one.formula),
                    ("given", ", ".join(one.arguments)),
                    ("facts", ", ".join(one.facts)),
                    ("file", f"{one.file}:{one.line}"),
                ],
                tongue,
            )
        )
        quoted([one.summary], tongue)
        return
    if name is not None and name not in domains:
        hint = nearest(name, [*domains, *known])
        raise InputError(f"unknown rule or domain '{name}'; domains: {', '.join(domains)}. {hint}".rstrip())
    rows = [
        (one.id, one.summary, ", ".join(one.arguments), f"{one.file}:{one.line}")
        for one in known.values()
        if name in (None, one.domain)
    ]
    show(listing(["rule", "what it says", "given", "file"], rows, tongue))
    quoted([row[1] for row in rows], tongue)


@app.command()
def schedule(lang: LangOption = "en") -> None:
    """Print the order of a year, phase by phase.

    Example: migrasim schedule
    """
    tongue = lang_of(lang)
    from migrasim.order import SCHEDULE
    from migrasim.present.tables import listing

    rows = [(number, *phase) for number, phase in enumerate(SCHEDULE, start=1)]
    show(listing(["", "phase", "module", "what happens"], rows, tongue))


@app.command()
def trace(
    context: typer.Context,
    lever: Annotated[str | None, typer.Argument(help="A lever.")] = None,
    household: Annotated[
        str | None, typer.Option("--household", help="Row or key of a household, to follow its years.", metavar="ID")
    ] = None,
    scenario: Annotated[str, typer.Option("--scenario", help="Scenario in which the household is followed.")] = "plan",
    seed: Annotated[int, typer.Option("--seed", help="Number of the luck.")] = 0,
    sample: Annotated[float, typer.Option("--sample", help="Share of the households to run.")] = 1.0,
    until: Annotated[int, typer.Option("--until", help="Last year.")] = 2035,
    base: Annotated[int, typer.Option("--base", help="Base year: 2010 or 2020.")] = 2020,
    future: FutureOption = None,
    without: WithoutOption = None,
    lang: LangOption = "en",
) -> None:
    """Follow a lever from its file to the indicators, or a household through the years.

    Example: migrasim trace residence_permit.education

    Example: migrasim trace --household 1234 --sample 0.02
    """
    tongue = lang_of(lang)
    if (lever is None) == (household is None):
        raise InputError("trace: give either a lever or --household ID")
    if lever is not None:
        only_with(context, "--household", "scenario", "seed", "sample", "until", "base", "future", "without")
        from migrasim.facts import FactBook

        known = FactBook.load().levers
        if lever not in known:
            hint = nearest(lever, known)
            raise InputError(f"trace: unknown lever '{lever}'; allowed: a lever of `migrasim levers`. {hint}".rstrip())
        from migrasim.present.chinese import told
        from migrasim.runs.trace import trace_lever

        lines = trace_lever(lever)
        if tongue != "en":
            lines[0] = f"{lever}：{title_in(known[lever].title, tongue)}"
        for line in lines:
            typer.echo(told(line, tongue))
        return
    from migrasim.runs.result import check_request

    check_request(seed=seed, sample=sample, base=base, until=until, prefix="--")
    check_variants(future, without)
    identity = _identity(str(household))
    from migrasim.present.life import life
    from migrasim.runs.simulate import only_region
    from migrasim.runs.trace import trace_household

    followed = trace_household(
        scenario,
        identity,
        seed=seed,
        sample=sample,
        until=until,
        base=base,
        future=future,
        alternatives=without or (),
    )
    for line in life(followed, only_region().counties, tongue):
        typer.echo(line)


def _identity(text: str) -> int:
    """Row or key of a household; keys may be written in hexadecimal (0x...)."""
    try:
        identity = int(text, 0)
    except ValueError:
        identity = -1
    if not 0 <= identity < 2**64:
        raise InputError(f"--household: '{text}' is no row and no key; allowed: whole numbers from 0, or 0x and a key")
    return identity
