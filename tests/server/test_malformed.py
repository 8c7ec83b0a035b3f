"""What no browser of ours sends is refused, and is no bug of ours."""

import asyncio
import re
from typing import Any

import pytest

from server.identity.seats import cookie_name
from signaling.consult.ids import ConsultId, ParticipantId


@pytest.mark.parametrize("value", ["\udcff" * 43, "x" * 42 + "!", "x" * 44, ""])
async def test_a_cookie_that_is_none_of_ours_is_as_good_as_none(http: Any, value: str) -> None:
    page = await http.enter("patient")
    _, _, consult, participant = page.split("/")
    cookies = f"meridian_staff={value}; {cookie_name(ConsultId(consult), ParticipantId(participant))}={value}"
    reader, writer = await asyncio.open_connection("127.0.0.1", http.services.settings.server.port)
    for path, expected in (("/", b"200"), ("/board", b"303"), (page, b"404")):
        head = (f"GET {path} HTTP/1.1", f"Host: {http.origin.removeprefix('http://')}", f"Cookie: {cookies}")
        writer.write("\r\n".join((*head, "", "")).encode("utf-8", "surrogateescape"))
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.split()[1] == expected
        [length] = re.findall(rb"Content-Length: (\d+)", answer)
        await reader.readexactly(int(length))
    writer.close()
