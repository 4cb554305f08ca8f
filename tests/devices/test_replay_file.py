"""Recorded numerics become the samples a monitor would have sent, and a bad file names its line."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from limen.devices.replay import continuous_period_s, read_numerics
from limen.errors import InputError

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "icu-numerics-s00001.csv"
HEAD = "t_min,HR,ABPSys,PULSE,RESP,SpO2,NBPSys,NBPDias,NBPMean\n"


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "numerics.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_becomes_samples_with_contract_names(tmp_path):
    samples = read_numerics(file(tmp_path, HEAD + "0,72,119,71,14,98,120,72,89\n"))
    assert {s.signal: s.value for s in samples} == {
        "HR": 72, "PULSE": 71, "RR": 14, "SPO2": 98, "NIBP_SYS": 120, "NIBP_DIA": 72, "NIBP_MEAN": 89,
    }  # fmt: skip


def test_a_recorded_zero_stays_zero_and_an_empty_cell_is_no_value(tmp_path):
    samples = read_numerics(file(tmp_path, HEAD + "0,72,0,,14,0,,,\n"))
    seen = {s.signal: s.value for s in samples}
    assert seen == {"HR": 72, "PULSE": None, "RR": 14, "SPO2": 0}


def test_speed_scales_recorded_time(tmp_path):
    text = HEAD + "".join(f"{minute},72,0,71,14,98,,,\n" for minute in range(5))
    path = file(tmp_path, text)
    assert sorted({s.t_s for s in read_numerics(path, speed_ratio=60)}) == [0, 1, 2, 3, 4]
    assert sorted({s.t_s for s in read_numerics(path)}) == [0, 60, 120, 180, 240]
    assert continuous_period_s(read_numerics(path, speed_ratio=60)) == 1.0
    assert continuous_period_s(read_numerics(path)) == 60.0


def test_a_start_minute_becomes_second_zero(tmp_path):
    text = HEAD + "".join(f"{minute},{70 + minute},0,71,14,98,,,\n" for minute in range(5))
    first = read_numerics(file(tmp_path, text), start_min=3)[0]
    assert (first.t_s, first.value) == (0.0, 73)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a,b\n1,2\n", "numerics.csv:1"),
        (HEAD + "0,72,0,71,14,98,,,\n1,seventy,0,71,14,98,,,\n", "numerics.csv:3 HR"),
        (HEAD + "0,nan,0,71,14,98,,,\n", "numerics.csv:2 HR"),
        (HEAD + "1,72,0,71,14,98,,,\n1,72,0,71,14,98,,,\n", "numerics.csv:3 t_min"),
        (HEAD + "0,72,0\n", "numerics.csv:2"),
    ],
)
def test_a_bad_file_names_the_line(tmp_path, text, where):
    with pytest.raises(InputError) as problem:
        read_numerics(file(tmp_path, text))
    assert where in str(problem.value)


def test_a_missing_file_and_a_speed_of_zero_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_numerics(tmp_path / "none.csv")
    with pytest.raises(InputError, match="speed"):
        read_numerics(file(tmp_path, HEAD), speed_ratio=0)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded numerics are not on this machine")
def test_the_recorded_patient_reads_whole_and_arterial_pressure_is_not_taken_for_the_cuff():
    samples = read_numerics(RECORDED, speed_ratio=60)
    with RECORDED.open(encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    assert sum(s.signal == "HR" for s in samples) == len(rows) == 1936
    cuff = [s.value for s in samples if s.signal == "NIBP_SYS"]
    assert cuff == [float(row["NBPSys"]) for row in rows if row["NBPSys"]]
    zeros = sum(s.signal == "SPO2" and s.value == 0 for s in samples)
    assert zeros == sum(float(row["SpO2"]) == 0 for row in rows) > 300


def test_the_shipped_numerics_read_and_hold_every_kind_of_cell():
    from importlib import resources

    samples = read_numerics(Path(str(resources.files("limen.clinic") / "demo" / "data" / "numerics.csv")))
    spo2 = {s.t_s / 60: s.value for s in samples if s.signal == "SPO2"}
    assert sorted(spo2) == list(range(151))
    assert [minute for minute, value in spo2.items() if value == 0] == [33, 34, 92, *range(100, 130)]
    assert [s.t_s / 60 for s in samples if s.signal == "RR" and s.value is None] == [71]
    assert sum(s.signal == "NIBP_SYS" for s in samples) == 31


def test_a_virtual_chair_written_as_numerics_reads_back_the_same(tmp_path):
    import numpy as np

    from limen.simulator import VirtualChair, VirtualPatient, Vitals
    from limen.simulator.numerics import numerics_csv

    chair = VirtualChair(VirtualPatient(Vitals(128, 78, 72, 98, 14)), np.random.default_rng(5), cuff_s=300)
    sent = list(chair.run(1800))
    read = read_numerics(file(tmp_path, numerics_csv(sent)))
    minutes = {(s.t_s, s.signal): s.value for s in sent if s.t_s % 60 == 0}
    assert {(s.t_s, s.signal): s.value for s in read if s.signal != "PULSE"} == minutes
