"""Whether a person may agree to the text their page showed. What is agreed to is words they could read."""

from typing import Final

from signaling.consult.values import GUESTS, Participant
from signaling.errors import Code, Refused
from signaling.ports import ConsentTexts
from signaling.protocol import recording_messages as recording
from signaling.protocol.messages import GiveConsent

ShowsText = GiveConsent | recording.AskRecording | recording.AgreeToRecording
# Spoken as they are, these are written in one and the same way: ISO 639-3 `cmn`, `yue`, `zho`.
_CHINESE: Final = frozenset({"zh", "cmn", "yue"})


def check(message: ShowsText, texts: ConsentTexts, person: Participant | None) -> None:
    """Refuse a text that is none of ours, is about something else, or could not be read by this person.

    Raises:
        Refused: `not_found`, or `text_not_reviewed` where nobody has reviewed the translation, or it is not
            in the language of a guest.
    """
    purpose = "telehealth-" if isinstance(message, GiveConsent) else f"recording-{message.what}-"
    is_known = texts.is_known(message.text_id, message.text_hash, message.language)
    if not is_known or not message.text_id.startswith(purpose):
        raise Refused(Code.NOT_FOUND, "no such consent text")
    if isinstance(message, GiveConsent):
        return
    is_theirs = person is None or person.role not in GUESTS or reads(person.language, message.language)
    if not is_theirs or not texts.is_reviewed(message.text_id, message.language):
        raise Refused(Code.TEXT_NOT_REVIEWED, "no reviewed text in their language")


def reads(spoken: str, written: str) -> bool:
    """Whether who speaks one language reads the other (BCP 47 tags), whatever the dialect."""
    one, other = spoken.split("-", maxsplit=1)[0].lower(), written.split("-", maxsplit=1)[0].lower()
    return one == other or {one, other} <= _CHINESE
