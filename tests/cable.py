"""A cable between a browser and the clinic that can be cut: what is cut gives no answer, no error and no end."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from live_processes import free_port


class Cable:
    """Carries connections to ``port`` of this machine. One that was cut stays dead; after ``mend`` new ones flow."""

    def __init__(self, port: int) -> None:
        self.to = port
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._whole = True
        self._links: list[Link] = []
        self._door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Nothing flows any more, in either direction, and nobody is told."""
        self._whole = False
        for link in self._links:
            link.dead = True

    def mend(self) -> None:
        """New connections flow."""
        self._whole = True

    def close(self) -> None:
        """The end of the test."""
        self._door.close()
        for link in self._links:
            link.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                self._links.append(Link(near, self.to, dead=not self._whole))


class Link:
    """One connection through the cable."""

    def __init__(self, near: socket.socket, port: int, *, dead: bool) -> None:
        self.dead = dead
        self.ends = [near]
        if dead:
            return
        try:
            far = socket.create_connection(("127.0.0.1", port))
        except OSError:  # nobody listens: refused, as without the cable
            near.close()
            return
        self.ends.append(far)
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.dead:
                    return
                target.sendall(data)
            if not self.dead:
                target.shutdown(socket.SHUT_WR)
        if not self.dead:
            with suppress(OSError):
                source.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Both ends."""
        for end in self.ends:
            end.close()
