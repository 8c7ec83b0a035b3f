"""The consent ledger: who agreed to what in one consult, as a file that anybody can check without us.

    start   = SHA-256(canonical JSON of [format, clinic, consult, made_at])
    hash    = SHA-256(hash of the line before, or start + canonical JSON of the line without its hash)
    note    = a signed note (C2SP) of the number of lines and the last hash, by the key of the audit log
              under a name of its own: no ledger passes for a checkpoint of the log, or for another consult's

A line that is changed, taken out, put in or moved is found, and so is a cut. No names are in it: people are
named by their id in the consult, and their role.

* `LedgerError`: the file is no ledger, or not as it was signed; `line` is the first wrong one, if one is
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from server.audit.chain import canonical
from server.audit.notes import Checkpoint, NoteError, PublicKey, SigningKey, opened
from signaling.consult import events as happened
from signaling.consult import recording_events as recorded
from signaling.consult.events import Event
from signaling.consult.ids import ClinicId, ConsultId

FORMAT: Final = "meridian-consents-1"
FILE_BYTES_MAX: Final = 4 * 1024 * 1024
METHOD: Final = "tap"


class LedgerError(Exception):
    """It is no ledger, or not what was signed."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a ledger is that was checked. `key` is who has signed it."""

    clinic: str
    consult: str
    made_at: str
    lines: int
    key: PublicKey


def name_of(clinic: str, consult: str) -> str:
    """What the key is called that signs the ledger of a consult."""
    return f"meridian/{clinic}/consents/{consult}"


def exported(
    events: Sequence[Event], key: SigningKey, *, clinic: ClinicId, consult: ConsultId, made_at: datetime
) -> str:
    """The ledger of a consult as JSON.

    Args:
        events: all of the consult.
        key: of this data directory, under `name_of` this consult.
        clinic: whose consult it is.
        consult: which one.
        made_at: now.
    """
    at = made_at.isoformat()
    lines: list[dict[str, Any]] = []
    last = _start(clinic, consult, at)
    for no, line in enumerate(_lines(events), start=1):
        numbered = {"no": no, **line}
        last = _next(last, numbered)
        lines.append({**numbered, "hash": last.hex()})
    ledger = {
        "format": FORMAT,
        "clinic": clinic,
        "consult": consult,
        "made_at": at,
        "lines": lines,
        "key": str(key.public),
        "note": key.sign(Checkpoint(key.public.name, len(lines), last)),
    }
    return json.dumps(ledger, indent=1, ensure_ascii=False) + "\n"


def verified(text: str, *, known: PublicKey | None = None) -> Verified:
    """Check a ledger.

    Args:
        text: the file.
        known: the clinic's key, from elsewhere than this file; its name does not matter. None: the file's
            own, which says that all was signed by one key, not by whose.

    Raises:
        LedgerError: it is no ledger, or not as it was signed.
    """
    ledger = _read(text)
    last = _walked(ledger)
    try:
        in_file = PublicKey.parse(ledger["key"])
        name = name_of(ledger["clinic"], ledger["consult"])
        signer = PublicKey(name, (known or in_file).raw)
        signed = opened(ledger["note"], [signer])
    except NoteError as error:
        raise LedgerError(f"the signature: {error}") from error
    if (signed.size, signed.root) != (len(ledger["lines"]), last):
        raise LedgerError("lines are missing or added at the end")
    return Verified(
        clinic=ledger["clinic"],
        consult=ledger["consult"],
        made_at=ledger["made_at"],
        lines=signed.size,
        key=signer,
    )


def _walked(ledger: Mapping[str, Any]) -> bytes:
    """The last hash, when every line is as it was written."""
    last = b""
    for no, line in enumerate([{}, *ledger["lines"]]):
        try:
            if no == 0:
                last = _start(ledger["clinic"], ledger["consult"], ledger["made_at"])
                continue
            last = _next(last, {name: value for name, value in line.items() if name != "hash"})
        except (ValueError, TypeError, RecursionError) as error:
            raise LedgerError("no text of ours", line=no) from error
        if line.get("no") != no or line.get("hash") != last.hex():
            raise LedgerError("not as it was written, or not in its place", line=no)
    return last


def _read(text: str) -> dict[str, Any]:
    try:
        ledger = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LedgerError("no JSON") from error
    if not isinstance(ledger, dict) or ledger.get("format") != FORMAT:
        raise LedgerError(f"no ledger of the form {FORMAT}")
    texts = ("clinic", "consult", "made_at", "key", "note")
    lines = ledger.get("lines")
    is_whole = all(isinstance(ledger.get(name), str) for name in texts) and isinstance(lines, list)
    if not is_whole or not all(isinstance(line, dict) for line in lines or ()):
        raise LedgerError("something of it is missing")
    return ledger


def _start(clinic: str, consult: str, made_at: str) -> bytes:
    return sha256(canonical([FORMAT, clinic, consult, made_at])).digest()


def _next(last: bytes, line: Mapping[str, Any]) -> bytes:
    return sha256(last + canonical(line)).digest()


def _lines(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Every consent in the order in which it was written down. What does not apply is left out."""
    roles: dict[str, str] = {}
    whats: dict[str, str] = {}
    found: list[dict[str, Any]] = []
    for event in events:
        if isinstance(event, happened.ParticipantInvited):
            roles[event.participant] = event.role.value
        if isinstance(event, recorded.RecordingAsked):
            whats[event.recording] = event.what
        line = _line(event, whats)
        if line is not None:
            found.append({**line, "by": event.by, "role": roles.get(line["participant"], "")})
    return found


def _line(event: Event, whats: Mapping[str, str]) -> dict[str, Any] | None:
    match event:
        case happened.ParticipantInvited() if event.consent is not None:
            return {
                **_text(event.consent.at, event.participant, "telehealth", event.consent),
                "carried_over_at": event.at.isoformat(),
            }
        case happened.ConsentGiven():
            return _text(event.at, event.participant, "telehealth", event)
        case recorded.RecordingAgreed():
            purpose = f"{event.what}_recording"
            return {
                **_text(event.at, event.participant, purpose, event, event.method),
                "recording": event.recording,
            }
        case recorded.RecordingRefused():
            return {
                "at": event.at.isoformat(),
                "participant": event.participant,
                "purpose": f"{whats.get(event.recording, 'any')}_recording",
                "decision": "revoked" if event.revoked else "refused",
                "method": METHOD,
                "recording": event.recording,
            }
        case _:
            return None


def _text(at: datetime, participant: str, purpose: str, said: Any, method: str = METHOD) -> dict[str, Any]:
    """Somebody agreed to exactly this text."""
    return {
        "at": at.isoformat(),
        "participant": participant,
        "purpose": purpose,
        "decision": "given",
        "text_id": said.text_id,
        "text_hash": said.text_hash,
        "language": said.language,
        "method": method,
    }
