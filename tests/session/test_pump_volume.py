"""The pump's own count against order, record and book: cleared counters, strays, tolerance, what is missing."""

from __future__ import annotations

import pytest

from limen.care.alarm_state import Sample
from limen.knowledge.devices import PumpTolerance
from limen.session.pump import pump_account, pump_volume
from limen.session.replay import replay

RULE = PumpTolerance(volume_mL=0.5, share_pct=5, sources=("limen",), verification="P")


def read(*counts: tuple[float, float | None], start_t_s: float | None = 0.0):
    return pump_volume([Sample(t_s, t_s, "PUMP_VOLUME", mL, "P1") for t_s, mL in counts], start_t_s=start_t_s)


@pytest.mark.parametrize(
    ("counts", "volume_mL", "note"),
    [
        ([(0, 0.0), (60, 1.0), (120, 2.5)], 2.5, None),
        ([(0, 40.0), (60, 41.0), (120, 42.5)], 2.5, None),  # somebody else's volume was never cleared
        ([(0, 40.0), (60, 0.0), (120, 2.5)], 2.5, "cleared at 1:00"),
        ([(0, 0.0), (60, 5.0), (120, 0.0), (180, 1.5)], 6.5, "cleared at 2:00"),
        ([(0, 0.0), (60, 5.0), (120, 0.0), (180, 5.2)], 5.2, "1 stray readings"),
        ([(0, 0.0), (60, None), (120, 2.0)], 2.0, None),
        ([(60, 3.0), (120, 4.0)], 4.0, "not read before the drug began"),
        ([(120, 4.0), (0, 0.0), (60, 3.0), (60, 3.0)], 4.0, None),  # out of order, and twice
        ([(0, 0.0), (60, 3.02), (120, 3.0)], 3.02, None),  # the last digit of the pump
    ],
)
def test_what_ran_is_the_sum_of_the_rises(counts, volume_mL, note):
    found = read(*counts)
    assert found.volume_mL == pytest.approx(volume_mL)
    assert [note in word for word in found.notes] == ([True] if note else [])


def test_a_counter_left_from_somebody_else_is_no_drug_of_a_session_that_gave_none():
    found = read((0, 120.0), (60, 120.0), start_t_s=None)
    assert (found.volume_mL, found.notes) == (0.0, ())
    assert read((0, 120.0), (60, 121.5), start_t_s=None).volume_mL == 1.5, "a pump that runs all the same is seen"


def test_no_reading_is_no_volume_and_not_zero():
    assert read().volume_mL is None
    assert read((0, None)).notes == ("no pump was read",)


@pytest.mark.parametrize(
    ("expected_mL", "pump_mL", "agrees"),
    [
        (35.0, 36.75, True),  # 5 % of 35 is 1.75
        (35.0, 36.76, False),
        (35.0, 33.25, True),
        (35.0, 33.24, False),
        (4.0, 4.5, True),  # half a millilitre is more than 5 % of 4
        (4.0, 4.51, False),
        (35.0, None, None),
        (None, 35.0, None),
    ],
)
def test_the_tolerance_is_the_larger_of_a_volume_and_a_share(expected_mL, pump_mL, agrees):
    pump = read((0, 0.0), (60, pump_mL)) if pump_mL is not None else read()
    account = pump_account(pump, ordered_mL=expected_mL, recorded_mL=None, given_mL=None, drawn_mL=None, tolerance=RULE)
    assert account.rows[0].agrees is agrees
    assert account.agrees is agrees
    assert ("DIFFERS" in account.rows[0].said) == (agrees is False)


def test_a_pump_that_was_not_read_to_the_end_differs_from_nothing_that_counts_to_the_end():
    def rows(unread_mL: float):
        pump = read((0, 0.0), (1200, 17.5))
        made = pump_account(
            pump, ordered_mL=35, recorded_mL=17.5, given_mL=35, drawn_mL=16, unread_mL=unread_mL, tolerance=RULE
        )
        return {row.what: row.agrees for row in made.rows}, made.rows[2].said

    agrees, said = rows(17.5)
    assert agrees == {"ordered": None, "recorded": True, "given in the book": None, "drawn up": False}
    assert said == "given in the book 35 mL: not compared, the pump was read last at 20:00, 17.5 mL before the end"
    assert rows(1.75)[0]["given in the book"] is False, "5 % of 35 mL: as much as any pump may be off"
    assert rows(1.76)[0]["given in the book"] is None


def test_a_pump_may_give_less_than_was_drawn_up_and_never_more():
    def drawn(mL: float):
        pump = read((0, 0.0), (60, 30.0))
        return pump_account(pump, ordered_mL=None, recorded_mL=None, given_mL=None, drawn_mL=mL, tolerance=RULE).rows[3]

    assert drawn(50.0).agrees
    assert drawn(28.0).agrees is False
    assert "pump 30 mL: +2 mL, DIFFERS (allowed +1.4 mL)" in drawn(28.0).said


def test_a_replay_reads_the_pump_and_raises_no_alarm_about_it():
    rows = [
        {"t_s": t_s, "signal": "PUMP_VOLUME", "value": t_s / 100, "device": "P1", "seq": t_s}
        for t_s in range(0, 200, 5)
    ]
    result = replay({"schema": 1, "session": {"protocol": "TRD-IV"}, "events": [], "samples": rows, "until_t_s": 400})
    assert result.state["pump"]["volume_mL"] == 1.95
    assert result.alarms == ()
