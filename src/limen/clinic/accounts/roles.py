"""Who may hold which permission. A role can do only its own acts."""

from __future__ import annotations

from typing import ClassVar

from limen.clinic.accounts.permissions import Permission as May


class Role:
    """A part that a person plays at a site."""

    id: ClassVar[str]
    title: ClassVar[str]
    permissions: ClassVar[frozenset[May]]


_BEDSIDE = frozenset(
    {
        May.PATIENTS_REGISTER,
        May.PATIENTS_IMPORT,
        May.FACTS_RECORD,
        May.FACTS_CORRECT,
        May.SCREENING_RUN,
        May.STOCK_GIVE,
        May.STOCK_WITNESS,
        May.STOCK_READ,
        May.SESSION_SCHEDULE,
        May.SESSION_START,
        May.SESSION_RECORD,
        May.SESSION_STOP,
        May.ALARM_ACKNOWLEDGE,
        May.DISCHARGE_RECORD,
        May.NOTE_WRITE,
        May.NOTE_SIGN,
        May.QUESTIONNAIRE_RECORD,
        May.TASK_CLOSE,
        May.DEVICE_ASSOCIATE,
    }
)


class Nurse(Role):
    """Starts, watches, records and ends sessions; draws up and gives."""

    id = "nurse"
    title = "Nurse"
    permissions = _BEDSIDE | {May.STOCK_DRAW, May.STOCK_WASTE, May.STOCK_RETURN}


class Prescriber(Role):
    """Screens, overrides a hold, writes and signs the plan."""

    id = "prescriber"
    title = "Prescriber"
    permissions = _BEDSIDE | {
        May.COURSE_OPEN,
        May.OVERRIDE_HOLD,
        May.PLAN_WRITE,
        May.PLAN_SIGN,
        May.LIMITS_CHANGE,
    }


class Pharmacist(Role):
    """Keeps the stock and its book; reads the audit trail; touches no patient's plan."""

    id = "pharmacist"
    title = "Pharmacist"
    permissions = frozenset(
        {
            May.STOCK_RECEIVE,
            May.STOCK_TRANSFER,
            May.STOCK_WITNESS,
            May.STOCK_WASTE,
            May.STOCK_RETURN,
            May.STOCK_COUNT,
            May.STOCK_CORRECT,
            May.STOCK_DESTROY,
            May.STOCK_READ,
            May.AUDIT_READ,
            May.RESCUE_STOCK,
        }
    )


class MedicalDirector(Role):
    """A prescriber who may also override a block, and who answers for people, devices and the trail."""

    id = "medical-director"
    title = "Medical director"
    permissions = Prescriber.permissions | {
        May.OVERRIDE_BLOCK,
        May.AUDIT_READ,
        May.DEVICE_REGISTER,
        May.USERS_MANAGE,
        May.SITE_MANAGE,
        May.ORDERS_SIGN,
        May.RESCUE_STOCK,
    }


ROLES: dict[str, type[Role]] = {role.id: role for role in (Prescriber, Nurse, Pharmacist, MedicalDirector)}
