"""The synthetic population: persons and households of a base year, cached by what they were made of."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from migrasim.core.errors import InputError
from migrasim.core.rule import cache_root

if TYPE_CHECKING:
    import pandas as pd

    from migrasim.region import Region

BASES = (2010, 2020)
_KEPT = 16
_LISTING = "columns.json"  # the seal of the rest on its first line, then columns with the seals of their files
_Tables = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


@dataclass
class Population:
    """Persons and households in columns (`tables`), sorted by household.

    ``weight`` is how many people a row stands for, ``key`` the hash of what it was made of.
    Columns are read-only views of files in the cache, which processes share; copy before writing.
    """

    persons: dict[str, np.ndarray]
    households: dict[str, np.ndarray]
    weight: float
    base: int
    sample: float
    seed_population: int
    key: str
    region: Region

    @cached_property
    def fit(self) -> pd.DataFrame:
        """Every published marginal against the synthetic one; see `migrasim.population.fit`."""
        from migrasim.population.fit import fit

        return fit(self, self.region)


def index(household: np.ndarray, households: int) -> tuple[np.ndarray, np.ndarray]:
    """First row and number of members of each household, of persons sorted by household."""
    members = np.bincount(household, minlength=households).astype(np.int16)
    first = np.zeros(households, np.int32)
    np.cumsum(members[:-1], out=first[1:])
    return first, members


def load(
    region: Region,
    base: int = 2020,
    sample: float = 1.0,
    seed_population: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Population:
    """The synthetic population of a region, from the cache or built now.

    Parameters
    ----------
    region
        The region package.
    base
        Census year: 2020 or 2010.
    sample
        Share of whole households; a smaller sample is a subset of a larger one.
    seed_population
        Seed of the synthesis and of the sample.
    progress
        Called with a word when a population has to be built.

    Raises
    ------
    InputError
        Where the base year or the share is not possible, or nobody is in the share.
    """
    if base not in BASES:
        raise InputError(f"base {base}: no census of that year; allowed: {', '.join(map(str, BASES))}")
    if not 0.0 < sample <= 1.0:
        raise InputError(f"sample {sample}: must be above 0 and at most 1")
    key = cache_key(region, base, seed_population)
    folder = cache_root() / "population" / key
    part = folder if sample == 1.0 else folder.with_name(f"{folder.name}-{sample!r}")
    tables = _read(part)
    if tables is None and part != folder:
        tables = _keep(part, _draw(*_whole(folder, region, base, seed_population, progress), sample, seed_population))
    persons, households = tables or _whole(folder, region, base, seed_population, progress)
    if not len(households["key"]):
        raise InputError(f"sample: {sample} is not allowed: no household is in so small a share; give a larger one")
    return Population(persons, households, 1.0 / sample, base, sample, seed_population, key, region)


def cache_key(region: Region, base: int, seed_population: int) -> str:
    """Hash of the region's folder, the sources and facts of the synthesis, the base year and the seed."""
    here = Path(__file__).resolve().parent
    digest = hashlib.sha256(f"{region.region_hash} {base} {seed_population}".encode())
    for path in [
        *sorted(here.glob("*.py")),
        here / "facts.yaml",
        here.parent / "domains" / "demography" / "facts.yaml",
        here.parent / "region.py",
        here.parent / "core" / "chance.py",
        here.parent / "core" / "codes.py",
    ]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def _whole(
    folder: Path, region: Region, base: int, seed_population: int, progress: Callable[[str], None] | None
) -> _Tables:
    """Everybody, read or built."""
    tables = _read(folder)
    if tables is None:
        if progress is not None:
            progress(f"population {base}")
        from migrasim.population.synthesis import build

        tables = _keep(folder, build(region, base, seed_population))
    return tables


def _keep(folder: Path, tables: _Tables) -> _Tables:
    """Tables as they were kept, whose columns processes share; as they were made where they cannot be kept."""
    _write(folder, tables)
    return _read(folder) or tables


def _draw(persons: dict[str, np.ndarray], households: dict[str, np.ndarray], sample: float, seed: int) -> _Tables:
    from migrasim.population.sampling import sample_mask

    kept = sample_mask(persons, households, seed, sample)
    row = np.cumsum(kept, dtype=np.int32) - 1
    members = kept[persons["household"]]
    persons = {name: column[members] for name, column in persons.items()}
    persons["household"] = row[persons["household"]].astype(np.int32)
    return persons, {name: column[kept] for name, column in households.items()}


def _read(folder: Path) -> _Tables | None:
    """Tables that were kept; None where there are none, or where a byte of them is not what was written."""
    try:
        seal, listing = (folder / _LISTING).read_bytes().split(b"\n", 1)
        if seal.decode() != hashlib.sha256(listing).hexdigest():
            return None
        names: dict[str, dict[str, str]] = json.loads(listing)
        persons, households = (
            {name: _column(folder / f"{kind}.{name}.npy", seal) for name, seal in names[kind].items()}
            for kind in ("persons", "households")
        )
    except (OSError, ValueError, KeyError):
        return None
    return persons, households


def _column(path: Path, seal: str) -> np.ndarray:
    """A column of a file, of which nothing is believed before its seal was held against it."""
    if _seal(path) != seal:
        raise ValueError(f"{path}: damaged")
    return np.asarray(np.load(path, mmap_mode="r"))


def _seal(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(folder: Path, tables: _Tables) -> None:
    """Write to a folder beside it and rename, so that nobody ever sees a half-written population."""
    draft = folder.with_name(f"{folder.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
    try:
        draft.mkdir(parents=True)
        names: dict[str, dict[str, str]] = {}
        for kind, table in zip(("persons", "households"), tables, strict=True):
            for name, column in table.items():
                np.save(draft / f"{kind}.{name}.npy", column)
            names[kind] = {name: _seal(draft / f"{kind}.{name}.npy") for name in table}
        listing = json.dumps(names).encode()
        (draft / _LISTING).write_bytes(hashlib.sha256(listing).hexdigest().encode() + b"\n" + listing)
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
        else:
            folder.unlink(missing_ok=True)
        draft.rename(folder)
        aged = sorted(
            (path for path in folder.parent.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime
        )
        for old in aged[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError:  # no room or no right to keep it: built anew next time
        shutil.rmtree(draft, ignore_errors=True)
