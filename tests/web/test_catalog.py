"""Translations are complete, safe to run as scripts, and chosen as people expect."""

import gettext
import json
import re
import subprocess
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from hypothesis import given
from hypothesis import strategies as st

from tests.web.test_scripts import node
from web.catalog import (
    REVIEWED_BY,
    SOURCE_LANGUAGE,
    accepted_tags,
    choose_language,
    filled,
    is_reviewed,
    load_catalog,
    locale_of,
    page_languages,
    pages_in,
    po_path,
)
from web.catalog_build import (
    PAGES,
    BrokenCatalogError,
    compile_all,
    complaints,
    message_faults,
    plural_script,
    read_catalog,
)
from web.consents import TELEHEALTH, consent_text
from web.extraction import SCRIPTS, messages_in, reachable, script_keys, script_sources, template_catalog

TRANSLATED = [tag for tag in page_languages() if tag != "en"]
RULES = {
    "ar": "(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5)",
    "es": "(n != 1)",
    "fr": "(n > 1)",
    "ja": "0",
    "pl": "(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2)",
    "ru": "(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2)",
}


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_language_we_offer_is_complete(tag: str) -> None:
    assert list(complaints(tag)) == []


def test_no_message_stands_inside_a_template_string_where_extraction_does_not_see_it() -> None:
    hidden = re.compile(r"`[^`]*\$\{[^`]*\bt[nc]?\(")
    assert hidden.search('x = `${n ? t("One") : ""}`')
    found = {path.name for path in script_sources() if hidden.search(path.read_text("utf-8"))}
    assert found == set()


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_translation_says_who_reviewed_it(tag: str) -> None:
    header = po_path(tag).read_text("utf-8").partition("msgid")[0]
    assert "Reviewed by:" in header


def test_arabic_has_its_six_plural_forms_and_the_right_one_for_each_number() -> None:
    catalog = load_catalog("ar")
    assert read_catalog("ar").num_plurals == 6
    said = [catalog.plural("{n} minute", "{n} minutes", n) for n in (1, 2, 3, 11, 100)]
    assert said == ["دقيقة واحدة", "دقيقتين", "3 دقائق", "11 دقيقة", "100 دقيقة"]


@pytest.mark.parametrize("tag", RULES)
def test_a_plural_rule_means_the_same_in_the_browser_as_on_the_server(tag: str) -> None:
    numbers = [*range(205), 1000, 1_000_001]
    script = f"console.log(JSON.stringify({json.dumps(numbers)}.map((n) => {plural_script(RULES[tag])})))"
    done = subprocess.run([node(), "-e", script], capture_output=True, text=True, timeout=30, check=True)
    server = gettext.c2py(RULES[tag])
    assert json.loads(done.stdout) == [int(server(n)) for n in numbers]


@pytest.mark.parametrize(
    "rule",
    ["n; fetch(1)", "alert(n)", "n=1", "[n]", "`n`", "n ? '0' : 1", "n**2", "0" * 500, "n.constructor"],
)
def test_anything_but_a_plural_rule_is_refused(rule: str) -> None:
    with pytest.raises(BrokenCatalogError):
        plural_script(rule)


@given(st.text(alphabet="n0123456789 =!<>&|?:%()", max_size=40))
def test_a_rule_that_is_accepted_holds_nothing_but_its_tokens(rule: str) -> None:
    try:
        script = plural_script(rule)
    except BrokenCatalogError:
        return
    assert script == f"Number({rule})"
    assert not set("=&|") & set(re.sub(r"==|!=|<=|>=|&&|\|\|", "", rule))


def test_a_missing_an_uncertain_and_a_broken_translation_are_found() -> None:
    def faults(**given: object) -> list[str]:
        return list(message_faults(Message(**given), 2))  # type: ignore[arg-type]

    assert faults(id="Hello {name}", string="Hola {name}") == []
    assert faults(id="Hello {name}", string="") == ["not translated"]
    assert faults(id="Hello", string="Hola", flags=["fuzzy"]) == ["not confirmed (fuzzy)"]
    assert faults(id="Hello {name}", string="Hola {nombre}") == ["placeholders differ in 'Hola {nombre}'"]
    assert faults(id="Hello {name}", string="Hola") == ["placeholders differ in 'Hola'"]
    assert faults(id=("{n} day", "{n} days"), string=("un día", "{n} días")) == []
    assert faults(id=("{n} day", "{n} days"), string=("{n} día", "")) == ["not translated"]


