"""The ASGI application that ``limen serve`` runs."""

from __future__ import annotations

import os
import warnings

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "limen.clinic.project.settings")

# WhiteNoise hands static files to ASGI as a plain iterator; they are small and read at once.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

application = get_asgi_application()
