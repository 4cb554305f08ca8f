"""The ASGI application that ``limen serve`` runs."""

from __future__ import annotations

import os
import warnings

from django.core.asgi import get_asgi_application

from limen.clinic.project.threads import sharing_threads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "limen.clinic.project.settings")

# WhiteNoise hands static files to ASGI as a plain iterator; they are small and read at once.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

application = sharing_threads(get_asgi_application())
