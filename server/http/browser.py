"""The family of a browser, from its user agent: all that is kept of it."""

from typing import Final

# In this order: most browsers also name the ones they want to be taken for.
_FAMILIES: Final = (
    ("Edg", "edge"),
    ("OPR/", "opera"),
    ("SamsungBrowser", "samsung"),
    ("Firefox", "firefox"),
    ("FxiOS", "firefox"),
    ("CriOS", "chrome"),
    ("Chrome", "chrome"),
    ("Safari", "safari"),
)


def browser_family(user_agent: str) -> str:
    return next((family for mark, family in _FAMILIES if mark in user_agent), "other")
