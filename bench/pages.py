"""How long the pages of a large clinic take: 1,000 patients, every chair taken, the real server and its monitor."""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

PATIENTS = int(os.environ.get("LIMEN_BENCH_PATIENTS", "1000"))
RUNS = 150
WARM_UP = 10
SEED = 1
START_S = 60.0
CLIENT: dict[str, Any] = {"timeout": 30.0, "trust_env": False}


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """The server and the monitor as processes of their own: the address, and the server's process id."""
    environment = {**os.environ, "LIMEN_HOME": str(folder)}
    environment.pop("LIMEN_DATABASE_URL", None)
    limen = [sys.executable, "-m", "limen.cli.main"]
    server = subprocess.Popen([*limen, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True)
    monitor = subprocess.Popen([*limen, "monitor"], env=environment)
    try:
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        address = server.stdout.readline().split()[-1]
        until = time.monotonic() + START_S
        while True:
            try:
                body = httpx.get(f"{address}/healthz", timeout=5.0, trust_env=False).json()
                if body["monitor_age_s"] is not None:
                    break
            except httpx.TransportError:
                pass
            if time.monotonic() > until:
                raise RuntimeError("the clinic does not answer")
            time.sleep(0.1)
        yield address, server.pid
    finally:
        for process in (monitor, server):
            process.send_signal(signal.SIGTERM)
        for process in (monitor, server):
            process.wait(timeout=20)


def sign_in(client: httpx.Client, username: str, password: str) -> None:
    """Sign in by the form, as a browser does."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/login/").text)
    assert token is not None  # noqa: S101 - every form carries it
    form = {"csrfmiddlewaretoken": token[1], "login": username, "password": password}
    answer = client.post("/login/", data=form, headers={"Referer": str(client.base_url)})
    if answer.status_code != 302:
        raise RuntimeError(f"signing in was answered with {answer.status_code}")


def measure(client: httpx.Client, pages: list[tuple[str, str]], server: int) -> dict[str, Any]:
    """The times of requests one after another, over ``pages`` in turn, each with a word that must stand on it."""
    spent: list[float] = []
    size, cpu_s = 0, 0.0
    for run in range(WARM_UP + RUNS):
        if run == WARM_UP:
            cpu_s = _cpu_s(server)
        path, word = pages[run % len(pages)]
        begin = time.perf_counter()
        answer = client.get(path)
        took = time.perf_counter() - begin
        if answer.status_code != 200 or word not in answer.text:
            raise RuntimeError(f"{path} was answered with {answer.status_code}, or without {word!r}")
        if run >= WARM_UP:
            spent.append(took)
            size = max(size, len(answer.content))
    return {
        "median_s": statistics.median(spent),
        "p95_s": float(np.quantile(spent, 0.95)),
        "max_s": max(spent),
        "server_cpu_s": (_cpu_s(server) - cpu_s) / RUNS,
        "runs": RUNS,
        "bytes": size,
        "peak_rss_mb": _peak_rss_mb(server),
    }


def _cpu_s(process: int) -> float:
    """What a process has computed so far: on a busy machine a steadier figure than the clock's."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_rss_mb(process: int) -> float | None:
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(found[1]) / 1024 if found else None


def works() -> tuple[dict[str, list[tuple[str, str]]], dict[str, int]]:
    """The pages of each work, and how many rows stand behind them."""
    from limen.clinic.courses.models import Course
    from limen.clinic.patients.models import Fact, Patient
    from limen.clinic.sessions.models import Sample, Session, SessionEvent
    from limen.clinic.stock.models import LedgerEntry

    some = list(Patient.objects.filter(mrn__startswith="B").order_by("mrn")[:: max(1, PATIENTS // 40)])
    running = list(Session.objects.filter(status="running").select_related("patient"))
    courses = list(Course.objects.filter(patient__in=some).select_related("patient"))
    treated = [session.course for session in Session.objects.filter(status="running").select_related("course__patient")]
    pages = {
        "page-board": [("/board/", running[0].patient.family_name)],
        "board-state": [("/live/board/state", running[0].patient.family_name)],
        "page-session": [(f"/session/{row.pk}/", row.patient.family_name) for row in running],
        "page-patients": [("/patients/", "Patients of"), ("/patients/?page=9", "Patients of")],
        "page-patients-find": [(f"/patients/?q={row.mrn}", row.family_name) for row in some],
        "page-chart": [(f"/patients/{row.pk}/", row.family_name) for row in some],
        "page-screening": [(f"/courses/{row.pk}/screening/", row.patient.family_name) for row in courses],
        "page-plan": [(f"/courses/{row.pk}/plan/", row.patient.family_name) for row in treated],
        "page-course": [(f"/courses/{row.pk}/", row.patient.family_name) for row in courses],
        "page-facts": [(f"/patients/{row.pk}/facts/", row.family_name) for row in some],
        "page-stock": [("/stock/", "In stock")],
    }
    rows = {
        model.__name__: model.objects.count()
        for model in (Patient, Fact, Course, Session, SessionEvent, LedgerEntry, Sample)
    }
    return pages, rows


def main() -> None:
    """Print one JSON object a line."""
    with tempfile.TemporaryDirectory(prefix="limen-bench-") as name:
        folder = Path(name)
        os.environ["LIMEN_HOME"] = str(folder)
        os.environ.pop("LIMEN_DATABASE_URL", None)
        from limen.clinic.project import serving

        serving.configure(serving.Bind(port=0))
        serving.prepare()
        from clinics.large import build

        from limen.clinic.demo.accounts import ACCOUNTS

        begin = time.perf_counter()
        build(PATIENTS, np.random.default_rng(SEED))
        pages, rows = works()
        sys.stderr.write(f"pages: clinic built in {time.perf_counter() - begin:.0f} s: {rows}\n")
        person = next(account for account in ACCOUNTS if account.username == "director")
        with served(folder) as (address, server), closing(httpx.Client(base_url=address, **CLIENT)) as client:
            sign_in(client, person.username, person.password)
            for work, paths in pages.items():
                result = {
                    "work": work,
                    "n": PATIENTS,
                    "points": None,
                    "rate_mpt_per_s": None,
                    "fill_mpt_per_s": None,
                    "peers": {},
                    **measure(client, paths, server),
                }
                sys.stdout.write(json.dumps(result) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
