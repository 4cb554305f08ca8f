"""Everything that moves a milligram: each act needs one permission, and becomes one line at the end of the book."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from limen.care.syringe import VialSpec, check_vial
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import holds
from limen.clinic.audit.act import about, acting, action, current, note, target_of
from limen.clinic.courses.models import Plan
from limen.clinic.sessions.models import Session
from limen.clinic.sessions.planned import why_not_now
from limen.clinic.sites.zones import today
from limen.clinic.stock.book import entries, key_for, line_for, lock_book, rows, write
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.errors import InputError, RefusedError
from limen.knowledge.drugs import Product, get_product
from limen.ledger import decimal_mg, effective, fold, parse_amount, read_line, show_mg
from limen.units import Concentration

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User
    from limen.clinic.sites.models import Site

OPEN = (Session.Status.PLANNED, Session.Status.RUNNING, Session.Status.RECOVERY)


@action(Permission.STOCK_RECEIVE, on="site")
def receive(
    *,
    by: User,
    site: Site,
    label: str,
    key: str,
    product: str = "",
    strength_mg_per_mL: str = "",
    volume_mL: str = "",
    lot: str = "",
    expiry: date | None = None,
    amount_mg: str = "",
    supplier: str = "",
    invoice: str = "",
    reason: str = "",
    witness: User | None = None,
) -> LedgerEntry:
    """Take a vial into stock.

    With product, strength, volume, lot and expiry the amount is strength times volume; of a product in devices each is
    a vial of its own, with lot and expiry and the device's dose. A vial that the book alone receives (``amount_mg``, no
    label) is counted like any other, and cannot be drawn from for a patient.

    Raises
    ------
    InputError
        If the product is not made in this strength, the vial is out of date, or the label is on file already.
    """
    label = label.strip()
    if not label:
        raise InputError("no label", where="vial", allowed="the vial's own number")
    lock_book(site)
    held = Vial.objects.filter(site=site, label=label).first()
    written = rows(site).filter(key=key).exists()
    described = any((product, strength_mg_per_mL, volume_mL, lot, expiry))
    if held is None:
        held = _new_vial(site, label, product, strength_mg_per_mL, volume_mL, lot, expiry, described)
    elif not written:
        raise InputError(f"the vial {label} is on file already", where="vial", allowed="a label not yet used")
    content = _content(held)
    amount = content if content is not None else parse_amount(amount_mg)
    if content is not None and amount_mg and parse_amount(amount_mg) != content:
        raise InputError(
            f"{amount_mg} mg is not what the label says", where="amount_mg", allowed=f"{show_mg(content)} mg"
        )
    raw = line_for(
        "receive",
        by=by.username,
        vial=held,
        amount_mg=show_mg(amount),
        key=key,
        witness=witness.username if witness else None,
        reason=reason,
        product=held.product,
        strength_mg_per_mL=_text(held.strength_mg_per_mL),
        volume_mL=_text(held.volume_mL),
        lot=held.lot,
        expiry=held.expiry.isoformat() if held.expiry else None,
        supplier=supplier,
        invoice=invoice,
    )
    return write(site, held, read_line(raw)[0], None)


def _new_vial(
    site: Site,
    label: str,
    product: str,
    strength_mg_per_mL: str,
    volume_mL: str,
    lot: str,
    expiry: date | None,
    described: bool,
) -> Vial:
    if not described:
        return Vial.objects.create(site=site, label=label)
    strength, volume = _measures(get_product(product), strength_mg_per_mL, volume_mL)
    if volume is not None and volume > 100:
        raise InputError(f"{volume} mL in one vial", where="volume_mL", allowed="up to 100 mL")
    if not lot.strip():
        raise InputError("no lot", where="lot", allowed="the lot number on the label")
    if expiry is None:
        raise InputError("no expiry date", where="expiry", allowed="the date on the label")
    if expiry < today(site):
        raise InputError(f"out of date since {expiry}", where="expiry", allowed=f"{today(site)} or later")
    vial = Vial.objects.create(
        site=site,
        label=label,
        product=product,
        strength_mg_per_mL=strength,
        volume_mL=volume,
        lot=lot.strip(),
        expiry=expiry,
    )
    about(vial)
    return vial


def _measures(product: Product, strength_mg_per_mL: str, volume_mL: str) -> tuple[Decimal | None, Decimal | None]:
    """Strength and volume of a vial; a device has neither, its dose is the product's."""
    if product.device is not None:
        for text, where in ((strength_mg_per_mL, "strength_mg_per_mL"), (volume_mL, "volume_mL")):
            if text.strip():
                allowed = f"empty: {product.device.dose_mg:g} mg each"
                raise InputError(f"{text} of a device", where=where, allowed=allowed)
        return None, None
    strength = _number(strength_mg_per_mL, "strength_mg_per_mL", "mg/mL")
    product.vial(float(strength))
    return strength, _number(volume_mL, "volume_mL", "mL")


