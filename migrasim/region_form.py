"""What a region.yaml holds: its schema, and what else must be so before any table is read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from migrasim.core.codes import Sector
from migrasim.core.documents import faults, read_mapping
from migrasim.core.errors import InputError, nearest
from migrasim.facts import Number, Pair, Status, Text, Title, Year
from migrasim.region_files import COLUMNS


def _plain(name: str) -> str:
    if "/" in name:
        raise ValueError(f"'{name}' has a slash, which parts a county from its places; leave it out")
    return name


Whole = Annotated[int, Field(strict=True)]
Above = Annotated[Number, Field(gt=0)]
Name = Annotated[Text, AfterValidator(_plain)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class _County(_Strict):
    code: Whole
    en: Name
    zh: Name
    zh_hant: Name | None = None


class _Chain(_Strict):
    id: Text
    title: Title
    sectors: Annotated[list[Text], Field(min_length=1)]


class _Prefecture(_Strict):
    code: Whole
    zh: Text


class _Near(_Strict):
    title: Title
    definition: str | None = None
    cities: Annotated[list[Text], Field(min_length=1)]


class _Far(_Strict):
    title: Title
    definition: str | None = None
    travel_min: Above
    status: Status
    source: str | None = None


class _Outside(_Strict):
    near: _Near
    far: _Far


class _Cluster(_Strict):
    year: Year
    yuan: Above
    count: Annotated[Whole, Field(gt=0)]


class _Travel(_Strict):
    road_factor: Annotated[Number, Field(ge=1)]
    road_factor_range: Pair | None = None
    village_km_h: Above
    between_seats_km_h: Above
    outside_km_h: Above
    access_min: Annotated[Number, Field(ge=0)]
    status: Status
    source: str | None = None


class _Villages(_Strict):
    status: Status
    source: str | None = None
    town_suffix: Text = "镇"
    township_suffix: Text = "乡"


class _Figure(_Strict):
    value: Above
    status: Status | None = None
    source: str | None = None


class _People(_Strict):
    registered_total_2020: _Figure
    urban_registered_2020: _Figure
    land_mu_per_rural_person: dict[Text, _Figure] = Field(default_factory=dict)


class _Series(_Strict):
    indicator: Text
    factor: Above


class _Table(_Strict):
    source: str | None = None


class _RegionFile(_Strict):
    """Schema of a region.yaml."""

    schema_version: Annotated[Whole, Field(ge=1, le=1)] = 1
    name: Text
    title: Title
    prefecture: _Prefecture
    core_county: Text
    map: Text = "map.geojson"
    map_note: Title | None = None
    counties: Annotated[list[_County], Field(min_length=1)]
    chains: list[_Chain]
    outside: _Outside
    targets: dict[Year, Annotated[Number, Field(ge=0, le=1)]]
    clusters: list[_Cluster] = Field(default_factory=list)
    travel: _Travel
    villages: _Villages | None = None
    population: _People
    record: dict[Text, _Series] = Field(default_factory=dict)
    tables: dict[Text, _Table | None]
    notice: str | None = None


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping of a region.yaml, as its schema wants it; else an `InputError`."""
    about = _mapping(path)
    if wrong := _faults(path, about):
        raise InputError(wrong[0])
    return about


def faults_of(path: Path) -> list[str]:
    """All that is wrong with the form of a region.yaml, one message each."""
    try:
        return _faults(path, _mapping(path))
    except InputError as error:
        return [str(error)]


def _faults(path: Path, about: dict[str, Any]) -> list[str]:
    """What the schema refuses, then names and codes that stand twice or nowhere."""
    if wrong := faults(_RegionFile, about, str(path), ""):
        return wrong
    counties: list[dict[str, Any]] = about["counties"]
    wrong = [
        f"{path}: counties: {key} {one!r} stands twice; every county has its own"
        for key in ("code", "en", "zh", "zh_hant")
        for one, count in Counter(county[key] for county in counties if county.get(key)).items()
        if count > 1
    ]
    names = [county["en"] for county in counties]
    known = [*names, *(county["zh"] for county in counties)]
    if about["core_county"] not in names:
        hint = nearest(about["core_county"], names)
        wrong.append(f"{path}: core_county: {about['core_county']!r} is no county; allowed: {_listed(names, hint)}")
    for name in about["population"].get("land_mu_per_rural_person", {}):
        if name not in known:
            where = f"{path}: population.land_mu_per_rural_person"
            wrong.append(f"{where}: {name!r} is no county; allowed: {_listed(names, nearest(name, known))}")
    chains = [chain["id"] for chain in about["chains"]]
    wrong += [
        f"{path}: chains: {one!r} stands twice; every chain has an id of its own"
        for one, count in Counter(chains).items()
        if count > 1
    ]
    sectors = [sector.name for sector in Sector if sector != Sector.NONE]
    for chain in about["chains"]:
        for name in chain["sectors"]:
            if name not in sectors:
                hint = _listed(sectors, nearest(name, sectors))
                wrong.append(f"{path}: chains: {chain['id']}: sector {name!r} is unknown; allowed: {hint}")
    wrong += [
        f"{path}: tables: {name!r} is missing; every region needs it; allowed: a table and its source"
        for name in COLUMNS
        if name not in about["tables"]
    ]
    return wrong


def _listed(names: Sequence[str], hint: str) -> str:
    return f"{', '.join(names)}. {hint}".rstrip()


def _mapping(path: Path) -> dict[str, Any]:
    if not os.path.lexists(path):
        raise InputError(f"{path}: no such file; a region is a folder with region.yaml and tables/")
    return read_mapping(path)
