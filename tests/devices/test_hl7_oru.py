"""What an ORU^R01 says: codes, units, states, times and patients, with hl7apy as the second opinion."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hl7apy.parser import parse_message

from devices.oru import beat, oru, saturation
from limen.devices.hl7_fields import between_s, decoded, read_time
from limen.devices.hl7_oru import Hl7RefusedError, acknowledgement, read_header, read_oru

AT = dt.datetime(2026, 3, 1, 8, 30, tzinfo=dt.UTC)


def read(values, zone=None, **more):
    return read_oru(read_header(oru(values, **more)), zone)


def charted(reading) -> dict[str, float | None]:
    return {value.signal: value.value for value in reading.values}


def test_the_reader_and_hl7apy_agree_on_every_field():
    text = oru([beat(), saturation()])
    other = parse_message(text, find_groups=False)
    reading = read_oru(read_header(text))
    assert reading.control_id == other.msh.msh_10.value
    assert reading.patient == other.pid.pid_3.pid_3_1.value == "20401"
    assert reading.senders == ("MON1", "0011223344556677")
    values = {
        obx.obx_3.obx_3_2.value: float(obx.obx_5.value)
        for obx in other.children
        if obx.name == "OBX" and obx.obx_5.value
    }
    assert values == {"MDC_ECG_HEART_RATE": 78.0, "MDC_PULS_OXIM_SAT_O2": 97.0}
    assert charted(reading) == {"HR": 78.0, "SPO2": 97.0}
    assert reading.sent_at == AT


# (code, value, unit) -> (signal, value): every conversion is arithmetic on the definition of the unit.
@pytest.mark.parametrize(
    ("code", "value", "unit", "signal", "expected"),
    [
        ("149530^MDC_PULS_OXIM_PULS_RATE^MDC", "71", "264864^MDC_DIM_BEAT_PER_MIN^MDC", "PULSE", 71.0),
        ("150021^MDC_PRESS_BLD_NONINV_SYS^MDC", "128", "266016^MDC_DIM_MMHG^MDC", "NIBP_SYS", 128.0),
        ("150301^MDC_PRESS_CUFF_SYS^MDC", "128", "266016^MDC_DIM_MMHG^MDC", "NIBP_SYS", 128.0),
        ("150022^MDC_PRESS_BLD_NONINV_DIA^MDC", "10", "kPa^kilopascal^UCUM", "NIBP_DIA", 75.006158),
        ("151594^MDC_CO2_RESP_RATE^MDC", "13", "264928^MDC_DIM_RESP_PER_MIN^MDC", "RR", 13.0),
        ("151708^MDC_CONC_AWAY_CO2_ET^MDC", "5", "kPa^kilopascal^UCUM", "ETCO2", 37.503079),
        ("151728^MDC_AWAY_CO2_ET^MDC", "38", "266016^MDC_DIM_MMHG^MDC", "ETCO2", 38.0),
        ("150344^MDC_TEMP^MDC", "98.6", "268160^MDC_DIM_FAHR^MDC", "TEMP", 37.0),
        ("150344^MDC_TEMP^MDC", "36.8", "Cel^^UCUM", "TEMP", 36.8),
        ("157864^MDC_VOL_FLUID_DELIV^MDC", "0", "263762^MDC_DIM_MILLI_L^MDC", "PUMP_VOLUME", 0.0),
        ("157784^MDC_FLOW_FLUID_PUMP^MDC", "52.5", "265266^MDC_DIM_MILLI_L_PER_HR^MDC", "PUMP_RATE", 52.5),
        ("18458^MDC_PULS_OXIM_PULS_RATE^MDC", "71", "2720^MDC_DIM_BEAT_PER_MIN^MDC", "PULSE", 71.0),
    ],
)
def test_codes_and_units_become_our_signals(code, value, unit, signal, expected):
    (found,) = read([{"code": code, "value": value, "unit": unit}]).values
    assert found.signal == signal
    assert found.value == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("value", [beat(""), beat("78", status="X"), beat("8388607"), beat("8388607", status="X")])
def test_no_value_is_no_value_and_never_a_number(value):
    assert charted(read([value])) == {"HR": None}


# The measurement states of IEEE 11073-10201 as PCD-01 writes them into OBX-8: only OBX-11 of these is R or F.
@pytest.mark.parametrize("flags", ["QUES", "CAL", "TEST", "DEMO", "INV", "demo", "H~TEST", "TEST^test-data", "OFF"])
def test_what_its_device_does_not_vouch_for_is_no_value(flags):
    assert charted(read([beat("78", flags=flags), saturation()])) == {"HR": None, "SPO2": 97.0}


@pytest.mark.parametrize("flags", ["", '""', "N", "H", "LL", "ALACT", "HH~ALACT", "ALINH", "EARLY", ">"])
def test_a_flag_that_only_calls_a_value_high_or_low_leaves_it(flags):
    assert charted(read([beat("178", flags=flags)])) == {"HR": 178.0}


def test_a_recorded_zero_stays_zero_and_a_number_typed_as_text_is_read():
    assert charted(read([saturation("0"), beat("78", kind="ST")])) == {"SPO2": 0.0, "HR": 78.0}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (beat(code="147842^MDC_PULS_OXIM_SAT_O2^MDC"), "code 147842 is MDC_ECG_HEART_RATE"),
        (beat(unit="266016^MDC_DIM_MMHG^MDC"), "does not measure the same"),
        (beat(unit="999999^MDC_DIM_ODD^MDC"), "is not in the table"),
        (beat(unit=""), "is not in the table"),
        (beat("about 80"), "is not a number"),
        (beat("nan"), "is not a number"),
        (beat(status="C"), "entered by a person"),
        (beat(status="D"), "entered by a person"),
        (beat(flags="ODD"), "flag 'ODD' is not known"),
        (beat(status=""), "result state '' is not known"),
        (beat(code="147842^MDC_ECG_HEART_RATE^LN"), "not in MDC"),
        (beat(at="20260301093100+0100"), "after the message was sent"),
        (beat(at="20260227093000+0100"), "48.0 h before the message"),
        (beat(at="202603010930+0100"), "without seconds"),
        (beat(at="20260231093000"), "is no time"),
    ],
)
def test_a_value_that_is_in_doubt_is_left_out_and_the_others_are_charted(value, why):
    reading = read([value, saturation()])
    assert charted(reading) == {"SPO2": 97.0}
    (left,) = reading.left
    assert why in left.why
    assert left.problem
    assert left.where == "OBX 2"


def test_what_is_known_and_not_charted_is_listed_without_alarm():
    arterial = {"code": "150033^MDC_PRESS_BLD_ART_SYS^MDC", "value": "110", "unit": "266016^MDC_DIM_MMHG^MDC"}
    reading = read([arterial, beat()])
    assert charted(reading) == {"HR": 78.0}
    assert [(left.name, left.problem) for left in reading.left] == [("MDC_PRESS_BLD_ART_SYS", False)]


def test_of_two_breathing_rates_the_capnograph_is_charted():
    chest = {"code": "151578^MDC_TTHOR_RESP_RATE^MDC", "value": "30", "unit": "264928^^MDC"}
    co2 = {"code": "151594^MDC_CO2_RESP_RATE^MDC", "value": "12", "unit": "264928^^MDC"}
    assert charted(read([chest, co2])) == {"RR": 12.0}


def test_one_signal_given_twice_with_different_values_is_not_charted():
    reading = read([saturation("97"), saturation("82"), beat()])
    assert charted(reading) == {"HR": 78.0}
    assert {left.why for left in reading.left} == {"given twice with different values"}
    assert charted(read([saturation("97"), saturation("97")])) == {"SPO2": 97.0}


def test_ages_come_from_the_devices_own_clock_however_wrong_it_is():
    (found,) = read([beat(at="19990101000000+0000")], sent="19990101000004+0000").values
    assert found.age_s == 4.0
    (other,) = read([beat()], sent="20260301093000.500+0100", taken="20260301082958+0000").values
    assert other.age_s == 2.5


def test_a_time_without_a_zone_takes_the_configured_one_or_none():
    assert read([beat()], sent="20260301093000", zone=ZoneInfo("Europe/Zurich")).sent_at == AT
    assert read([beat()], sent="20260301093000").sent_at.tzinfo is None
    (found,) = read([beat(at="20260301092958")], sent="20260301093000").values
    assert found.age_s == 2.0


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"kind": "ADT^A01^ADT_A01"}, "AR", "MSH-9"),
        ({"processing": "T"}, "AR", "MSH-11"),
        ({"profile": "X^Y^1.2.3^ISO"}, "AR", "MSH-21"),
        ({"control": ""}, "AR", "MSH-10"),
        ({"patient": None}, "AE", "PID-3"),
        ({"patient": ""}, "AE", "PID-3"),
        ({"second_patient": "20402"}, "AE", "PID-3"),
        ({"sent": ""}, "AE", "MSH-7"),
        ({"sent": "yesterday"}, "AE", "MSH-7"),
    ],
)
def test_a_message_that_is_not_for_us_or_names_no_patient_is_refused_whole(change, code, where):
    with pytest.raises(Hl7RefusedError) as problem:
        read([beat()], **change)
    assert (problem.value.code, problem.value.where) == (code, where)


def test_a_value_that_its_device_calls_another_patients_refuses_the_message():
    with pytest.raises(Hl7RefusedError, match="another patient"):
        read([saturation(), beat(status="W")])


@pytest.mark.parametrize("text", ["", "hello", "MSH", "MSH|^~\\&", "PID|||1", "\x00\x01"])
def test_what_is_no_hl7_is_refused_in_words(text):
    with pytest.raises(Hl7RefusedError) as problem:
        read_header(text)
    assert problem.value.code == "AR"


def test_the_same_content_has_one_key_and_other_content_under_the_same_number_has_another():
    assert read([beat("78")]).key == read([beat("78")]).key
    assert read([beat("78")]).key != read([beat("79")]).key


def test_hl7apy_reads_our_acknowledgement_and_finds_nothing_wrong_with_it():
    errors = (("E", "101^Required field missing", "PID-3", "no | patient ^ & ~ \\ at all"),)
    text = acknowledgement(oru([beat()]), "AE", now=AT, control_id="L7", errors=errors)
    other = parse_message(text, validation_level=1)
    other.validate()
    assert other.msh.msh_9.value == "ACK^R01^ACK"
    assert (other.msa.msa_1.value, other.msa.msa_2.value) == ("AE", "000123")
    assert other.msh.msh_5.value == "MON1^0011223344556677^EUI-64"
    assert other.msh.msh_7.value == "20260301083000+0000"
    assert other.err.err_4.value == "E"
    assert other.err.err_3.err_3_1.value == "101"
    assert "no \\F\\ patient \\S\\ \\T\\ \\R\\ \\E\\ at all" in text


@pytest.mark.parametrize(
    ("earlier", "later", "seconds"),
    [
        ("20260329015930", "20260329030030", 60.0),  # the hour from 2 to 3 is left out
        ("20261025010000", "20261025040000", 4 * 3600.0),  # and that one comes twice
        ("20260301093000", "20260301093005", 5.0),
    ],
)
def test_seconds_between_two_stamps_of_a_zone_with_summer_time(earlier, later, seconds):
    zone = ZoneInfo("Europe/Zurich")
    first, second = (read_time(text, zone, where="MSH-7") for text in (earlier, later))
    assert between_s(second, first) == seconds


@pytest.mark.parametrize(
    ("charset", "name", "encoding"),
    [
        ("UNICODE UTF-8", "M\u00fcller", "utf-8"),
        ("8859/1", "M\u00fcller", "latin-1"),
        ("8859/15", "\u0160", "iso8859-15"),
    ],
)
def test_a_message_is_read_in_the_character_set_that_it_names(charset, name, encoding):
    text = f"MSH|^~\\&|MON1|CLINIC|||20260301093000+0100||ORU^R01|1|P|2.6||||||{charset}|\rPID|||1||{name}\r"
    assert decoded(text.encode(encoding)) == text


@pytest.mark.parametrize("charset", ["", "UNICODE UTF-8", "8859/1x", "ISO IR87", "8859/12"])
def test_bytes_that_no_named_character_set_explains_are_refused(charset):
    block = f"MSH|^~\\&|MON1|CLINIC|||20260301093000+0100||ORU^R01|1|P|2.6||||||{charset}|\rPID|||1||".encode()
    with pytest.raises((UnicodeDecodeError, LookupError)):
        decoded(block + b"\xff\r")