@action(Permission.STOCK_DRAW, on="session")
def draw(
    *, by: User, session: Session, vial: Vial, amount_mg: str, witness: User | None, key: str, reason: str = ""
) -> LedgerEntry:
    """Draw up for a session, confirmed by a second person.

    Raises
    ------
    RefusedError
        If the vial is not the one the signed plan was made for, is out of date or too empty, the session is over, or
        it has not begun and its order was replaced or is of another day.
    """
    _same_site(session, vial)
    if not rows(session.site).filter(key=key).exists():  # a line sent again meets the book, not today's state
        if session.status not in OPEN:
            raise RefusedError(f"this session is {session.get_status_display().lower()}", where="session")
        check_order(session, vial)
        if session.status == Session.Status.PLANNED and (why := why_not_now(session)):
            raise RefusedError(why, where="session", hint="Prepare a session of a plan that is signed today")
    return _post(session.site, vial, session, "draw", by.username, amount_mg, key, reason, witness)


def check_order(session: Session, vial: Vial) -> None:
    """Whether this vial is the one the session's signed plan was made for.

    Raises
    ------
    RefusedError
        If the plan is not signed, the label is not on file or out of date, or product or strength differ.
    """
    plan = session.plan
    if plan.signed_at is None or plan.status == Plan.Status.DRAFT:
        raise RefusedError("the plan of this session is not signed", where="session", hint="Ask the prescriber")
    if not vial.product:
        raise RefusedError(
            f"the label of vial {vial.label} is not on file", where="vial", allowed="a vial received by its label"
        )
    if vial.expiry is not None and vial.expiry < today(session.site):
        raise RefusedError(f"vial {vial.label} is out of date since {vial.expiry}", where="vial")
    if without_strength(plan):
        if vial.product != session.course.product:
            raise RefusedError(f"vial {vial.label} holds {vial.product}", where="vial", allowed=session.course.product)
        return
    if vial.strength_mg_per_mL is None:
        raise RefusedError(f"{vial.label} is a device", where="vial", allowed="a vial of the order's strength")
    strength = ordered_strength(plan)
    if strength is None:
        raise RefusedError("the signed plan names no vial strength", where="session", hint="Ask the prescriber")
    ordered = VialSpec(session.course.product, Concentration(strength))
    check_vial(ordered, VialSpec(vial.product, Concentration(float(vial.strength_mg_per_mL))))


def without_strength(plan: Plan) -> bool:
    """Whether the order counts devices, or is taken by mouth: no strength of a vial belongs to it."""
    steps = (plan.result.get("dose") or {}).get("steps") or ()
    return bool(steps) and all(step["kind"] in ("device", "oral") for step in steps)


