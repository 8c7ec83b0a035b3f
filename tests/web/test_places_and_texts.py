"""Countries, cities, emergency numbers, and the texts people agree to."""

import re

import pytest

from web.catalog import page_languages
from web.consents import TELEHEALTH, UnknownConsentTextError, consent_languages, consent_text
from web.emergency import emergency_number, emergency_numbers
from web.places import city, countries, country_name, language_name, zone, zones_by_country

# A text that somebody agreed to never changes: a new wording is a new version beside it.
AGREED = {
    ("telehealth-1", "en"): "8ea7ade014f4e3312526af095ed5daec7d224835550a6654458661a20105fe27",
    ("telehealth-1", "ar"): "8949c1411e354beeb6941bba4f5f94b4e425e4e8a869c30b4dc951573c573c1d",
    ("telehealth-1", "es"): "ee54be376bdd5c49faae4c7221e0ce5b3c3d9b4fdb367e064cea290871c72625",
    ("telehealth-1", "zh-Hans"): "dab1153ee3a8ec35fd396ea76bf522a5094c78f6954157f9f8663e8fe2068917",
}


@pytest.mark.parametrize("tag", page_languages())
def test_every_country_has_a_name_and_a_zone(tag: str) -> None:
    found = countries(tag)
    assert len(found) > 230
    assert [country.code for country in found if not country.zones] == []
    assert len({country.code for country in found}) == len(found)
    assert all(country.name for country in found)


def test_places_are_called_as_people_there_call_them() -> None:
    assert city("Asia/Kuwait", "en") == "Kuwait City"
    assert city("Asia/Kuwait", "ar") == "مدينة الكويت"
    assert zone("America/Mexico_City", "en").city == "Mexico City"
    assert country_name("AE", "ar") == "الإمارات العربية المتحدة"
    assert language_name("zh-Hans", "en") == "Chinese (Simplified)"


def test_a_country_of_many_zones_offers_them_all() -> None:
    assert {"Asia/Shanghai", "Asia/Urumqi"} <= set(zones_by_country()["CN"])
    assert len(zones_by_country()["MX"]) > 5


def test_emergency_numbers_are_of_real_countries_and_each_has_one() -> None:
    codes = {country.code for country in countries("en")}
    assert set(emergency_numbers()) <= codes
    assert all(re.fullmatch(r"\d{2,5}", number) for number in emergency_numbers().values())


@pytest.mark.parametrize(
    ("country", "number"),
    [("KW", "112"), ("US", "911"), ("GB", "999"), ("CN", "120"), ("SA", "997"), ("AE", "998"), ("ES", "112")],
)
def test_an_ambulance_is_called_by_the_country_one_is_in(country: str, number: str) -> None:
    assert emergency_number(country) == number
    assert emergency_number(country.lower()) == number


def test_a_country_in_doubt_has_no_number() -> None:
    assert emergency_number("AQ") is None
    assert emergency_number(None) is None


def test_the_telehealth_consent_is_there_in_every_page_language() -> None:
    assert set(consent_languages(TELEHEALTH)) >= set(page_languages())


@pytest.mark.parametrize(("text_id", "language"), AGREED)
def test_a_text_that_was_agreed_to_never_changes(text_id: str, language: str) -> None:
    text = consent_text(text_id, language)
    assert text.sha256 == AGREED[text_id, language]
    assert len(text.paragraphs) == 9


@pytest.mark.parametrize(("text_id", "language"), AGREED)
def test_a_text_says_who_reviewed_it_outside_of_what_is_agreed_to(text_id: str, language: str) -> None:
    text = consent_text(text_id, language)
    assert text.review.startswith("Reviewed by: ")
    assert "Reviewed by" not in " ".join((text.title, *text.paragraphs))
    assert "review" not in text.as_json()


def test_every_text_is_held_to_its_hash() -> None:
    assert set(AGREED) == {(TELEHEALTH, language) for language in consent_languages(TELEHEALTH)}


@pytest.mark.parametrize("language", ["xx", "../en", "en.txt"])
def test_no_other_language_stands_in_for_a_missing_one(language: str) -> None:
    with pytest.raises(UnknownConsentTextError):
        consent_text(TELEHEALTH, language)
