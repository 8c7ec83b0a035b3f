"""Countries, time zones and cities by name in a page language, with each country's emergency number."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import available_timezones

from babel import Locale as BabelLocale
from babel.core import get_global
from babel.dates import get_timezone_location

from web.emergency import emergency_number

# Codes of CLDR that are no country somebody can be in.
NOT_COUNTRIES = frozenset(
    {"AC", "AQ", "BV", "CP", "CQ", "DG", "EA", "EU", "EZ", "GS", "HM", "IC", "QO", "TA", "UM", "UN"}
    | {"XA", "XB", "ZZ"}
)
# Where people call the place differently from the zone's name in CLDR.
CITIES: Mapping[tuple[str, str], str] = {
    ("Asia/Kuwait", "en"): "Kuwait City",
    ("Asia/Kuwait", "ar"): "مدينة الكويت",
    ("Asia/Kuwait", "es"): "Ciudad de Kuwait",
    ("Asia/Kuwait", "zh-Hans"): "科威特城",
    ("America/Los_Angeles", "ar"): "لوس أنجلوس",
}
# Territories without a zone of their own in CLDR, and the one in force there.
ZONES_ELSEWHERE: Mapping[str, str] = {"XK": "Europe/Belgrade"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A time zone (IANA) and the city people know it by."""

    id: str
    city: str

    def as_json(self) -> Mapping[str, object]:
        return {"id": self.id, "city": self.city}


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """A country (ISO 3166-1 alpha-2) by name, its zones, and the number to call there for an ambulance."""

    code: str
    name: str
    zones: tuple[Zone, ...]
    emergency: str | None

    def as_json(self) -> Mapping[str, object]:
        zones = [zone.as_json() for zone in self.zones]
        return {"code": self.code, "name": self.name, "zones": zones, "emergency": self.emergency}


def babel_locale(tag: str) -> BabelLocale:
    return BabelLocale.parse(tag, sep="-")


def city(zone_id: str, tag: str) -> str:
    """The city that stands for a time zone, in a page language."""
    found = CITIES.get((zone_id, tag))
    return found or str(get_timezone_location(zone_id, locale=babel_locale(tag), return_city=True))


def zone(zone_id: str, tag: str) -> Zone:
    return Zone(id=zone_id, city=city(zone_id, tag))


def country_name(code: str, tag: str) -> str:
    """The country's name in a page language, or its code if it has none."""
    return str(babel_locale(tag).territories.get(code, code))


def language_name(tag_wanted: str, tag: str) -> str:
    """A language's name in a page language: ("zh-Hans", "en") is "Simplified Chinese"."""
    wanted = babel_locale(tag_wanted)
    return str(wanted.get_display_name(babel_locale(tag)) or tag_wanted)


@lru_cache(maxsize=1)
def zones_by_country() -> Mapping[str, tuple[str, ...]]:
    """The zones of each country, as CLDR assigns them, without those this system does not know."""
    known = available_timezones()
    found = {code: [zone_id] for code, zone_id in ZONES_ELSEWHERE.items()}
    for zone_id, code in sorted(get_global("zone_territories").items()):
        if zone_id in known and "/" in zone_id and not zone_id.startswith("Etc/"):
            found.setdefault(code, []).append(zone_id)
    return {code: tuple(zones) for code, zones in found.items()}


@lru_cache(maxsize=16)
def countries(tag: str) -> tuple[Country, ...]:
    """All countries in the page language's alphabetical order."""
    names = {str(code): str(name) for code, name in babel_locale(tag).territories.items()}
    found = [
        Country(
            code=code,
            name=name,
            zones=tuple(zone(zone_id, tag) for zone_id in zones_by_country().get(code, ())),
            emergency=emergency_number(code),
        )
        for code, name in names.items()
        if len(code) == 2 and code.isalpha() and code not in NOT_COUNTRIES
    ]
    return tuple(sorted(found, key=lambda country: country.name.casefold()))
