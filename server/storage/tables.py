"""The tables, declared once. A migration makes them; a test compares the two.

`consult_event` is the record of each consult and never changes. `consult` repeats what lists and deadlines
need and is written in the same transaction. What a person may have erased (names, text) has its own rows.
"""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, MetaData, String, Text, UniqueConstraint, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from server.storage.types import UtcDateTime

ID_CHARS_MAX = 64
HASH_CHARS = 64
NAME_CHARS_MAX = 200

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Id = String(ID_CHARS_MAX)
Hash = String(HASH_CHARS)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime()}  # noqa: RUF012 (SQLAlchemy's own form)


class ConsultEvent(Base):
    """One fact of one consult. The primary key is the concurrency control."""

    __tablename__ = "consult_event"

    consult_id: Mapped[str] = mapped_column(Id, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(Id)
    # The whole event as JSON, by `signaling.consult.stored`; the other columns repeat parts of it.
    body: Mapped[str] = mapped_column(Text)


class ConsultRow(Base):
    """The consult as lists and deadlines need it."""

    __tablename__ = "consult"

    consult_id: Mapped[str] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[str] = mapped_column(String(32))
    phase: Mapped[str] = mapped_column(String(20))
    version: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    opened: Mapped[bool]
    # A consult goes on as one other at most: the second writer fails.
    continues: Mapped[str | None] = mapped_column(Id, unique=True)
    # An interpreter is rung, or on their way. A server of the version before writes rows without it.
    ringing: Mapped[bool] = mapped_column(server_default=false())

    __table_args__ = (
        Index("ix_consult_ringing", "clinic_id", "ringing"),
        Index("ix_consult_due_at", "due_at"),
        Index("ix_consult_clinic_id_starts_at", "clinic_id", "starts_at"),
    )


class PersonRow(Base):
    """Who a participant is: the only place with their name. Erasing a person empties these rows."""

    __tablename__ = "person"

    consult_id: Mapped[str] = mapped_column(ForeignKey("consult.consult_id"), primary_key=True)
    participant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_CHARS_MAX))
    birth_year: Mapped[int | None]
    time_zone: Mapped[str | None] = mapped_column(String(64))
    country: Mapped[str | None] = mapped_column(String(2))
    city: Mapped[str | None] = mapped_column(String(NAME_CHARS_MAX))
    location_country: Mapped[str | None] = mapped_column(String(2))
    location_text: Mapped[str | None] = mapped_column(Text)


class ChatMessage(Base):
    """The text of one chat message; the event has its id alone."""

    __tablename__ = "chat_message"

    consult_id: Mapped[str] = mapped_column(ForeignKey("consult.consult_id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[str] = mapped_column(Id)
    participant_id: Mapped[str] = mapped_column(Id)
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("consult_id", "message_id", name="uq_chat_message_message_id"),)


class CommandDone(Base):
    """A command that was done, so that one sent again after a fault happens once. Kept for a day."""

    __tablename__ = "command_done"

    actor_id: Mapped[str] = mapped_column(Id, primary_key=True)
    command_id: Mapped[str] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    consult_id: Mapped[str] = mapped_column(Id)
    participant_id: Mapped[str | None] = mapped_column(Id)


class Invitation(Base):
    """A link sent to a person, by the hash of its secret. Using it is recorded; it is never shown again."""

    __tablename__ = "invitation"

    secret_hash: Mapped[str] = mapped_column(Hash, primary_key=True)
    consult_id: Mapped[str] = mapped_column(ForeignKey("consult.consult_id"))
    participant_id: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime]
    first_exchanged_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_invitation_consult_id", "consult_id", "participant_id"),)


class SeatDevice(Base):
    """A browser that holds a seat's cookie, by the hash of the cookie. No address, no full user agent."""

    __tablename__ = "seat_device"

    cookie_hash: Mapped[str] = mapped_column(Hash, primary_key=True)
    device_id: Mapped[str] = mapped_column(Id, unique=True)
    consult_id: Mapped[str] = mapped_column(ForeignKey("consult.consult_id"))
    participant_id: Mapped[str] = mapped_column(Id)
    user_id: Mapped[str | None] = mapped_column(Id)
    language: Mapped[str] = mapped_column(String(35))
    browser: Mapped[str] = mapped_column(String(40))
    further: Mapped[bool]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_seat_device_consult_id", "consult_id", "participant_id"),
        Index("ix_seat_device_user_id", "user_id"),
    )


