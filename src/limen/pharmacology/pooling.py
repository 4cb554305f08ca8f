"""Several models as one: weighted means and percentiles, and how much of a spread is between models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.pharmacology.exposure import PERCENTILES, Percentiles

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pooled:
    """Weighted mean, least and greatest of several rows at each time; NaN where no row may be believed."""

    mean: Array
    low: Array
    high: Array


def across(values: Array, weights: Array, usable: Mask) -> Pooled:
    """Models side by side.

    Parameters
    ----------
    values : array (models, times)
    weights : array (models,)
        A model of weight 0 is in none of the three.
    usable : array of bool (models, times)
        Where a model may be believed; the others share its weight where it may not.

    Examples
    --------
    >>> found = across(np.array([[1.0, 1.0], [3.0, 9.0]]), np.array([0.5, 0.5]), np.array([[1, 1], [1, 0]], dtype=bool))
    >>> found.mean, found.high
    (array([2., 1.]), array([3., 1.]))
    """
    counted = usable & (weights[:, None] > 0)
    some = counted.any(axis=0)
    share = np.where(counted, weights[:, None], 0.0)
    total = np.where(some, share.sum(axis=0), 1.0)
    mean = (share * np.where(counted, values, 0.0)).sum(axis=0) / total
    return Pooled(
        np.where(some, mean, np.nan),
        np.where(some, np.where(counted, values, np.inf).min(axis=0), np.nan),
        np.where(some, np.where(counted, values, -np.inf).max(axis=0), np.nan),
    )


def weighted_percentiles(values: Array, weights: Array, levels_pct: Sequence[float] = PERCENTILES) -> Array:
    """Percentiles along the first axis of rows that do not count alike.

    With equal weights these are numpy's (linear between order statistics); a row of weight 0 is as if it were not
    there.

    Parameters
    ----------
    values : array (rows, ...)
    weights : array (rows,)
        0 or more, one of them over 0.
    levels_pct : sequence of float

    Returns
    -------
    array (levels, ...)

    Notes
    -----
    Weighted form of the linear (type 7) quantile by Akinshin, Weighted quantile estimators (arXiv 2304.07265): each
    order statistic counts by the share of its weight in a window of the width that one row of equal weight would have.

    Examples
    --------
    >>> weighted_percentiles(np.arange(101.0), np.ones(101), [5, 50])
    array([ 5., 50.])
    >>> weighted_percentiles(np.array([1.0, 2.0, 99.0]), np.array([1.0, 1.0, 0.0]), [50])
    array([1.5])
    """
    kept = weights > 0
    values, weights = values[kept], weights[kept]
    flat = values.reshape(len(values), -1)
    order = np.argsort(flat, axis=0, kind="stable")
    ranked = np.take_along_axis(flat, order, axis=0)
    share = weights[order] / weights.sum()
    edges = np.zeros((len(flat) + 1, flat.shape[1]))
    np.cumsum(share, axis=0, out=edges[1:])
    edges[-1] = 1.0
    size = weights.sum() ** 2 / np.square(weights).sum()
    found = np.empty((len(levels_pct), flat.shape[1]))
    for place, level in enumerate(levels_pct):
        start = (size - 1.0) * level / 100.0 / size
        inside = np.clip(edges * size - start * size, 0.0, 1.0)
        found[place] = (np.diff(inside, axis=0) * ranked).sum(axis=0)
    return found.reshape(len(levels_pct), *values.shape[1:])


def ranked(values: Array) -> Array:
    """Each column of values (rows, columns) from least to greatest, as (columns, rows): sorted once, read often.

    Examples
    --------
    >>> ranked(np.array([[3.0, 1.0], [2.0, 5.0]]))
    array([[2., 3.],
           [1., 5.]])
    """
    turned = np.array(values.T, order="C")
    turned.sort(axis=1)
    return turned


def ranked_percentiles(columns: Array) -> Percentiles:
    """Percentiles of each row of ranked columns, linear between order statistics.

    Examples
    --------
    >>> ranked_percentiles(np.arange(101.0)[None, :]).p95
    array([95.])
    """
    last = columns.shape[1] - 1
    found = []
    for level in PERCENTILES:
        at = last * level / 100.0
        below = int(at)
        above = min(below + 1, last)
        found.append(columns[:, below] + (columns[:, above] - columns[:, below]) * (at - below))
    return Percentiles(*found)


def merged(parts: Sequence[Array]) -> Array:
    """Several ranked columns as one; the merge of runs that are in order already is a quarter of the work of a sort."""
    together = np.concatenate(parts, axis=1)
    together.sort(axis=1, kind="stable")
    return together


def pooled_percentiles(parts: Sequence[Array], weights: Array) -> Percentiles:
    """Percentiles over the patients of several models together.

    Parameters
    ----------
    parts : sequence of array (patients, ...)
        One of each model.
    weights : array (models,)
        What each model counts; its patients share it.
    """
    counted = [(part, weight) for part, weight in zip(parts, weights, strict=True) if weight > 0]
    rows = np.concatenate([part for part, _ in counted])
    each = np.concatenate([np.full(len(part), weight / len(part)) for part, weight in counted])
    if np.ptp(each) <= 1e-12 * each[0]:
        return Percentiles.over(rows)
    low, middle, high = weighted_percentiles(rows, each)
    return Percentiles(np.asarray(low), np.asarray(middle), np.asarray(high))


def total_variance(parts: Sequence[Array], weights: Array) -> tuple[float, float]:
    """The variance of patients pooled over models, as (between the models' means, within models between patients).

    Parameters
    ----------
    parts : sequence of array (patients,)
        One number of each patient under each model; NaN is left out.
    weights : array (models,)
        What each model counts.

    Examples
    --------
    >>> total_variance([np.array([1.0, 3.0]), np.array([5.0, 7.0])], np.array([0.5, 0.5]))
    (4.0, 1.0)
    """
    found = [
        (part[~np.isnan(part)], weight)
        for part, weight in zip(parts, weights, strict=True)
        if weight > 0 and not np.isnan(part).all()
    ]
    return split_variance(
        np.array([part.mean() for part, _ in found]),
        np.array([part.var() for part, _ in found]),
        np.array([weight for _, weight in found]),
    )


def split_variance(means: Array, variances: Array, weights: Array) -> tuple[float, float]:
    """As ``total_variance``, of each model's mean and variance; a model that has none (NaN) is left out.

    Examples
    --------
    >>> split_variance(np.array([2.0, 6.0]), np.array([1.0, 1.0]), np.array([0.5, 0.5]))
    (4.0, 1.0)
    """
    known = ~np.isnan(means) & (weights > 0)
    means, variances, share = means[known], variances[known], weights[known] / weights[known].sum()
    return float(share @ np.square(means - share @ means)), float(share @ variances)
