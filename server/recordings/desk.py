"""Everything about recordings that requests and the work in the background need, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from server.audit.log import Audit
from server.identity.accounts import Account
from server.recordings.access import Relation, Right, rights
from server.recordings.care import Care
from server.recordings.grants import Grants
from server.recordings.keeping import KEPT
from server.recordings.life import Life
from server.recordings.secrets import FOLDER, Secrets
from server.recordings.storage import store_for
from server.recordings.store import Recorded, Recordings
from server.recordings.uploading import Uploader
from server.recordings.vault import Vault
from server.storage.database import Database
from server.vault.places import Places
from signaling.consult.ids import UserId
from signaling.ports import Clock
from web.pages import RecordingRights, RecordingRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Made once at start."""

    store: Recordings
    care: Care
    grants: Grants
    vault: Vault
    secrets: Secrets
    life: Life
    uploader: Uploader
    audit: Audit


def desk(
    database: Database,
    vault: Vault,
    clock: Clock,
    *,
    data_dir: Path,
    storage_url: str | None = None,
    kept: timedelta = KEPT,
) -> Desk:
    """The desk of a server with this data directory.

    Raises:
        OSError: `storage_url` makes no store.
    """
    secrets = Secrets(data_dir / FOLDER)
    uploader = Uploader(database, Places(data_dir).recordings, store_for(storage_url), clock)
    return Desk(
        store=Recordings(database),
        care=Care(database),
        grants=Grants(),
        vault=vault,
        secrets=secrets,
        life=Life(database, secrets, vault, clock, remove_files=uploader.remove, kept=kept),
        uploader=uploader,
        audit=Audit(database, clock),
    )


def rights_of(account: Account, found: Recorded) -> frozenset[Right]:
    """What a member of staff may do with a recording."""
    return rights(
        Relation(
            role=account.role,
            same_clinic=account.clinic_id == found.clinic,
            takes_part=found.is_treated_by(account.user_id),
        )
    )


def row_of(account: Account, found: Recorded, names: Mapping[UserId, str]) -> RecordingRow:
    """A recording as its list and its page show it to this person. `names`: of staff, by account."""
    asked = found.deletion
    length = (found.ended_at - found.started_at) if found.ended_at and found.started_at else None
    return {
        "recording_id": found.id,
        "consult_id": found.consult,
        "title": f"#{found.no}" if found.no > 1 else "",
        "patient": found.name_of("patient"),
        "physician": found.name_of("physician"),
        "started_at": found.started_at.isoformat() if found.started_at else None,
        "duration_s": round(length.total_seconds()) if length is not None else None,
        "what": found.what,
        "state": state_of(found),
        "keep_until": found.keep_until.isoformat() if found.keep_until else None,
        "held": found.held,
        "deletion": {"by": names.get(asked.by, ""), "reason": asked.reason} if asked else None,
        "shredded_at": found.shredded_at.isoformat() if found.shredded_at else None,
        "may": may(account, found),
    }


def state_of(found: Recorded) -> str:
    """ "destroyed", "recording", or what the vault or else the parts say of its files."""
    if found.is_gone:
        return "destroyed"
    if not found.is_over:
        return "recording"
    if found.status:
        return found.status
    if not found.parts:
        return "missing"
    return "complete" if all(part.ended for part in found.parts) else "torn"


def may(account: Account, found: Recorded) -> RecordingRights:
    """What the page offers this person now."""
    mine = rights_of(account, found) if not found.is_gone else frozenset[Right]()
    deletable = found.is_over and not found.held
    asks = Right.ASK_DELETION in mine and found.deletion is None
    agrees = Right.AGREE_TO_DELETION in mine and found.deletion is not None
    return {
        "play": Right.PLAY in mine and found.is_over,
        "export": Right.EXPORT in mine and found.is_over,
        "delete": deletable and (asks or agrees),
        "hold": Right.HOLD in mine and not found.held,
        "release": Right.RELEASE in mine and found.held,
        "break_glass": Right.BREAK_GLASS in mine and found.is_over,
    }
