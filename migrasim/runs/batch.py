"""The folder of a batch: what was asked for, what is done, and the tables that others read.

::

    DIR/manifest.json           name, title, version of the model, what is kept, digest of every file
    DIR/design.parquet          one row per request, in order: run_id, label, own columns, the request itself
    DIR/runs.parquet            one row per distinct run, in order: what determines it, status, error
    DIR/indicators/part-*.parquet   and the siblings: 100 or 1,000 runs a file, a row group a level, prefecture first
    DIR/summary.csv             one row per run: own columns and the main indicators of some years
    DIR/execution.parquet       seconds, host, attempts, tracebacks: the only table that two makings may differ in
    DIR/.work                   parts of runs that are not in the tables yet; gone when the batch is finished

Two requests that come to the same run have two rows in ``design.parquet`` and one in all other tables.
Nothing is ever changed in place: new files are written to ``.work/next``, then a list of them (the
commit), then they are moved; whoever finds a commit carries it out. So a process may end at any point.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.core.errors import InputError
from migrasim.core.rule import BESIDE_THE_MODEL, PACKAGE
from migrasim.runs import store
from migrasim.runs.result import LEVELS as LEVELS
from migrasim.runs.simulate import SCHEMA_VERSION, model_hash, only_region
from migrasim.runs.spec import RunSpec
from migrasim.runs.worker import ATTEMPTS, PARTS, SUFFIX, Part, atomic

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas import DataFrame, Series

KIND = "migrasim batch"
WORK, MANIFEST, DESIGN, RUNS = ".work", "manifest.json", "design.parquet", "runs.parquet"
NEXT, COMMIT, DAMAGED, LOCK = "next", "commit.json", "damaged", ".lock"
_ASKED = ("run_id", "label", "request", "scenario_file")  # columns of the design that are not its own


_COMMON = frozenset(
    "run_id label request scenario_file scenario seed sample base until status error future alternatives "  # noqa: SIM905
    "schema_version content_hash versions".split()
)


def is_common(column: str) -> bool:
    """Whether ``runs.parquet`` has the column in every batch."""
    return column in _COMMON or column.startswith(("lever.", "parameter."))


@lru_cache(maxsize=1)
def model_version() -> str:
    """Hash of everything that the numbers of all runs hang on: sources, facts, region, form of the tables."""
    digest = hashlib.sha256(f"{model_hash()} {only_region().region_hash} {SCHEMA_VERSION}".encode())
    for path in sorted(PACKAGE.rglob("*.yaml")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.split("/")[0] not in ("_shipped", "regions", *BESIDE_THE_MODEL):
            digest.update(name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@dataclass
class Manifest:
    """What a batch says of itself; see the attributes of `migrasim.runs.runner.run_batch`.

    ``files`` gives the digest and the runs of every file of tables; it is empty before the first finish.
    """

    name: str
    title: dict[str, str]
    tables: list[str]
    levels: list[str]
    model: str
    version: str
    schema_version: int = SCHEMA_VERSION
    kind: str = KIND
    block: int = 100  # runs a file
    files: dict[str, dict[str, str]] = field(default_factory=dict)

    def text(self) -> str:
        """As it stands in the folder."""
        return json.dumps(vars(self), ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    def record(self) -> bytes:
        """What stands in the metadata of every table."""
        said = {name: value for name, value in vars(self).items() if name != "files"}
        return json.dumps(said, ensure_ascii=False, sort_keys=True).encode()


def manifest_of(folder: Path) -> Manifest | None:
    """The manifest of a folder; None where there is none.

    Raises
    ------
    InputError
        Where it cannot be read, or was written by a newer version.
    """
    path = folder / MANIFEST
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise InputError(f"{path}: is no manifest of a batch; give another folder")
    if data["schema_version"] > SCHEMA_VERSION:
        raise InputError(
            f"{path}: written with schema_version {data['schema_version']}; this version reads up to {SCHEMA_VERSION}"
        )
    return Manifest(**data)


@dataclass(frozen=True)
class Batch:
    """A finished batch, or what there is of one.

    Attributes
    ----------
    folder
        Where it lies.
    manifest
        What it says of itself.
    """

    folder: Path
    manifest: Manifest

    @staticmethod
    def open(folder: str | os.PathLike[str], *, unfinished: bool = False) -> Batch:
        """A batch from its folder.

        Parameters
        ----------
        folder
            The folder.
        unfinished
            Whether one is welcome in which runs are missing: its tables are those of the last finish.

        Raises
        ------
        InputError
            Where there is none, or runs are missing.
        """
        path = Path(folder)
        manifest = manifest_of(path)
        if manifest is None:
            raise InputError(f"{path}: no batch lies here ({MANIFEST} is missing)")
        batch = Batch(path, manifest)
        if not unfinished:
            missing = batch.missing()
            if missing:
                raise InputError(
                    f"{path}: {missing} of its runs are not made yet; give the command that began it once more"
                )
        return batch

    @property
    def runs(self) -> DataFrame:
        """One row per distinct run, in order."""
        frame: DataFrame = _read(self.folder / RUNS).to_pandas()
        return frame

    @property
    def design(self) -> DataFrame:
        """One row per request, in order: ``run_id``, ``label`` and its own columns."""
        import pyarrow.parquet as pq

        path = self.folder / DESIGN
        with sound(path):
            names = [name for name in pq.read_schema(path).names if name not in ("request", "scenario_file")]
        frame: DataFrame = _read(path, names).to_pandas()
        return frame

    @property
    def scenarios(self) -> Series[str]:
        """Name of the scenario of each request, in order."""
        texts = _read(self.folder / DESIGN, ["scenario_file"]).to_pandas()["scenario_file"].astype("category")
        names: Series[str] = texts.map(lambda text: json.loads(text)["name"]).astype(str)
        return names

    @property
    def failed(self) -> DataFrame:
        """Rows of `runs` that failed."""
        runs = self.runs
        return runs[runs["status"] != "done"]

    def missing(self) -> int:
        """Number of runs that are asked for and not in the tables."""
        asked = set(_read(self.folder / DESIGN, ["run_id"])["run_id"].to_pylist())
        path = self.folder / RUNS
        return len(asked - set(_read(path, ["run_id"])["run_id"].to_pylist())) if path.exists() else len(asked)

    def table(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        *,
        level: str | None = None,
        years: Sequence[int] | None = None,
    ) -> DataFrame:
        """One of the tables over all runs, in the order of the runs within each level.

        Parameters
        ----------
        name
            ``indicators, flows, decomposition, jobs, dwellings, chains, costs, groups``, as far as they are kept.
        columns
            Which; all where not given.
        level, years
            Rows that are wanted; only these are read.

        Raises
        ------
        InputError
            Where the batch does not keep the table, or a column is not in it.
        """
        import pyarrow.dataset as ds

        if name not in self.manifest.tables:
            raise InputError(
                f"{self.folder}: table '{name}' is not kept in this batch; it keeps {', '.join(self.manifest.tables)}"
            )
        files = sorted(str(path) for path in (self.folder / name).glob("part-*.parquet"))
        if not files:
            raise InputError(f"{self.folder / name}: is missing or damaged; give the command that began it once more")
        with sound(self.folder / name):
            data = store.dataset(files)
        wrong = [each for each in columns or () if each not in data.schema.names]
        if wrong:
            raise InputError(f"{self.folder}: table '{name}' has no column '{wrong[0]}'")
        wanted = None
        if level is not None and [level] != self.manifest.levels:
            wanted = ds.field("level") == level
        if years is not None:
            within = ds.field("year").isin(list(years))
            wanted = within if wanted is None else wanted & within
        with sound(self.folder / name):
            table = data.to_table(columns=None if columns is None else list(columns), filter=wanted)
        frame: DataFrame = table.to_pandas()
        return frame

    def requests(self, run_ids: Iterable[str] | None = None) -> dict[str, RunSpec]:
        """Requests by run id, to make runs again; the first of each."""
        design = Design.read(self.folder)
        if design is None:
            raise InputError(f"{self.folder / DESIGN}: is missing or damaged; give the command that began it once more")
        return design.specs(run_ids)


@contextlib.contextmanager
def sound(path: Path) -> Iterator[None]:
    """Read a file of a batch, or a folder of them; where that fails it is they that are damaged, not the program.

    Raises
    ------
    InputError
        Naming them.
    """
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None


def _read(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    import pyarrow.parquet as pq

    with sound(path):
        return pq.read_table(path, columns=columns, partitioning=None, page_checksum_verification=True)


def run_ids(path: Path) -> set[str]:
    """Runs of a table that has one row for each; none where it is missing or damaged."""
    try:
        return set(_read(path, ["run_id"])["run_id"].to_pylist())
    except InputError:
        return set()


@dataclass
class Design:
    """Requests in order, with their identities and columns of their own."""

    run_ids: list[str]
    labels: list[str]
    requests: list[str]
    scenarios: list[str]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.run_ids)

    @property
    def distinct(self) -> list[str]:
        """Runs in order, each once."""
        return list(dict.fromkeys(self.run_ids))

    @property
    def known(self) -> dict[tuple[str, str], str]:
        """Identity by request."""
        return dict(zip(zip(self.scenarios, self.requests, strict=True), self.run_ids, strict=True))

    def table(self) -> pa.Table:
        """As it is stored."""
        import pyarrow as pa

        asked = {
            "run_id": pa.array(self.run_ids, pa.string()),
            "label": pa.array(self.labels, pa.string()),
            **{name: _array(values) for name, values in self.columns.items()},
            "request": pa.array(self.requests, pa.string()),
            "scenario_file": pa.array(self.scenarios, pa.string()).dictionary_encode(),
        }
        return pa.table(asked)

    @staticmethod
    def read(folder: Path) -> Design | None:
        """The design of a folder; None where it is missing or damaged."""
        try:
            data = _read(folder / DESIGN).to_pydict()
        except InputError:
            return None
        own = {name: values for name, values in data.items() if name not in _ASKED}
        return Design(data["run_id"], data["label"], data["request"], data["scenario_file"], own)

    def specs(self, run_ids: Iterable[str] | None = None) -> dict[str, RunSpec]:
        """Requests by run id, the first of each; of some runs, or of all."""
        wanted = set(self.run_ids if run_ids is None else run_ids)
        found: dict[str, RunSpec] = {}
        scenarios: dict[str, Any] = {}
        for number, run_id in enumerate(self.run_ids):
            if run_id in wanted and run_id not in found:
                text = self.scenarios[number]
                scenario = scenarios.setdefault(text, json.loads(text))
                request = {**json.loads(self.requests[number]), "scenario": scenario, "label": self.labels[number]}
                found[run_id] = RunSpec.from_request(request)
        return found

    def followed_by(self, more: Design) -> Design:
        """This design, then what `more` adds to it."""
        known = self.known
        rows = [
            number for number, key in enumerate(zip(more.scenarios, more.requests, strict=True)) if key not in known
        ]
        names = dict.fromkeys([*self.columns, *more.columns])
        empty_here, empty_there = [None] * len(self), [None] * len(more)
        columns = {
            name: [
                *self.columns.get(name, empty_here),
                *(more.columns.get(name, empty_there)[number] for number in rows),
            ]
            for name in names
        }

        def both(first: list[str], second: list[str]) -> list[str]:
            return [*first, *(second[number] for number in rows)]

        return Design(
            both(self.run_ids, more.run_ids),
            both(self.labels, more.labels),
            both(self.requests, more.requests),
            both(self.scenarios, more.scenarios),
            columns,
        )

    def write(self, folder: Path, record: bytes) -> None:
        """Put it into the folder in one step."""
        import pyarrow.parquet as pq

        table = self.table()
        with atomic(folder / DESIGN) as draft:
            pq.write_table(table.cast(store.described(table.schema, record)), draft, **store.HOW)


def _array(values: Sequence[Any]) -> pa.Array:
    """A column; numbers and words in one become words."""
    import pyarrow as pa

    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        words = [None if each is None or each != each else str(each) for each in values]
        return pa.array(words, pa.string())


# -- finding what is done ----------------------------------------------------------------------------


def sound_files(folder: Path, manifest: Manifest) -> dict[str, dict[str, str]]:
    """Files of finished tables that are as they were written; damaged ones are moved aside."""
    sound = {}
    for name, about in manifest.files.items():
        path = folder / name
        if path.is_file() and file_digest(path) == about["sha256"]:
            sound[name] = about
        elif path.exists():
            set_aside(folder, path)
    return sound


def file_digest(path: Path) -> str:
    """Digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def set_aside(folder: Path, path: Path) -> None:
    """Move a damaged file out of the way; nothing is deleted."""
    aside = folder / WORK / DAMAGED
    aside.mkdir(parents=True, exist_ok=True)
    number = len(list(aside.iterdir()))
    path.rename(aside / f"{number}-{path.parent.name}-{path.name}")


