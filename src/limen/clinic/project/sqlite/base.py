"""How a transaction waits for the lock that SQLite gives to one writer at a time.

SQLite's own wait asks again after 1, 2, 5, 10, ... and then every 100 ms. A monitor that takes fifty chairs one after
the other leaves gaps of a millisecond, and whoever sleeps for a hundred misses them all: devices were kept waiting for
seconds while nobody used the lock for most of them. Here a waiting transaction asks every millisecond.
"""

from __future__ import annotations

import sqlite3
import time

from django.db.backends.sqlite3 import base

ASK_EVERY_S = 0.001


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose transactions wait by asking often, for as long as the options' ``timeout`` says."""

    def _start_transaction_under_autocommit(self) -> None:
        begin = f"BEGIN {self.settings_dict['OPTIONS'].get('transaction_mode', '')}"
        limit_s = float(self.settings_dict["OPTIONS"].get("timeout", 5.0))
        until_s = time.monotonic() + limit_s
        connection = self.connection
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    connection.execute(begin)
                    return
                except sqlite3.OperationalError as problem:
                    if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until_s:
                        with self.wrap_database_errors:
                            raise
                time.sleep(ASK_EVERY_S)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {limit_s * 1000:.0f}")
