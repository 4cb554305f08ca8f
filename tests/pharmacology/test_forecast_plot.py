"""The picture: the same forecast gives the same bytes, and every lane is named."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np

from limen.pharmacology.forecast import forecast
from limen.pharmacology.outcome import Forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.reports.plots import forecast_svg


def made(n: int = 20) -> Forecast:
    rng = np.random.default_rng(1) if n else None
    return forecast(
        [Dose(35, "iv", 0, 40), Dose(5, "iv", 60)], PatientProfile(40, "male", 70), n=n, rng=rng, every_min=5
    )


def test_the_same_forecast_gives_the_same_bytes() -> None:
    assert forecast_svg(made()) == forecast_svg(made())


def test_it_is_xml_with_a_lane_for_each_output_and_no_date() -> None:
    text = forecast_svg(made())
    words = " ".join(ElementTree.fromstring(text).itertext())  # noqa: S314  # our own text
    for lane in ("Ketamine, plasma, ng/mL", "Ketamine, effect site, ng/mL", "Systolic pressure, change, mmHg"):
        assert lane in words
    assert "not measured" in words
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_bands_are_drawn_only_when_there_is_a_population() -> None:
    assert "virtual patients" in forecast_svg(made())
    assert "virtual patients" not in forecast_svg(made(0))
