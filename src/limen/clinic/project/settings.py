"""Django settings. Everything that differs between installations comes from the environment.

``LIMEN_HOME``, ``LIMEN_DATABASE_URL``, ``LIMEN_SECRET_KEY``, ``LIMEN_DEBUG``, ``LIMEN_HOSTS`` (names the server answers
to, comma-separated), ``LIMEN_HTTPS`` (served by TLS), ``LIMEN_INSECURE_LAN`` (bound to a network without TLS),
``LIMEN_DEMO`` (a demonstration clinic), ``LIMEN_IDLE_MIN`` (minutes before an idle person must sign in again).
"""

from __future__ import annotations

import os
from pathlib import Path

from csp.constants import NONE, SELF

from limen.clinic.project.database import database_from_url, sqlite
from limen.clinic.project.home import home, secret_key


def _on(name: str) -> bool:
    return os.environ.get(name, "") == "1"


DEBUG = _on("LIMEN_DEBUG")
SECRET_KEY = secret_key()
LIMEN_HTTPS = _on("LIMEN_HTTPS")
LIMEN_INSECURE_LAN = _on("LIMEN_INSECURE_LAN")
LIMEN_DEMO = _on("LIMEN_DEMO")
LIMEN_IDLE_MIN = float(os.environ.get("LIMEN_IDLE_MIN", "15"))

ALLOWED_HOSTS = [name for name in os.environ.get("LIMEN_HOSTS", "").split(",") if name] or [
    "127.0.0.1",
    "localhost",
    "[::1]",
]

INSTALLED_APPS = [
    "limen.clinic.apps.Web",
    "limen.clinic.apps.Accounts",
    "limen.clinic.apps.Audit",
    "limen.clinic.apps.Sites",
    "limen.clinic.apps.Patients",
    "limen.clinic.apps.Courses",
    "limen.clinic.apps.Treatment",
    "limen.clinic.apps.Calls",
    "limen.clinic.apps.Emergency",
    "limen.clinic.apps.Stock",
    "limen.clinic.apps.Outcomes",
    "limen.clinic.apps.Notes",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "limen.clinic.project.middleware.SamePerson",  # first: another one's old page keeps no sign-in from idling out
    "limen.clinic.project.middleware.IdleTimeout",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "limen.clinic.project.middleware.CurrentSite",
    "limen.clinic.project.middleware.Refusals",
]

ROOT_URLCONF = "limen.clinic.project.urls"
ASGI_APPLICATION = "limen.clinic.project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "limen.clinic.web.context.limen",
            ]
        },
    }
]

_url = os.environ.get("LIMEN_DATABASE_URL")
DATABASES = {"default": database_from_url(_url) if _url else sqlite(home() / "limen.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The limits on sign-in attempts live in the database, so that every process counts the same attempts.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "limen_cache"}}

LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # stored; each page shows the site's own zone

STATIC_URL = "/static/"
STATICFILES_DIRS = [Path(__file__).resolve().parents[1] / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 0  # a browser asks each time, so an upgraded clinic never runs yesterday's script

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "limen.clinic.accounts.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = False
MFA_TOTP_ISSUER = "Limen"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = LIMEN_HTTPS
SESSION_COOKIE_AGE = 12 * 3600  # a shift; nothing stays signed in longer, not even a board that nobody touches
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SECURE = LIMEN_HTTPS
CSRF_FAILURE_VIEW = "limen.clinic.web.refusals.csrf_failed"
SECURE_HSTS_SECONDS = 31_536_000 if LIMEN_HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024  # a lifetime's FHIR bundle
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Somebody tried another name: answered by a 400, not worth a traceback.
    "loggers": {"django.security.DisallowedHost": {"level": "CRITICAL"}},
}
