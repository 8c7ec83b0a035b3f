"""The number to call for an ambulance, by country; a country in doubt has none, and pages say it in words."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data" / "emergency.json"


@lru_cache(maxsize=1)
def emergency_numbers() -> Mapping[str, str]:
    """Number for an ambulance by ISO 3166-1 alpha-2 code."""
    numbers: dict[str, str] = {}
    for number, codes in json.loads(DATA.read_text("utf-8"))["numbers"].items():
        for code in codes.split():
            numbers[code] = number
    return numbers


def emergency_number(country: str | None) -> str | None:
    return emergency_numbers().get(country.upper()) if country else None
