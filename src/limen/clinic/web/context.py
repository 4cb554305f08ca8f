"""What every page may show: the site, the person's rights, and warnings about how the clinic is served."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

import limen as product


def limen(request: HttpRequest) -> dict[str, Any]:
    """``site``, ``roles``, ``may`` (permissions as text), ``insecure_lan``, ``demo``, ``idle_min``, ``version``."""
    return {
        "site": getattr(request, "site", None),
        "roles": getattr(request, "roles", []),
        "may": {str(verb) for verb in getattr(request, "may", ())},
        "insecure_lan": settings.LIMEN_INSECURE_LAN,
        "demo": settings.LIMEN_DEMO,
        "idle_min": settings.LIMEN_IDLE_MIN,
        "version": product.__version__,
    }
