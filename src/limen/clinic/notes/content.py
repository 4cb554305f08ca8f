"""What goes into a note: the session's events replayed, and beside them what only the clinic knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.utils.formats import date_format

import limen
from limen.clinic.accounts.models import User
from limen.clinic.calls.queries import log_of
from limen.clinic.emergency.queries import told_beside
from limen.clinic.notes.beside import clock_turned_s, device_words, newest_beside
from limen.clinic.notes.rems import recorded_rems
from limen.clinic.outcomes.models import QuestionnaireResponse
from limen.clinic.sessions.export import export_session
from limen.clinic.sessions.models import Sample, Session, SessionEvent
from limen.clinic.sites.zones import local
from limen.clinic.stock.book import entries, rows
from limen.clinic.stock.models import LedgerEntry
from limen.clinic.stock.pumping import pump_json
from limen.clinic.stock.queries import session_account
from limen.evidence.marks import Verification
from limen.knowledge.discharge import discharge
from limen.knowledge.release import knowledge_release
from limen.ledger import effective, show_mg
from limen.session.replay import replay

_ROUTES = {
    "iv": "intravenous",
    "im": "intramuscular",
    "sc": "subcutaneous",
    "in": "nasal",
    "po": "oral",
    "sl": "sublingual",
    "buccal": "buccal",
    "pr": "rectal",
}
_KEEP_S = 24 * 3600
_NOT_DONE = (None, False, "not-done", "not-applicable")


def draft(session: Session) -> dict[str, Any]:
    """The content of a session's note as it stands now.

    Replaying a session takes a second, so the draft is kept until something that it tells of is added or changed.
    """
    recorded = recorded_of(session)
    newest = (
        SessionEvent.objects.filter(session=session).order_by("-id").values_list("id", flat=True).first(),
        Sample.objects.filter(session=session).order_by("-id").values_list("id", flat=True).first(),
        rows(session.site).filter(session=session).order_by("-position").values_list("position", flat=True).first(),
        seal_of(plain(recorded)),
        *newest_beside(session),
        session.status,
        limen.__version__,
    )
    key = f"note:{session.pk}:{':'.join(str(part) for part in newest)}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = _write(session, recorded)
        cache.set(key, found, _KEEP_S)
    return found


def _write(session: Session, recorded: dict[str, Any]) -> dict[str, Any]:
    site, patient = session.site, session.patient
    export = export_session(session.pk, recorded=recorded)
    zone = site.timezone
    started = session.started_at
    title = f"Session note: ketamine, {_ROUTES.get(session.course.route, session.course.route)}"
    day = date_format(local(started, site), "D j M Y") if started else "not started"
    aside = [f"{day}, {session.chair.name}", f"Session {session.number} of this course, lifetime {_lifetime(session)}"]
    aside.append(f"Protocol {session.plan.protocol}")
    born = patient.birth_date
    on = local(started, site).date() if started else session.plan.on
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    weight = (session.header.get("patient") or {}).get("weight_kg")
    identity = [
        ["Patient", f"{patient.given_name} {patient.family_name}".strip()],
        ["Record", patient.mrn],
        ["Born", f"{date_format(born, 'j M Y')} ({age} y)"],
        ["Weight", f"{weight:g} kg" if weight is not None else "not recorded"],
        ["Prescriber", session.plan.signed_by.display_name if session.plan.signed_by else "not signed"],
        ["Monitored by", session.owner.display_name if session.owner else "not recorded"],
    ]
    return {
        "schema": 1,
        "issuer": site.name,
        "title": title,
        "aside": aside,
        "identity": identity,
        "started_at": started.isoformat() if started else None,
        "zone": zone,
        "note": plain(replay(export).note),
        "account": session_account(session).to_json(),
        "pump": pump_json(session),
        "calls": log_of(session),
        "emergencies": told_beside(session),
        "devices": device_words(session),
        "clock_turned_s": clock_turned_s(session),
        "marks": _marks(session),
        "product_version": session.product_version or limen.__version__,
        "knowledge_release": session.knowledge_release or knowledge_release(),
    }


def seal_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of the content as canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def plain(value: Any) -> Any:
    """A value as JSON has it, so that what is sealed is what the database gives back."""
    return json.loads(json.dumps(value, default=_text, allow_nan=False))


def _text(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return show_mg(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} in a note")


def _lifetime(session: Session) -> int:
    """Which session this is of all that this patient has had at the site."""
    before = Session.objects.filter(patient=session.patient, started_at__isnull=False)
    if session.started_at is not None:
        return before.filter(started_at__lte=session.started_at).count()
    return before.count() + 1


def recorded_of(session: Session) -> dict[str, Any]:
    """What the clinic knows beside the events, by part and field of the note."""
    site, patient, plan = session.site, session.patient, session.plan
    facts = {item["key"]: item for item in plan.screening.case.get("facts", [])}
    dose = plan.result.get("dose") or {}
    syringe = dose.get("syringe") or {}
    vials = list({row.vial_id: row.vial for row in rows(site).filter(session=session)}.values())

    def value(key: str) -> Any:
        return facts.get(key, {}).get("value")

    def day(key: str) -> str | None:
        taken = facts.get(key, {}).get("taken_at")
        return str(taken)[:10] if taken and value(key) not in _NOT_DONE else None

    fasted = [
        f"{words} {value(key):g} h"
        for key, words in (("facts.fasted_food_h", "food"), ("facts.fasted_clear_h", "clear fluid"))
        if value(key) is not None
    ]
    return {
        "header": {
            "clinic": site.name,
            "date": local(session.started_at, site).date().isoformat() if session.started_at else None,
            "session_number": session.number,
            "lifetime_number": _lifetime(session),
            "indication": session.course.indication,
            "consent_on": day("facts.consent_signed"),
            "consent_version": _consent_version(facts.get("facts.consent_signed", {})),
        },
        "who": {
            "patient": f"{patient.given_name} {patient.family_name}".strip(),
            "identifier": patient.mrn,
            "born_on": patient.birth_date.isoformat(),
            "weight_on": day("patient.weight_kg"),
            "prescriber": plan.signed_by.display_name if plan.signed_by else None,
        },
        "pre_check": {
            "fasting": ", ".join(fasted) or None,
            "pregnancy_test_on": day("facts.pregnancy_test"),
            "urine_drug_screen_on": day("facts.urine_drug_screen"),
            "pdmp_on": day("facts.pdmp_checked"),
            "pain_or_mood_score": _score(session),
            "cssrs": _cssrs(value("scores.C-SSRS")),
        },
        "order": {
            "product": session.course.product,
            "lot": ", ".join(sorted({vial.lot for vial in vials if vial.lot})) or None,
            "expires_on": ", ".join(sorted({vial.expiry.isoformat() for vial in vials if vial.expiry})) or None,
            "vial_mg_per_mL": syringe.get("vial_mg_per_mL"),
            "concentration_mg_per_mL": syringe.get("concentration_mg_per_mL"),
            "basis": _basis(dose, value("patient.weight_kg")),
            "asked": plan.dose_text or "the protocol's own dose",
            "dose_mg": dose.get("dose_mg"),
            "volume_mL": syringe.get("volume_mL"),
            "diluent": syringe.get("diluent"),
            "rate_mL_per_h": syringe.get("rate_mL_per_h"),
            "limit": _binding(plan.result),
            "signed_by": plan.signed_by.display_name if plan.signed_by else None,
        },
        "waste": _waste(session),
        "audit": {"overrides": _overrides(session)},
        "rems": recorded_rems(session),
    }


def _consent_version(fact: Mapping[str, Any]) -> str | None:
    """The words a consent was signed against; ``None`` where the value was entered by hand and names none."""
    source = str(fact.get("source", ""))
    return source.removeprefix("consent ") if fact.get("value") is True and source.startswith("consent ") else None


def _basis(dose: Mapping[str, Any], weight_kg: Any) -> str | None:
    per_kg = dose.get("dose_mg_per_kg")
    if per_kg is None or weight_kg is None:
        return None
    return f"{per_kg:.3g} mg/kg on {weight_kg:g} kg"


def _binding(result: Mapping[str, Any]) -> str:
    binding = (result.get("limits") or {}).get("binding")
    if not binding:
        return "no limit reached"
    rounding = result["limits"].get("rounding") or {}
    said = [f"{binding['name']} ({binding['rule']})"]
    if binding["kind"] != "rounding":
        said = [f"{binding['name']}, {binding['limit']:g} {binding['unit']} ({binding['rule']})"]
        said += [f"{rounding['name']} ({rounding['rule']})"] if rounding else []
    return f"{'; '.join(said)}: asked {binding['asked']:g}, used {binding['used']:g} {binding['unit']}"


def _score(session: Session) -> str | None:
    before = QuestionnaireResponse.objects.filter(patient=session.patient)
    if session.started_at is not None:
        before = before.filter(at__lte=session.started_at)
    newest = before.order_by("-at").first()
    if newest is None:
        return None
    total = newest.result.get("total")
    said = "no total" if total is None else f"{total:g}"
    return f"{newest.instrument} {said} on {date_format(local(newest.at, session.site), 'j M Y')}"


def _cssrs(answers: Any) -> str | None:
    if not isinstance(answers, Mapping):
        return None
    yes = [name.replace("_", " ") for name, answer in answers.items() if answer is True]
    missing = [name for name, answer in answers.items() if answer is None]
    said = f"yes to {', '.join(yes)}" if yes else "no question answered yes"
    return said + (f", {len(missing)} not answered" if missing else "")


def _waste(session: Session) -> dict[str, Any]:
    own: list[LedgerEntry] = list(rows(session.site).filter(session=session))
    wasted = sum((amount for line, amount in effective(entries(own)) if line.kind == "waste"), Decimal(0))
    seen = [row for row in own if row.kind == "waste"]
    if not own:
        return {}
    people = {name for row in seen for name in (row.by, row.witness)}
    names = dict(User.objects.filter(username__in=people).values_list("username", "display_name"))
    return {
        "waste_mg": float(wasted),
        "witness": ", ".join(f"{names.get(row.by, row.by)} and {names.get(row.witness, row.witness)}" for row in seen)
        or "nothing wasted",
        "log_number": f"entries {own[0].position} to {own[-1].position}",
    }


def _overrides(session: Session) -> list[str]:
    return [
        f"{item.rule} ({item.level}) by {item.user.display_name}: {item.reason}"
        for item in session.plan.overrides.select_related("user").all()
    ]


def _marks(session: Session) -> list[str]:
    """The unverified values this session rested on: named, because nobody has yet read them in a source."""
    weak = Verification.UNVERIFIED.value
    found = [
        f"{item['rule']}: {item.get('title') or item.get('because')}"
        for item in session.plan.result.get("findings", [])
        if item.get("verification") == weak
    ]
    for rule in (item.get("rule") for item in session.plan.result.get("discharge", []) if isinstance(item, Mapping)):
        criterion = discharge().criterion(rule) if rule else None
        if criterion is not None and criterion.verification == weak:
            found.append(f"{rule}: {criterion.title}")
    return list(dict.fromkeys(found))
