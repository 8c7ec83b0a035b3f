"""One way to a TURN server, gone step by step as a browser goes it: `doctor` says which step fails."""

import asyncio
import contextlib
import secrets
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from aioice import stun
from aioice.turn import TurnClientTcpProtocol, TurnClientUdpProtocol

from server.settings import Settings
from server.turn import TurnAddress, address_of, credential

STEP_S_MAX: Final = 5.0
RELAY_LIFETIME_S: Final = 60

Client = TurnClientTcpProtocol | TurnClientUdpProtocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """The step that failed, and what to do about it."""

    found: str
    hint: str


async def trouble(url: str, settings: Settings) -> Trouble | None:
    """What keeps this way from relaying to our media addresses, or None. Raises nothing of the network."""
    address = address_of(url)
    secret = settings.turn.secret.get_secret_value() if settings.turn.secret else ""
    valid_until = datetime.now(UTC) + timedelta(seconds=RELAY_LIFETIME_S)
    try:
        async with asyncio.timeout(STEP_S_MAX), _reached(address, secret, valid_until) as client:
            await client.connect()
            for peer in settings.media.public_addresses or settings.media.bind:
                await permit(client, str(peer), settings.media.port)
    except socket.gaierror:
        return Trouble(found=f"{address.host} has no address", hint="correct the name, or its DNS record")
    except ssl.SSLError as error:
        found = f"TLS fails ({getattr(error, 'verify_message', '') or error.reason})"
        return Trouble(
            found=found, hint="browsers refuse it too: install a certificate of a public authority"
        )
    except stun.TransactionFailed as error:
        return _refused(error.response.error_code)
    except (OSError, TimeoutError, stun.TransactionError):
        kind = "UDP" if address.leg == "udp" else "TCP"
        found = f"{kind} {address.host}:{address.port} does not answer"
        return Trouble(found=found, hint="is coturn running, and does a firewall let this port through?")
    return None


def _refused(code: int | None) -> Trouble:
    match code:
        case 401:
            hint = "turn.secret and coturn's static-auth-secret differ, or the clocks do"
            return Trouble(found="the credential is refused (401)", hint=hint)
        case 403:
            hint = "coturn may not reach media.public_addresses: python -m server turn config"
            return Trouble(found="relaying to our media address is forbidden (403)", hint=hint)
        case 486 | 508:
            return Trouble(found=f"no relay is free ({code})", hint="raise coturn's quotas or its port range")
        case _:
            return Trouble(found=f"an error {code}", hint="coturn's log says more")


@contextlib.asynccontextmanager
async def _reached(address: TurnAddress, secret: str, valid_until: datetime) -> AsyncIterator[Client]:
    user, password = credential(secret, f"doctor-{secrets.token_hex(4)}", valid_until=valid_until)
    async with reached(address, user, password) as client:
        yield client


@contextlib.asynccontextmanager
async def reached(
    address: TurnAddress, user: str, password: str, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Client]:
    """A TURN client on this leg, before its allocation (`connect`); the allocation ends with the block."""
    loop, where = asyncio.get_running_loop(), (address.host, address.port)
    client: Client
    if address.leg == "udp":
        _, client = await loop.create_datagram_endpoint(
            lambda: TurnClientUdpProtocol(where, user, password, RELAY_LIFETIME_S, RELAY_LIFETIME_S),
            remote_addr=where,
        )
    else:
        context = (tls or ssl.create_default_context()) if address.leg == "tls" else None
        _, client = await loop.create_connection(
            lambda: TurnClientTcpProtocol(where, user, password, RELAY_LIFETIME_S, RELAY_LIFETIME_S),
            *where,
            ssl=context,
        )
    try:
        yield client
    finally:
        with contextlib.suppress(stun.TransactionError, TimeoutError):
            async with asyncio.timeout(1):
                await client.delete()
        client.transport.close()


async def permit(client: Client, peer: str, port: int) -> None:
    """Ask leave to send to a peer (RFC 8656, section 9); `stun.TransactionFailed` with 403 when denied."""
    request = stun.Message(message_method=stun.Method.CREATE_PERMISSION, message_class=stun.Class.REQUEST)
    request.attributes["XOR-PEER-ADDRESS"] = (peer, port)
    await client.request_with_retry(request)
