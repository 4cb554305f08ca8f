"""Errors that a user can act on: what is wrong, where, and what is allowed."""

from __future__ import annotations


class LimenError(Exception):
    """A problem in what the user gave, worded for the user.

    Parameters
    ----------
    what : str
        What is wrong, in one plain clause.
    where : str, optional
        The input that holds it: a file, a key such as ``patient.weight_kg``, a line.
    allowed : str, optional
        What would have been accepted.
    hint : str, optional
        What to do next.

    Examples
    --------
    >>> print(InputError("weight 700 kg", where="patient.weight_kg", allowed="20 to 350 kg"))
    patient.weight_kg: weight 700 kg; allowed: 20 to 350 kg
    """

    def __init__(self, what: str, *, where: str = "", allowed: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.allowed = allowed
        self.hint = hint
        super().__init__(what)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        if self.hint:
            text += f". {self.hint}"
        return text


class InputError(LimenError):
    """An input that cannot be used: malformed, impossible or unknown. CLI exit 2, HTTP 400."""


class RefusedError(LimenError):
    """An act that the rules do not allow in this state. CLI exit 2, HTTP 409."""


class KnowledgeError(LimenError):
    """A knowledge file that must not be used. Names the file, the line and the entry."""
