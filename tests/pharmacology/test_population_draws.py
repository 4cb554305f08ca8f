"""Patient i is the same person whoever is drawn with him; and the draws are what they say they are."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from limen.errors import InputError
from limen.pharmacology import population
from limen.pharmacology.populations.draws import normals, quantile_of_normal, uniforms

seeds = st.integers(0, 2**64 - 1)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(0, 2**40), st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(1, 4))
def test_patients_are_the_same_in_every_chunking_and_on_any_number_of_threads(seed, first, sizes, threads):
    whole = population.patients(seed, first, sum(sizes))
    starts = [first + sum(sizes[:place]) for place in range(len(sizes))]
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(lambda part: population.patients(seed, *part), zip(starts, sizes, strict=True)))
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_column_does_not_depend_on_the_others(monkeypatch):
    before = population.patients(7, 100, 50)
    columns = ("NEW", *reversed(population.COLUMNS))
    monkeypatch.setattr(population, "COLUMNS", columns)
    after = population.patients(7, 100, 50, columns=columns)
    np.testing.assert_array_equal(after[:, 1:], before[:, ::-1])


def test_columns_not_asked_stay_typical():
    found = population.patients(7, 100, 50, columns=("CL", "KE0"))
    asked = [population.COLUMNS.index("CL"), population.COLUMNS.index("KE0")]
    np.testing.assert_array_equal(found[:, asked], population.patients(7, 100, 50)[:, asked])
    assert (np.delete(found, asked, axis=1) == 0).all()


def test_the_same_bits_on_every_machine():
    # Fixed once on x86-64 with AVX-512; steps that IEEE 754 does not fix (log, cos) would differ elsewhere.
    digest = hashlib.sha256(normals(20211107, "CL", 0, 10_000).astype("<f8").tobytes()).hexdigest()
    assert digest == "293dda1191c2ed807538ddf693fa7b731d2f7f796a5990ebd12ea4516b495303"


def philox(counter, key):
    """Salmon 2011: ten rounds of Philox 4x64, in whole numbers of any size."""
    a, b, c, d = counter, 0, 0, 0
    k0, k1 = key
    top = 2**64
    for _ in range(10):
        first, second = 0xD2E7470EE14C6C93 * a, 0xCA5A826395121157 * c
        a, b, c, d = (second // top) ^ b ^ k0, second % top, (first // top) ^ d ^ k1, first % top
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) % top, (k1 + 0xBB67AE8584CAA73B) % top
    return a, b, c, d


def test_words_are_those_of_the_published_generator():
    key = int.from_bytes(hashlib.blake2b(b"CL", digest_size=8).digest(), "little")
    # NumPy counts before it draws: the words of patients 4 b to 4 b + 3 are those of counter b + 1.
    words = [word for counter in range(1, 6) for word in philox(counter, (42, key))]
    np.testing.assert_array_equal(uniforms(42, "CL", 0, 20), [((word >> 12) + 0.5) * 2.0**-52 for word in words])


def test_columns_and_seeds_are_independent():
    columns = np.stack([normals(1, "CL", 0, 20_000), normals(1, "V1", 0, 20_000), normals(2, "CL", 0, 20_000)])
    off_diagonal = np.corrcoef(columns)[np.triu_indices(3, 1)]
    # 5 standard errors of a correlation of nothing.
    assert (np.abs(off_diagonal) < 5 / np.sqrt(20_000)).all()
    lagged = np.corrcoef(columns[0, 1:], columns[0, :-1])[0, 1]
    assert abs(lagged) < 5 / np.sqrt(20_000)


def test_draws_are_standard_normal():
    assert stats.kstest(normals(3, "CL", 0, 100_000), "norm").pvalue > 1e-4
    assert stats.kstest(uniforms(3, "CL", 0, 100_000), "uniform").pvalue > 1e-4


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(1e-300, 1 - 2**-53), min_size=1, max_size=20))
def test_normal_quantile_agrees_with_scipy(probabilities):
    given_ = np.array(probabilities)
    np.testing.assert_allclose(quantile_of_normal(given_), ndtri(given_), rtol=1e-14, atol=1e-15)


def test_extreme_words_stay_finite():
    ends = np.array([2.0**-53, 1 - 2.0**-53])
    np.testing.assert_array_equal(quantile_of_normal(ends), [-1, 1] * np.abs(quantile_of_normal(ends[:1])))


def test_draw_takes_one_number_whatever_the_size():
    rng, other = np.random.default_rng(5), np.random.default_rng(5)
    np.testing.assert_array_equal(population.draw(10, rng)[:3], population.draw(3, other))
    assert rng.random() == other.random()


@pytest.mark.parametrize(("seed", "first", "count"), [(-1, 0, 1), (2**64, 0, 1), (0, -1, 1), (0, 0, -1), (0, 2**63, 1)])
def test_refuses_what_cannot_be_counted(seed, first, count):
    with pytest.raises(InputError, match=r"seed|draws"):
        uniforms(seed, "CL", first, count)