def ordered_strength(plan: Plan) -> float | None:
    """The vial strength the plan was made for, in mg/mL."""
    syringe = (plan.result.get("dose") or {}).get("syringe") or {}
    found = syringe.get("vial_mg_per_mL") or plan.concentration_mg_per_mL
    return float(found) if found else None


@action(Permission.STOCK_GIVE, on="session")
def give(
    *,
    by: User,
    session: Session,
    vial: Vial,
    amount_mg: str,
    key: str,
    witness: User | None = None,
    reason: str = "",
) -> LedgerEntry:
    """What a patient was given, from one vial's syringe."""
    _same_site(session, vial)
    return _post(session.site, vial, session, "give", by.username, amount_mg, key, reason, witness)


@action(Permission.STOCK_GIVE, on="session")
def record_given(*, by: User, session: Session, amount_mg: float | Decimal) -> list[LedgerEntry]:
    """Bring the book up to what the pump has given in this session so far.

    Called when an infusion ends, as often as one does: what the book has is not written again. It never stands in the
    way of ending an infusion: what the syringes cannot cover stays unwritten, and the session's account shows it.

    Parameters
    ----------
    amount_mg : float or Decimal
        All that the session has given up to now.
    """
    return _book_given(session, amount_mg, by.username)


def follow_pump(session: Session, amount_mg: float) -> list[LedgerEntry]:
    """The same from inside an act of the session, in the name of whoever acts; with an audit row of its own."""
    if _not_yet_given(session, decimal_mg(amount_mg)) <= 0:
        return []
    by = current().by
    with acting(by=by, action="stock.follow_pump", site=session.site, target=target_of(session)):
        return _book_given(session, amount_mg, by)


def _not_yet_given(session: Session, total: Decimal) -> Decimal:
    own = effective(entries(rows(session.site).filter(session=session)))
    return total - sum((amount for line, amount in own if line.kind == "give"), Decimal(0))


def _book_given(session: Session, amount_mg: float | Decimal, by: str) -> list[LedgerEntry]:
    lock_book(session.site)
    left = _not_yet_given(session, amount_mg if isinstance(amount_mg, Decimal) else decimal_mg(amount_mg))
    own = rows(session.site).filter(session=session)
    made: list[LedgerEntry] = []
    for vial in Vial.objects.filter(entries__in=own).distinct().order_by("label"):
        state = fold(entries(rows(session.site).filter(vial=vial)))[vial.label]
        part = min(left, state.syringes.get(str(session.pk), Decimal(0)))
        if part <= 0:
            continue
        key = key_for("given", session.pk, vial.label, own.filter(vial=vial, kind="give").count())
        made.append(_post(session.site, vial, session, "give", by, show_mg(part), key, "given by the pump", None))
        left -= part
    return made


@action(Permission.STOCK_WASTE, on="session")
def waste(
    *, by: User, session: Session, vial: Vial, amount_mg: str, witness: User | None, reason: str, key: str
) -> LedgerEntry:
    """Waste what was drawn and not given, seen by a second person."""
    _same_site(session, vial)
    return _post(session.site, vial, session, "waste", by.username, amount_mg, key, reason, witness)


@action(Permission.STOCK_RETURN, on="session")
def give_back(
    *,
    by: User,
    session: Session,
    vial: Vial,
    amount_mg: str,
    key: str,
    witness: User | None = None,
    reason: str = "",
) -> LedgerEntry:
    """Return what was drawn and not used to the vial it came from."""
    _same_site(session, vial)
    return _post(session.site, vial, session, "return", by.username, amount_mg, key, reason, witness)


@action(Permission.STOCK_TRANSFER, on="vial")
def transfer(
    *, by: User, vial: Vial, amount_mg: str, key: str, witness: User | None = None, reason: str = ""
) -> LedgerEntry:
    """Change who keeps what is in a vial."""
    return _post(vial.site, vial, None, "transfer", by.username, amount_mg, key, reason, witness)


