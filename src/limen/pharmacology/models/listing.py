"""Every number of a model in reading order, for pages and commands."""

from __future__ import annotations

from collections.abc import Iterator

from limen.pharmacology.models.schema import Absorption, Covariate, Model, Omega, Parameter, Residual, Way


def parameters_in_order(model: Model) -> Iterator[tuple[str, str, Parameter]]:
    """Analyte (or ``absorption``), name and parameter.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> [name for owner, name, _ in parameters_in_order(get("simons-2022")) if owner == "S_norketamine"]
    ['formed', 'MTT', 'mass ratio', 'CL', 'V2', 'Q2']
    """
    for arm in model.arms:
        for name, parameter in (arm.parameters or {}).items():
            yield arm.analyte, name, parameter
        for name, parameter in arm.ratios.items():
            yield arm.analyte, f"{name} over that of {arm.like}", parameter
        for metabolite in arm.metabolites():
            yield metabolite.analyte, "formed", metabolite.formed
            if metabolite.delay is not None:
                yield metabolite.analyte, "MTT", metabolite.delay.mean_time
            if metabolite.mass_ratio is not None:
                yield metabolite.analyte, "mass ratio", metabolite.mass_ratio
            for name, parameter in metabolite.parameters.items():
                yield metabolite.analyte, name, parameter
            if metabolite.clearance_growth is not None:
                yield metabolite.analyte, "growth of CL", metabolite.clearance_growth
    for name, parameter in model.absorption.items():
        yield "absorption", name, parameter


def route_in_words(route: Absorption) -> str:
    """One route with its ways.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> print(route_in_words(get("perez-ruixo-2021").pathways[1]))
    po (s-ketamine): FGUT of the dose over D_PO, then KA_PO into liver
    """
    products = f" ({', '.join(route.products)})" if route.products else ""
    devices = f", in devices of {route.device_mg:g} mg" if route.device_mg is not None else ""
    later = "".join(f"; from the second device {name} times {ratio}" for name, ratio in route.later_devices.items())
    return f"{route.route}{products}{devices}: {'; '.join(_way(way) for way in route.ways)}{later}"


def _way(way: Way) -> str:
    share = " x ".join([*way.fraction, *([f"(1 - {way.remainder_of})"] if way.remainder_of else [])]) or "all"
    lag = f" after {way.lag}" if way.lag else ""
    over = f" over {way.zero_order}" if way.zero_order else ""
    steps = f", then {', '.join(way.steps)}" if way.steps else ""
    speed = ", at an assumed speed" if way.speed == "assumed" else ""
    return f"{share} of the dose{lag}{over}{steps}{speed} into {way.into}"


def covariate_in_words(covariate: Covariate) -> str:
    """One covariate.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> [covariate_in_words(item) for item in get("perez-ruixo-2021").covariates][:2]
    ['QH -2.19 L/h for each year over 60', 'KEL x 0.36 for asian ancestry']
    """
    if covariate.ratio is not None:
        return f"{covariate.parameter} x {covariate.ratio:g} for {covariate.ancestry} ancestry"
    return (
        f"{covariate.parameter} {covariate.change_L_per_h_per_y:g} L/h for each year over {covariate.above_age_years:g}"
    )


def spread_in_words(block: Omega) -> str:
    """One block of variability as it was printed.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> spread_in_words(get("flint-2017").variability[0])
    'CL and NK_CL: CV 40.2 and 104 %, correlation 0.506'
    """
    names = " and ".join(block.effects)
    if block.logit_sd is not None:
        return f"{names}: SD {block.logit_sd:g} of the logit"
    if block.cv_pct is not None:
        together = f", correlation {block.correlation:g}" if block.correlation is not None else ""
        return f"{names}: CV {' and '.join(f'{cv:g}' for cv in block.cv_pct)} %{together}"
    triangle = "; ".join(" ".join(f"{entry:g}" for entry in row) for row in block.omega_log_variance)
    return f"{names}: log variance {triangle}"


def residual_in_words(residual: Residual) -> str:
    """What a measurement of an analyte adds.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> residual_in_words(get("simons-2022").residual[1])
    'S_norketamine: 10.2 % of the value and 0.058 nmol/mL'
    """
    if residual.log_sd is not None:
        return f"{residual.analyte}: SD {residual.log_sd:g} of the log"
    parts = []
    if residual.proportional_fraction is not None:
        parts.append(f"{100 * residual.proportional_fraction:g} % of the value")
    if residual.additive_nmol_per_mL is not None:
        parts.append(f"{residual.additive_nmol_per_mL:g} nmol/mL")
    return f"{residual.analyte}: {' and '.join(parts)}"
