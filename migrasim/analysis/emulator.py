"""Emulators: what a run would give for other parameters, told from the runs that were made.

For every pattern one emulator of all its series: a ridge regression on the parameters and their
squares, and a Gaussian process with a length of its own for every parameter on what is left. Its
variance contains the luck of single runs (white noise), so that a gap which luck may have made
rules nothing out.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Array = np.ndarray[Any, np.dtype[np.float64]]
_ALPHAS = tuple(float(each) for each in np.logspace(-2, 3, 11))


def _terms(x: Array) -> Array:
    return np.hstack([x, x**2])


@dataclass
class Emulator:
    """Emulator of several outputs over parameters scaled to 0..1."""

    centre: Array
    scale: Array
    trend: Any
    rest: Any

    @staticmethod
    def fit(x: Array, y: Array) -> Emulator:
        """Fit to `x` (vectors, parameters) and `y` (vectors, outputs)."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
        from sklearn.linear_model import RidgeCV

        centre, scale = y.mean(axis=0), np.maximum(y.std(axis=0), 1e-12)
        z = (y - centre) / scale
        trend = RidgeCV(alphas=_ALPHAS).fit(_terms(x), z)
        left = z - trend.predict(_terms(x)).reshape(z.shape)
        kernel = ConstantKernel(0.3, (1e-3, 10.0)) * RBF(np.full(x.shape[1], 1.0), (0.2, 20.0))
        kernel += WhiteKernel(0.3, (1e-3, 2.0))
        rest = GaussianProcessRegressor(kernel, normalize_y=False, n_restarts_optimizer=0, random_state=0)
        with warnings.catch_warnings():  # a length at its bound is a parameter that does not matter
            warnings.simplefilter("ignore", ConvergenceWarning)
            rest.fit(x, left)
        return Emulator(centre, scale, trend, rest)

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and variance (vectors, outputs), luck of a run included."""
        mean, deviation = self.rest.predict(x, return_std=True)
        shape = (len(x), len(self.centre))
        mean = mean.reshape(shape) + self.trend.predict(_terms(x)).reshape(shape)
        variance = np.broadcast_to(deviation.reshape(len(x), -1) ** 2, shape)
        return mean * self.scale + self.centre, variance * self.scale**2


@dataclass
class Emulators:
    """An emulator for every pattern, over the parameters that matter."""

    names: tuple[str, ...]
    ranges: Mapping[str, tuple[float, float]]
    table: DataFrame
    by_pattern: Mapping[str, Emulator]

    @staticmethod
    def fit(
        vectors: DataFrame, values: DataFrame, table: DataFrame, ranges: Mapping[str, tuple[float, float]]
    ) -> Emulators:
        """Fit to runs.

        Parameters
        ----------
        vectors
            Parameters: a row a vector.
        values
            Simulated series: a row per row of `table`, a column a vector.
        table
            Published series; see `migrasim.analysis.patterns.series`.
        ranges
            Of the parameters that the emulators read.
        """
        names = tuple(ranges)
        x = scaled(vectors, ranges)
        found = {}
        for pattern, rows in table.groupby("pattern", sort=False):
            found[str(pattern)] = Emulator.fit(x, values.loc[rows.index].to_numpy().T)
        return Emulators(names, dict(ranges), table, found)

    def judge(self, vectors: DataFrame) -> tuple[DataFrame, DataFrame]:
        """Implausibility of vectors by pattern: as far as they are ruled out, and as it is to be expected.

        Both are those of `implausibility`. What the emulators do not know of a vector makes its gaps weigh less in the
        first, and its gaps wider in the second.
        """
        import pandas as pd

        x, luck = scaled(vectors, self.ranges), self.luck()
        ruled_out, expected = {}, {}
        for pattern, emulator in self.by_pattern.items():
            rows = self.table[self.table["pattern"] == pattern]
            mean, variance = emulator.predict(x)
            known = np.broadcast_to(np.asarray(luck[rows.index], np.float64)[:, None], mean.T.shape)
            ruled_out[pattern] = _root_mean_square(mean.T, rows, variance.T)
            expected[pattern] = _root_mean_square(mean.T, rows, known, np.maximum(0.0, variance.T - known))
        return pd.DataFrame(ruled_out, index=vectors.index), pd.DataFrame(expected, index=vectors.index)

    def implausibility(self, vectors: DataFrame) -> DataFrame:
        """Implausibility of vectors by pattern, as far as they are ruled out; see `judge`."""
        return self.judge(vectors)[0]

    def luck(self) -> Series[float]:
        """Variance that the luck of one run gives every series, as the emulators estimate it."""
        import pandas as pd

        parts = []
        for pattern, emulator in self.by_pattern.items():
            noise = float(np.exp(emulator.rest.kernel_.theta[-1]))
            rows = self.table.index[self.table["pattern"] == pattern]
            parts.append(pd.Series(noise * emulator.scale**2, index=rows))
        return pd.concat(parts)


def scaled(vectors: DataFrame, ranges: Mapping[str, tuple[float, float]]) -> Array:
    """(vectors, parameters) from 0 at the low end of a range to 1 at its high end."""
    low, high = np.array(list(ranges.values()), np.float64).T
    return np.asarray((vectors[list(ranges)].to_numpy(np.float64) - low) / (high - low))


def implausibility(values: DataFrame, table: DataFrame, luck: Series[float]) -> DataFrame:
    """How far vectors are from the record, pattern by pattern.

    The root of the mean over the series of a pattern of ``(simulated - published)^2 / (h^2 + v)``, with ``h`` half of
    the interval that counts as near enough and ``v`` the variance of luck. 1 is an average series at the edge of its
    interval.

    Parameters
    ----------
    values
        A row per row of `table`, a column a vector.
    table
        Published series.
    luck
        Variance of luck by row of `table`.
    """
    import pandas as pd

    found = {}
    for pattern, rows in table.groupby("pattern", sort=False):
        simulated = values.loc[rows.index].to_numpy(np.float64)
        variance: Array = np.broadcast_to(np.asarray(luck[rows.index], np.float64)[:, None], simulated.shape)
        found[str(pattern)] = _root_mean_square(simulated, rows, variance)
    return pd.DataFrame(found, index=values.columns)


def _root_mean_square(simulated: Array, rows: DataFrame, variance: Array, unknown: Array | float = 0.0) -> Array:
    half = ((rows["high"] - rows["low"]) / 2.0).to_numpy()[:, None]
    gap = simulated - rows["published"].to_numpy()[:, None]
    return np.asarray(np.sqrt(((gap**2 + unknown) / (half**2 + variance)).mean(axis=0)))
