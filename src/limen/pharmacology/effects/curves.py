"""The equations of effect, each a pure function of concentration.

Concentrations are arrays of any shape in ng/mL; parameters are arrays that broadcast against them.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from limen.errors import InputError
from limen.pharmacology.effects.schema import Normal

Array = npt.NDArray[np.float64]

# Under this many standard deviations (3 in 10 million) a probability from 15 volunteers is given as nothing.
_NOWHERE = -5.0


def percent_of_maximum(ce: Array, c50: Array, gamma_exponent: float = 1.0) -> Array:
    """Sigmoid Emax, in per cent of the maximum.

    Parameters
    ----------
    ce : array
        S-ketamine at its effect site, ng/mL.
    c50 : array
        Concentration of half the maximum, ng/mL.
    gamma_exponent : float
        The Hill coefficient.

    Examples
    --------
    >>> float(percent_of_maximum(np.array(121.0), np.array(121.0)))
    50.0
    """
    power = ce if gamma_exponent == 1.0 else ce**gamma_exponent
    half = c50 if gamma_exponent == 1.0 else c50**gamma_exponent
    found: Array = 100.0 * power / (half + power)
    return found


def in_proportion(ce: Array, slope: Array) -> Array:
    """A line through nothing: pressure, heart rate, cardiac output.

    Examples
    --------
    >>> float(in_proportion(np.array(100.0), np.array(0.09)))
    9.0
    """
    found: Array = ce * slope
    return found


def unresponsive_pct(loss_site: Array, recovery_site: Array, loss: Normal, recovery: Normal) -> Array:
    """Probability that a person with this course of concentration does not respond.

    Response is lost above one level and comes back below another, lower one; both differ between people and one
    person stands equally high or low in both (assumption of this project). Those who are unresponsive are then always
    the most sensitive part of people, and one number follows them: it rises with the level of loss and falls with that
    of recovery.

    Parameters
    ----------
    loss_site, recovery_site : array (rows, times)
        Racemic ketamine (or its equivalent) where response is lost and where it comes back, ng/mL, in order of time.
    loss, recovery : Normal
        The levels over people.

    Returns
    -------
    array (rows, times), per cent

    Examples
    --------
    Rising to the level of loss takes half; falling to the level of recovery leaves half of them.

    >>> from limen.pharmacology.effects import effects
    >>> model = effects().responsiveness
    >>> ce = np.array([[0.0, 1060.0, 1640.0, 1060.0, 0.0]])
    >>> unresponsive_pct(ce, ce, model.loss, model.recovery).round(2).tolist()
    [[0.0, 0.03, 50.0, 50.0, 0.0]]
    """
    found = np.zeros(loss_site.shape)
    # NaN stands for a time that the model must not be believed at; nothing is said there.
    highest = np.fmax.reduce(loss_site, axis=-1)
    touched = np.flatnonzero((highest - loss.typical) / loss.sd > _NOWHERE)
    if len(touched):
        falls = (loss_site[touched] - loss.typical) / loss.sd
        wakes = (recovery_site[touched] - recovery.typical) / recovery.sd
        front = np.full(len(touched), -np.inf)
        fronts = np.empty_like(falls)
        for time in range(falls.shape[1]):
            front = np.fmax(falls[:, time], np.fmin(front, wakes[:, time]))
            fronts[:, time] = front
        found[touched] = 100.0 * _normal_cdf(fronts)
    return found


def _normal_cdf(z: Array) -> Array:
    out = np.zeros(z.shape)
    near = z > _NOWHERE
    out[near] = [0.5 * math.erfc(-item / math.sqrt(2.0)) for item in z[near].tolist()]
    return out


def opioid_c50_ratio(c_s: Array, doubling: Array) -> Array:
    """How many times more of the opioid is needed for the same depression of the CO2 sensitivity of breathing.

    Parameters
    ----------
    c_s : array
        S-ketamine in plasma, ng/mL, without delay.
    doubling : array
        S-ketamine that doubles the opioid's C50, ng/mL.

    Examples
    --------
    >>> float(opioid_c50_ratio(np.array(127.0), np.array(127.0)))
    2.0
    """
    found: Array = 1.0 + c_s / doubling
    return found


def equivalent_opioid_ng_per_mL(
    opioid_ng_per_mL: float, s_ketamine_ng_per_mL: float, doubling_ng_per_mL: float
) -> float:
    """The opioid level that, alone, depresses the CO2 sensitivity of breathing as much as this level with S-ketamine.

    The part of the depression that does not go by CO2 sensitivity (61 % with remifentanil) is not changed.

    Raises
    ------
    InputError
        If a level is negative or not a number, or the doubling level is not over 0.

    Examples
    --------
    >>> equivalent_opioid_ng_per_mL(2.0, 127.0, 127.0)
    1.0
    """
    for name, value in (("opioid", opioid_ng_per_mL), ("S-ketamine", s_ketamine_ng_per_mL)):
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"{name} level {value!r} ng/mL", where="ventilation", allowed="0 or more")
    if not (math.isfinite(doubling_ng_per_mL) and doubling_ng_per_mL > 0):
        raise InputError(f"doubling level {doubling_ng_per_mL!r} ng/mL", where="ventilation", allowed="over 0")
    return opioid_ng_per_mL / (1.0 + s_ketamine_ng_per_mL / doubling_ng_per_mL)


def occupancy_pct(*competitors: tuple[Array, float]) -> Array:
    """Occupancy of one receptor by drugs that compete for it, by the law of mass action; an index in per cent.

    Parameters
    ----------
    competitors : (unbound concentration, Ki) pairs
        Both in one unit.

    Examples
    --------
    >>> float(occupancy_pct((np.array(0.3), 0.3)))
    50.0
    """
    load = sum((unbound / ki for unbound, ki in competitors), np.zeros(()))
    found: Array = 100.0 * load / (1.0 + load)
    return found


def pain_vas_change(s_ketamine: Array, s_norketamine: Array, s_slope: Array, nk_slope: Array) -> Array:
    """Change of experimental pain in cm of a 10-cm scale; negative is less pain.

    Parameters
    ----------
    s_ketamine, s_norketamine : array
        At the effect site, ng/mL.
    s_slope, nk_slope : array
        cm per ng/mL.

    Examples
    --------
    >>> round(float(pain_vas_change(np.array(100.0), np.array(50.0), np.array(-0.038), np.array(0.03))), 3)
    -2.3
    """
    found: Array = s_ketamine * s_slope + s_norketamine * nk_slope
    return found
