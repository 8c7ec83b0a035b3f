"""What each page needs to know: one frozen value per page, the template and the script that show it.

The server makes one of these and gives it to `web.render.Renderer`. `boot()` is what the page's script reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NotRequired, TypedDict

from web.catalog import Locale, PagesIn
from web.consents import ConsentText
from web.emergency import emergency_numbers
from web.introductions import introductions
from web.places import Country, Zone

ErrorKind = Literal["not_found", "forbidden", "bad_request", "busy", "internal"]
StaffRole = Literal["physician", "coordinator", "interpreter"]
SeatRole = Literal["patient", "companion", "physician", "interpreter", "coordinator"]
InvitationState = Literal["too_early", "open", "ended", "cancelled", "no_show", "revoked", "unknown"]

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """The clinic as people see it; `phone` in international form, empty when there is none."""

    name: str
    phone: str
    zone: Zone

    def as_json(self) -> Json:
        return {"name": self.name, "phone": self.phone, "zone": self.zone.as_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffUser:
    """Who is signed in."""

    id: str
    name: str
    role: StaffRole

    def as_json(self) -> Json:
        return {"id": self.id, "name": self.name, "role": self.role}


class InvitationPreview(TypedDict):
    """Answer of POST /api/invitation/preview: what the invitation page shows before anything is consumed.

    Times are ISO 8601 in UTC; `zone` is where the invited person is. In the state `unknown` the other
    fields may be empty. Never another person's data: no patient name, no reason for the visit.
    """

    state: InvitationState
    role: SeatRole
    physician_name: str
    interpreter: bool
    starts_at: str
    ends_at: str
    opens_at: str
    zone: Mapping[str, str]
    clinic_zone: Mapping[str, str]
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What every page knows. `languages` are the page languages a person can change to."""

    template: ClassVar[str]
    script: ClassVar[str | None] = None

    locale: Locale
    languages: tuple[Locale, ...]
    clinic: Clinic

    def boot(self) -> Json:
        """Data for the page's script."""
        return {"clinic": self.clinic.as_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingPage(Page):
    """`/` for somebody who is not signed in."""

    template: ClassVar[str] = "landing.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage(Page):
    """Something went wrong with a page; `support_id` finds it in the log when the fault is ours."""

    template: ClassVar[str] = "error.html"

    kind: ErrorKind
    support_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationPage(Page):
    """`/v`: everything else comes from the secret in the address, which only the script sees.

    `language_chosen`: the person chose this language here before, so the invited one does not replace it.
    """

    template: ClassVar[str] = "invitation.html"
    script: ClassVar[str | None] = "invite"

    language_chosen: bool = False

    def boot(self) -> Json:
        return {"clinic": self.clinic.as_json(), "language_chosen": self.language_chosen}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatPage(Page):
    """`/c/<consult>/<participant>`: one person's place in one consult, from the device check to the end.

    `country` is where the person is booked from (ISO 3166), `countries` the list to correct it from, and
    `consent` what a patient or companion agrees to, in the page's language; `recording_texts` what everybody
    does before they are recorded, by what is ("audio", "video"); none that this person could not read.
    `recording_languages` tells a physician in which languages others could agree.
    """

    template: ClassVar[str] = "visit/seat.html"
    script: ClassVar[str | None] = "visit"

    consult_id: str
    participant_id: str
    role: SeatRole
    consent: ConsentText | None
    country: str | None
    countries: tuple[Country, ...]
    recording_texts: Mapping[str, ConsentText] = field(default_factory=dict)
    recording_languages: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def boot(self) -> Json:
        return {
            "clinic": self.clinic.as_json(),
            "consult_id": self.consult_id,
            "participant_id": self.participant_id,
            "role": self.role,
            "language": self.locale.tag,
            "consent": self.consent.as_json() if self.consent else None,
            "recording_languages": dict(self.recording_languages),
            "recording_texts": {what: text.as_json() for what, text in self.recording_texts.items()},
            "country": self.country,
            "introductions": dict(introductions()) if self.role == "interpreter" else {},
            # Without their zones: a phone on a weak network reads this page.
            "countries": [
                {"code": one.code, "name": one.name, "emergency": one.emergency} for one in self.countries
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage(Page):
    """`/signin`; `next_path` is the page to go to afterwards, always one of our own."""

    template: ClassVar[str] = "signin.html"
    script: ClassVar[str | None] = "signin"

    next_path: str | None = None

    def boot(self) -> Json:
        return {"next": self.next_path}


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPage(Page):
    """A page of somebody signed in."""

    user: StaffUser

    def boot(self) -> Json:
        return {"clinic": self.clinic.as_json(), "user": self.user.as_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardPage(StaffPage):
    """`/board` for physicians and coordinators; its rows come over the socket."""

    template: ClassVar[str] = "board.html"
    script: ClassVar[str | None] = "board"

    def boot(self) -> Json:
        return {
            "clinic": self.clinic.as_json(),
            "user": self.user.as_json(),
            "emergency": dict(emergency_numbers()),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPage(StaffPage):
    """`/desk` for interpreters of the hospital: the consults booked for them."""

    template: ClassVar[str] = "desk.html"
    script: ClassVar[str | None] = "desk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """A physician or interpreter who can be chosen for a consult; languages as tags."""

    id: str
    name: str
    languages: tuple[str, ...] = ()

    def as_json(self) -> Json:
        return {"id": self.id, "name": self.name, "languages": list(self.languages)}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsultPage(StaffPage):
    """`/board/new`; `patient_languages` as (tag, name in the page's language, what pages there are in it)."""

    template: ClassVar[str] = "newconsult.html"
    script: ClassVar[str | None] = "newconsult"

    physicians: tuple[Colleague, ...]
    interpreters: tuple[Colleague, ...]
    patient_languages: Sequence[tuple[str, str, PagesIn]]
    countries: tuple[Country, ...]

    def boot(self) -> Json:
        return {
            "clinic": self.clinic.as_json(),
            "user": self.user.as_json(),
            "countries": [country.as_json() for country in self.countries],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpretersPage(StaffPage):
    """`/board/interpreters`: the register, the duty plan and the counts; `spoken` as (tag, name)."""

    template: ClassVar[str] = "interpreters.html"
    script: ClassVar[str | None] = "interpreters"

    spoken: Sequence[tuple[str, str]]


class RecordingRights(TypedDict):
    """What somebody may do with a recording. `break_glass`: open it in an emergency, with a reason."""

    play: bool
    export: bool
    delete: bool
    break_glass: NotRequired[bool]
    hold: NotRequired[bool]
    release: NotRequired[bool]


class RecordingRow(TypedDict):
    """A row of the answer of POST /api/recordings, and what a recording's page knows before it is opened.

    Times are ISO 8601 in UTC. `state`: complete, torn, tampered, missing, preparing, recording or destroyed.
    `deletion` ({by: a name, reason}): somebody asked to destroy it, and a physician of the consult confirms.
    """

    recording_id: str
    consult_id: str
    title: str
    patient: str
    physician: str
    started_at: str | None
    duration_s: int | None
    what: str
    state: str
    keep_until: str | None
    held: NotRequired[bool]
    deletion: NotRequired[Mapping[str, str] | None]
    shredded_at: str | None
    may: RecordingRights


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingsPage(StaffPage):
    """`/recordings` for physicians and coordinators; its rows come from POST /api/recordings."""

    template: ClassVar[str] = "recordings.html"
    script: ClassVar[str | None] = "recordings"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPage(StaffPage):
    """`/recordings/<recording>`: asks for the purpose first; nothing of what was recorded is in the page."""

    template: ClassVar[str] = "recording.html"
    script: ClassVar[str | None] = "recording"

    recording: RecordingRow

    def boot(self) -> Json:
        return {"clinic": self.clinic.as_json(), "user": self.user.as_json(), "recording": self.recording}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPage(Page):
    """`/demo`: the script trades the one-time secret in the address for a sign-in."""

    template: ClassVar[str] = "demo.html"
    script: ClassVar[str | None] = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPage(Page):
    """`/help`: how a visit works and how to get it working, for a patient."""

    template: ClassVar[str] = "help.html"
