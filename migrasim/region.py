"""A region package: census tables, places, villages, distances and outline of one prefecture.

A region is a folder with ``region.yaml`` and ``tables/*.csv``; nothing in the code names one. The
package ships regions under ``migrasim/regions``; any other folder works by its path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from migrasim.core.codes import N_OUTSIDE, N_TIERS, Sector, Tier
from migrasim.core.errors import InputError, nearest
from migrasim.core.interrupts import held_back
from migrasim.region_files import AGES, COLUMNS, read_table, write_template
from migrasim.region_form import faults_of, read_yaml

if TYPE_CHECKING:
    import pandas as pd

REGIONS = Path(__file__).resolve().parent / "regions"
BASES = (2010, 2020)
FIT = "fit"  # folder of a region: series to fit to, and the parameters that were fitted
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True)
class County:
    """One county-level unit: census ``code``, name in English, simplified and traditional Chinese."""

    code: int
    en: str
    zh: str
    zh_hant: str


@dataclass(frozen=True)
class Chain:
    """One industrial chain: ``number`` (1.. in plan order), id, titles, sectors of its workers."""

    number: int
    id: str
    title: Mapping[str, str]
    sectors: tuple[Sector, ...]


@dataclass(frozen=True)
class Township:
    """One township: name, county, ``kind`` (town, township, subdistrict) and committees."""

    name: str
    county: int
    kind: str
    villages: int
    residents_committees: int


class Region:
    """All that is known about a prefecture, read once and never changed.

    Parameters
    ----------
    folder
        Folder with ``region.yaml`` and ``tables``. Use `Region.load` for names.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record_yaml: dict[str, Any] = read_yaml(folder / "region.yaml")
        about = self.record_yaml
        self.name: str = str(about["name"])
        self.title: dict[str, str] = about["title"]
        self.counties = [
            County(row["code"], row["en"], row["zh"], row.get("zh_hant") or row["zh"]) for row in about["counties"]
        ]
        names = self.county_names
        self.core_county = names.index(about["core_county"])
        self.chains = [
            Chain(number, row["id"], row["title"], tuple(Sector[name] for name in row["sectors"]))
            for number, row in enumerate(about["chains"], 1)
        ]
        self.targets = {int(year): float(share) for year, share in about["targets"].items()}
        self.map = folder / about.get("map", "map.geojson")
        self.tables: dict[str, pd.DataFrame] = {table: read_table(folder, table) for table in about["tables"]}

    @classmethod
    def load(cls, name_or_path: str | Path) -> Region:
        """A shipped region by its name, or any region by the path of its folder.

        Raises
        ------
        InputError
            Where there is no such region, or a table or column of it is missing or broken.
        """
        text = str(name_or_path)
        shipped = cls.shipped()
        if text in shipped:
            return cls(REGIONS / text)
        folder = Path(text)
        if os.path.isdir(folder):  # noqa: PTH112 (pathlib raises on names too long)
            if wrong := validate(folder):
                more = f" (and {len(wrong) - 1} more: migrasim region --validate)" if len(wrong) > 1 else ""
                raise InputError(f"{wrong[0]}{more}")
            return cls(folder)
        hint = nearest(text, shipped)
        raise InputError(f"region {text!r} is unknown; known: {', '.join(shipped)}" + (f"; {hint}" if hint else ""))

    @classmethod
    def shipped(cls) -> list[str]:
        """Names of the regions that ship."""
        return sorted(path.parent.name for path in REGIONS.glob("*/region.yaml"))

    @classmethod
    def only(cls) -> Region:
        """The region that ships, where it is the only one.

        Raises
        ------
        InputError
            Where there are several to choose from.
        """
        shipped = cls.shipped()
        if len(shipped) != 1:
            raise InputError(f"region: give the name of one; known: {', '.join(shipped)}")
        return cls.load(shipped[0])

    # -- names and numbers -------------------------------------------------------------------

    @property
    def county_names(self) -> list[str]:
        """English names of the counties, in order."""
        return [county.en for county in self.counties]

    @property
    def county_called(self) -> dict[str, str]:
        """English names of the counties by their Chinese ones, simplified and traditional."""
        return {name: county.en for county in self.counties for name in (county.zh, county.zh_hant)}

    @property
    def n_counties(self) -> int:
        return len(self.counties)

    @property
    def inside(self) -> int:
        """Number of places inside, and the number of the near outside place."""
        return N_TIERS * self.n_counties

    @property
    def n_places(self) -> int:
        return self.inside + N_OUTSIDE

    @property
    def near(self) -> int:
        return self.inside

    @property
    def far(self) -> int:
        return self.inside + 1

    @property
    def core(self) -> int:
        """The core city: the seat of the core county."""
        return N_TIERS * self.core_county + int(Tier.SEAT)

    @cached_property
    def place_names(self) -> list[str]:
        """Names of all places: ``<County>/village``, ``/town``, ``/seat``, then ``near`` and ``far``."""
        return [f"{c}/{tier.name.lower()}" for c in self.county_names for tier in Tier] + ["near", "far"]

    def place(self, name: str) -> int:
        """Number of a place from its name as `place_names` has it."""
        if name not in self.place_names:
            raise InputError(f"place {name!r} is unknown; {nearest(name, self.place_names) or 'see place_names'}")
        return self.place_names.index(name)

    def county(self, name: str | int) -> int:
        """Number of a county from its English or Chinese name or its code."""
        for number, county in enumerate(self.counties):
            if str(name) in (county.en, county.zh, county.zh_hant, str(county.code)):
                return number
        known = [*self.county_names, *(c.zh for c in self.counties)]
        hint = nearest(name, known)
        raise InputError(
            f"county {name!r} is unknown; known: {', '.join(self.county_names)}" + (f"; {hint}" if hint else "")
        )

    def chain(self, name: str) -> int:
        """Number (1..) of a chain from its id."""
        ids = [chain.id for chain in self.chains]
        if name not in ids:
            raise InputError(f"chain {name!r} is unknown; {nearest(name, ids) or 'known: ' + ', '.join(ids)}")
        return ids.index(name) + 1

    # -- villages and communities ------------------------------------------------------------

    @cached_property
    def townships(self) -> list[Township]:
        """All townships, county by county in the order of the table."""
        rows = self.tables["labour_demography"]
        rows = rows[rows["indicator"].isin(["village_committees", "residents_committees"])]
        rows = rows[rows["area"].str.contains("/", regex=False)]
        about = self.record_yaml.get("villages") or {}
        town, township = about.get("town_suffix", "镇"), about.get("township_suffix", "乡")
        counts: dict[tuple[int, str], dict[str, int]] = {}
        for area, indicator, value, note in zip(
            rows["area"], rows["indicator"], rows["value"], rows["note"].fillna(""), strict=True
        ):
            if note != "township level":
                continue
            county, name = str(area).split("/", 1)
            counts.setdefault((self.county(county), name), {})[indicator] = int(float(value))
        found = []
        for (county_number, name), count in sorted(counts.items(), key=lambda item: item[0][0]):
            kind = "town" if name.endswith(town) else "township" if name.endswith(township) else "subdistrict"
            villages = count.get("village_committees", 0)
            found.append(Township(name, county_number, kind, villages, count.get("residents_committees", 0)))
        return found

    @cached_property
    def villages(self) -> dict[str, np.ndarray]:
        """Columns of `population.tables.VILLAGES`, one row a village, ordered by county and township."""
        travel = self.record_yaml["travel"]
        per_km = float(travel["road_factor"]) / float(travel["village_km_h"]) * 60.0
        access = float(travel["access_min"])
        county, township, to_town, to_seat = [], [], [], []
        for c in range(self.n_counties):
            own = [(number, t) for number, t in enumerate(self.townships) if t.county == c and t.villages > 0]
            total = sum(t.villages for _, t in own)
            radius = np.sqrt(self.area_km2[c] / np.pi)
            order = sorted(range(len(own)), key=lambda i: (-own[i][1].residents_committees, i))
            centre = np.zeros((len(own), 2))
            for step, i in enumerate(order):
                centre[i] = _spiral(step, len(own), radius)
            for i, (number, t) in enumerate(own):
                spread = radius * np.sqrt(t.villages / total)
                for v in range(t.villages):
                    offset = _spiral(v, t.villages, spread)
                    point = centre[i] + offset
                    point *= min(1.0, radius / max(float(np.hypot(*point)), 1e-9))
                    county.append(c)
                    township.append(number)
                    to_town.append(access + per_km * float(np.hypot(*(point - centre[i]))))
                    to_seat.append(access + per_km * float(np.hypot(*point)))
        rows = len(county)
        return {
            "county": np.array(county, np.int8),
            "township": np.array(township, np.int16),
            "travel_town_min": np.array(to_town, np.float32),
            "travel_seat_min": np.array(to_seat, np.float32),
            "urban_since_year": np.zeros(rows, np.int16),
        }

    @property
    def n_villages(self) -> int:
        return int(self.villages["county"].size)

    @property
    def n_communities(self) -> int:
        return self.n_villages + 2 * self.n_counties + N_OUTSIDE

    @cached_property
    def community_county(self) -> np.ndarray:
        """(communities,) county of each community, -1 for the outside ones."""
        urban = np.repeat(np.arange(self.n_counties), 2)
        return np.concatenate([self.villages["county"], urban, [-1] * N_OUTSIDE]).astype(np.int8)

    @cached_property
    def community_names(self) -> list[str]:
        """Names of all communities: villages as ``<County>/<township>/<number>``, then towns, seats, outside."""
        names: list[str] = []
        seen: dict[int, int] = {}
        for county, number in zip(self.villages["county"], self.villages["township"], strict=True):
            seen[number] = seen.get(number, 0) + 1
            names.append(f"{self.county_names[county]}/{self.townships[number].name}/{seen[number]}")
        return names + [f"{c}/{t}" for c in self.county_names for t in ("town", "seat")] + ["near", "far"]

    def community(self, name: str) -> int:
        """Number of a community from its name."""
        if name not in self.community_names:
            raise InputError(f"community {name!r} is unknown; {nearest(name, self.community_names)}")
        return self.community_names.index(name)

    # -- distances ---------------------------------------------------------------------------

    @cached_property
    def area_km2(self) -> np.ndarray:
        return self._by_county("county_seats", "area_km2")

    @cached_property
    def seat_min(self) -> np.ndarray:
        """(counties, counties + 2) minutes from each seat to each seat and to near and far outside."""
        travel, outside = self.record_yaml["travel"], self.record_yaml["outside"]
        table = self.tables["distance_great_circle_km"].set_index("from")
        names = self.county_names
        km = table.loc[names, names].to_numpy(float) * float(travel["road_factor"])
        away = table.loc[names, list(outside["near"]["cities"])].to_numpy(float).mean(axis=1)
        minutes = np.empty((len(names), len(names) + N_OUTSIDE))
        minutes[:, : len(names)] = km / float(travel["between_seats_km_h"]) * 60.0
        minutes[:, len(names)] = away * float(travel["road_factor"]) / float(travel["outside_km_h"]) * 60.0
        minutes[:, len(names) + 1] = float(outside["far"]["travel_min"])
        return minutes

    @cached_property
    def community_travel_min(self) -> np.ndarray:
        """(communities, places) minutes from each community to each place by its own town and seat."""
        village, c_all = self.villages, self.n_counties
        county = self.community_county.astype(int)
        town_seat = self._town_to_seat_min()
        to_seat = np.concatenate(
            [village["travel_seat_min"].astype(float), np.column_stack([town_seat, 0 * town_seat]).ravel(), [0, 0]]
        )
        to_town = np.concatenate(
            [village["travel_town_min"].astype(float), np.column_stack([0 * town_seat, town_seat]).ravel(), [0, 0]]
        )
        mean_village = np.array(
            [village["travel_seat_min"][village["county"] == c].mean() for c in range(c_all)], float
        )
        minutes = np.zeros((self.n_communities, self.n_places))
        for place in range(self.inside):
            c, tier = divmod(place, N_TIERS)
            last = np.array([mean_village[c], town_seat[c], 0.0])[tier]
            inside = county >= 0
            minutes[inside, place] = to_seat[inside] + self.seat_min[county[inside], c] + last
            minutes[~inside, place] = self.seat_min[c, c_all:] + last
            own = county == c
            if tier == Tier.TOWN:
                minutes[own, place] = to_town[own]
            elif tier == Tier.VILLAGE:
                minutes[: self.n_villages, place][own[: self.n_villages]] = 0.0
                town = self.n_villages + 2 * c  # a town to the villages around it, not to all of the county
                minutes[town, place] = village["travel_town_min"][village["county"] == c].mean()
        for k in range(N_OUTSIDE):
            inside = county >= 0
            minutes[inside, self.inside + k] = to_seat[inside] + self.seat_min[county[inside], c_all + k]
            minutes[self.n_communities - N_OUTSIDE + k, self.inside + 1 - k] = self.seat_min[:, -1].max()
        return minutes

    @cached_property
    def travel_min(self) -> np.ndarray:
        """(places, places) minutes from place to place; village rows are the mean of the county's villages."""
        minutes = np.zeros((self.n_places, self.n_places))
        table, villages = self.community_travel_min, self.n_villages
        for c in range(self.n_counties):
            minutes[N_TIERS * c] = table[:villages][self.villages["county"] == c].mean(axis=0)
            minutes[N_TIERS * c + 1 : N_TIERS * c + 3] = table[villages + 2 * c : villages + 2 * c + 2]
        minutes[self.inside :] = table[-N_OUTSIDE:]
        return minutes

    def _town_to_seat_min(self) -> np.ndarray:
        """(counties,) mean minutes from a town to the seat: of its villages, less the way to their town."""
        village = self.villages
        way = village["travel_seat_min"].astype(float) - 0.5 * village["travel_town_min"]
        return np.array([way[village["county"] == c].mean() for c in range(self.n_counties)])

    # -- published figures -------------------------------------------------------------------

    @cached_property
    def split_weights(self) -> np.ndarray:
        """(counties,) share of each county in the urban residents of 2020."""
        urban = self.census(2020, "urban_pop")
        return np.asarray(urban / urban.sum())

    @cached_property
    def seat_share(self) -> np.ndarray:
        """(counties,) share of the seat in the urban residents; printed for cities, a judgement elsewhere."""
        printed = self.long("city_proper_share_of_urban", 2020, missing=np.nan) / 100.0
        judged = self.long("seat_share_of_urban_residents", 2020, missing=np.nan)
        share = np.where(np.isnan(printed), judged, printed)
        if np.isnan(share).any():
            county = self.county_names[int(np.flatnonzero(np.isnan(share))[0])]
            where = self.folder / "tables" / "labour_demography.csv"
            raise InputError(f"{where}: no seat share of urban residents for {county}")
        return np.asarray(share)

    @cached_property
    def clusters(self) -> tuple[dict[str, float], ...]:
        """Targets of the plan for industrial clusters: year, yuan of output of a cluster, number of them."""
        return tuple(self.record_yaml.get("clusters", ()))

    @cached_property
    def cpi(self) -> dict[int, float]:
        """Change of consumer prices over the year before, in percent, by year."""
        table = self.tables["cpi"]
        try:
            return dict(
                zip(table["year"].astype(int), table["consumer_price_change_percent"].astype(float), strict=True)
            )
        except ValueError as error:
            where = self.folder / "tables" / "cpi.csv"
            raise InputError(f"{where}: is no readable table of numbers ({error})") from None

    @cached_property
    def record(self) -> dict[str, dict[int, float]]:
        """Published yearly series of the prefecture, in persons or shares: series -> year -> value."""
        table = self.tables["city_annual"]
        table = table[(table["area"] == self.record_yaml["prefecture"]["zh"])]
        table = table[table["status"].str.startswith(("published", "calculated"))]
        table = table[~table["note"].fillna("").str.contains("pre-census")]  # another basis, not to be joined
        series: dict[str, dict[int, float]] = {}
        for name, about in self.record_yaml.get("record", {}).items():
            rows = table[table["indicator"] == about["indicator"]]
            series[name] = {
                int(year): float(value) * float(about["factor"])
                for year, value in zip(rows["year"], rows["value"], strict=True)
            }
        return series

    @cached_property
    def ensemble(self) -> pd.DataFrame:
        """Fitted parameters: a row a vector, the best first, a column a fact; empty where nothing was fitted."""
        import pandas as pd

        path = self.folder / FIT / "ensemble.csv"
        if not path.is_file():
            return pd.DataFrame()
        try:
            with held_back():
                return pd.read_csv(path, index_col="vector").astype(float)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: is no readable table of numbers ({str(error).splitlines()[0]})") from None

    @property
    def fitted(self) -> dict[str, float]:
        """The best vector of fitted parameters by fact; empty where nothing was fitted."""
        return {} if self.ensemble.empty else {str(name): float(x) for name, x in self.ensemble.iloc[0].items()}

    @cached_property
    def chain_jobs(self) -> np.ndarray:
        """(counties, chains + 1) jobs of the chains in 2020; column 0 is empty."""
        jobs = np.zeros((self.n_counties, len(self.chains) + 1), np.int64)
        table = self.tables["chain_jobs_2020"]
        for county, chain, count in zip(table["county"], table["chain"], table["jobs"], strict=True):
            jobs[self.county(county), self.chain(chain)] += int(count)
        return jobs

    @property
    def chain_weights(self) -> dict[str, np.ndarray]:
        """(counties,) by chain: how new jobs of a chain are split, by where it stood in 2020."""
        totals = self.chain_jobs.sum(axis=0)
        return {
            chain.id: self.chain_jobs[:, chain.number] / totals[chain.number]
            for chain in self.chains
            if totals[chain.number]
        }

    def census(self, base: int, column: str) -> np.ndarray:
        """(counties,) one column of the county table of a census year."""
        return self._by_county(f"county_{base}", column)

    def long(self, indicator: str, year: int, missing: float | None = None) -> np.ndarray:
        """(counties,) one indicator of `labour_demography.csv` by county."""
        found = self._long.get((indicator, str(year)), {})
        values = np.full(self.n_counties, np.nan)
        for number, county in enumerate(self.counties):
            values[number] = found.get(county.zh, np.nan)
        if np.isnan(values).any():
            if missing is None:
                county_name = self.counties[int(np.flatnonzero(np.isnan(values))[0])].zh
                where = self.folder / "tables" / "labour_demography.csv"
                raise InputError(f"{where}: no row {indicator!r} for {county_name} in {year}")
            values = np.where(np.isnan(values), missing, values)
        return values

    def age_by_sex(self, base: int) -> np.ndarray:
        """(counties, 18, 2) residents by five-year age group and sex (male, female)."""
        counts = np.zeros((self.n_counties, len(AGES), 2), np.int64)
        for g, group in enumerate(AGES):
            for s, sex in enumerate(("male", "female")):
                counts[:, g, s] = self.long(f"pop_age_{group}_{sex}", base).astype(np.int64)
        return counts

    @cached_property
    def region_hash(self) -> str:
        """Hash of everything in the folder but what was fitted to it: `fit` changes no population."""
        digest = hashlib.sha256()
        files = [path for path in self.folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
        for path in sorted(path for path in files if path.relative_to(self.folder).parts[0] != FIT):
            digest.update(path.relative_to(self.folder).as_posix().encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    @cached_property
    def _long(self) -> dict[tuple[str, str], dict[str, float]]:
        import pandas as pd

        table = self.tables["labour_demography"]
        values = pd.to_numeric(table["value"], errors="coerce")
        found: dict[tuple[str, str], dict[str, float]] = {}
        for indicator, year, area, value in zip(
            table["indicator"], table["year"].astype(str), table["area"], values, strict=True
        ):
            found.setdefault((indicator, year), {})[area] = float(value)
        return found

    def _by_county(self, table: str, column: str) -> np.ndarray:
        frame = self.tables[table]
        where = self.folder / "tables" / f"{table}.csv"
        if column not in frame.columns:
            raise InputError(f"{where}: column {column!r} is missing; {nearest(column, frame.columns)}")
        codes = [str(code).removesuffix(".0") for code in frame["adcode"]]
        found = dict(zip(codes, frame[column], strict=True))
        values = []
        for county in self.counties:
            code = str(county.code)
            if code not in found:
                raise InputError(f"{where}: no row with adcode {code} ({county.en})")
            if codes.count(code) > 1:
                raise InputError(f"{where}: adcode {code} ({county.en}) stands twice; keep one row")
            try:
                values.append(float(found[code]))
            except (TypeError, ValueError):
                raise InputError(f"{where}: {column} of {county.en}: {found[code]!r} is no number") from None
        return np.array(values)


def describe(region: Region) -> list[dict[str, Any]]:
    """What a region holds and how complete it is: one row an item (item, count, complete, source)."""
    rows: list[dict[str, Any]] = [
        {"item": "counties", "count": region.n_counties, "complete": 1.0, "source": "region.yaml"},
        {"item": "places", "count": region.n_places, "complete": 1.0, "source": "three tiers a county, near and far"},
        {"item": "townships", "count": len(region.townships), "complete": 1.0, "source": "labour_demography.csv"},
        {
            "item": "villages",
            "count": region.n_villages,
            "complete": 1.0,
            "source": "labour_demography.csv; places assumed",
        },
        {"item": "chains", "count": len(region.chains), "complete": 1.0, "source": "region.yaml"},
    ]
    for name, about in region.record_yaml["tables"].items():
        frame = region.tables[name]
        filled = float(frame.notna().to_numpy().mean()) if frame.size else 0.0
        source = str((about or {}).get("source", ""))
        rows.append({"item": f"table {name}", "count": len(frame), "complete": round(filled, 3), "source": source})
    return rows


def validate(path: str | Path) -> list[str]:
    """All that is wrong with a region folder, one message each; empty where it can be used.

    What the tables say is looked at where region.yaml and the tables can be read.
    """
    from migrasim.region_checks import problems

    folder = Path(path)
    found = faults_of(folder / "region.yaml")
    if not os.path.lexists(folder / "region.yaml"):
        return found  # no region at all: nothing else need be told
    for table in COLUMNS:
        try:
            read_table(folder, table)
        except InputError as error:
            found.append(str(error))
    if found:
        return found
    try:
        return list(problems(Region(folder)))
    except InputError as error:
        return [str(error)]


def _spiral(step: int, steps: int, radius: float) -> np.ndarray:
    """Point `step` of a sunflower spiral of `steps` points that fills a disc evenly (km)."""
    away, angle = radius * np.sqrt((step + 0.5) / steps), step * _GOLDEN_ANGLE
    return np.array([away * np.cos(angle), away * np.sin(angle)])


__all__ = ["Chain", "County", "Region", "Township", "describe", "validate", "write_template"]
