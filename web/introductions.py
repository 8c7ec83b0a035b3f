"""What an interpreter says first, in every page language: the script is on their screen in both languages.

After the standard introduction of medical interpreters (CCHI, remote interpreting); the sentence about the
recording is the one that is true. `client/src/room/interpreting-words.ts` has the same sentences.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from web.catalog import N_, load_catalogs

SENTENCES: Final = (
    N_("I am your interpreter for {language}. My number is {number}."),
    N_("I am your interpreter for {language}."),
    N_("I interpret everything that is said, and everything stays confidential."),
    N_("Please speak to each other, in short sentences. I may ask you to repeat something."),
    N_("This visit is being recorded."),
    N_("This visit is not being recorded."),
)


@lru_cache(maxsize=1)
def introductions() -> Mapping[str, tuple[str, ...]]:
    """By tag: the sentences in that language, `{language}` and `{number}` still to be filled."""
    return {tag: tuple(map(catalog.text, SENTENCES)) for tag, catalog in load_catalogs().items()}
