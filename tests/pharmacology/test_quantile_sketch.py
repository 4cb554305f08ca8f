"""The stated bound against exact quantiles, and one answer whatever the order."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.errors import InputError
from limen.pharmacology.populations.quantiles import QuantileSketch

LEVELS = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999, 1.0]


def counted(values, **kind):
    sketch = QuantileSketch(values.shape[1], **kind)
    sketch.add(values)
    return sketch


def assert_bound(sketch, values):
    exact = np.quantile(values, LEVELS, axis=0)
    allowed = np.maximum(sketch.error_fraction * np.abs(exact), sketch.floor)
    assert (np.abs(sketch.quantiles(LEVELS) - exact) <= allowed * (1 + 1e-12)).all()


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_the_bound_holds_on_concentrations(bits):
    random = np.random.default_rng(1)
    values = np.exp(random.normal([5, 0, -3], [0.3, 1.5, 3], (20_000, 3)))
    sketch = counted(values, bits=bits)
    assert sketch.error_fraction == 0.5 / 2**bits
    assert_bound(sketch, values)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60).map(np.array))
def test_every_order_statistic_is_within_the_bound(values):
    sketch = counted(values[:, None])
    ordered = np.sort(values)
    found = sketch.quantiles([place / max(len(values) - 1, 1) for place in range(len(values))])[:, 0]
    # Levels such as 2/3 may fall a rounding error beside their order statistic.
    slack = 1e-9 * np.ptp(values)
    assert (np.abs(found - ordered) <= np.maximum(sketch.error_fraction * np.abs(ordered), sketch.floor) + slack).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=6), st.integers(0, 2**32 - 1), st.booleans())
def test_order_and_chunks_do_not_change_the_answer(sizes, seed, merging):
    random = np.random.default_rng(seed)
    values = random.normal(0, 10 ** random.uniform(-4, 4), (sum(sizes), 3))
    whole = counted(values)
    other = QuantileSketch(3)
    for part in np.split(random.permutation(values), np.cumsum(sizes)[:-1]):
        if merging:
            other.merge(counted(part))
        else:
            other.add(part)
    np.testing.assert_array_equal(whole.quantiles(LEVELS), other.quantiles(LEVELS))
    assert whole.added == other.added == sum(sizes)


def test_parts_counted_by_several_threads_make_the_same_whole():
    values = np.random.default_rng(2).lognormal(3, 1, (4_000, 50))
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(counted, np.split(values, 8)))
    merged = QuantileSketch(50)
    for part in parts:
        merged.merge(part)
    np.testing.assert_array_equal(counted(values).quantiles(LEVELS), merged.quantiles(LEVELS))


def test_edges_of_bins_and_zeros():
    values = np.array([0.0, 2.0**-10, np.nextafter(2.0**-10, 0), 1.0, np.nextafter(1.0, 0), 1e300, -1.0, -0.0])
    assert_bound(counted(values[:, None]), values[:, None])


def test_a_missing_patient_is_not_counted_and_an_empty_time_has_no_quantile():
    values = np.array([[1.0, math.nan], [math.nan, math.nan], [3.0, math.nan]])
    found = counted(values, bits=12).quantiles([0.5])
    assert found[0, 0] == pytest.approx(2.0, rel=2e-4)
    assert math.isnan(found[0, 1])


def test_memory_does_not_grow_with_the_number_of_patients():
    random = np.random.default_rng(3)
    sketch = QuantileSketch(20)
    sketch.add(random.lognormal(3, 1, (100_000, 20)))
    before = sketch.memory_mb
    for _ in range(5):
        sketch.add(random.lognormal(3, 1, (100_000, 20)))
    assert sketch.memory_mb < 1.1 * before


@pytest.mark.parametrize(
    "deed",
    [
        lambda sketch: sketch.add(np.array([[math.inf, 1.0]])),
        lambda sketch: sketch.add(np.zeros((3, 5))),
        lambda sketch: sketch.quantiles([1.5]),
        lambda sketch: sketch.merge(QuantileSketch(2, bits=9)),
        lambda sketch: QuantileSketch(2, bits=0),
    ],
)
def test_refuses_what_it_cannot_count(deed):
    with pytest.raises(InputError):
        deed(QuantileSketch(2))


def test_counts_that_would_run_over_are_refused():
    sketch = QuantileSketch(1)
    sketch.added = 2**32 - 2
    with pytest.raises(InputError, match="more than"):
        sketch.add(np.zeros((2, 1)))


@pytest.mark.soak
def test_the_bound_holds_over_a_hundred_million():
    # Thirty-two streams of a lognormal, whose quantiles are known: sampling error at 1e8 is far below the bound.
    sketch = QuantileSketch(1)
    for seed in range(32):
        sketch.add(np.random.default_rng(seed).lognormal(4, 0.5, (3_125_000, 1)))
    assert sketch.added == 10**8
    exact = np.exp(4 + 0.5 * np.array([-1.6448536269514722, 0.0, 1.6448536269514722]))
    np.testing.assert_allclose(sketch.quantiles([0.05, 0.5, 0.95])[:, 0], exact, rtol=sketch.error_fraction + 5e-4)
    assert sketch.memory_mb < 1
