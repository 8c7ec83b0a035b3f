"""The people of a test call: each has a colour as picture and a pure tone as voice, so nobody is mistaken."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`colour` is 8-bit RGB; the tones are not harmonics of one another and lie within Opus' band."""

    name: str
    colour: tuple[int, int, int]
    tone_hz: int


PATIENT = Person(name="patient", colour=(255, 0, 0), tone_hz=440)
PHYSICIAN = Person(name="physician", colour=(0, 255, 0), tone_hz=730)
INTERPRETER = Person(name="interpreter", colour=(0, 0, 255), tone_hz=1170)
COMPANION = Person(name="companion", colour=(255, 255, 0), tone_hz=1610)
COORDINATOR = Person(name="coordinator", colour=(0, 255, 255), tone_hz=2090)

EVERYONE = (PATIENT, PHYSICIAN, INTERPRETER, COMPANION, COORDINATOR)
