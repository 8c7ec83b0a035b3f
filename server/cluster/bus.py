"""News between servers, over a channel of Redis, which keeps nothing: killed or emptied, it loses nothing.

A server hears its own words too. That is how it knows that it listens. Nobody has to hear: each server looks
at the database every second in any case.
"""

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Final, Literal

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.cluster.sealed import Sealer
from server.cluster.wire import Alive, Bye, Hello, Letter, Message, decode, encode
from server.logs import logger
from signaling.consult.news import News, ServerId

CHANNEL: Final = "meridian:news"
BEAT_S: Final = 1.0
DEAF_S: Final = 3.5
# A server that is stopped for a moment, or started again, is not gone; nobody is lost before `lost_after_s`.
GONE_S: Final = 6.0
ANSWER_S_MAX: Final = 2.0
RETRY_S: Final = 0.5
UNSAID_MAX: Final = 2000
HEARING_MAX: Final = 1000
ANSWERS_S: Final = 0.5  # for the others to say who is where

State = Literal["heard", "deaf", "away"]

log = logger("cluster")


class Bus:
    """The `Others` of `signaling.ports`. Set the three callbacks, then `run` it.

    * `on_news`: another server said something
    * `on_new`: another server has come, or hears again: it wants to know who is here
    * `on_gone`: another server has ended or is silent
    """

    def __init__(self, url: str, sealer: Sealer, server: ServerId) -> None:
        self.server = server
        self.on_news: Callable[[News], Coroutine[Any, Any, None]] = _ignore
        self.on_new: Callable[[], Coroutine[Any, Any, None]] = _ignore
        self.on_gone: Callable[[ServerId], Coroutine[Any, Any, None]] = _ignore
        self._sealer = sealer
        # As long as a publisher waits, nothing else is said: better lost than late.
        self._redis = Redis.from_url(
            url,
            socket_timeout=ANSWER_S_MAX,
            socket_connect_timeout=ANSWER_S_MAX,
            retry=Retry(NoBackoff(), 0),
        )
        self._unsaid: asyncio.Queue[Message] = asyncio.Queue(UNSAID_MAX)
        self._heard_at: dict[ServerId, float] = {}
        self._hears_since: float | None = None
        self._published_at = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._hears = asyncio.Event()

    # --- what the server asks ----------------------------------------------------------------------------

    def say(self, news: News) -> None:
        self._say(news)

    @property
    def state(self) -> State:
        """`deaf`: Redis takes what is said and nothing is heard; `away`: it does not take it."""
        now = monotonic()
        if now - self._heard_at.get(self.server, float("-inf")) < DEAF_S:
            return "heard"
        return "deaf" if now - self._published_at < DEAF_S else "away"

    @property
    def others(self) -> tuple[ServerId, ...]:
        """The other servers that were heard of late."""
        return tuple(server for server in self._heard_at if server != self.server)

    async def greeted(self, *, within_s: float) -> bool:
        """Whether this server hears, and the others have said who is at theirs."""
        try:
            async with asyncio.timeout(within_s):
                await self._hears.wait()
        except TimeoutError:
            return False
        await asyncio.sleep(ANSWERS_S)
        return True

    async def close(self) -> None:
        """Say good-bye, if Redis is there, and what was not said yet."""
        self._say(Bye())
        try:
            async with asyncio.timeout(RETRY_S):
                while not self._unsaid.empty():
                    await self._publish(self._unsaid.get_nowait())
        except (TimeoutError, RedisError, OSError):
            pass
        for task in tuple(self._tasks):
            task.cancel()
        await self._redis.aclose()

    async def run(self) -> None:
        """Speak and listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._speak())
            tasks.create_task(self._listen())
            tasks.create_task(self._beat())

    # --- speaking ----------------------------------------------------------------------------------------

    def _say(self, message: Message) -> None:
        if self._unsaid.full():
            self._unsaid.get_nowait()  # whoever comes back is told everything anew
        self._unsaid.put_nowait(message)

    async def _speak(self) -> None:
        while True:
            message = await self._unsaid.get()
            try:
                await self._publish(message)
            except (RedisError, OSError):
                await asyncio.sleep(RETRY_S)

    async def _publish(self, message: Message) -> None:
        letter = Letter(sender=self.server, to=None, message=message)
        await self._redis.publish(CHANNEL, self._sealer.seal(encode(letter)))
        self._published_at = monotonic()

    async def _beat(self) -> None:
        was: State = "heard"
        while True:
            self._say(Alive())
            await asyncio.sleep(BEAT_S)
            if self.state != was:
                was = self.state
                say = log.info if was == "heard" else log.warning
                say("hearing other servers has changed", state=was)
            if was != "heard":
                self._hears_since = None
                self._hears.clear()
            self._miss()

    def _miss(self) -> None:
        """Who is silent while this server hears is gone."""
        now = monotonic()
        if self._hears_since is None or now - self._hears_since < GONE_S:
            return
        for server in self.others:
            if now - self._heard_at[server] > GONE_S:
                self._forget(server)

    def _forget(self, server: ServerId) -> None:
        del self._heard_at[server]
        log.warning("a server is gone", server=server)
        self._spawn(self.on_gone(server))

    # --- listening ---------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            try:
                await self._subscribed()
            except (RedisError, OSError) as error:
                log.info("not subscribed", error=type(error).__name__)
            await asyncio.sleep(RETRY_S)

    async def _subscribed(self) -> None:
        """Hear until the connection is lost, or nothing comes of it."""
        async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(CHANNEL)
            began = monotonic()
            while monotonic() - max(began, self._heard_at.get(self.server, began)) < DEAF_S:
                found = await channel.get_message(timeout=BEAT_S)
                if found is not None:
                    self._received(found["data"])

    def _received(self, sealed: bytes) -> None:
        text = self._sealer.open(sealed)
        letter = decode(text) if text is not None else None
        if letter is None:
            return
        is_new = letter.sender not in self._heard_at or isinstance(letter.message, Hello)
        self._heard_at[letter.sender] = monotonic()
        if letter.sender == self.server:
            self._hear()
            return
        message = letter.message
        if isinstance(message, Bye):
            self._forget(letter.sender)
            return
        if isinstance(message, News) and len(self._tasks) < HEARING_MAX:  # the database has what is dropped
            self._spawn(self.on_news(message))
        if is_new:
            self._spawn(self.on_new())

    def _hear(self) -> None:
        """This server hears, perhaps again: silence before that says nothing of the others."""
        if self._hears_since is None:
            self._hears_since = monotonic()
            for server in self.others:
                self._heard_at[server] = self._hears_since
            self._say(Hello())
        self._hears.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("news not handled", exc_info=error)


async def _ignore(*_: object) -> None:
    """Nobody has asked to be told."""
