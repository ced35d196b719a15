"""What a fit leaves with the region: the vectors that are kept, and the evidence for them."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import yaml

from migrasim.analysis.backtests import missed
from migrasim.analysis.calibration import FILE, Fit, overall
from migrasim.analysis.missed import EVIDENCE
from migrasim.core.errors import InputError, standing
from migrasim.core.rule import sources_hash
from migrasim.region import FIT, Region

if TYPE_CHECKING:
    from pandas import DataFrame

ENSEMBLE, TRIED = "ensemble.csv", "tried.parquet"
_DIGITS = 5  # significant digits of a parameter: no run can tell more


def ensemble_table(fit: Fit) -> DataFrame:
    """The vectors that are kept, the best first: ``vector`` and a column a parameter."""
    rounded = fit.vectors.loc[fit.ensemble].map(lambda number: float(f"{number:.{_DIGITS}g}"))
    return rounded.reset_index(drop=True).rename_axis("vector")


def tried(fit: Fit) -> DataFrame:
    """All vectors that were run: ``vector, wave``, a column a parameter, and a column a series (``s<row>``)."""
    import pandas as pd

    series = fit.values.T.add_prefix("s")
    head = pd.DataFrame({"vector": fit.vectors.index, "wave": fit.wave}, index=fit.vectors.index)
    return pd.concat([head, fit.vectors, series], axis=1)


class Tried(NamedTuple):
    """What a fit tried.

    Attributes
    ----------
    vectors
        A row a vector.
    values
        Their series: a row per row of the table of series, a column a vector.
    kept
        Numbers of the vectors that are kept, the best first.
    """

    vectors: DataFrame
    values: DataFrame
    kept: list[int]


def read_tried(region: Region, table: DataFrame) -> Tried | None:
    """What the region's fit tried; None where nothing was fitted.

    Raises
    ------
    InputError
        Where it belongs to another table of series.
    """
    import pandas as pd

    path = region.folder / FIT / TRIED
    if not path.is_file():
        return None
    frame = pd.read_parquet(path).set_index("vector")
    columns = [name for name in frame.columns if str(name).startswith("s") and str(name)[1:].isdigit()]
    values = frame[columns].T
    values.index = pd.Index([int(str(name)[1:]) for name in columns])
    if not values.index.isin(table.index).all():
        raise InputError(f"{path}: made for another fit/series.csv; `migrasim calibrate` makes it anew")
    about = yaml.safe_load((region.folder / FIT / EVIDENCE).read_text(encoding="utf-8"))
    return Tried(frame.drop(columns=["wave", *columns]), values, about["implausibility"]["kept"])


def held(region: Region) -> tuple[int, int] | None:
    """How many published series of the fit lie within 5 to 95 percent of the kept vectors' own runs, and of how many.

    None where nothing was fitted. Bands over the vectors show what the record leaves open of the parameters; this tells
    how far such bands held what they were fitted to, so how much besides is unknown.
    """
    from migrasim.analysis import patterns

    table = patterns.series(region)
    found = read_tried(region, table)
    if found is None:
        return None
    rows = table[table["use"] == "fit"]
    low, high = found.values.loc[rows.index, found.kept].quantile([0.05, 0.95], axis=1).to_numpy()
    return int(((rows["published"] >= low) & (rows["published"] <= high)).sum()), len(rows)


def evidence(fit: Fit, region: Region) -> dict[str, Any]:
    """Data used, intervals, versions, seeds and runs of a fit, and how far its vectors are from the record."""
    from migrasim import __version__

    series = (region.folder / FIT / "series.csv").read_bytes()
    best = fit.ensemble[0]
    names = ["numpy", "scipy", "scikit-learn", "SALib"]
    counted = fit.table.groupby("pattern", sort=False).size()
    totals = overall(fit.implausibility)
    forecasts = missed(fit.table, fit.values, region)
    return {
        "schema_version": 1,
        "made_by": "migrasim calibrate",
        "plan": FILE,
        "data": {
            "file": "series.csv",
            "sha256": hashlib.sha256(series).hexdigest()[:16],
            "series_by_pattern": {str(name): int(count) for name, count in counted.items()},
            "near_enough": "the columns low and high of series.csv",
        },
        "seed": fit.plan.seed,
        "luck": fit.plan.luck,
        "sample": fit.plan.sample,
        "runs": 2 * len(fit.vectors),
        "vectors_by_wave": {int(wave): int((fit.wave == wave).sum()) for wave in sorted(set(fit.wave))},
        "versions": {
            "migrasim": __version__,
            "model": sources_hash(),
            "python": platform.python_version(),
            **{name: version(name) for name in names},
        },
        "screening": [
            {"fact": row["name"], "effect": round(float(row["effect"]), 3), "kept": bool(number < len(fit.kept))}
            for number, row in enumerate(fit.screening.to_dict("records"))
        ],
        **({} if forecasts is None else {"left_out": forecasts.told()}),
        "implausibility": {
            "meaning": "root mean square of the gaps over half of the interval that is near enough, luck allowed for",
            "all_vectors": [round(float(each), 3) for each in np.quantile(totals, (0.0, 0.25, 0.5, 0.75, 1.0))],
            "kept_up_to": round(fit.cutoff, 3),
            "kept": [int(each) for each in fit.ensemble],
            "best_by_pattern": {
                str(name): round(float(fit.implausibility[name][best]), 3) for name in fit.implausibility
            },
        },
    }


def ship(fit: Fit, region: Region, folder: Path | None = None) -> list[Path]:
    """Write the vectors and the evidence into the region's folder, or into another one.

    Raises
    ------
    InputError
        Where the folder cannot be written.
    """
    target = region.folder / FIT if folder is None else folder
    paths = [target / ENSEMBLE, target / EVIDENCE, target / TRIED]
    try:
        target.mkdir(parents=True, exist_ok=True)
        ensemble_table(fit).to_csv(paths[0])
        text = yaml.safe_dump(evidence(fit, region), sort_keys=False, allow_unicode=True, width=120)
        paths[1].write_text(f"# Written by `migrasim calibrate`; what the vectors of {ENSEMBLE} rest on.\n{text}")
        tried(fit).to_parquet(paths[2], index=False)
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror or error}") from None
    return paths


def check_place(folder: Path) -> None:
    """Refuse a folder for a fit that is a file or lies below one, before the runs of the fit.

    Raises
    ------
    InputError
        Naming the file.
    """
    if not standing(folder).is_dir():
        raise InputError(f"--out: {standing(folder)} is a file; a folder is expected")
