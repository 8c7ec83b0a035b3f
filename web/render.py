"""Turns a page's context into HTML: the one place where templates, translations and built files meet."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from web.catalog import Catalog, filled, load_catalogs
from web.pages import Page

WEB = Path(__file__).parent
DIST = WEB / "static" / "dist"
# Where the server offers the folder `static/dist`.
STATIC_URL = "/static/"


class MissingAssetError(LookupError):
    """The front end is not built, or not completely; `python3 dev.py run` builds it."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Built files by the names templates use, from the bundler's manifest."""

    entries: Mapping[str, Mapping[str, object]]

    @classmethod
    def load(cls, folder: Path = DIST) -> "Assets":
        path = folder / "manifest.json"
        if not path.exists():
            raise MissingAssetError("the front end is not built: python -m web.build && node web/build.mjs")
        return cls(json.loads(path.read_text("utf-8")))

    def url(self, name: str) -> str:
        """Address of a built file; raises MissingAssetError."""
        entry = self.entries.get(name)
        if entry is None:
            raise MissingAssetError(f"the front end has no {name}")
        return f"{STATIC_URL}{entry['file']}"

    def has(self, name: str) -> bool:
        return name in self.entries

    def preloads(self, name: str) -> list[str]:
        """Addresses of the files a script imports at once."""
        imports = self.entries.get(name, {}).get("imports", [])
        return [f"{STATIC_URL}{file}" for file in imports] if isinstance(imports, list) else []


def translators(catalog: Catalog) -> Mapping[str, object]:
    """`_`, `ngettext` and `pgettext` for templates: values are escaped, the sentence itself is ours."""

    def fill(message: str, values: Mapping[str, object]) -> Markup:
        return Markup(filled(str(escape(message)), {name: escape(value) for name, value in values.items()}))  # noqa: S704 -- both parts are escaped

    def gettext(message: str, **values: object) -> Markup:
        return fill(catalog.text(message), values)

    def ngettext(singular: str, plural: str, n: int, **values: object) -> Markup:
        return fill(catalog.plural(singular, plural, n), {"n": n, **values})

    def pgettext(context: str, message: str, **values: object) -> Markup:
        return fill(catalog.in_context(context, message), values)

    return {"_": gettext, "ngettext": ngettext, "pgettext": pgettext}


def environment(catalog: Catalog, assets: Assets) -> Environment:
    """The only Jinja environment of the product, for one language."""
    made = Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(translators(catalog), assets=assets)
    return made


class Renderer:
    """Renders any page in any page language."""

    def __init__(self, assets: Assets, catalogs: Mapping[str, Catalog]) -> None:
        self.catalogs = catalogs
        self._environments = {tag: environment(catalog, assets) for tag, catalog in catalogs.items()}

    @classmethod
    def load(cls) -> "Renderer":
        """With the built files and the catalogues of this checkout."""
        return cls(Assets.load(), load_catalogs())

    def render(self, page: Page) -> str:
        """The page's HTML; raises MissingAssetError when the front end is not built."""
        template = self._environments[page.locale.tag].get_template(page.template)
        return template.render(page=page)
