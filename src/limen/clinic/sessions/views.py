"""The live pages, what they fetch, and the one door through which their taps come."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from limen.clinic.accounts.models import User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import require
from limen.clinic.project.middleware import passive
from limen.clinic.sessions import actions, queries
from limen.clinic.sessions.models import Session, SessionEvent
from limen.clinic.sessions.rescuing import drawn, offered
from limen.clinic.web.deeds import read_deed, refused
from limen.clinic.web.request import ClinicRequest
from limen.errors import InputError, LimenError

MAX_BODY = 64 * 1024


def _session(request: ClinicRequest, session_id: UUID) -> Session:
    rows = Session.objects.select_related("site", "patient", "plan", "chair", "course", "owner")
    rows = rows.defer("rules_snapshot", "plan__result")  # large, and known to this process by now
    return get_object_or_404(rows, pk=session_id, site=request.site)


def _may(request: ClinicRequest) -> list[str]:
    """What the person may do, for showing a control; each act asks again."""
    return sorted(permission.value for permission in request.may)


@require_GET
@never_cache
def board(request: ClinicRequest) -> HttpResponse:
    """Every chair of the site."""
    page = {"state": queries.board(request.site), "may_list": _may(request), "here": "board"}
    return render(request, "sessions/board.html", page)


@passive
@require_GET
@never_cache
def board_state(request: ClinicRequest) -> JsonResponse:
    """The board, whole; with ``?session=ID`` the one chair that an event was about."""
    named = request.GET.get("session")
    if named is None:
        return JsonResponse(queries.board(request.site))
    try:
        one = queries.board_chair(request.site, UUID(named))
    except ValueError:
        one = None
    return JsonResponse(one) if one else JsonResponse({"chairs": []})


@require_GET
@never_cache
def chair(request: ClinicRequest, session_id: UUID) -> HttpResponse:
    """One live session; one that was ended before it began has nothing to show, and nothing to start."""
    session = _session(request, session_id)
    if session.started_at is None and session.status == Session.Status.ENDED:
        return redirect("sessions:seat", session.pk)
    page = {
        "session": session,
        "patient": session.patient,
        "course": session.course,
        "state": queries.session_live(session, request.user.display_name),
        "may_list": _may(request),
        "step": "session",
    }
    return render(request, "sessions/chair.html", page)


@passive
@require_GET
@never_cache
def session_state(request: ClinicRequest, session_id: UUID) -> JsonResponse:
    """One session, whole."""
    return JsonResponse(queries.session_live(_session(request, session_id), request.user.display_name))


@require_GET
@never_cache
def export(request: ClinicRequest, session_id: UUID) -> JsonResponse:
    """The session as a file that ``limen session replay`` reads."""
    session = _session(request, session_id)
    answer = JsonResponse(queries.export_session(session.pk), json_dumps_params={"allow_nan": False})
    answer["Content-Disposition"] = f'attachment; filename="session-{session.pk}.json"'
    return answer


@require_GET
@never_cache
def rescue(request: ClinicRequest, session_id: UUID) -> JsonResponse:
    """What may be given now by standing order; ``denied`` names the questions that were answered with no.

    With ``order``, ``words`` and ``dose_mg``: what that dose of the offer's range comes to, as ``offer``.
    """
    require(by=request.user, permission=Permission.SESSION_RECORD, site=request.site, target=f"session:{session_id}")
    session, query = _session(request, session_id), request.GET
    denied = query.getlist("denied")
    if "dose_mg" not in query:
        return JsonResponse({"offers": offered(session, denied=denied)})
    asked = {name: query.get(name, "") for name in ("order", "words", "dose_mg")}
    try:
        return JsonResponse({"offer": drawn(session, **asked, denied=denied)})
    except LimenError as problem:
        return refused(problem)


Act = Callable[..., SessionEvent | None]


def _recorded(act: Act) -> Act:
    def do(
        request: ClinicRequest, session: Session, kind: str, data: dict[str, Any], **more: Any
    ) -> SessionEvent | None:
        return act(by=request.user, session=session, kind=kind, data=data, **more)

    return do


def _start(request: ClinicRequest, session: Session, kind: str, data: dict[str, Any], **more: Any) -> SessionEvent:
    return actions.start_session(by=request.user, session=session, key=more["key"])


def _limits(request: ClinicRequest, session: Session, kind: str, data: dict[str, Any], **more: Any) -> SessionEvent:
    return actions.change_limits(
        by=request.user,
        session=session,
        limits=data.get("limits"),
        reason=str(data.get("reason") or ""),
        key=more["key"],
    )


def _offer(request: ClinicRequest, session: Session, kind: str, data: dict[str, Any], **more: Any) -> SessionEvent:
    found = _person(data.get("to"))
    if found is None:
        raise InputError("names nobody", where="to", allowed="a person of the site")
    return actions.offer_chair(by=request.user, session=session, to=found, key=more["key"])


def _decline(request: ClinicRequest, session: Session, kind: str, data: dict[str, Any], **more: Any) -> SessionEvent:
    reason = str(data.get("reason") or "")
    return actions.decline_chair(by=request.user, session=session, reason=reason, key=more["key"])


def _owner(request: ClinicRequest, session: Session, kind: str, data: dict[str, Any], **more: Any) -> SessionEvent:
    """Accept what is offered; with a reason, take over what is not."""
    reason = str(data.get("reason") or "")
    if reason:
        return actions.take_over(by=request.user, session=session, reason=reason, key=more["key"])
    return actions.accept_chair(by=request.user, session=session, key=more["key"])


def _correct(request: ClinicRequest, session: Session, kind: str, data: dict[str, Any], **more: Any) -> SessionEvent:
    """Undo at once, end an adverse event, or amend with a reason."""
    by, entry = request.user, str(data.get("entry") or "")
    if data.get("undo") is True:
        return actions.undo(by=by, session=session, entry=entry, **more)
    if data.get("resolve") is True:
        return actions.resolve_event(
            by=by, session=session, entry=entry, outcome=str(data.get("outcome") or ""), **more
        )
    changes = data.get("changes")
    if changes is not None and not isinstance(changes, dict):
        raise InputError(
            f"holds a {type(changes).__name__}", where="changes", allowed="an object, or none to take back"
        )
    return actions.amend(
        by=by, session=session, entry=entry, changes=changes, reason=str(data.get("reason") or ""), **more
    )


def _rescue(request: ClinicRequest, session: Session, kind: str, data: dict[str, Any], **more: Any) -> SessionEvent:
    """By a standing order, read back; or in words, where none fits."""
    if not data.get("order"):
        return actions.record(by=request.user, session=session, kind=kind, data=data, **more)
    denied = data.get("denied") or []
    if not isinstance(denied, list) or not all(isinstance(item, str) for item in denied):
        raise InputError("is no list of questions", where="denied", allowed="a list of texts")
    return actions.give_rescue(
        by=request.user,
        session=session,
        order=str(data["order"]),
        words=str(data.get("words") or ""),
        heard_by=_person(data.get("heard_by")),
        dose_mg=data.get("dose_mg"),
        denied=denied,
        reason=str(data.get("reason") or ""),
        **more,
    )


def _person(value: Any) -> User | None:
    known = re.fullmatch(r"[0-9]{1,9}", str(value or ""))
    found: User | None = User.objects.filter(pk=known[0]).first() if known else None
    return found


def _ask(request: ClinicRequest, session: Session, kind: str, data: dict[str, Any], **more: Any) -> SessionEvent:
    return actions.ask_discharge(by=request.user, session=session, key=more["key"])


def _leave(request: ClinicRequest, session: Session, kind: str, data: dict[str, Any], **more: Any) -> SessionEvent:
    words = {name: str(data.get(name) or "") for name in ("condition", "escort_name", "reason")}
    return actions.discharge(by=request.user, session=session, key=more["key"], **words)


def _end(request: ClinicRequest, session: Session, kind: str, data: dict[str, Any], **more: Any) -> SessionEvent | None:
    reason = str(data.get("reason") or "")
    return actions.end_session(by=request.user, session=session, reason=reason, key=more["key"])


DOORS: dict[str, Act] = {
    **dict.fromkeys(actions.RECORDED, _recorded(actions.record)),
    **dict.fromkeys(actions.HALTED, _recorded(actions.halt)),
    **dict.fromkeys(actions.ANSWERED, _recorded(actions.answer_alarm)),
    "entry.corrected": _correct,
    "rescue.given": _rescue,
    "session.started": _start,
    "limits.changed": _limits,
    "owner.changed": _owner,
    "owner.offered": _offer,
    "owner.declined": _decline,
    "discharge.asked": _ask,
    "discharged": _leave,
    "session.ended": _end,
}


@require_POST
def act(request: ClinicRequest, session_id: UUID) -> JsonResponse:
    """One deed: ``{"kind", "key", "data", "late_s"}``. The same key again is the same deed."""
    try:
        session = _session(request, session_id)
        kind, key, data, tapped_s = read_deed(request.body, DOORS, most=MAX_BODY)
        # A tap that travels at once happened now: only a kept one is late.
        late_s = tapped_s if tapped_s >= LATE_FROM_S else 0.0
        row = DOORS[kind](request, session, kind, data, key=key, late_s=late_s)
    except LimenError as problem:
        return refused(problem)
    if row is None:  # ended before it began: its list of events stays empty
        return JsonResponse({"seq": None, "id": None, "kind": kind, "t_s": None})
    return JsonResponse({"seq": row.seq, "id": f"e{row.seq}", "kind": row.kind, "t_s": row.t_s})


LATE_FROM_S = 2.0
