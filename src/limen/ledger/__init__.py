"""The controlled-drug book: double entry in exact decimals, append-only, every line sealed to the one before."""

from limen.ledger.amounts import decimal_mg, parse_amount, show_mg
from limen.ledger.book import accounts, balance, effective, fold
from limen.ledger.chain import seal, verify
from limen.ledger.lines import KINDS, Entry, Line, read_line
from limen.ledger.posting import post
from limen.ledger.reconcile import Difference, Reconciliation, reconcile

__all__ = [
    "KINDS",
    "Difference",
    "Entry",
    "Line",
    "Reconciliation",
    "accounts",
    "balance",
    "decimal_mg",
    "effective",
    "fold",
    "parse_amount",
    "post",
    "read_line",
    "reconcile",
    "seal",
    "show_mg",
    "verify",
]