def parts(folder: Path) -> Iterator[Path]:
    """Parts of runs that are not in the tables yet, in a fixed order."""
    yield from sorted((folder / WORK / PARTS).glob(f"[!.]*{SUFFIX}"))


def read_sound_part(folder: Path, path: Path, *, whole: bool = True) -> Part | None:
    """A part; None where it turned out to be damaged, and it is then moved aside."""
    try:
        return Part.read(path, whole=whole)
    except (OSError, ValueError):
        set_aside(folder, path)
        return None


# -- one at a time -----------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Keep other batches out of the folder; a process that ends, however, lets go.

    Raises
    ------
    InputError
        Where another process is at work in it.
    """
    try:
        import fcntl
    except ImportError:  # Windows: nothing is kept out
        yield
        return
    path = folder / LOCK
    with path.open("ab") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"{folder}: another process is making this batch; wait until it has ended") from None
        yield


def prepare(folder: Path) -> None:
    """Make the folder and what is needed in it; carry out what an interrupted finish had decided."""
    carry_out(folder)
    for name in (PARTS, ATTEMPTS):
        (folder / WORK / name).mkdir(parents=True, exist_ok=True)


def carry_out(folder: Path) -> None:
    """Move the files of a commit to their places; without a commit, forget the drafts."""
    work = folder / WORK
    drafts = work / NEXT
    commit = work / COMMIT
    if not commit.exists():
        shutil.rmtree(drafts, ignore_errors=True)
        return
    decided: Mapping[str, list[str]] = json.loads(commit.read_text(encoding="utf-8"))
    for name in decided["write"]:
        if (drafts / name).exists():
            (folder / name).parent.mkdir(exist_ok=True)
            (drafts / name).replace(folder / name)
    for name in decided["remove"]:
        (folder / name).unlink(missing_ok=True)
    for name in decided["parts"]:
        (work / PARTS / name).unlink(missing_ok=True)
    shutil.rmtree(drafts, ignore_errors=True)
    commit.unlink()
    tidy(folder)


def tidy(folder: Path) -> None:
    """Take away what a finished batch needs no more; what is damaged, or not in the tables, stays."""
    work = folder / WORK
    shutil.rmtree(work / ATTEMPTS, ignore_errors=True)
    for left in (work / PARTS, work):
        with contextlib.suppress(OSError):  # something is in it
            left.rmdir()
