"""The tables of recordings: what there is, which sealed parts it has, how long it is kept. No media, no keys.

The media is in sealed files, and what opens them is with the vault and in `server.recordings.secrets`.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from server.storage.tables import Base, Hash, Id

KEY_ID_CHARS = 32
WHY_CHARS = 20


class RecordingRow(Base):
    """One recording of a consult, from the question whether it may be made to its destruction."""

    __tablename__ = "recording"

    recording_id: Mapped[str] = mapped_column(Id, primary_key=True)
    consult_id: Mapped[str] = mapped_column(ForeignKey("consult.consult_id"))
    clinic_id: Mapped[str] = mapped_column(String(32))
    # The consult's first recording is 1.
    no: Mapped[int]
    # "audio" or "video".
    what: Mapped[str] = mapped_column(String(10))
    # "asked", "on", "paused" or "stopped".
    state: Mapped[str] = mapped_column(String(10))
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None] = mapped_column(String(WHY_CHARS))
    # Wall clock in milliseconds that times in the recording count from.
    epoch_ms: Mapped[int | None] = mapped_column(BigInteger)
    # What the vault last found: "complete", "torn", "tampered" or "missing"; empty: it has not looked yet.
    status: Mapped[str] = mapped_column(String(10), server_default="")
    keep_until: Mapped[datetime | None]
    # A legal hold: nothing destroys it.
    held: Mapped[bool] = mapped_column(server_default=false())
    # Its destruction was decided, and is done by the server whose secrets are at this place.
    destroying_at: Mapped[datetime | None]
    destroying_why: Mapped[str | None] = mapped_column(String(WHY_CHARS))
    destroying_place: Mapped[str | None] = mapped_column(Id)
    shredded_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("consult_id", "no", name="uq_recording_consult_id_no"),
        Index("ix_recording_clinic_id_asked_at", "clinic_id", "asked_at"),
        Index("ix_recording_keep_until", "keep_until"),
    )


class RecordingPart(Base):
    """One sealed file of a recording, as the worker last told of it. What is on the disk must not be less."""

    __tablename__ = "recording_part"

    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.recording_id"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    began_at: Mapped[datetime]
    records: Mapped[int] = mapped_column(BigInteger)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    # Of all records so far, in hex.
    chain: Mapped[str] = mapped_column(Hash)
    # Why it ended; empty while it is written.
    ended: Mapped[str] = mapped_column(String(WHY_CHARS), server_default="")
    # When it was last told of.
    at: Mapped[datetime]
    # Where it is kept beside the folder of the worker; empty: nowhere.
    stored: Mapped[str] = mapped_column(String(500), server_default="")


class RecordingWrap(Base):
    """The key of a part, sealed to a recipient who came later than the part. Headers never change."""

    __tablename__ = "recording_wrap"

    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.recording_id"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key_id: Mapped[str] = mapped_column(String(KEY_ID_CHARS), primary_key=True)
    stanza: Mapped[bytes] = mapped_column(LargeBinary)


class RecordingDeletion(Base):
    """Somebody has asked that a recording be deleted; somebody else has to agree."""

    __tablename__ = "recording_deletion"

    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.recording_id"), primary_key=True)
    asked_by: Mapped[str] = mapped_column(Id)
    asked_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)


class RecordingAlert(Base):
    """Somebody has opened a recording of a consult they have no part in. Shown until it was looked at."""

    __tablename__ = "recording_alert"

    alert_id: Mapped[str] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[str] = mapped_column(String(32))
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.recording_id"))
    user_id: Mapped[str] = mapped_column(Id)
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    acknowledged_by: Mapped[str | None] = mapped_column(Id)
    acknowledged_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_recording_alert_clinic_id", "clinic_id", "acknowledged_at"),)
