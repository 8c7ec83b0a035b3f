"""Translations of the product's own words: one catalogue for each page language, and the choice between them.

The English sentence is the key (gettext). Placeholders are `{name}` in Python, templates and TypeScript,
so that a sentence is translated once wherever it is used.
"""

import gettext
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from babel import Locale as BabelLocale
from babel import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locale"
DOMAIN = "meridian"
SOURCE_LANGUAGE = "en"
ACCEPTED_TAGS_MAX = 20
ACCEPTED_TAG = re.compile(r"\s*([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")
PLACEHOLDER = re.compile(r"\{(\w+)\}")

REVIEWED_BY = "# Reviewed by: "
NOT_REVIEWED = "# Reviewed by: nobody"

Direction = Literal["ltr", "rtl"]
PagesIn = Literal["reviewed", "machine", "none"]


def N_(message: str) -> str:  # noqa: N802 -- the name gettext tools know
    """Mark a message for extraction where it is only stored; translated later through `Catalog.text`."""
    return message


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """A page language: BCP 47 tag, writing direction, and its name for itself."""

    tag: str
    direction: Direction
    name: str


def locale_of(tag: str) -> Locale:
    known = BabelLocale.parse(tag, sep="-")
    direction: Direction = "rtl" if known.text_direction == "rtl" else "ltr"
    return Locale(tag=tag, direction=direction, name=known.display_name or tag)


class Catalog:
    """The messages of one language."""

    def __init__(self, locale: Locale, translations: gettext.NullTranslations) -> None:
        self.locale = locale
        self._translations = translations

    def text(self, message: str, **values: object) -> str:
        """The sentence in this language, `{name}` filled from values."""
        return filled(self._translations.gettext(message), values)

    def plural(self, singular: str, plural: str, n: int, **values: object) -> str:
        """The form for n things by the language's own rule; `{n}` is n."""
        return filled(self._translations.ngettext(singular, plural, n), {"n": n, **values})

    def in_context(self, context: str, message: str, **values: object) -> str:
        """A word whose translation depends on where it stands."""
        return filled(self._translations.pgettext(context, message), values)


def filled(message: str, values: Mapping[str, object]) -> str:
    """Replace `{name}` by its value; an unknown name stays, so a test can see it."""
    return PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), message)


def po_path(tag: str) -> Path:
    return LOCALES / tag.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.po"


@lru_cache(maxsize=1)
def page_languages() -> tuple[str, ...]:
    """Tags of all page languages, English first."""
    folders = (path.parent.parent.name for path in LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
    return (SOURCE_LANGUAGE, *sorted(name.replace("_", "-") for name in folders))


@lru_cache(maxsize=32)
def is_reviewed(tag: str) -> bool:
    """Whether the header of a page language's catalogue names a person who has read it."""
    if tag == SOURCE_LANGUAGE:
        return True
    header = po_path(tag).read_text("utf-8").partition("\nmsgid ")[0]
    reviewers = [line for line in header.splitlines() if line.startswith(REVIEWED_BY)]
    return bool(reviewers) and not any(line.startswith(NOT_REVIEWED) for line in reviewers)


def pages_in(tag: str) -> PagesIn:
    """What somebody booked in this language will read: pages that were reviewed, a machine's, or English."""
    found = choose_language(tag, None, None)
    if found == SOURCE_LANGUAGE and not tag.startswith(SOURCE_LANGUAGE):
        return "none"
    return "reviewed" if is_reviewed(found) else "machine"


def load_catalog(tag: str) -> Catalog:
    """The catalogue of a page language, compiled in memory from its .po file."""
    if tag == SOURCE_LANGUAGE:
        return Catalog(locale_of(tag), gettext.NullTranslations())
    compiled = io.BytesIO()
    with po_path(tag).open("rb") as source:
        write_mo(compiled, read_po(source, locale=tag.replace("-", "_"), domain=DOMAIN))
    compiled.seek(0)
    return Catalog(locale_of(tag), gettext.GNUTranslations(compiled))


def load_catalogs() -> Mapping[str, Catalog]:
    """All catalogues by tag, English first."""
    return {tag: load_catalog(tag) for tag in page_languages()}


def choose_language(explicit: str | None, invited: str | None, accept_language: str | None) -> str:
    """The page language: what the person chose, else what they were invited in, else the browser's."""
    for wanted in ([explicit], [invited], accepted_tags(accept_language or "")):
        found = negotiate_locale([tag for tag in wanted if tag], page_languages(), sep="-")
        if found:
            return found
    return SOURCE_LANGUAGE


def accepted_tags(header: str) -> Sequence[str]:
    """Tags of an Accept-Language header, best first (RFC 9110 section 12.5.4), without malformed ones."""
    ranked: list[tuple[float, str]] = []
    for part in header.split(",")[:ACCEPTED_TAGS_MAX]:
        found = ACCEPTED_TAG.fullmatch(part)
        if found:
            ranked.append((-float(found[2] or 1), found[1]))
    return [tag for rank, tag in sorted(ranked, key=lambda one: one[0]) if rank < 0]
