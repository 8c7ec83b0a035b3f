"""Relays: credentials that expire, and a real coturn that reaches our media addresses alone."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from aioice import stun

from server.cli import turn_legs
from server.cli.turn_legs import permit, reached, trouble
from server.settings import Settings
from server.settings_loading import SettingsError, load
from server.turn import TurnRelays, address_of, credential
from signaling.consult.ids import ParticipantId
from tests.e2e.kit.coturn import SECRET, Coturn, coturn
from tests.e2e.kit.ports import free_port
from tests.signaling.fakes import FakeClock

MEDIA = "198.51.100.20"  # where ours would be reached
LATER = timedelta(minutes=10)
# IANA special-purpose registries (RFC 6890 and later): what a relay must never reach for a stranger.
RESERVED_V4 = (
    "0.0.0.1",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
)
RESERVED_V6 = ("::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fc00::1", "fe80::1", "2001:db8::1", "ff02::1")
ANYWHERE = ("8.8.8.8", "198.51.100.21")


@pytest_asyncio.fixture
async def relay() -> AsyncIterator[Coturn]:
    async with coturn("127.0.0.1", plain=free_port(), tls=free_port(), peers=[MEDIA]) as running:
        yield running


def fresh(user: str = "somebody") -> tuple[str, str]:
    return credential(SECRET, user, valid_until=datetime.now(UTC) + LATER)


def trusting(relay: Coturn) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=relay.certificate)


async def code_of(relay: Coturn, url: str, user: str, password: str) -> int | None:
    """The error code of an allocation; None when it succeeds."""
    async with reached(address_of(url), user, password, tls=trusting(relay)) as client:
        try:
            await client.connect()
        except stun.TransactionFailed as error:
            return error.response.error_code
    return None


async def test_every_leg_accepts_a_fresh_credential_and_refuses_an_old_or_a_foreign_one(
    relay: Coturn,
) -> None:
    old = credential(SECRET, "somebody", valid_until=datetime.now(UTC) - timedelta(seconds=5))
    foreign = credential("guessed", "somebody", valid_until=datetime.now(UTC) + LATER)
    for url in relay.urls:
        assert await code_of(relay, url, *fresh()) is None, url
        assert await code_of(relay, url, *old) == 401, url
        assert await code_of(relay, url, *foreign) == 401, url


async def refusal(client: turn_legs.Client, peer: str) -> int | None:
    try:
        await permit(client, peer, 40_000)
    except stun.TransactionFailed as error:
        return error.response.error_code
    return None


async def test_nothing_but_our_media_address_is_reached(relay: Coturn) -> None:
    async with reached(address_of(relay.urls[0]), *fresh()) as client:
        await client.connect()
        answers = {peer: await refusal(client, peer) for peer in (*RESERVED_V4, *ANYWHERE)}
        assert answers == dict.fromkeys(answers, 403)
        assert await refusal(client, MEDIA) is None


async def test_nothing_but_our_media_address_is_reached_over_ipv6() -> None:
    media = "2001:db8:1::20"
    more = "allocation-default-address-family=ipv6"
    async with (
        coturn("::1", plain=free_port(), tls=free_port(), peers=[media], more=more) as relay,
        reached(address_of(relay.urls[0]), *fresh()) as client,
    ):
        await client.connect()
        answers = {peer: await refusal(client, peer) for peer in RESERVED_V6}
        assert answers == dict.fromkeys(answers, 403)
        assert await refusal(client, media) is None


async def test_one_person_has_twelve_relays_at_most_and_leaves_the_others_theirs(relay: Coturn) -> None:
    async with contextlib.AsyncExitStack() as stack:
        codes: list[int | None] = []
        for user in ["greedy"] * 13 + ["another"]:
            client = await stack.enter_async_context(reached(address_of(relay.urls[0]), *fresh(user)))
            try:
                await client.connect()
                codes.append(None)
            except stun.TransactionFailed as error:
                codes.append(error.response.error_code)
    assert codes == [None] * 12 + [486, None]


def settings(relay: Coturn, **turn: object) -> Settings:
    said = {"urls": relay.urls, "secret": SECRET, **turn}
    return load(overrides={"turn": said, "media": {"public_addresses": [MEDIA]}}).settings


async def test_doctor_says_of_each_leg_whether_it_relays_and_what_stops_it(
    relay: Coturn, monkeypatch: pytest.MonkeyPatch
) -> None:
    udp, tcp, tls = relay.urls
    right = settings(relay)
    assert await trouble(udp, right) is None
    assert await trouble(tcp, right) is None
    found = {
        "certificate": await trouble(tls, right),
        "secret": await trouble(udp, settings(relay, secret="another")),
        "closed": await trouble(f"turn:127.0.0.1:{free_port()}?transport=tcp", right),
        "name": await trouble("turn:relay.invalid:3478", right),
    }
    monkeypatch.setattr(turn_legs, "STEP_S_MAX", 0.5)
    found["silent"] = await trouble(f"turn:127.0.0.1:{free_port()}", right)
    far = load(
        overrides={"turn": {"urls": [udp], "secret": SECRET}, "media": {"public_addresses": ["203.0.113.9"]}}
    )
    found["peer"] = await trouble(udp, far.settings)
    words = {name: one and one.found for name, one in found.items()}
    assert "TLS fails" in str(words["certificate"])
    assert words["secret"] == "the credential is refused (401)"
    assert "TCP 127.0.0.1" in str(words["closed"])
    assert words["name"] == "relay.invalid has no address"
    assert "UDP 127.0.0.1" in str(words["silent"])
    assert words["peer"] == "relaying to our media address is forbidden (403)"
    assert all(one and one.hint for one in found.values())


def test_a_participant_is_given_a_credential_that_ends_and_does_not_name_them() -> None:
    clock = FakeClock()
    person = ParticipantId("participant-of-a-consult")
    (given,) = TurnRelays(["turn:turn.example"], SECRET, valid_s=600, clock=clock).of(person)
    ends, _, user = given.username.partition(":")
    assert int(ends) == int((clock.now() + LATER).timestamp())
    assert person not in given.username
    assert len(user) == 16
    assert TurnRelays([], "", valid_s=600, clock=clock).of(person) == ()


@pytest.mark.parametrize(
    ("url", "leg", "port"),
    [
        ("turn:a.example", "udp", 3478),
        ("turn:a.example:99?transport=tcp", "tcp", 99),
        ("turns:a.example", "tls", 5349),
        ("turns:[2001:db8::1]:443", "tls", 443),
    ],
)
def test_an_address_says_where_and_how(url: str, leg: str, port: int) -> None:
    address = address_of(url)
    assert (address.leg, address.port) == (leg, port)


@pytest.mark.parametrize(
    "turn",
    [
        {"urls": ["https://a.example"], "secret": "s"},
        {"urls": ["turns:a.example?transport=udp"], "secret": "s"},
        {"urls": ["turn:a.example:99999"], "secret": "s"},
        {"urls": ["turn:a.example"]},
        {"secret": "s"},
    ],
)
def test_what_no_browser_could_use_is_refused_at_the_start(turn: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="turn"):
        load(overrides={"turn": turn})


def test_the_command_writes_what_coturn_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from server.cli.turn import config

    file = tmp_path / "meridian.toml"
    file.write_text(
        f'[turn]\nurls = ["turn:t.example", "turns:t.example:443"]\nsecret = "{SECRET}"\n'
        f'[media]\npublic_addresses = ["{MEDIA}"]\n'
    )
    config(file, certificate="/c", key="/k")
    written = capsys.readouterr().out.splitlines()
    for line in (f"static-auth-secret={SECRET}", "tls-listening-port=443", f"allowed-peer-ip={MEDIA}"):
        assert line in written