@action(Permission.STOCK_COUNT, on="vial")
def count(
    *, by: User, vial: Vial, amount_mg: str, key: str, witness: User | None = None, reason: str = ""
) -> LedgerEntry:
    """What was seen in a vial; the book says beside it what it expected."""
    return _post(vial.site, vial, None, "count", by.username, amount_mg, key, reason, witness)


@action(Permission.STOCK_COUNT, on="vial")
def counts_differ(*, by: User, vial: Vial, first_mg: str, second_mg: str, witness: User) -> None:
    """Two blind counts that differ: nothing enters the book, and the trail keeps both."""
    note(first_mg=first_mg, second_mg=second_mg, witness=witness.username)


@action(Permission.STOCK_CORRECT, on="vial")
def lose(*, by: User, vial: Vial, amount_mg: str, reason: str, key: str, witness: User | None = None) -> LedgerEntry:
    """Drug that is gone: broken, spilt or missing, with the reason."""
    return _post(vial.site, vial, None, "lose", by.username, amount_mg, key, reason, witness)


@action(Permission.STOCK_DESTROY, on="vial")
def destroy(*, by: User, vial: Vial, amount_mg: str, witness: User | None, reason: str, key: str) -> LedgerEntry:
    """Destroy stock, seen by a second person."""
    return _post(vial.site, vial, None, "destroy", by.username, amount_mg, key, reason, witness)


@action(Permission.STOCK_CORRECT, on="vial")
def correct(
    *,
    by: User,
    vial: Vial,
    amount_mg: str,
    reason: str,
    key: str,
    corrects: str = "",
    session: Session | None = None,
    witness: User | None = None,
) -> LedgerEntry:
    """Replace the amount of an earlier entry, or set what is on hand right. Both entries stay."""
    if corrects and session is None:
        wrong = rows(vial.site).filter(vial=vial, key=corrects).first()
        session = wrong.session if wrong else None
    return _post(vial.site, vial, session, "correct", by.username, amount_mg, key, reason, witness, corrects=corrects)


ACTS: Mapping[str, Callable[..., LedgerEntry]] = {
    "receive": receive,
    "transfer": transfer,
    "draw": draw,
    "give": give,
    "waste": waste,
    "return": give_back,
    "lose": lose,
    "destroy": destroy,
    "count": count,
    "correct": correct,
}
"""The act that writes each kind of line."""


def _post(
    site: Site,
    vial: Vial,
    session: Session | None,
    kind: str,
    by: str,
    amount_mg: str,
    key: str,
    reason: str,
    witness: User | None,
    **other: str,
) -> LedgerEntry:
    if witness is not None and not holds(witness, Permission.STOCK_WITNESS, site):
        raise RefusedError(
            f"{witness.display_name} may not witness at this site", where="witness", allowed="a person of this site"
        )
    raw: dict[str, Any] = line_for(
        kind,
        by=by,
        vial=vial,
        amount_mg=amount_mg,
        key=key,
        witness=witness.username if witness else None,
        session=str(session.pk) if session else None,
        reason=reason,
        **other,
    )
    return write(site, vial, read_line(raw)[0], session)


def _same_site(session: Session, vial: Vial) -> None:
    if vial.site_id != session.site_id:
        raise InputError(f"unknown vial {vial.label!r}", where="vial", allowed="a vial of the session's site")


def _content(vial: Vial) -> Decimal | None:
    device = get_product(vial.product).device if vial.product else None
    if device is not None:
        return parse_amount(f"{device.dose_mg:g}")
    if vial.strength_mg_per_mL is None or vial.volume_mL is None:
        return None
    return parse_amount(_text(vial.strength_mg_per_mL * vial.volume_mL) or "")


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.normalize():f}"


def _number(text: str, where: str, unit: str) -> Decimal:
    try:
        return parse_amount(text.strip(), where=where)
    except InputError as problem:
        raise InputError(problem.what, where=where, allowed=f"a number of {unit} with at most 3 decimals") from None