def test_messages_are_found_in_scripts_templates_and_python(tmp_path: Path) -> None:
    script = tmp_path / "a.ts"
    script.write_text(
        'const x: Map<string, number> = f<A>(t("One {n}", { n }), tn("two", "twos", n), tc("ctx", "three"));'
    )
    page = tmp_path / "a.html"
    page.write_text('{{ _("four", n=1) }}{{ ngettext("five", "fives", 2) }}{{ pgettext("ctx", "six") }}')
    module = tmp_path / "a.py"
    module.write_text('from web.catalog import N_\nseven = N_("seven")\n')
    found = {key for path in (script, page, module) for _line, key in messages_in(path)}
    assert found == {
        (None, "One {n}"),
        (None, ("two", "twos")),
        ("ctx", "three"),
        (None, "four"),
        (None, ("five", "fives")),
        ("ctx", "six"),
        (None, "seven"),
    }


def test_every_call_that_translates_has_been_found() -> None:
    messages = {
        message.id if isinstance(message.id, str) else message.id[0] for message in template_catalog()
    }
    for path in SCRIPTS.rglob("*.ts"):
        for _line, (_context, key) in messages_in(path):
            assert (key if isinstance(key, str) else key[0]) in messages


def test_a_page_carries_only_what_it_can_say() -> None:
    invite, board = script_keys(SCRIPTS / "invite.ts"), script_keys(SCRIPTS / "board.ts")
    assert (None, "Join the visit") in invite
    assert (None, "Join the visit") not in board
    assert (SCRIPTS / "socket.ts").resolve() not in reachable(SCRIPTS / "invite.ts")


def test_a_messages_script_is_written_for_every_page_and_language(tmp_path: Path) -> None:
    compile_all(tmp_path)
    wanted = {f"{page}.{tag}.js" for page in PAGES for tag in TRANSLATED}
    assert {path.name for path in tmp_path.iterdir()} == wanted
    assert "دقيقة واحدة" in (tmp_path / "invite.ar.js").read_text("utf-8")


def test_an_unknown_placeholder_stays_to_be_seen() -> None:
    assert filled("{a} {b}", {"a": 1}) == "1 {b}"


@pytest.mark.parametrize(
    ("explicit", "invited", "header", "chosen"),
    [
        ("ar", "en", "en", "ar"),
        (None, "ar", "en-US,en;q=0.9", "ar"),
        (None, "ar-KW", "en", "ar"),
        (None, "vi", "ar-EG,ar;q=0.9,en;q=0.8", "ar"),
        (None, None, "fr,de", "en"),
        (None, None, None, "en"),
        ("xx", None, "en;q=0.2, ar;q=0.9", "ar"),
        (None, None, "ar;q=0, en", "en"),
    ],
)
def test_what_a_person_chose_comes_before_the_invitation_and_the_browser(
    explicit: str | None, invited: str | None, header: str | None, chosen: str
) -> None:
    assert choose_language(explicit, invited, header) == chosen


@given(st.text(max_size=300))
def test_any_accept_language_header_can_be_read(header: str) -> None:
    for tag in accepted_tags(header):
        assert tag.replace("-", "").isalnum()
    assert choose_language(None, None, header) in page_languages()


@pytest.mark.parametrize(
    ("tag", "direction"), [("ar", "rtl"), ("he", "rtl"), ("fa", "rtl"), ("zh-Hans", "ltr")]
)
def test_the_direction_is_that_of_the_script(tag: str, direction: str) -> None:
    assert locale_of(tag).direction == direction


def test_every_catalogue_and_consent_text_says_who_reviewed_it() -> None:
    for tag in page_languages():
        assert consent_text(TELEHEALTH, tag).review.startswith("Reviewed by: "), tag
        if tag != SOURCE_LANGUAGE:
            header = po_path(tag).read_text("utf-8").partition("\nmsgid ")[0]
            assert REVIEWED_BY in header, tag


@pytest.mark.parametrize(
    ("tag", "pages"),
    [
        ("en", "reviewed"),
        ("en-CA", "reviewed"),
        ("ar", "machine"),
        ("es-MX", "machine"),
        ("zh-Hans", "machine"),
        ("vi", "none"),
    ],
)
def test_a_coordinator_can_be_told_what_pages_there_are_in_a_language(tag: str, pages: str) -> None:
    assert pages_in(tag) == pages


def test_a_catalogue_that_names_a_reviewer_is_reviewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "meridian.po"
    monkeypatch.setattr("web.catalog.po_path", lambda _tag: file)
    for header, expected in (
        ("# Reviewed by: A. Translator, 2026-11-27.", True),
        ("# Reviewed by: nobody yet.", False),
        ("# Messages.", False),
    ):
        file.write_text(header + '\nmsgid ""\n')
        is_reviewed.cache_clear()
        assert is_reviewed("ar") is expected
    is_reviewed.cache_clear()
