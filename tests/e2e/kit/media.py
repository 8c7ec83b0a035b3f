"""Makes what fake cameras and microphones play: colour clips, tones, speech; with ffmpeg and espeak-ng."""

import os
import subprocess
from pathlib import Path
from typing import Literal

from tests.e2e.kit import needs
from tests.e2e.kit.people import Person

FOLDER = needs.ROOT / "tests" / "media_files"
CLIP_S = 4
TONE_S = 10
FRAMES_PER_S = 15
CLOCK_FRAMES_PER_S = 30  # what Chromium plays every .mjpeg at
CLOCK_BITS = 10
SAMPLES_PER_S = 48_000
MAKING_S_MAX = 60
WAVE = ("-ac", "1", "-c:a", "pcm_s16le", "-f", "wav")

Language = Literal["ar", "en", "es", "zh"]
# espeak-ng reads Han characters as letters, so Mandarin is given as pinyin with tone digits.
SPEECH: dict[Language, tuple[str, str]] = {
    "ar": ("ar", "مرحبا، أنا أشعر بألم في صدري منذ ثلاثة أيام، ولا أستطيع النوم جيدا."),
    "en": (
        "en-us",
        "Good morning. Do you have any allergies? Please take five hundred milligrams twice a day.",
    ),
    "es": ("es", "Buenos días doctor, me duele el pecho desde hace tres días y no puedo dormir bien."),
    "zh": ("cmn-latn-pinyin", "yi1 sheng1 nin2 hao3, wo3 xiong1 kou3 tong4 le5 san1 tian1."),
}


def camera_clip(person: Person, *, width: int = 640, height: int = 360) -> Path:
    """A looping .mjpeg of the person's colour; a white bar moves at the bottom, so that frames differ."""
    target = FOLDER / f"camera_{person.name}_{width}x{height}.mjpeg"
    colour = "0x{:02x}{:02x}{:02x}".format(*person.colour)
    source = f"color=c={colour}:s={width}x{height}:r={FRAMES_PER_S}:d={CLIP_S}"
    bar = f"drawbox=x='mod(t*160,{width - 40})':y={height - 40}:w=40:h=40:color=white:t=fill"
    # -q:v 2 keeps the colour within a few steps of what was asked for.
    picture = ("-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "2", "-f", "mjpeg")
    return _made(target, "-f", "lavfi", "-i", f"{source},{bar}", *picture)


def busy_clip(person: Person, *, width: int = 640, height: int = 360) -> Path:
    """The same, with noise all over that no encoder can save: it takes whatever bit rate it is given."""
    target = FOLDER / f"busy_{person.name}_{width}x{height}.mjpeg"
    colour = "0x{:02x}{:02x}{:02x}".format(*person.colour)
    source = f"color=c={colour}:s={width}x{height}:r={FRAMES_PER_S}:d={CLIP_S},noise=alls=60:allf=t"
    picture = ("-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "6", "-f", "mjpeg")
    return _made(target, "-f", "lavfi", "-i", source, *picture)


def clock_clip(person: Person, *, width: int = 640, height: int = 360) -> Path:
    """A looping .mjpeg of the person's colour, each frame with its number on it as ten black or white boxes.

    Chromium plays it at `CLOCK_FRAMES_PER_S`, whatever rate it was made for; `clock.py` reads it.
    """
    target = FOLDER / f"clock_{person.name}_{width}x{height}.mjpeg"
    colour = "0x{:02x}{:02x}{:02x}".format(*person.colour)
    frames = 1 << CLOCK_BITS
    box = width // CLOCK_BITS
    source = f"color=c={colour}:s={width}x{height}:r={CLOCK_FRAMES_PER_S}:d={frames / CLOCK_FRAMES_PER_S}"
    boxes = "".join(
        f",drawbox=x={bit * box}:y=0:w={box}:h={height // 4}:color={shade}:t=fill"
        f":enable='eq(mod(floor(n/{1 << bit}),2),{value})'"
        for bit in range(CLOCK_BITS)
        for value, shade in ((0, "black"), (1, "white"))
    )
    picture = ("-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "4", "-f", "mjpeg")
    return _made(target, "-f", "lavfi", "-i", source + boxes, *picture)


def tone(person: Person) -> Path:
    """A .wav of the person's tone, -6 dB, mono, 48 kHz; it loops without a click."""
    target = FOLDER / f"tone_{person.name}.wav"
    source = f"sine=frequency={person.tone_hz}:sample_rate={SAMPLES_PER_S}:duration={TONE_S}"
    return _made(target, "-f", "lavfi", "-i", source, "-af", "volume=-6dB", *WAVE)


def speech(language: Language) -> Path:
    """A .wav of one or two clinical sentences in the language, followed by a second of silence."""
    target = FOLDER / f"speech_{language}.wav"
    if target.exists():
        return target
    FOLDER.mkdir(parents=True, exist_ok=True)
    voice, text = SPEECH[language]
    raw = target.with_suffix(f".{os.getpid()}.raw")
    _run(needs.program("espeak-ng", package="espeak-ng"), "-v", voice, "-s", "140", "-w", str(raw), text)
    made = _made(target, "-i", str(raw), "-af", "apad=pad_dur=1", "-ar", str(SAMPLES_PER_S), *WAVE)
    raw.unlink()
    return made


def _made(target: Path, *arguments: str) -> Path:
    """Run ffmpeg unless the file is there; the file appears whole or not at all."""
    if target.exists():
        return target
    FOLDER.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(f".{os.getpid()}.part")
    _run(needs.program("ffmpeg", package="ffmpeg"), "-v", "error", "-y", *arguments, str(part))
    return part.rename(target)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=MAKING_S_MAX, stdin=subprocess.DEVNULL)
