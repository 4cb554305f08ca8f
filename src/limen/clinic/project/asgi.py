"""The ASGI application that ``limen serve`` runs."""

from __future__ import annotations

import os
import warnings

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponseBase

from limen.clinic.project.threads import listens, sharing_threads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "limen.clinic.project.settings")

# WhiteNoise hands static files to ASGI as a plain iterator; they are small and read at once.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")


class Handler(ASGIHandler):
    """Django's own, except that a request goes through middleware and view in one thread.

    Django goes back to the event loop between its middleware and the view, and from there to the thread again: a tenth
    of the work of a small request. Only a stream of events has anything to do in the loop.
    """

    def __init__(self) -> None:
        super().__init__()
        self._in_one_thread = BaseHandler()
        self._in_one_thread.load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, errors included."""
        if listens(request.headers.get("Accept", "")):
            return await super().get_response_async(request)
        return await sync_to_async(self._in_one_thread.get_response)(request)


django.setup(set_prefix=False)
application = sharing_threads(Handler())
