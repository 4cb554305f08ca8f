"""The journey's last step: the exported session replays to the alarms that the clinic wrote down."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from browser.demo_house import DemoHouse
from browser.person import Person


def the_same_session_again(person: Person, demonstration: DemoHouse, session: str) -> None:
    person.guide.step("The same session again")
    file = demonstration.home.parent / "session.json"
    file.write_text(json.dumps(demonstration.command("session", "export", session)))
    replayed = demonstration.command("session", "replay", str(file), "--json")["alarms"]
    again = {alarm["id"]: (alarm["priority"], alarm["t_s"], alarm["ended_t_s"]) for alarm in replayed}
    assert len(again) == len(replayed) > 0
    assert again == alarms_on_record(demonstration.home / "limen.sqlite3", session)
    # What the recording says with a 0 is the sensor's trouble, never a saturation.
    saturation = [alarm for alarm in replayed if alarm["signal"] == "SPO2"]
    assert "technical" in {alarm["kind"] for alarm in saturation}
    assert 0 not in {alarm["value"] for alarm in saturation}


def alarms_on_record(database: Path, session: str) -> dict[str, tuple[str, float, float | None]]:
    """Each alarm that the clinic's monitor wrote, read past the product: priority, from, to."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        rows = opened.execute(
            "SELECT kind, data FROM treatment_alarmrecord WHERE session_id = ? ORDER BY seq", [session.replace("-", "")]
        ).fetchall()
    found: dict[str, tuple[str, float, float | None]] = {}
    for kind, text in rows:
        change = json.loads(text)
        if kind == "raised":
            found[change["alarm"]["id"]] = (change["alarm"]["priority"], change["t_s"], None)
        elif kind == "ended":
            priority, since_t_s, _ = found[change["alarm"]["id"]]
            found[change["alarm"]["id"]] = (priority, since_t_s, change["t_s"])
    return found
