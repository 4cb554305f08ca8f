"""The list of published observations is whole, and each has an answer or a reason for none."""

from __future__ import annotations

from limen.evidence import sources
from limen.pharmacology.regimen import parse_dose
from limen.pharmacology.validation.observations import checks, chosen, rows
from limen.pharmacology.validation.schema import Row

# Ids and hours of the project's digest of the literature.
CONCENTRATIONS = {str(number) for number in range(1, 28)}
EFFECTS = {f"E{number}" for number in range(1, 18)}
DIGITISED_H = (0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.083, 3.5, 4.0, 5.0)


def test_every_row_of_the_digest_is_there_once() -> None:
    assert [row.id for row in rows()] == sorted(CONCENTRATIONS, key=int) + sorted(
        EFFECTS, key=lambda item: int(item[1:])
    )


def metabolites() -> Row:
    return chosen(["27"])[0]


def test_the_digitised_curves_are_seven_with_eleven_hours_each() -> None:
    row = metabolites()
    curves = [series for setting in row.settings for series in setting.series]
    curves += [series for item in row.not_answerable for series in item.series]
    assert len(curves) == 7
    assert {series.at_h for series in curves} == {DIGITISED_H}


def test_some_printed_numbers_stand_as_printed() -> None:
    first = metabolites().settings[0].series[0]
    assert dict(zip(first.at_h, first.values, strict=True))[3.083] == 0.733
    nasal = chosen(["5"])[0].settings
    assert [[item.value for item in setting.observed] for setting in nasal] == [
        [43.8, 147.3, 59.1, 274.4],
        [72.5, 254.7, 119.7, 516.3],
        [101.0, 362.2, 180.0, 758.0],
    ]
    assert [(item.value, item.spread and item.spread.value) for item in chosen(["24"])[0].settings[0].observed] == [
        (1860, 883),
        (429, 277),
        (40, 16),
    ]


def test_every_row_is_sourced_and_every_dose_can_be_read() -> None:
    for row in rows():
        assert set(row.sources) <= set(sources()), row.id
        for setting in row.settings:
            assert all(parse_dose(text).value > 0 for text in setting.doses), row.id
    for check in checks():
        assert all(parse_dose(text).value > 0 for text in check.doses)


def test_what_nobody_answers_says_why() -> None:
    silent = {row.id for row in rows() if not row.settings}
    assert {"15", "20", "21", "23"} <= silent
    for row in rows():
        for item in row.not_answerable:
            assert len(item.because.split()) >= 5, (row.id, item.what)
