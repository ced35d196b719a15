"""Save, open, export: scenario files in and out, tables and a report of what is shown."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import solara

from migrasim.core.errors import InputError
from migrasim.core.language import Lang
from migrasim.present.chinese import told
from migrasim.present.explorer.draft import (
    MOST_BYTES,
    MOST_NAME,
    Draft,
    file_stem,
    files,
    opened,
    read_file,
    tidy,
    write_file,
)
from migrasim.present.explorer.serving import current
from migrasim.present.explorer.session import Session
from migrasim.present.explorer.sources import run_text
from migrasim.present.explorer.widgets import Choice, Press, element, lasting
from migrasim.present.explorer.words import name_of, say
from migrasim.runs.result import TABLES

if TYPE_CHECKING:
    from pandas import DataFrame

    from migrasim.runs.result import RunResult

Event = Callable[[Any], None]


@solara.component_vue("textbox.vue")
def TextBox(
    label: str = "", value: str = "", most: int = 80, name: str = "", event_written: Event | None = None
) -> None:
    """A native line of text."""


@solara.component_vue("openfile.vue")
def OpenFile(label: str = "", most: int = 200_000, event_opened: Event | None = None) -> None:
    """A native button that opens a file of the visitor; one that is too large is not read."""


@solara.component_vue("copylink.vue")
def CopyLink(label: str = "", done: str = "", failed: str = "") -> None:
    """A native button that copies the address of the page, which holds its state."""


def Share(lang: Lang) -> object:
    """The button that copies the address."""
    return CopyLink(label=say("copy_link", lang), done=say("link_copied", lang), failed=say("link_not_copied", lang))


@solara.component
def FilesBox(session: Session, guest: bool = False) -> None:
    """Everything that goes in and out, in one box; guests of the network leave and read no file of this machine."""
    lang, folder = session.lang.value, current().folder
    said, set_said = solara.use_state(("", False))
    draft, key = session.draft, session.shown.value

    def refused(error: InputError) -> None:
        set_said((told(str(error), lang), True))

    def guarded(work: Callable[[], str]) -> None:
        try:
            set_said((work(), False))
        except InputError as error:
            refused(error)

    def take(found: Draft) -> str:
        session.put(found, "start_changed", name=found.name or found.base)
        return say("opened_file", lang, name=found.name or found.base)

    def receive(given: Mapping[str, Any]) -> None:
        name, text = str(given.get("name", ""))[:120], given.get("text")
        if not isinstance(text, str):
            set_said((say("too_large", lang, name=name, most=f"{MOST_BYTES // 1000}"), True))
        else:
            guarded(lambda: take(opened(text, name)))

    def save() -> str:
        return say("saved_file", lang, name=str(write_file(folder, draft)))

    def tables(kind: str) -> bytes:
        return packed(_result(key, draft), kind, draft, lang)

    there = {} if guest else {each.name: each.name for each in files(folder)}
    with solara.v.Html(tag="section", class_="ms-box", attributes={"aria-label": say("files", lang)}):
        with solara.v.Html(tag="div", class_="ms-files"):
            TextBox(
                label=say("scenario_name", lang),
                value=draft.name,
                most=MOST_NAME,
                name="scenario",
                event_written=lambda name: session.rename(tidy(str(name))),
            )
            if not guest:
                Press(say("save", lang), lambda: guarded(save), disabled=not file_stem(draft.name))
            Download(say("download_yaml", lang), f"{file_stem(draft.name) or 'scenario'}.yaml", lambda: draft.yaml())
            if not guest:  # their address opens the door, not the state of their page
                Share(lang)
            OpenFile(label=say("open_file", lang), most=MOST_BYTES, event_opened=receive)
            if there:
                Choice(
                    say("open_folder", lang),
                    "",
                    {"": "–"} | there,
                    lambda name: guarded(lambda: take(read_file(folder, name))) if name in there else None,
                    "open",
                )
        with solara.v.Html(tag="div", class_="ms-files"):
            if key and not guest:
                stem = file_stem(draft.name) or draft.base
                Download(say("tables_csv", lang), f"{stem}-csv.zip", lambda: tables("csv"), refused)
                Download(say("tables_parquet", lang), f"{stem}-parquet.zip", lambda: tables("parquet"), refused)
                Download(say("report", lang), f"{stem}-report.html", lambda: _report(key, session), refused)
        text, wrong = said
        if text:
            element("p", text, classes="ms-wrong" if wrong else "ms-change", role="alert" if wrong else "status")
        if not guest:
            element("p", say("files_note", lang, folder=str(folder)), classes="ms-note")


@solara.component
def Download(
    text: str, name: str, data: Callable[[], str | bytes], failed: Callable[[InputError], None] | None = None
) -> None:
    """A button that makes a file when it is pressed and hands it to the browser; ``failed`` is told why it cannot."""
    failures, set_failures = solara.use_state(0)

    def make() -> Any:
        try:
            return data()
        except InputError as error:
            if failed is None:
                raise
            failed(error)
            set_failures(failures + 1)  # with another function it may be asked for once more
            return None

    with solara.FileDownload(lasting(make, failures), filename=name):
        element("button", text, classes="ms-button", type="button")


def _result(key: str, draft: Draft) -> RunResult:
    """The result that is shown, called what the page calls it: runs are shared with all who have the same numbers."""
    result = current().engine.result(key)
    if result is None:
        raise InputError("the result is not kept any more; move to the charts and wait for them")
    name = draft.name or ("my_scenario" if draft.levers else draft.base)
    title = {"en": name_of(draft, "en"), "zh_hant": name_of(draft, "zh-Hant")}
    return replace(
        result,
        scenario=name,
        indicators=result.indicators.assign(scenario=name),
        provenance={**result.provenance, "scenario": name, "scenario_title": title},
    )


def packed(result: RunResult, kind: str, draft: Draft, lang: Lang) -> bytes:
    """All tables of a run in one file, with the scenario, what made them, and what their columns are."""
    from migrasim.runs import store

    made = io.BytesIO()
    file = f"{file_stem(draft.name) or 'scenario'}.yaml"
    sample = f" --sample {result.sample:g}" if result.sample < 1 else ""
    about = [run_text(result, lang), say("make_again", lang, file=file), f"migrasim run {file}{sample}"]
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(file, draft.yaml())
        archive.writestr("about.txt", "\ufeff" + "\r\n".join([*about, ""]))
        if kind == "csv":
            tables = {name: _alone(getattr(result, name), result) for name in TABLES}
            for name, table in {**tables, "columns": _columns(tables)}.items():
                archive.writestr(f"{name}.csv", "\ufeff" + table.to_csv(index=False))
        else:
            with tempfile.TemporaryDirectory() as place:
                store.write(result, Path(place))
                for path in sorted(Path(place).glob("*.parquet")):
                    archive.write(path, path.name)
    return made.getvalue()


def _alone(table: DataFrame, result: RunResult) -> DataFrame:
    """A table whose rows say which scenario and run they are of."""
    whose = {name: getattr(result, name) for name in ("run_id", "scenario", "seed")}
    rest = [name for name in table if name not in whose]
    return table.assign(**whose)[[*whose, *rest]]


def _columns(tables: Mapping[str, DataFrame]) -> DataFrame:
    """Unit and titles of all columns: text has no room for them."""
    import pandas as pd
    import pyarrow as pa

    from migrasim.runs import store

    rows = []
    for name, table in tables.items():
        plain = pa.schema([(str(column), pa.null()) for column in table])
        for column in store.described(plain, b""):
            about = {key.decode(): value.decode() for key, value in (column.metadata or {}).items()}
            rows.append({"table": name, "column": column.name, **about})
    return pd.DataFrame(rows)


def _report(key: str, session: Session) -> str:
    """The same report as `migrasim report` writes, of what is shown."""
    from migrasim.present import report

    return report.page(_result(key, session.draft), session.lang.value)
