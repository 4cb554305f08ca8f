"""Random numbers by name and place: number i of a stream is the same however many are drawn, in whatever order.

A counter-based generator (Philox) makes the words; the normal quantile function (Wichura 1988, algorithm AS 241) makes
them normal using nothing but additions, products, quotients and square roots. IEEE 754 rounds those alike on every
machine, which it does not promise for logarithms or cosines: the same seed is the same patient everywhere, to the bit.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np
import numpy.typing as npt

from limen.errors import InputError

Array = npt.NDArray[np.float64]

# Philox gives four words for each count.
_WORDS = 4
_MOST = 2**63
# Numbers worked on at once, so that they stay in the processor's cache.
_BLOCK = 8192

_NEAR = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
_MIDDLE = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
_FAR = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.2426609473880784386e-3, 0.026532189526576123093,
     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip
_LN2 = 0.6931471805599453
# 1, 1/3, 1/5, ...: the logarithm by the inverse hyperbolic tangent, highest power first.
_ATANH = tuple(1.0 / (2 * power + 1) for power in range(11, -1, -1))


def uniforms(seed: int, stream: str, first: int, count: int) -> Array:
    """Numbers ``first`` to ``first + count`` of a stream, over 0 and under 1.

    Parameters
    ----------
    seed : int
        0 to 2**64 - 1.
    stream : str
        What the numbers are for; another name gives other numbers.
    first, count : int

    Returns
    -------
    array (count,)

    Raises
    ------
    InputError
        If the seed or a place is out of range.

    Examples
    --------
    >>> bool((uniforms(1, "CL", 0, 9)[3:7] == uniforms(1, "CL", 3, 4)).all())
    True
    """
    if not 0 <= seed < 2**64:
        raise InputError(f"seed {seed}", where="seed", allowed="0 to 2**64 - 1")
    if first < 0 or count < 0 or first + count > _MOST:
        raise InputError(f"{count} draws from {first}", where="population", allowed="0 or more, to 2**63")
    start, skipped = divmod(first, _WORDS)
    generator = np.random.Philox(
        key=np.array([seed, _key(stream)], dtype=np.uint64), counter=np.array([start, 0, 0, 0], dtype=np.uint64)
    )
    blocks = -(-(skipped + count) // _WORDS)
    words = np.asarray(generator.random_raw(_WORDS * blocks), dtype=np.uint64)[skipped : skipped + count]
    # 52 bits and a half: exact, and so is 1 minus it.
    return ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normals(seed: int, stream: str, first: int, count: int) -> Array:
    """Standard normal numbers ``first`` to ``first + count`` of a stream.

    Examples
    --------
    >>> normals(1, "CL", 0, 3).round(3)
    array([...])
    """
    return quantile_of_normal(uniforms(seed, stream, first, count))


def quantile_of_normal(probability: Array) -> Array:
    """The standard normal quantile, alike to the bit on every machine.

    Parameters
    ----------
    probability : array (n,)
        Over 0 and under 1.

    Returns
    -------
    array (n,)
        Within a few units of the last place (AS 241 states 1e-16).

    Examples
    --------
    >>> quantile_of_normal(np.array([0.025, 0.5, 0.975])).round(6).tolist()
    [-1.959964, 0.0, 1.959964]
    """
    out = np.empty(len(probability))
    for first in range(0, len(probability), _BLOCK):
        part = slice(first, first + _BLOCK)
        out[part] = _quantile(probability[part])
    return out


def _quantile(probability: Array) -> Array:
    centred = probability - 0.5
    out = centred * _ratio(_NEAR, 0.180625 - centred * centred)
    tail = np.flatnonzero(np.abs(centred) > 0.425)
    if len(tail):
        side = centred[tail]
        smaller = np.where(side < 0, probability[tail], 1.0 - probability[tail])
        root = np.sqrt(-_log(smaller))
        value = _ratio(_MIDDLE, root - 1.6)
        far = np.flatnonzero(root > 5.0)
        if len(far):
            value[far] = _ratio(_FAR, root[far] - 5.0)
        out[tail] = np.where(side < 0, -value, value)
    return out


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    above, below = (_horner(row, x) for row in coefficients)
    above /= below
    return above


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
    total = np.full(len(x), coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total


def _log(x: Array) -> Array:
    """The natural logarithm by exact steps alone, to a few units of the last place."""
    fraction, power = np.frexp(x)
    low = fraction < 0.7071067811865476
    fraction = np.where(low, 2.0 * fraction, fraction)
    slope = (fraction - 1.0) / (fraction + 1.0)
    series: Array = 2.0 * slope * _horner(_ATANH, slope * slope)
    return (power - low) * _LN2 + series


@functools.cache
def _key(stream: str) -> int:
    return int.from_bytes(hashlib.blake2b(stream.encode(), digest_size=8).digest(), "little")
