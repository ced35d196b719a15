"""What a server of pages was started with: one for the process, set before the first page opens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from migrasim.core.language import Lang
from migrasim.present.explorer.draft import Draft
from migrasim.present.explorer.engine import Engine

if TYPE_CHECKING:
    from migrasim.present.workshop.host import Host


@dataclass(frozen=True)
class Serving:
    """Engine, folder, first draft and language of a server, and its workshop where it holds one."""

    engine: Engine
    folder: Path
    start: Draft
    lang: Lang = "en"
    workshop: Host | None = None


_now: list[Serving] = []


def serve(serving: Serving) -> None:
    """Set what the pages of this process use."""
    _now[:] = [serving]


def current() -> Serving:
    """What the pages of this process use."""
    return _now[0]


@lru_cache(maxsize=4)
def county_map(lang: Lang) -> str:
    """The schematic map of the region with the names of counties in a language, as charts need it: GeoJSON."""
    import json

    from migrasim.present.explorer.draft import region

    place = region()
    titles = {str(one.code): {"en": one.en, "zh-Hant": one.zh_hant, "zh-Hans": one.zh}[lang] for one in place.counties}
    shapes = json.loads(place.map.read_text(encoding="utf-8"))
    features = [
        {**each, "properties": {"name": titles[str(each["properties"]["adcode"])]}} for each in shapes["features"]
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
