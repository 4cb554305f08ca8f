"""Building the demonstration: staff, stock, and patients at every stage of treatment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources

from django.db import transaction
from django.utils import timezone

from limen.clinic.accounts.actions import bootstrap_user
from limen.clinic.accounts.models import User
from limen.clinic.demo import people
from limen.clinic.demo.accounts import ACCOUNTS
from limen.clinic.demo.live import Seated, at_rest, begin
from limen.clinic.demo.past import living
from limen.clinic.demo.rescue import stock_and_sign
from limen.clinic.demo.treat import Staff, live_through, meet, plan_today, prepare_day
from limen.clinic.patients.imports import import_bundle
from limen.clinic.project.home import home
from limen.clinic.sessions.actions import end_session
from limen.clinic.sessions.devices import bootstrap_device
from limen.clinic.sessions.models import Device, Session
from limen.clinic.sessions.monitor import LIVE
from limen.clinic.sites.actions import bootstrap_chair, create_site
from limen.clinic.sites.models import Chair, Site
from limen.clinic.stock.actions import receive

__all__ = ["ACCOUNTS", "build_demo", "virtual_chairs"]

SLUG = "demonstration"
BUILDER = "demo"
CHAIRS = ("Chair 1", "Chair 2", "Chair 3", "Chair 4")
TOKENS = "device-tokens.json"
# A live session older than this is not picked up again when the demonstration is started anew.
LIVE_FOR = timedelta(hours=3)
SESSION_HOUR = 9


@dataclass(frozen=True, slots=True)
class VirtualChair:
    """A simulated patient and monitor to start beside the server."""

    device: str
    token: str
    options: tuple[str, ...]


@transaction.atomic
def build_demo() -> None:
    """Fill an empty database: staff, chairs, vials, devices, and patients who have lived through their treatment.

    All of it or nothing, and one wait for the disk instead of one for each act of their past.
    """
    site = create_site(by=BUILDER, name="Limen demonstration clinic", timezone="UTC", slug=SLUG)
    staff = _staff(site)
    for name in CHAIRS:
        bootstrap_chair(by=BUILDER, site=site, name=name)
    tokens = {}
    for number in (1, 2):
        _, tokens[f"virtual-chair-{number}"] = bootstrap_device(by=BUILDER, site=site, name=f"virtual-chair-{number}")
    path = home() / TOKENS
    path.touch(mode=0o600)
    path.write_text(json.dumps(tokens), encoding="utf-8")
    with living(_morning(days_ago=40)):
        _stock(site, staff)
        stock_and_sign(site, staff.director)
    _past(site, staff)
    _present(site, staff)
    seated = [Seated(site, staff, *place) for place in _seats(site)]
    for _ in range(2):  # the second time only the seconds that the first took: the chairs beside the server go on soon
        for session in seated:
            session.bring_to_now()


def virtual_chairs() -> list[VirtualChair]:
    """The virtual chairs to start, each with a session that runs now."""
    site = Site.objects.get(slug=SLUG)
    staff = Staff(*(User.objects.get(username=account.username) for account in ACCOUNTS))
    tokens: dict[str, str] = json.loads((home() / TOKENS).read_text(encoding="utf-8"))
    _end_old(site, staff)
    if not Session.objects.filter(site=site, status__in=LIVE).exists():
        for person, chair, device, _ in _seats(site):
            begin(site, staff, person, chair, device)
    return [
        VirtualChair(device.name, tokens[device.name], _options(session, person, number))
        for person, _, device, number in _seats(site)
        for session in Session.objects.filter(
            site=site, status__in=LIVE, associations__device=device, associations__ended_at=None
        )
    ]


def _seats(site: Site) -> list[tuple[people.Person, Chair, Device, int]]:
    return [
        (
            person,
            Chair.objects.get(site=site, name=f"Chair {number}"),
            Device.objects.get(site=site, name=f"virtual-chair-{number}"),
            number,
        )
        for number, person in enumerate((people.LIVE, people.SECOND_LIVE), start=1)
    ]


def _options(session: Session, person: people.Person, number: int) -> tuple[str, ...]:
    dose = session.plan.result["dose"]
    rest = at_rest(person)
    return (
        "--seed",
        str(100 + number),
        "--baseline",
        f"{rest.sbp_mmHg:g}/{rest.dbp_mmHg:g},{rest.hr_per_min:g},{rest.spo2_pct:g},{rest.rr_per_min:g}",
        "--weight-kg",
        f"{person.weight_kg:g}",
        "--dose",
        f"{dose['dose_mg']:g} mg iv over {dose['duration_min']:g} min",
        "--since",
        session.started_at.isoformat() if session.started_at else "",
    )


def _end_old(site: Site, staff: Staff) -> None:
    oldest = timezone.now() - LIVE_FOR
    for session in Session.objects.filter(site=site, status__in=("running", "recovery"), started_at__lt=oldest):
        end_session(by=staff.nurse, session=session, reason="The demonstration was stopped during this session.")


def _staff(site: Site) -> Staff:
    return Staff(
        *(
            bootstrap_user(
                by=BUILDER,
                site=site,
                username=account.username,
                display_name=account.display_name,
                initials=account.initials,
                password=account.password,
                roles=list(account.roles),
            )
            for account in ACCOUNTS
        )
    )


def _stock(site: Site, staff: Staff) -> None:
    for number in range(1, 5):
        receive(
            by=staff.pharmacist,
            site=site,
            label=f"HK2-09{30 + number}",
            key=f"demo-receive-{number}",
            product="racemic",
            strength_mg_per_mL="50",
            volume_mL="10",
            lot="HK2",
            expiry=(timezone.now() + timedelta(days=500)).date(),
            supplier="Demonstration supplier",
            invoice=f"INV-{1000 + number}",
            witness=staff.second_nurse,
        )


def _past(site: Site, staff: Staff) -> None:
    """Two courses, one finished and one under way, day by day in the order they happened."""
    days = [(31 - 3 * number, people.COMPLETED, number) for number in range(len(people.COMPLETED.phq9))] + [
        (10 - 3 * number, people.IN_COURSE, number) for number in range(3)
    ]
    for days_ago, person, number in sorted(days, key=lambda day: -day[0]):
        with living(_morning(days_ago)) as clock:
            live_through(site, staff, person, number, clock)


def _present(site: Site, staff: Staff) -> None:
    """People who wait: for a screening, for a signature, for a pressure to fall, for a second look."""
    bundle = resources.files("limen.clinic.demo") / "data" / "referral-bundle.json"
    import_bundle(
        by=staff.nurse, site=site, raw=json.loads(bundle.read_text(encoding="utf-8")), file_name="referral-bundle.json"
    )
    for person in (people.TO_SIGN, people.HELD, people.EXCLUDED, people.SAFETY):
        patient, course = meet(site, staff, person)
        prepare_day(staff, person, patient, course)
        if person is people.TO_SIGN:
            plan_today(staff, course, sign=False)


def _morning(days_ago: int) -> datetime:
    day = timezone.now() - timedelta(days=days_ago)
    return day.replace(hour=SESSION_HOUR, minute=0, second=0, microsecond=0)
