"""The picture of a forecast: the same forecast gives the same bytes, every lane and every limit is named."""

from __future__ import annotations

import functools
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from limen.errors import InputError
from limen.pharmacology.forecast import forecast
from limen.pharmacology.outcome import Forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.reports.plots import Limit, draw_forecast, forecast_svg


@functools.cache
def made(n: int = 20) -> Forecast:
    rng = np.random.default_rng(1) if n else None
    return forecast(
        [Dose(35, "iv", 0, 40), Dose(5, "iv", 60)], PatientProfile(40, "male", 70), n=n, rng=rng, every_min=5
    )


def words_of(svg: str) -> str:
    return " ".join(" ".join(ElementTree.fromstring(svg).itertext()).split())  # noqa: S314  # our own text


def test_the_same_forecast_gives_the_same_bytes() -> None:
    one = ["sbp_change_mmHg"]
    assert draw_forecast(made(), outputs=one).svg == draw_forecast(made(), outputs=one).svg
    assert draw_forecast(made(0), outputs=one).png == draw_forecast(made(0), outputs=one).png


def test_it_is_xml_with_a_lane_for_each_output_and_no_date() -> None:
    text = forecast_svg(made())
    words = words_of(text)
    for lane in ("Ketamine in plasma, ng/mL", "Ketamine at the effect site, ng/mL", "Rise in systolic pressure, mmHg"):
        assert lane in words
    assert "not measured" in words
    assert "different blood" in words
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_bands_are_drawn_and_named_only_when_there_is_a_population() -> None:
    with_patients, alone = (words_of(draw_forecast(made(n), outputs=["dissociation_pct"]).svg) for n in (20, 0))
    assert "virtual patients" in with_patients
    assert "90 of 100 patients" in with_patients
    assert "virtual patients" not in alone
    assert "90 of 100" not in alone


def test_a_limit_is_drawn_with_its_name_and_a_hard_one_is_hatched() -> None:
    output = "sbp_change_mmHg"
    hard = Limit(output, 40, "mmHg", "MON-1 pause", "hard")
    soft = Limit(output, 20, "mmHg", "watch", "soft")
    behind, before = (draw_forecast(made(0), outputs=[output], limits=[wall]).svg for wall in (hard, soft))
    assert "MON-1 pause: 40 mmHg" in words_of(behind)
    assert "pattern" in behind
    assert "watch: 20 mmHg" in words_of(before)
    assert "pattern" not in before


def test_a_band_of_study_means_is_not_shown_as_people() -> None:
    pulse, pressure, without = (
        words_of(draw_forecast(made(), outputs=[name]).svg)
        for name in ("hr_change_per_min", "sbp_change_mmHg", "dissociation_pct")
    )
    assert "not of people; some people rise far more" in pulse
    assert "how people differ is computed from how many rose far on nasal drug" in pressure
    assert "people" not in without.replace("virtual", "")


def test_only_what_was_asked_for_is_drawn_and_what_is_not_there_is_refused() -> None:
    words = words_of(draw_forecast(made(0), outputs=["hr_change_per_min"], now_h=1.0).svg)
    assert "Rise in heart rate, /min" in words
    assert "now" in words.split()
    assert "systolic" not in words
    with pytest.raises(InputError, match="no 'shoe_size'"):
        draw_forecast(made(0), outputs=["shoe_size"])


def test_png_and_svg_and_nothing_else() -> None:
    picture = draw_forecast(made(0), outputs=["hr_change_per_min"])
    assert picture.written_as(".png").startswith(b"\x89PNG")
    assert picture.written_as(".svg").startswith(b"<?xml")
    with pytest.raises(InputError, match=r"\.svg or \.png"):
        picture.written_as(".gif")
