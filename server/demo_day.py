"""A believable day in a made-up clinic: who works there, who has a visit, and when relative to now."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from server.identity.accounts import StaffRole
from server.settings_loading import Values

CLINIC_ID: Final = "demo"
# A visit that nobody comes to stays open for the length of a demonstration.
DEFAULTS: Final[Values] = {
    "clinic": {
        "id": CLINIC_ID,
        "name": "International Health Program (demonstration)",
        "phone": "+1 310 555 0142",
        "interpreter_line": "+1 310 555 0177",
    },
    "waiting": {"no_show_after_s": 6 * 3600, "abandoned_after_s": 6 * 3600},
    "invitations": {"valid_after_end_s": 12 * 3600},
    "sign_in": {"idle_s": 12 * 3600},
    "recording": {"unreviewed_texts": True},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody who works in the clinic."""

    key: str
    email: str
    name: str
    role: StaffRole
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Somebody with a link: a patient, or an interpreter of an agency."""

    name: str
    language: str
    birth_year: int | None = None
    country: str | None = None
    city: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One consult of the day. `after` is its start relative to now; a visit in the past has taken place."""

    after: timedelta
    length: timedelta
    patient: Guest
    physician: str
    interpreter: str | Guest | None


STAFF: Final = (
    Colleague(key="marlowe", email="marlowe@demo.example", name="Dr. Elena Marlowe", role="physician"),
    Colleague(key="okafor", email="okafor@demo.example", name="Dr. Samuel Okafor", role="physician"),
    Colleague(key="whitfield", email="whitfield@demo.example", name="Grace Whitfield", role="coordinator"),
    Colleague(
        key="chen",
        email="chen@demo.example",
        name="Chen Meilin",
        role="interpreter",
        languages=("zh-Hans", "en"),
    ),
    Colleague(
        key="karim",
        email="karim@demo.example",
        name="Karim Haddad",
        role="interpreter",
        languages=("ar", "en"),
    ),
    Colleague(
        key="sabbagh",
        email="sabbagh@demo.example",
        name="Nadia Sabbagh",
        role="interpreter",
        languages=("ar", "es", "en"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An interpreter on the register; `languages` of the account are interpreted from and into English."""

    key: str
    number: str
    agency: str | None
    gender: str


REGISTER: Final = (
    Registered(key="chen", number="40511", agency=None, gender="female"),
    Registered(key="karim", number="40718", agency=None, gender="male"),
    Registered(key="sabbagh", number="71204", agency="Lingua Health", gender="female"),
)
# Whose desks the demonstration has links to.
DESKS: Final = {"desk": "karim", "second desk": "sabbagh"}

HADDAD: Final = Guest(name="Nadia Haddad", language="en")
SALMA: Final = Guest(
    name="Salma Al-Rashidi",
    language="ar",
    birth_year=1979,
    country="KW",
    city="Kuwait City",
    time_zone="Asia/Kuwait",
)
WEI: Final = Guest(
    name="Wei Lanying",
    language="zh-Hans",
    birth_year=1962,
    country="CN",
    city="Guangzhou",
    time_zone="Asia/Shanghai",
)
TOMAS: Final = Guest(
    name="Tomás Echeverría",
    language="es",
    birth_year=1994,
    country="MX",
    city="Guadalajara",
    time_zone="America/Mexico_City",
)

# The first one is the visit of the three links.
VISITS: Final = (
    Visit(
        after=timedelta(minutes=5),
        length=timedelta(minutes=30),
        patient=SALMA,
        physician="marlowe",
        interpreter=HADDAD,
    ),
    Visit(
        after=timedelta(minutes=50),
        length=timedelta(minutes=30),
        patient=WEI,
        physician="okafor",
        interpreter="chen",
    ),
    Visit(
        after=timedelta(minutes=95),
        length=timedelta(minutes=20),
        patient=TOMAS,
        physician="marlowe",
        interpreter=Guest(name="Iván Rosales", language="en"),
    ),
    Visit(
        after=timedelta(minutes=-80),
        length=timedelta(minutes=30),
        patient=TOMAS,
        physician="okafor",
        interpreter=None,
    ),
)
