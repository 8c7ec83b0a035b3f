"""Countries, cities, emergency numbers, and the texts people agree to."""

import re
from dataclasses import replace

import pytest

from web.catalog import page_languages
from web.consents import (
    FOLDER,
    RECORDING,
    TELEHEALTH,
    UnknownConsentTextError,
    consent_languages,
    consent_text,
    recording_languages,
    recording_texts,
)
from web.emergency import emergency_number, emergency_numbers
from web.places import city, countries, country_name, language_name, zone, zones_by_country

# A text that somebody agreed to never changes: a new wording is a new version beside it.
AGREED = {
    ("telehealth-1", "en"): "8ea7ade014f4e3312526af095ed5daec7d224835550a6654458661a20105fe27",
    ("telehealth-1", "ar"): "8949c1411e354beeb6941bba4f5f94b4e425e4e8a869c30b4dc951573c573c1d",
    ("telehealth-1", "es"): "ee54be376bdd5c49faae4c7221e0ce5b3c3d9b4fdb367e064cea290871c72625",
    ("telehealth-1", "zh-Hans"): "dab1153ee3a8ec35fd396ea76bf522a5094c78f6954157f9f8663e8fe2068917",
    ("recording-audio-1", "ar"): "08c5b373f58495c4fc725b5be9506434b63084b404e0f81e7e9048234da2c476",
    ("recording-audio-1", "en"): "0e700c7e8ac04f2d8c48c1d11fc16f8d9fdc42b2e9bc0fc52c599b0190b4d346",
    ("recording-audio-1", "es"): "7c740a0c6a6cf86f1cd5bac33b617b4cf4ea9059b9a604ade54c0d7f8a4e445c",
    ("recording-audio-1", "zh-Hans"): "3c46bf6d23efa428ebc39140aa8120b43009f2225aa3b24d51d10044cbd73fcb",
    ("recording-video-1", "ar"): "9fceb9cafb8b329174f8c7e8001018885865bddb6dd55bd3cbbda4321467285f",
    ("recording-video-1", "en"): "54522bbc9afd64117c1ea005dfb48cb00ecca32248078c09b4e3aff221cb1a86",
    ("recording-video-1", "es"): "48dd291df697ead4469b022f125fd7e5812901fa158060e439ed6d6cdbc93726",
    ("recording-video-1", "zh-Hans"): "ecd27bd54b21d4ffcfb8db72e1521da5077a49d19f6340d0db35df141b249284",
    ("telehealth-2", "ar"): "310fbe60f1e83b7c81f30a5c240cb5f74e0fb1df00ba8cb20e10aa9466189887",
    ("telehealth-2", "en"): "547ef199d79aeccbdc2e564d2ae54a5f49a15e33a1593a9c973940350d82f08e",
    ("telehealth-2", "es"): "5046494b2aafe47dc76c9c2e94fbeb65b746a8f359287b303adeb79f7c244da2",
    ("telehealth-2", "zh-Hans"): "6d318899e593c47244c67cd9c884d53d016e4f98091df34c3926491c8f072da4",
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
    assert len(text.paragraphs) == (9 if text_id.startswith("telehealth-") else 5)


@pytest.mark.parametrize(("text_id", "language"), AGREED)
def test_a_text_says_who_reviewed_it_outside_of_what_is_agreed_to(text_id: str, language: str) -> None:
    text = consent_text(text_id, language)
    assert text.review.startswith("Reviewed by: ")
    assert "Reviewed by" not in " ".join((text.title, *text.paragraphs))
    assert "review" not in text.as_json()


def test_every_text_is_held_to_its_hash() -> None:
    ids = {path.name.partition(".")[0] for path in FOLDER.glob("*.txt")}
    assert ids == {"telehealth-1", TELEHEALTH, *RECORDING.values()}
    assert set(AGREED) == {(one, language) for one in ids for language in consent_languages(one)}


@pytest.mark.parametrize("tag", page_languages())
def test_a_recording_can_be_agreed_to_only_in_words_somebody_has_reviewed(tag: str) -> None:
    assert recording_texts(tag, unreviewed=False) == {}
    texts = recording_texts(tag, unreviewed=True)
    assert {what: text.text_id for what, text in texts.items()} == RECORDING
    assert {text.language for text in texts.values()} == {tag}
    assert replace(texts["audio"], review="Reviewed by: Dr A. Reader, counsel").is_reviewed


def test_a_physician_can_be_told_in_which_languages_others_could_agree() -> None:
    assert recording_languages(unreviewed=False) == {"audio": [], "video": []}
    assert set(recording_languages(unreviewed=True)["video"]) >= set(page_languages())


def test_a_language_without_a_text_has_nothing_to_agree_to() -> None:
    assert recording_texts("fr", unreviewed=True) == {}


@pytest.mark.parametrize("language", ["xx", "../en", "en.txt"])
def test_no_other_language_stands_in_for_a_missing_one(language: str) -> None:
    with pytest.raises(UnknownConsentTextError):
        consent_text(TELEHEALTH, language)
