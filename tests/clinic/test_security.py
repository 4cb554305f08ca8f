"""Every page asks for a sign-in, every answer carries the strict headers, and no network is served in the clear."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as live
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from clinic.people import PASSWORD, Clinic
from limen.clinic.emergency.models import Emergency
from limen.clinic.patients.models import Patient
from limen.clinic.project.home import prepare_home
from limen.clinic.project.serving import Bind, check_bind, configure, hosts_of, listen
from limen.errors import InputError, RefusedError

# Open to anybody: the door itself, the sign of life, the shape of the devices' messages, and the devices' door, which
# asks for a token of its own; so does the patient's own phone.
OPEN = {"account_login", "account_inactive", "healthz", "openapi", "call", "call_state"}
OPEN_PREFIXES = ("api/",)


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> list[tuple[str, URLPattern]]:
    found = []
    for item in (resolver or get_resolver()).url_patterns:
        where = prefix + str(item.pattern)
        if isinstance(item, URLResolver):
            found += patterns(item, where)
        else:
            found.append((where, item))
    return found


def address(pattern: str) -> str:
    filled = re.sub(r"<uuid:\w+>", str(uuid.UUID(int=7)), pattern)
    filled = re.sub(r"<int:\w+>", "7", filled)
    filled = re.sub(r"<(str|slug|path):\w+>|<\w+>", "x", filled)
    filled = re.sub(r"\(\?P<\w+>[^)]*\)", "7", filled)
    return "/" + filled.replace("^", "").replace("$", "")


ALL = [(address(where), item) for where, item in patterns()]
CLOSED = [
    (where, item) for where, item in ALL if item.name not in OPEN and not where.lstrip("/").startswith(OPEN_PREFIXES)
]

CLOSED_AT = {where for where, _ in CLOSED}


def test_the_list_of_addresses_is_not_empty() -> None:
    names = {item.name for _, item in ALL}
    assert {"home", "list", "detail", "screening", "plan", "account_login", "healthz"} <= names
    assert len(CLOSED) > 20


@pytest.mark.parametrize(("where", "item"), CLOSED, ids=[where for where, _ in CLOSED])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_sent_to_the_door(db, where: str, item: URLPattern, method: str) -> None:
    answer = getattr(Client(), method)(where)
    assert answer.status_code in (302, 401, 405), where
    if answer.status_code == 302:
        assert answer["Location"].startswith("/login/"), where


@pytest.mark.parametrize("where", [where for where, item in ALL if item.name not in OPEN and where not in CLOSED_AT])
def test_the_devices_door_asks_for_a_token(db, where: str) -> None:
    for method in ("get", "post"):
        assert getattr(Client(), method)(where).status_code in (302, 401, 403, 404, 405, 422), where


def test_a_person_without_a_role_sees_no_clinic(clinic: Clinic) -> None:
    from limen.clinic.accounts.models import User

    nobody = User.objects.create_user("nobody", PASSWORD, display_name="No Body", initials="NB")
    client = Client()
    client.force_login(nobody)
    answer = client.get(reverse("patients:list"))
    assert answer.status_code == 403
    assert "no role at any site" in answer.content.decode()


def test_the_policy_lets_nothing_inline_through(browser: Client, patient: Patient) -> None:
    for where in (reverse("account_login"), reverse("patients:list"), reverse("patients:detail", args=[patient.pk])):
        policy = browser.get(where)["Content-Security-Policy"]
        parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert "unsafe" not in policy
        assert "*" not in policy
        assert parts["default-src"] == "'none'"
        assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == "'self'"
        assert parts["frame-ancestors"] == parts["base-uri"] == "'none'"
        assert parts["form-action"] == "'self'"


def test_pages_hold_no_inline_script_or_style(browser: Client, patient: Patient) -> None:
    for where in (reverse("patients:list"), reverse("patients:facts", args=[patient.pk])):
        page = browser.get(where).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", page)
        assert not re.search(r"\son\w+=", page)
        assert not re.search(r"\sstyle=", page)


def test_headers(browser: Client) -> None:
    answer = browser.get(reverse("patients:list"))
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


def test_cookies_are_kept_from_scripts_and_other_sites(clinic: Clinic) -> None:
    client = Client()
    client.get(reverse("account_login"))
    answer = client.post(reverse("account_login"), {"login": "nina-nurse", "password": PASSWORD})
    assert answer.status_code == 302
    session, csrf = client.cookies["sessionid"], client.cookies["csrftoken"]
    assert session["httponly"]
    assert session["samesite"] in ("Lax", "Strict")
    assert csrf["httponly"]
    assert csrf["samesite"] == "Strict"


def test_cookies_are_secure_wherever_tls_is(monkeypatch) -> None:
    said = _settings_with({"LIMEN_HTTPS": "1"}, "SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS")
    assert said == "(True, True, 31536000)"
    said = _settings_with({}, "SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS, s.DEBUG")
    assert said == "(False, False, 0, False)"


def _settings_with(environment: dict[str, str], names: str) -> str:
    code = f"import limen.clinic.project.settings as s; print((s.{names}))"
    clean = {key: value for key, value in os.environ.items() if not key.startswith("LIMEN_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_form_without_its_token_is_refused(clinic: Clinic) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(clinic.nurse)
    answer = client.post(reverse("patients:register"), {"mrn": "1"})
    assert answer.status_code == 403
    assert "older than your sign-in" in answer.content.decode()


@pytest.mark.parametrize(("whose", "status"), [("nurse", 200), ("prescriber", 403), (None, 200)])
def test_a_tap_never_goes_under_the_name_of_who_signed_in_after(clinic: Clinic, whose: str | None, status: int) -> None:
    client = Client()
    client.force_login(clinic.nurse)
    page = {} if whose is None else {"X-Limen-Person": str(getattr(clinic, whose).pk)}
    body = {"kind": "emergency.start", "key": "k1", "data": {}}
    answer = client.post(
        "/emergency/act", body, content_type="application/json", headers={"Accept": "application/json", **page}
    )
    assert answer.status_code == status
    assert Emergency.objects.exists() is (status == 200)
    if status == 403:
        assert not answer["Content-Type"].startswith("application/json"), "not the deed's own answer: it stays kept"


# ---- the idle limit


def test_an_idle_person_signs_in_again_and_comes_back(browser: Client, patient: Patient, time_machine) -> None:
    where = reverse("patients:facts", args=[patient.pk])
    assert browser.get(where).status_code == 200
    time_machine.move_to(timezone.now() + timedelta(minutes=live.LIMEN_IDLE_MIN + 2))
    answer = browser.get(where)
    assert answer.status_code == 302
    assert answer["Location"] == f"/login/?next={where}"
    assert browser.get(where).status_code == 302


def test_a_form_sent_after_idling_writes_nothing_and_leads_back_to_its_page(
    browser: Client, patient: Patient, time_machine
) -> None:
    where = reverse("patients:facts", args=[patient.pk])
    browser.get(where)
    time_machine.move_to(timezone.now() + timedelta(minutes=live.LIMEN_IDLE_MIN + 2))
    answer = browser.post(
        where, {"group": "body", "patient.weight_kg": "70"}, headers={"Referer": f"http://testserver{where}?a=1"}
    )
    assert answer["Location"] == f"/login/?next={where}%3Fa%3D1"
    assert not patient.facts.exists()
    answer = browser.post(where, headers={"Referer": "https://elsewhere.example/x"})
    assert "elsewhere" not in answer["Location"]


def test_htmx_and_apis_are_told_in_their_own_way(browser: Client, patient: Patient, time_machine) -> None:
    where = reverse("patients:list")
    browser.get(where)
    time_machine.move_to(timezone.now() + timedelta(minutes=live.LIMEN_IDLE_MIN + 2))
    answer = browser.get(where, headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{where}"})
    assert answer["HX-Redirect"] == f"/login/?next={where}"


def test_a_poll_is_no_sign_of_life_and_goes_on(browser: Client, time_machine) -> None:
    start = timezone.now()
    browser.get(reverse("patients:list"))
    for minutes in (5, 10, 14, 20, 40):
        time_machine.move_to(start + timedelta(minutes=minutes))
        assert browser.get(reverse("healthz")).status_code == 200
    assert browser.get(reverse("patients:list")).status_code == 302


def test_work_puts_the_limit_off(browser: Client, time_machine) -> None:
    start = timezone.now()
    for minutes in range(0, 60, 10):
        time_machine.move_to(start + timedelta(minutes=minutes))
        assert browser.get(reverse("patients:list")).status_code == 200


# ---- how it is served


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "clinic.example"])  # noqa: S104
def test_a_network_in_the_clear_is_refused(host: str) -> None:
    with pytest.raises(RefusedError, match="in the clear"):
        check_bind(Bind(host=host))
    check_bind(Bind(host=host, insecure_lan=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_is_fine(host: str) -> None:
    check_bind(Bind(host=host))


def test_tls_is_whole_or_not_at_all(tmp_path: Path) -> None:
    cert, key = tmp_path / "c.pem", tmp_path / "k.pem"
    cert.touch()
    with pytest.raises(InputError, match="half of TLS"):
        check_bind(Bind(host="0.0.0.0", tls_cert=cert))  # noqa: S104
    with pytest.raises(InputError, match="no file"):
        check_bind(Bind(host="0.0.0.0", tls_cert=cert, tls_key=key))  # noqa: S104
    key.touch()
    check_bind(Bind(host="0.0.0.0", tls_cert=cert, tls_key=key))  # noqa: S104


def test_the_server_answers_only_to_its_names(browser: Client) -> None:
    assert hosts_of(Bind()) == ["127.0.0.1", "localhost", "[::1]"]
    assert "clinic.lan" in hosts_of(Bind(host="0.0.0.0", names=("clinic.lan",)))  # noqa: S104
    assert "*" not in hosts_of(Bind(host="0.0.0.0"))  # noqa: S104
    assert browser.get(reverse("patients:list"), headers={"Host": "evil.example"}).status_code == 400


def test_every_page_says_that_the_network_is_open(browser: Client, settings, monkeypatch) -> None:
    assert "Not encrypted" not in browser.get(reverse("patients:list")).content.decode()
    settings.LIMEN_INSECURE_LAN = True
    assert "Not encrypted" in browser.get(reverse("patients:list")).content.decode()
    assert "Not encrypted" in Client().get(reverse("account_login")).content.decode()
    for name in ("LIMEN_HOSTS", "LIMEN_HTTPS", "LIMEN_INSECURE_LAN"):
        monkeypatch.setenv(name, "")
    configure(Bind(host="0.0.0.0", insecure_lan=True))  # noqa: S104
    assert os.environ["LIMEN_INSECURE_LAN"] == "1"
    configure(Bind(host="127.0.0.1", insecure_lan=True))
    assert os.environ["LIMEN_INSECURE_LAN"] == "0"


def test_a_taken_port_is_one_clear_line() -> None:
    first, where = listen(Bind(port=0))
    try:
        with pytest.raises(InputError, match="cannot listen"):
            listen(Bind(port=int(where.rsplit(":", 1)[1])))
    finally:
        first.close()


def test_the_secret_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    home = tmp_path / "home"
    prepare_home(home)
    secret = home / "secret"
    first = secret.read_text()
    assert len(first) >= 50
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    prepare_home(home)
    assert secret.read_text() == first
    assert [path.name for path in home.iterdir()] == ["secret"]


def limen(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("LIMEN_")}
    return subprocess.run(
        [sys.executable, "-m", "limen.cli.main", *arguments],
        env=clean | {"LIMEN_HOME": str(home)} | environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


@pytest.mark.slow
def test_serve_refuses_on_the_command_line(tmp_path: Path) -> None:
    done = limen("serve", "--host", "0.0.0.0", "--port", "0", home=tmp_path)  # noqa: S104
    assert done.returncode == 2
    assert "in the clear" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_demo_accounts_are_served_by_demo_only(tmp_path: Path) -> None:
    (tmp_path / "demonstration").touch()
    done = limen("serve", "--port", "0", home=tmp_path)
    assert done.returncode == 2
    assert "demonstration clinic" in done.stderr
    done = limen("admin", "create-site", "X", home=tmp_path)
    assert done.returncode == 2
    other = tmp_path / "other"
    other.mkdir()
    (other / "something").touch()
    done = limen("demo", "--home", str(other), "--port", "0", home=tmp_path)
    assert done.returncode == 2
    assert "holds something else" in done.stderr
    assert (other / "something").exists()


@pytest.mark.slow
def test_from_nothing_to_the_first_page(tmp_path: Path) -> None:
    import httpx

    made = limen("admin", "create-site", "Harbour Clinic", "--timezone", "Europe/Berlin", home=tmp_path)
    assert made.stdout.strip() == "harbour-clinic: Harbour Clinic, Europe/Berlin"
    args = (
        "admin",
        "create-user",
        "dora",
        "--site",
        "harbour-clinic",
        "--role",
        "medical-director",
        "--name",
        "Dora K",
    )
    made = limen(*args, home=tmp_path, LIMEN_NEW_PASSWORD=PASSWORD)
    assert made.returncode == 0, made.stderr
    assert limen(*args, home=tmp_path, LIMEN_NEW_PASSWORD=PASSWORD).returncode == 2
    assert limen("admin", "create-site", "X", "--timezone", "Mars/Base", home=tmp_path).returncode == 2
    clean = {key: value for key, value in os.environ.items() if not key.startswith("LIMEN_")}
    server = subprocess.Popen(
        [sys.executable, "-m", "limen.cli.main", "serve", "--port", "0"],
        env=clean | {"LIMEN_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        where = server.stdout.readline().strip().removeprefix("Limen on ")
        with httpx.Client(base_url=where, follow_redirects=True) as web:
            deadline = time.monotonic() + 20
            while True:
                try:
                    health = web.get("/healthz")
                    break
                except httpx.TransportError:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            assert health.json()["status"] == "ok"
            page = web.get("/").text
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            assert token is not None
            page = web.post(
                "/login/", data={"csrfmiddlewaretoken": token[1], "login": "dora", "password": PASSWORD}
            ).text
            assert "Dora K" in page
            assert web.get("/static/limen/css/base.css").status_code == 200
            assert stat.S_IMODE((tmp_path / "limen.sqlite3").stat().st_mode) == 0o600
    finally:
        server.terminate()
        assert server.wait(timeout=10) in (0, -15)
