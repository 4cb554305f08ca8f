"""The base of every clinical statement of the knowledge files."""

from __future__ import annotations

from limen.evidence.claim import Claim, Statement

__all__ = ["Claim", "Statement"]
