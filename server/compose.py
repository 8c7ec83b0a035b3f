"""Makes what requests need from the settings and the parts that are already running."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from server.cluster.bus import State
from server.demo import LINK_LIFETIME_S
from server.http.front_end import FrontEnd
from server.http.keys import HangUp, Services
from server.http.origin import site
from server.identity.accounts import Accounts
from server.identity.one_use import OneUse
from server.identity.passwords import Passwords
from server.identity.seats import Seats, invitation_link
from server.identity.sign_ins import SignIns
from server.identity.socket_tickets import SocketTickets
from server.identity.throttle import Throttle
from server.recordings.desk import desk
from server.recordings.vault import NoVault, Vault
from server.settings import Settings
from server.storage.consults import Consults
from server.storage.database import Database
from server.storage.interpreters import Interpreters
from signaling.consult.ids import ClinicId, ConsultId, ParticipantId, UserId
from signaling.consult.values import Policy, Role
from signaling.ports import ClinicFacts, Clock
from web.consents import UnknownConsentTextError, consent_text
from web.emergency import emergency_numbers

NUMBERS: Final[Mapping[str, str]] = emergency_numbers()


def services(
    settings: Settings,
    *,
    database: Database,
    passwords: Passwords,
    clock: Clock,
    demo: bool,
    tickets: SocketTickets,
    hang_up: HangUp,
    media_workers: Callable[[], tuple[int, int]],
    hearing: Callable[[], State | None],
    media_packets: Callable[[], Mapping[tuple[int, str], int]],
    vault: Vault | None = None,
) -> Services:
    """Everything a request may need. Raises `web.render.MissingAssetError` without a built front end."""
    accounts = Accounts(database, passwords)
    return Services(
        settings=settings,
        site=site(settings),
        clock=clock,
        database=database,
        consults=Consults(database),
        interpreters=Interpreters(database, clock),
        recordings=desk(
            database,
            vault or NoVault(),
            clock,
            data_dir=settings.server.data_dir,
            storage_url=settings.recording.storage_url,
            kept=timedelta(days=settings.recording.retention_days),
        ),
        accounts=accounts,
        sign_ins=SignIns(database, accounts, settings.sign_in),
        seats=Seats(database, settings.invitations),
        throttle=Throttle(settings),
        tickets=tickets,
        front=FrontEnd(follows_builds=demo),
        demo_links=OneUse(lifetime_s=LINK_LIFETIME_S) if demo else None,
        hang_up=hang_up,
        media_workers=media_workers,
        hearing=hearing,
        media_packets=media_packets,
    )


def policy(settings: Settings) -> Policy:
    """The times and limits of consults that are made from now on."""
    return Policy(**settings.waiting.model_dump(), recording=settings.recording.enabled)


class KnownTexts:
    """The `ConsentTexts` of `signaling.ports`. `unreviewed`: those nobody has reviewed will do."""

    def __init__(self, *, unreviewed: bool) -> None:
        self._unreviewed = unreviewed

    def is_known(self, text_id: str, text_hash: str, language: str) -> bool:
        try:
            return consent_text(text_id, language).sha256 == text_hash
        except UnknownConsentTextError:
            return False

    def is_reviewed(self, text_id: str, language: str) -> bool:
        try:
            return self._unreviewed or consent_text(text_id, language).is_reviewed
        except UnknownConsentTextError:
            return False


class InvitationLinks:
    """The `Invitations` of `signaling.ports`."""

    def __init__(self, seats: Seats, clock: Clock, origin: str) -> None:
        self._seats = seats
        self._clock = clock
        self._origin = origin

    async def issue(self, consult: ConsultId, participant: ParticipantId) -> str:
        secret = await self._seats.invite(consult, participant, now=self._clock.now())
        return invitation_link(self._origin, secret)


class OneClinic:
    """The `Clinics` of `signaling.ports`: this server has one; its staff is in the database."""

    def __init__(self, settings: Settings, accounts: Accounts) -> None:
        self._accounts = accounts
        clinic = settings.clinic
        self._facts = ClinicFacts(
            name=clinic.name,
            phone=clinic.phone,
            time_zone=clinic.time_zone,
            emergency_numbers=NUMBERS,
            interpreter_line=clinic.interpreter_line,
        )

    def facts(self, clinic: ClinicId) -> ClinicFacts:
        return self._facts

    async def role_of(self, clinic: ClinicId, user: UserId) -> Role | None:
        account = await self._accounts.find(user)
        return Role(account.role) if account is not None and account.clinic_id == clinic else None
