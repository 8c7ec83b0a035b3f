"""A browser without a picture: cookies, requests as our pages send them, and tabs that are sockets."""

import asyncio
from typing import Any

import socketio
from aiohttp import ClientSession, CookieJar

SOON_S = 10.0


class Browser:
    """One browser with its cookies; each tab is a socket."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.http = ClientSession(cookie_jar=CookieJar(unsafe=True))
        self.tabs: list[socketio.AsyncClient] = []

    async def post(self, path: str, body: object = None) -> dict[str, Any]:
        headers = {"Origin": self.site, "Sec-Fetch-Site": "same-origin"}
        async with self.http.post(self.site + path, json=body or {}, headers=headers) as answer:
            assert answer.status == 200, (path, answer.status, await answer.text())
            found: dict[str, Any] = await answer.json()
            return found

    async def take_seat(self, link: str) -> dict[str, str]:
        body = {"secret": link.partition("#")[2], "language": "en", "has_camera_interface": True}
        _, _, consult, participant = (await self.post("/api/invitation/exchange", body))["url"].split("/")
        return {"consult_id": consult, "participant_id": participant}

    async def open(self, entry: dict[str, Any], peer: str | None = None) -> "Tab":
        """A tab on a seat or the board; `peer` is the one its page still has."""
        ticket = (await self.post("/api/ticket", entry))["ticket"]
        tab = Tab()
        await tab.connect(self.site, ticket, peer)
        self.tabs.append(tab.socket)
        return tab

    async def close(self) -> None:
        for tab in self.tabs:
            await tab.disconnect()
        await self.http.close()


class Tab:
    """One page's socket and what it was told."""

    def __init__(self) -> None:
        self.socket = socketio.AsyncClient(reconnection=False)
        self.told: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.gone = asyncio.Event()
        self.socket.on("message", self._told)
        self.socket.on("disconnect", self._gone)

    async def connect(self, site: str, ticket: str, peer: str | None = None) -> None:
        auth = {"ticket": ticket} if peer is None else {"ticket": ticket, "peer": peer}
        await self.socket.connect(site, auth=auth, headers={"Origin": site}, transports=["websocket"])

    async def _told(self, message: dict[str, Any]) -> None:
        self.told.append(message)
        self.news.set()

    async def _gone(self, *_: object) -> None:
        self.gone.set()

    async def send(self, **message: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self.socket.call("message", message, timeout=SOON_S)
        return answer

    async def view(self, **wanted: object) -> dict[str, Any]:
        """The first view, had or to come, with these values."""
        async with asyncio.timeout(SOON_S):
            while True:
                for message in self.told:
                    if wanted.items() <= message.items():
                        return message
                self.news.clear()
                await self.news.wait()
