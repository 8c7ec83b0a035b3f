"""The texts a person agrees to: versioned, one file for each language, never changed once somebody agreed.

A file is `consents/<text_id>.<language>.txt`: a header of lines with # that says who reviewed it, then the
title, then paragraphs, each after an empty line. A new wording is a new version (`telehealth-2`); the hash
says which words exactly were agreed to, so it leaves out the header, which changes when somebody reviews.
The header begins `# Reviewed by: ` and a name, or `nobody yet`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

FOLDER = Path(__file__).parent / "consents"
TELEHEALTH = "telehealth-2"
RECORDING: Final = {"audio": "recording-audio-1", "video": "recording-video-1"}  # by what is recorded
_NOBODY: Final = "Reviewed by: nobody"


class UnknownConsentTextError(LookupError):
    """There is no such text in this language; no other language is shown instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentText:
    """One text in one language; `sha256` is the hex hash of the file's bytes after its header."""

    text_id: str
    language: str
    sha256: str
    review: str
    title: str
    paragraphs: tuple[str, ...]

    @property
    def is_reviewed(self) -> bool:
        """Whether a person has read it and stands for it."""
        return self.review.startswith("Reviewed by: ") and not self.review.startswith(_NOBODY)

    def as_json(self) -> Mapping[str, object]:
        return {
            "id": self.text_id,
            "hash": self.sha256,
            "language": self.language,
            "title": self.title,
            "paragraphs": list(self.paragraphs),
        }


@lru_cache(maxsize=64)
def consent_text(text_id: str, language: str) -> ConsentText:
    """The text in exactly this language; raises UnknownConsentTextError."""
    path = FOLDER / f"{text_id}.{language}.txt"
    if path.name not in {known.name for known in FOLDER.iterdir()}:
        raise UnknownConsentTextError(f"{text_id} is not there in {language}")
    header, _, content = path.read_bytes().partition(b"\n\n")
    title, *paragraphs = (part.strip() for part in content.decode("utf-8").strip().split("\n\n"))
    return ConsentText(
        text_id=text_id,
        language=language,
        sha256=hashlib.sha256(content).hexdigest(),
        review=" ".join(line.lstrip("# ") for line in header.decode("utf-8").splitlines()),
        title=title,
        paragraphs=tuple(" ".join(paragraph.split()) for paragraph in paragraphs),
    )


def consent_languages(text_id: str) -> tuple[str, ...]:
    """The languages a text is there in."""
    return tuple(sorted(path.name[len(text_id) + 1 : -4] for path in FOLDER.glob(f"{text_id}.*.txt")))


def recording_languages(*, unreviewed: bool) -> Mapping[str, Sequence[str]]:
    """The languages in which anybody may agree, by what is recorded; `unreviewed` as in `recording_texts`."""
    return {
        what: [
            one for one in consent_languages(text_id) if unreviewed or consent_text(text_id, one).is_reviewed
        ]
        for what, text_id in RECORDING.items()
    }


def recording_texts(language: str, *, unreviewed: bool) -> Mapping[str, ConsentText]:
    """What may be agreed to in this language, by what is recorded: nobody agrees to words nobody has read.

    `unreviewed`: also words nobody has reviewed, to try it out.
    """
    there = {
        what: consent_text(text_id, language)
        for what, text_id in RECORDING.items()
        if language in consent_languages(text_id)
    }
    return {what: text for what, text in there.items() if unreviewed or text.is_reviewed}