# What `expires_at` of a device is set to that lost its seat for good.
TAKEN_AWAY = SeatDevice.created_at


class StaffAccount(Base):
    """A physician, coordinator or staff interpreter of a clinic."""

    __tablename__ = "staff_account"

    user_id: Mapped[str] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_CHARS_MAX))
    role: Mapped[str] = mapped_column(String(20))
    clinic_id: Mapped[str] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String(35))
    languages: Mapped[list[str]] = mapped_column(JSON)
    password_hash: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class StaffSignIn(Base):
    """One signed-in browser of a member of staff, by the hash of its cookie."""

    __tablename__ = "staff_sign_in"

    cookie_hash: Mapped[str] = mapped_column(Hash, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("staff_account.user_id"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (Index("ix_staff_sign_in_user_id", "user_id"),)


class InterpreterRow(Base):
    """An interpreter on the clinic's register; who they are is their account."""

    __tablename__ = "interpreter"

    user_id: Mapped[str] = mapped_column(ForeignKey("staff_account.user_id"), primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    agency: Mapped[str | None] = mapped_column(String(120))
    # Directions, each [from, into] as BCP 47.
    pairs: Mapped[list[list[str]]] = mapped_column(JSON)
    vetted: Mapped[bool]
    qualification: Mapped[str] = mapped_column(String(200))
    gender: Mapped[str | None] = mapped_column(String(10))
    camera: Mapped[bool]
    availability: Mapped[str] = mapped_column(String(12))
    seen_at: Mapped[datetime | None]


class InterpreterExclusion(Base):
    """This interpreter is not rung for this physician."""

    __tablename__ = "interpreter_exclusion"

    user_id: Mapped[str] = mapped_column(Id, primary_key=True)
    physician_id: Mapped[str] = mapped_column(Id, primary_key=True)


class Engagement(Base):
    """The consult an interpreter is taken up by. The primary key keeps it at one."""

    __tablename__ = "interpreter_engagement"

    user_id: Mapped[str] = mapped_column(Id, primary_key=True)
    consult_id: Mapped[str] = mapped_column(Id)

    __table_args__ = (Index("ix_interpreter_engagement_consult_id", "consult_id"),)


class Interpreted(Base):
    """Who has interpreted in a consult: rung first when its patient comes again."""

    __tablename__ = "interpreted"

    consult_id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, primary_key=True)


class Shift(Base):
    """A time an interpreter is on duty."""

    __tablename__ = "interpreter_shift"

    shift_id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]

    __table_args__ = (Index("ix_interpreter_shift_starts_at", "starts_at"),)


class Rating(Base):
    """How one person found the interpreting of a consult. Not shown with a name."""

    __tablename__ = "interpreter_rating"

    consult_id: Mapped[str] = mapped_column(Id, primary_key=True)
    participant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    stars: Mapped[int]
    tags: Mapped[list[str]] = mapped_column(JSON)
    at: Mapped[datetime]


class CaseCard(Base):
    """What a consult is about, for its interpreter, in the physician's words. Can be erased."""

    __tablename__ = "case_card"

    consult_id: Mapped[str] = mapped_column(ForeignKey("consult.consult_id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class SocketTicket(Base):
    """What opens a socket once, at any server of this database."""

    __tablename__ = "socket_ticket"

    ticket_hash: Mapped[str] = mapped_column(Hash, primary_key=True)
    # A `signaling.ports.Entry` as JSON.
    opens: Mapped[str] = mapped_column(Text)
    # The device whose next connection it is for; none for one that was asked for over HTTP.
    next_of: Mapped[str | None] = mapped_column(Id)
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_socket_ticket_next_of", "next_of"),
        Index("ix_socket_ticket_expires_at", "expires_at"),
    )


class MediaHome(Base):
    """The server that has the media of a consult, by the address the others reach it at."""

    __tablename__ = "media_home"

    consult_id: Mapped[str] = mapped_column(Id, primary_key=True)
    server: Mapped[str] = mapped_column(String(120))


class SchemaUse(Base):
    """One row: the oldest revision whose servers may use this database; migrations that break them change it.

    So a server of the version before can be started again when the tables have been brought up to date.
    """

    __tablename__ = "schema_use"

    oldest: Mapped[str] = mapped_column(String(32), primary_key=True)


# Tables of their own files, so that `Base.metadata` has them all.
import server.storage.audit_tables  # noqa: E402
import server.storage.recording_tables  # noqa: E402, F401
