"""The gateway over real sockets: what browsers get from it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import socketio.exceptions

from signaling.consult.values import Role
from signaling.gateway import Limits
from tests.signaling.sockets import (
    WITHIN_S,
    Browser,
    Running,
    authenticated,
    closed_by_server,
    eventually,
    raw,
    running,
)


async def test_a_seat_gets_its_view_and_its_messages_are_answered(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    browser = await browsers().open(server, server.seat())
    view = await browser.until(lambda m: m["type"] == "consult_view")
    assert view["screen"] == "check"
    answer = await browser.ask({"type": "arrive", "command_id": "command-1"})
    assert answer["type"] == "accepted"
    await browser.until(lambda m: m.get("screen") == "waiting")


async def test_polling_carries_the_same(browsers: Callable[[], Browser]) -> None:
    async with running(Limits(ping_interval_s=0.2, ping_timeout_s=0.5)) as server:
        browser = await browsers().open(server, server.seat(), transports=["polling"])
        assert (await browser.until(lambda m: True))["type"] == "consult_view"
        answer = await browser.ask({"type": "arrive", "command_id": "command-1"})
        assert answer["type"] == "accepted"
        await browser.sio.disconnect()


async def test_a_board_is_sent_and_follows_the_waiting_room(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    desk = await browsers().open(server, server.board())
    board = await desk.until(lambda m: m["type"] == "board_view")
    assert [row["phase"] for row in board["rows"]] == ["scheduled"]
    patient = await browsers().open(server, server.seat())
    await patient.ask({"type": "arrive", "command_id": "command-1"})
    await server.world.service.flush_boards()
    await desk.until(lambda m: m["rows"][0]["phase"] == "waiting")


async def test_a_refusal_has_its_code_and_the_connection_goes_on(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    browser = await browsers().open(server, server.seat())
    say = {"type": "send_message", "command_id": "command-1", "text": "hello"}
    assert (await browser.ask(say))["code"] == "not_now"
    assert (await browser.ask({"type": "arrive", "command_id": "command-2"}))["type"] == "accepted"


async def test_a_bug_is_answered_with_a_support_id_and_logged(
    server: Running, browsers: Callable[[], Browser], caplog: pytest.LogCaptureFixture
) -> None:
    browser = await browsers().open(server, server.seat())
    await browser.until(lambda m: m["type"] == "consult_view")
    server.world.store.append = None  # type: ignore[assignment, method-assign]
    answer = await browser.ask({"type": "arrive", "command_id": "command-1"})
    assert answer["code"] == "internal"
    assert answer["support_id"] in caplog.text


async def test_messages_of_one_connection_are_handled_in_order(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    browser = await browsers().open(server, server.seat())
    got: list[str] = []
    done = asyncio.Event()

    def note(answer: dict[str, Any]) -> None:
        got.append(answer.get("code", "accepted"))
        if len(got) == 4:
            done.set()

    for n, what in enumerate(("leave", "arrive", "leave", "leave")):
        await browser.sio.emit("message", {"type": what, "command_id": f"command-{n}"}, callback=note)
    async with asyncio.timeout(WITHIN_S):
        await done.wait()
    assert got == ["not_now", "accepted", "accepted", "not_now"]


async def test_an_older_page_is_told_and_closed_and_the_newer_one_goes_on(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    first = await browsers().open(server, server.seat())
    second = await browsers().open(server, server.seat())
    await first.until(lambda m: m["type"] == "displaced")
    await first.wait_gone()
    assert (await second.ask({"type": "arrive", "command_id": "command-1"}))["type"] == "accepted"


async def test_while_tickets_cannot_be_read_pages_are_refused_for_now_and_open_ones_go_on(
    server: Running, browsers: Callable[[], Browser], caplog: pytest.LogCaptureFixture
) -> None:
    ticket = server.seat()
    server.tickets.is_away = True
    with pytest.raises(socketio.exceptions.ConnectionError):
        await browsers().open(server, ticket)
    server.tickets.is_away = False
    browser = await browsers().open(server, ticket)
    await browser.until(lambda m: m["type"] == "next_ticket")
    server.tickets.is_away = True
    await browser.ask({"type": "arrive", "command_id": "command-1"})
    await browser.until(lambda m: m.get("screen") == "waiting")
    assert not caplog.records


async def test_a_person_taken_out_gets_a_final_view_and_is_disconnected_within_a_second(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    patient = await browsers().open(server, server.seat())
    desk = await browsers().open(server, server.board())
    revoke = {
        "type": "revoke_invitation",
        "command_id": "revoke-001",
        "consult_id": server.world.consult,
        "participant": server.world.people[Role.PATIENT],
    }
    async with asyncio.timeout(1.0):
        await desk.ask(revoke)
        await patient.until(lambda m: m.get("screen") == "closed")
        await patient.gone.wait()


async def test_leaving_the_page_is_noticed_at_once(server: Running, browsers: Callable[[], Browser]) -> None:
    browser = await browsers().open(server, server.seat())
    await browser.until(lambda m: m["type"] == "consult_view")
    await browser.sio.disconnect()
    patient = server.world.people[Role.PATIENT]

    async def gone() -> bool:
        presence = await server.world.presence.get(server.world.consult)
        return presence.of(patient).connection is None

    await eventually(gone)


async def test_a_silent_connection_is_closed_and_its_silence_counted() -> None:
    limits = Limits(ping_interval_s=0.2, ping_timeout_s=0.3)
    async with running(limits) as server, raw(server) as socket:
        await authenticated(socket, server.seat())
        async with asyncio.timeout(WITHIN_S):
            async for _ in socket:
                pass  # pings are read and never answered
        await server.open_sockets(0)
        presence = await server.world.presence.get(server.world.consult)
        since = presence.of(server.world.people[Role.PATIENT]).gone_since
        assert since is not None
        assert (server.world.clock.now() - since).total_seconds() > 0.1


async def test_shutting_down_closes_every_socket_and_leaves_no_task() -> None:
    async with running() as server:
        async with raw(server) as one, raw(server) as two:
            await authenticated(one, server.seat())
            await authenticated(two, server.board())
            await asyncio.gather(server.gateway.shutdown(), closed_by_server(one), closed_by_server(two))
        assert server.gateway.connections == 0
        assert not server.gateway._tasks
