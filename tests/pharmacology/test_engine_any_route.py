"""Any model, product, route and patient that is not refused gives finite numbers, none below nothing."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limen.errors import InputError
from limen.pharmacology.models import list_models
from limen.pharmacology.models.schema import Route
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.pharmacology.simulate import check_routes, simulate

CASES = [(model.id, product) for model in list_models() for product in model.products]
MODELS = {model.id: model for model in list_models()}


def routes_of(case: tuple[str, str], patient: PatientProfile) -> list[str]:
    """The routes that are not refused."""
    model_id, product = case
    found = []
    for route in get_args(Route):
        try:
            check_routes(MODELS[model_id], product, [Dose(28, route)], patient)  # type: ignore[arg-type]
        except InputError:
            continue
        found.append(route)
    return found


patients = st.builds(
    PatientProfile,
    age_years=st.one_of(st.none(), st.floats(0.1, 95)),
    weight_kg=st.floats(3, 180),
    ancestry=st.sampled_from([None, "asian", "japanese", "other"]),
    child_pugh=st.sampled_from([None, "A", "B", "C"]),
    egfr_mL_per_min=st.one_of(st.none(), st.floats(5, 130)),
)


@given(
    st.sampled_from(CASES),
    patients,
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 4), st.floats(0, 400)), min_size=1, max_size=3),
    st.lists(st.sampled_from(["rifampicin", "ticlopidine", "clarithromycin", "grapefruit juice"]), max_size=2),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_finite_and_never_below_nothing(
    case: tuple[str, str], patient: PatientProfile, picks: list[tuple[int, int, float]], drugs: list[str]
) -> None:
    routes = routes_of(case, patient)
    doses = [Dose(28.0 * devices, routes[pick % len(routes)], start) for pick, devices, start in picks]
    result = simulate(
        case[0],
        doses,
        patient,
        until_min=480,
        every_min=5,
        product=case[1],
        n=4,
        rng=np.random.default_rng(2),
        perpetrators=drugs,
        wanted_effects=(),
    )
    given_mg = sum(dose.amount_mg for dose in doses)
    for name, curve in result.outputs.items():
        assert np.isfinite(curve.typical).all(), name
        assert (curve.typical >= 0).all(), name
        assert curve.between_patients is not None
        assert np.isfinite(curve.between_patients.p95).all(), name
        assert (curve.between_patients.p05 >= 0).all(), name
    for name, summary in result.summary.items():
        area = summary.typical.auc_0_end_ng_h_per_mL
        assert area is None or (np.isfinite(area[0]) and area[0] >= -1e-9 * given_mg), name
    alone = simulate(
        case[0], doses, patient, until_min=480, every_min=5, product=case[1], perpetrators=drugs, wanted_effects=()
    )
    for name, curve in alone.outputs.items():
        np.testing.assert_allclose(curve.typical, result.outputs[name].typical, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_which_routes_each_product_may_take(case: tuple[str, str]) -> None:
    """The nasal device goes into the nose; S-ketamine is lent nothing of the others; racemate as stated."""
    model_id, product = case
    adult = set(routes_of(case, PatientProfile(age_years=40, weight_kg=70)))
    if product == "esketamine-nasal":
        assert adult == {"in"}
    elif product == "s-ketamine":
        own = {"simons-2022": {"buccal", "sl"}, "perez-ruixo-2021": {"po"}}.get(model_id, set())
        # The numbers of the racemate by muscle, skin and nose, and of the nasal device, are not lent to it.
        assert {"iv"} | own <= adult
        assert not adult & {"im", "sc", "in"}
    else:
        assert adult == {"iv", "im", "sc", "in", "po", "sl", "buccal", "pr"}
