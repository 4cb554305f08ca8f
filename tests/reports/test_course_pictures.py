"""Pictures of the long courses: what is forecast with its band, and what trials saw, in ink and told below."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from limen.cli.main import app, load_topics
from limen.errors import InputError
from limen.pharmacology.courses import antidepressant, pain_relief, relapse
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.reports.plots.course import antidepressant_picture, pain_relief_picture, relapse_picture

load_topics()


def words_of(svg: str) -> str:
    """What the picture says, its lines joined."""
    return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg)).replace("\n", " ")


def test_one_session_with_its_trials() -> None:
    course = antidepressant.course("racemic-iv", [0.0], n=50, rng=np.random.default_rng(1))
    picture = antidepressant_picture(course, [0.0])
    text = words_of(picture.svg)
    assert "Racemic ketamine, 0.5 to 1.0 mg/kg IV" in text
    assert "(1) Murrough 2013" in text
    assert "Masked under anaesthesia 2023" in text
    assert "not between patients" in text
    # A course of four sessions is another thing: not beside one.
    assert "Singh" not in text
    assert "sessions add" not in text


def test_several_sessions_under_both_rules() -> None:
    days = [0.0, 4.0, 7.0, 11.0]
    text = words_of(antidepressant_picture(antidepressant.course("racemic-iv", days), days).svg)
    assert "sessions add" in text
    assert "(1) Singh 2016" in text
    assert "Murrough" not in text
    assert "Pale" not in text


def test_relapse_through_its_row() -> None:
    text = words_of(relapse_picture(relapse.course("six-infusions")).svg)
    assert "one constant hazard" in text
    for words in ("50 % by day 18", "25 % by day 11", "75 % by day 83"):
        assert words in text
    assert "by day 83" not in relapse_picture(relapse.course("oral-er-180")).svg


def test_pain_relief_and_the_same_bytes_again() -> None:
    course = pain_relief.course([Dose(1250, "iv", 0, 6000)], PatientProfile(weight_kg=70), until_days=30)
    once, again = pain_relief_picture(course), pain_relief_picture(course)
    assert once.svg == again.svg
    assert "in responders" in once.svg
    assert "Not points of a pain scale" in once.svg
    assert once.png.startswith(b"\x89PNG")


def test_the_command_writes_the_picture(tmp_path: Path) -> None:
    target = tmp_path / "relapse.svg"
    result = CliRunner().invoke(app, ["course", "relapse", "oral-er-placebo", "--plot", str(target)])
    assert result.exit_code == 0
    assert "one constant hazard" in target.read_text(encoding="utf-8")
    single = tmp_path / "course.png"
    result = CliRunner().invoke(app, ["course", "antidepressant", "--dose", "0.5 mg/kg iv", "--plot", str(single)])
    assert result.exit_code == 0
    assert single.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["relapse", "six-infusions", "--plot", "x.pdf"], "--plot"),
        (["relapse", "nasal-responders-drug", "--plot", "x.svg"], "no curve to draw"),
        (["antidepressant", "--dose", "0.5 mg/kg iv", "--plot", "/nowhere/x.svg"], "cannot write"),
    ],
)
def test_a_picture_that_cannot_be_is_refused(words: list[str], told: str) -> None:
    result = CliRunner().invoke(app, ["course", *words])
    assert isinstance(result.exception, InputError)
    assert told in str(result.exception)
