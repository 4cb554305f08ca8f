"""The socket that the server listens on."""

from __future__ import annotations

import asyncio
import socket

from limen.clinic.project.serving import Bind, listen


def test_an_answer_is_sent_at_once_not_when_the_browser_has_confirmed_the_first_part() -> None:
    opened, address = listen(Bind(port=0))

    async def accepted() -> int:
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            answered.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(serve, sock=opened):
            _, writer = await asyncio.open_connection("127.0.0.1", int(address.rsplit(":", 1)[1]))
            found = await answered
            writer.close()
        return found

    assert asyncio.run(accepted()) != 0
