"""Every page renders in every language, without anything the content security policy would block."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.web import samples
from web.catalog import load_catalogs, page_languages
from web.catalog_build import read_catalog
from web.pages import Page, SignInPage
from web.render import WEB, Assets, MissingAssetError, Renderer

TAGS = page_languages()
PATHS = sorted(samples.pages("en"))
SCRIPTS = (
    "invite",
    "visit",
    "board",
    "desk",
    "signin",
    "newconsult",
    "interpreters",
    "recordings",
    "recording",
    "demo",
)
# Words that stay Latin in every language: names, products, keys, examples of the browser's own words.
LATIN_KEPT = re.compile(
    r"(?<![A-Za-z])(Meridian|JavaScript|CSV|Safari|Chrome|Wi-Fi|AA|x|English|Cedars-Sinai|Dr\.?|Elena|Marlowe|Ama|Boateng|"
    r"Karim|Haddad|Jonas|Weber|Salma|Al|Rashidi|7F3K-22QD|español)(?![A-Za-z])"
)
LATIN_WRITTEN = frozenset({"es"})


def is_english(text: str, tag: str) -> bool:
    """Whether a text is one of our sentences, and not also what it is in this language."""
    message = read_catalog(tag).get(text)
    return message is not None and message.string != text


def assets() -> Assets:
    names = ["meridian.css", "playback.css", *(f"{name}.js" for name in SCRIPTS)]
    return Assets({name: {"file": f"assets/{name}", "imports": []} for name in names})


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(assets(), load_catalogs())


class Seen(HTMLParser):
    """What a test wants to know about a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.boot = ""
        self._within: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "title", "kbd"):
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if "script" in self._within:
            self.boot += data
        elif "kbd" not in self._within and data.strip():
            self.texts.append(data.strip())


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("path", PATHS)
class TestEveryPage:
    """Each page in each language."""

    @pytest.fixture
    def page(self, path: str, tag: str) -> Page:
        return samples.pages(tag)[path]

    @pytest.fixture
    def seen(self, renderer: Renderer, page: Page) -> Seen:
        return Seen(renderer.render(page))

    def test_it_says_its_language_and_direction(self, seen: Seen, tag: str) -> None:
        html = next(attributes for name, attributes in seen.tags if name == "html")
        assert html == {"lang": tag, "dir": "rtl" if tag == "ar" else "ltr"}

    def test_it_has_no_inline_script_style_or_handler(self, seen: Seen) -> None:
        for name, attributes in seen.tags:
            assert name != "style"
            assert "style" not in attributes
            assert not [one for one in attributes if one.startswith("on")]
            if name == "script":
                assert attributes.get("src") or attributes.get("type") == "application/json"
            if name == "form":
                assert attributes.get("action") is None, "forms are sent by scripts"

    def test_it_loads_nothing_from_elsewhere(self, seen: Seen) -> None:
        for _name, attributes in seen.tags:
            for key in ("src", "href"):
                assert not re.match(r"(https?:)?//", attributes.get(key) or "")

    def test_it_has_one_main_with_a_heading_and_every_input_has_a_label(self, seen: Seen) -> None:
        names = [name for name, _attributes in seen.tags]
        assert names.count("main") == 1
        labelled = {attributes.get("for") for name, attributes in seen.tags if name == "label"}
        for name, attributes in seen.tags:
            if name in ("input", "select", "textarea") and attributes.get("type") not in (
                "radio",
                "checkbox",
            ):
                assert attributes.get("id") in labelled or attributes.get("aria-label"), attributes

    def test_ids_are_unique_and_references_point_somewhere(self, seen: Seen) -> None:
        ids = [attributes["id"] for _name, attributes in seen.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        for _name, attributes in seen.tags:
            for key in ("aria-labelledby", "aria-describedby", "for"):
                assert set((attributes.get(key) or "").split()) <= set(ids), attributes

    def test_its_icons_are_on_the_page(self, seen: Seen) -> None:
        ids = {attributes.get("id") for _name, attributes in seen.tags}
        used = {str(attributes["href"])[1:] for name, attributes in seen.tags if name == "use"}
        assert used <= ids

    def test_its_boot_data_is_what_its_context_says(self, seen: Seen, page: Page) -> None:
        assert (json.loads(seen.boot) if page.script else {}) == (page.boot() if page.script else {})

    def test_no_english_is_left_in_a_translated_page(self, seen: Seen, tag: str) -> None:
        if tag == "en":
            return
        if tag in LATIN_WRITTEN:
            assert not {text for text in seen.texts if is_english(text, tag)}
            return
        for text in seen.texts:
            rest = LATIN_KEPT.sub("", text)
            assert not re.search(r"[A-Za-z]{2,}", rest), text


def test_data_cannot_end_the_script_element_it_is_in(renderer: Renderer) -> None:
    page = samples.pages("en")["/signin"]
    assert isinstance(page, SignInPage)
    hostile = replace(page, next_path="</script><script>alert(1)")
    assert "</script><script>" not in renderer.render(hostile)


def test_a_value_in_a_sentence_is_escaped(renderer: Renderer) -> None:
    page = samples.pages("en")["/"]
    html = renderer.render(replace(page, clinic=replace(page.clinic, name="<b>&")))
    assert "&lt;b&gt;&amp;" in html
    assert "<b>&" not in html


@pytest.mark.parametrize("path", PATHS)
def test_without_a_phone_number_no_page_offers_to_call(renderer: Renderer, path: str) -> None:
    page = samples.pages("en")[path]
    silent = replace(page, clinic=replace(page.clinic, phone=""))
    assert "tel:" in renderer.render(page) or path not in ("/", "/v", "/help", "/error/internal")
    assert "tel:" not in renderer.render(silent)


def test_a_page_whose_script_is_not_built_is_an_error() -> None:
    bare = Renderer(Assets({}), load_catalogs())
    with pytest.raises(MissingAssetError):
        bare.render(samples.pages("en")["/"])


def test_every_icon_a_script_names_exists() -> None:
    known = set(re.findall(r"^  '(\w+)':", (WEB / "templates" / "icons.html").read_text(), re.MULTILINE))
    for script in (WEB / "client" / "src").rglob("*.ts"):
        used = set(re.findall(r'\bicon\("(\w+)"', script.read_text()))
        assert used <= known, script


def test_the_invitation_page_has_the_icons_its_script_uses() -> None:
    chosen = re.search(r"sprite\(\[(.*?)\]\)", (WEB / "templates" / "invitation.html").read_text())
    assert chosen is not None
    scripts = (WEB / "client" / "src").glob("invite-*.ts")
    screens = "".join(script.read_text() for script in scripts)
    used = set(re.findall(r'\bicon\("(\w+)"', screens)) | set(re.findall(r'\bscreen\(\s*"(\w+)"', screens))
    assert used <= set(re.findall(r"'(\w+)'", chosen[1]))
