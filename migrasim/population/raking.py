"""Weights and whole numbers: maximum-entropy raking, proportional fitting, rounding to totals."""

from __future__ import annotations

import numpy as np

from migrasim.core.rule import kernel

_STEPS = 60
_LARGEST_STEP = 2.0


@kernel
def _evaluate(
    index: np.ndarray,
    value: np.ndarray,
    prior: np.ndarray,
    dual: np.ndarray,
    weight: np.ndarray,
    total: np.ndarray,
    hessian: np.ndarray,
) -> float:
    """Weights, weighted totals and their derivative for the dual variables; returns the sum of weights."""
    width = index.shape[1]
    total[:] = 0.0
    hessian[:] = 0.0
    mass = 0.0
    for i in range(index.shape[0]):
        eta = 0.0
        for j in range(width):
            if index[i, j] >= 0:
                eta += value[i, j] * dual[index[i, j]]
        w = prior[i] * np.exp(min(eta, 50.0))
        weight[i] = w
        mass += w
        for j in range(width):
            a = index[i, j]
            if a < 0:
                continue
            va = w * value[i, j]
            total[a] += va
            for k in range(width):
                b = index[i, k]
                if b >= 0:
                    hessian[a, b] += va * value[i, k]
    return mass


@kernel
def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solution of a symmetric positive definite system (Cholesky, in place); the same bits on any number of threads."""
    n = right.shape[0]
    for j in range(n):
        for k in range(j):
            matrix[j, j] -= matrix[j, k] * matrix[j, k]
        matrix[j, j] = np.sqrt(max(matrix[j, j], 1e-12))
        for i in range(j + 1, n):
            s = matrix[i, j]
            for k in range(j):
                s -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = s / matrix[j, j]
    x = right.copy()
    for i in range(n):
        for k in range(i):
            x[i] -= matrix[i, k] * x[k]
        x[i] /= matrix[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            x[i] -= matrix[k, i] * x[k]
        x[i] /= matrix[i, i]
    return x


def rake(
    index: np.ndarray, value: np.ndarray, prior: np.ndarray, target: np.ndarray, slack: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights nearest to a prior (in relative entropy) whose weighted totals meet the targets.

    The dual of ``min KL(w, prior) + sum((A w - target)^2 / (2 slack))`` is smooth and strictly
    convex, so a damped Newton method finds the one solution; a target that cannot be met is
    missed by ``slack`` times its dual variable instead of breaking the whole.

    Parameters
    ----------
    index, value
        (candidates, width): which totals a candidate adds to (-1 none), and how much.
    prior
        (candidates,) prior weights.
    target, slack
        (totals,) wanted totals, and how far each may give way (counts per unit of its dual).

    Returns
    -------
    tuple
        (candidates,) weights and (totals,) reached totals.
    """
    size = target.size
    dual, weight = np.zeros(size), np.zeros(prior.size)
    total, hessian = np.zeros(size), np.zeros((size, size))

    def objective(mass: float, at: np.ndarray) -> float:
        return float(mass - target @ at + 0.5 * (slack * at * at).sum())

    now = objective(_evaluate(index, value, prior, dual, weight, total, hessian), dual)
    for _ in range(_STEPS):
        gradient = target - total - slack * dual
        if np.abs(gradient).max() < 0.05:
            break
        step = _solve(hessian + np.diag(slack + 1e-9), gradient)
        step *= min(1.0, _LARGEST_STEP / max(float(np.abs(step).max()), 1e-12))
        scale, slope = 1.0, float(gradient @ step)
        while True:
            trial = dual + scale * step
            then = objective(_evaluate(index, value, prior, trial, weight, total, hessian), trial)
            if then <= now - 1e-4 * scale * slope or scale < 1e-4:
                break
            scale *= 0.5
        if abs(now - then) < 1e-9 * max(1.0, abs(now)):
            dual, now = trial, then
            break
        dual, now = trial, then
    return weight, total.copy()


def proportional_fit(seed: np.ndarray, rows: np.ndarray, columns: np.ndarray, steps: int = 200) -> np.ndarray:
    """Table nearest to a seed with given row and column sums (iterative proportional fitting)."""
    table = seed.astype(float).copy()
    for _ in range(steps):
        sums = table.sum(axis=1)
        table *= np.divide(rows, sums, out=np.zeros_like(sums), where=sums > 0)[:, None]
        sums = table.sum(axis=0)
        table *= np.divide(columns, sums, out=np.zeros_like(sums), where=sums > 0)[None, :]
        if np.abs(table.sum(axis=1) - rows).max() < 1e-6:
            break
    return table


def whole(values: np.ndarray, total: int | None = None) -> np.ndarray:
    """Non-negative whole numbers near `values` that add up to `total` (largest remainders)."""
    values = np.maximum(np.asarray(values, float), 0.0)
    wanted = round(float(values.sum())) if total is None else int(total)
    if values.sum() > 0 and total is not None:
        values = values * (wanted / values.sum())
    floor = np.floor(values + 1e-9).astype(np.int64)
    missing = wanted - int(floor.sum())
    if missing > 0:
        order = np.argsort(-(values - floor).ravel(), kind="stable")
        floor.reshape(-1)[order[:missing]] += 1
    return floor


def whole_table(table: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Whole numbers near a fitted table with exactly its (whole) row and column sums.

    Rows are rounded one by one; the columns' errors are then moved within rows by single units,
    where a cell can give.
    """
    rounded = np.stack([whole(row, int(total)) for row, total in zip(table, rows, strict=True)])
    gap = columns - rounded.sum(axis=0)
    while gap.any():
        into, out = int(np.argmax(gap)), int(np.argmin(gap))
        score = np.where(
            rounded[:, out] > 0, table[:, into] - rounded[:, into] - table[:, out] + rounded[:, out], -np.inf
        )
        row = int(np.argmax(score))
        rounded[row, into] += 1
        rounded[row, out] -= 1
        gap = columns - rounded.sum(axis=0)
    return rounded


def systematic(weight: np.ndarray, total: int, start: float) -> np.ndarray:
    """Whole copies of each row, near `weight`, in all `total`; neighbours share the rounding."""
    if total <= 0 or weight.sum() <= 0:
        return np.zeros(weight.size, np.int64)
    edges = np.concatenate([[0.0], np.cumsum(weight)]) * (total / weight.sum())
    edges[-1] = total
    marks = np.floor(edges + start).astype(np.int64)
    marks[0], marks[-1] = 0, total
    return np.asarray(np.diff(np.clip(marks, 0, total)))
