"""Keeps translations complete and turns them into scripts: python -m web.catalog_build extract|check|compile.

extract  put new messages into every .po file and drop the ones no longer used
check    say what is missing, uncertain, stale or broken; exit 1 if anything is
compile  write static/dist/messages/<page>.<language>.js with what that page's script uses
"""

import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from web.catalog import DOMAIN, PLACEHOLDER, SOURCE_LANGUAGE, page_languages, po_path
from web.extraction import SCRIPTS, Key, script_keys, template_catalog

MESSAGES = Path(__file__).parent / "static" / "dist" / "messages"
# Page scripts; each has its own messages, so that a patient's first page carries few.
PAGES = (
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
WIDTH = 100
CONTEXT_END = "\x04"
PLURAL_RULE_LENGTH_MAX = 400
# What the C expression of a Plural-Forms header may consist of; all of it means the same in JavaScript.
PLURAL_TOKEN = re.compile(r"\s+|n|\d{1,3}|==|!=|<=|>=|&&|\|\||[<>?:%!()]")


class BrokenCatalogError(Exception):
    """A translation file cannot be used; the message says which and why."""


def read_catalog(tag: str) -> Catalog:
    with po_path(tag).open("rb") as source:
        return read_po(source, locale=tag.replace("-", "_"), domain=DOMAIN, abort_invalid=True)


def plural_script(rule: str) -> str:
    """A catalogue's plural rule as the body of a JavaScript function of n; refuses anything else."""
    position = 0
    while position < len(rule):
        token = PLURAL_TOKEN.match(rule, position)
        if token is None or len(rule) > PLURAL_RULE_LENGTH_MAX:
            raise BrokenCatalogError(f"not a plural rule: {rule[:80]!r}")
        position = token.end()
    return f"Number({rule})"


# --- extract ------------------------------------------------------------------------------------------------


def extract_all() -> None:
    """Bring every .po file up to the sources, keeping its translations; guesses nothing."""
    template = template_catalog()
    for tag in page_languages():
        if tag == SOURCE_LANGUAGE:
            continue
        catalog = read_catalog(tag)
        catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalog.obsolete.clear()
        path = po_path(tag)
        header = path.read_text("utf-8").partition("\n\n")[0]
        entries = io.BytesIO()
        write_po(entries, catalog, width=WIDTH, include_lineno=False, sort_by_file=True, omit_header=True)
        path.write_text(f"{header}\n\n{entries.getvalue().decode().strip()}\n", "utf-8")


# --- check --------------------------------------------------------------------------------------------------


def complaints(tag: str) -> Iterator[str]:
    """Everything that keeps a language from being complete, one line each."""
    catalog, template = read_catalog(tag), template_catalog()
    wanted = {(message.context, message.id) for message in template if message.id}
    known = {(message.context, message.id): message for message in catalog if message.id}
    for context, identity in wanted - known.keys():
        yield f"{tag}: missing: {identity!r} {context or ''}"
    for context, identity in known.keys() - wanted:
        yield f"{tag}: no longer used: {identity!r} {context or ''}"
    for identity in catalog.obsolete:
        yield f"{tag}: obsolete entry: {identity!r}"
    for message in known.values():
        for fault in message_faults(message, catalog.num_plurals):
            yield f"{tag}: {fault}: {message.id!r}"


def texts(value: object) -> list[str]:
    """One form or several, as a list."""
    return [str(one) for one in value] if isinstance(value, tuple | list) else [str(value or "")]


def message_faults(message: Message, plural_count: int) -> Iterator[str]:
    plural = not isinstance(message.id, str)
    identities, strings = texts(message.id), texts(message.string)
    if message.fuzzy:
        yield "not confirmed (fuzzy)"
    if not all(strings) or (plural and len(strings) != plural_count):
        yield "not translated"
        return
    names = {name for identity in identities for name in PLACEHOLDER.findall(identity)}
    for string in strings:
        found = set(PLACEHOLDER.findall(string))
        # One, two or none of a thing may be said without the number.
        if found - names or (names - found) - ({"n"} if plural else set()):
            yield f"placeholders differ in {string!r}"


# --- compile ------------------------------------------------------------------------------------------------


def page_script(catalog: Catalog, keys: set[Key]) -> str:
    """The messages script of one page: hands its translations and plural rule to i18n.ts."""
    chosen: dict[str, str | list[str]] = {}
    for message in catalog:
        if (message.context, message.id) not in keys:
            continue
        first = texts(message.id)[0]
        key = f"{message.context}{CONTEXT_END}{first}" if message.context else first
        forms = texts(message.string)
        chosen[key] = forms[0] if isinstance(message.id, str) else forms
    body = json.dumps(dict(sorted(chosen.items())), ensure_ascii=False)
    rule = plural_script(str(catalog.plural_expr))
    return (
        f'import {{ install }} from "../../../client/src/i18n.ts";\n'
        f"install({{ messages: {body}, plural: (n) => {rule} }});\n"
    )


def compile_all(target: Path = MESSAGES) -> None:
    """Write the messages script of every page and translated language."""
    target.mkdir(parents=True, exist_ok=True)
    for stale in target.glob("*.js"):
        stale.unlink()
    for tag in page_languages():
        if tag == SOURCE_LANGUAGE:
            continue
        catalog = read_catalog(tag)
        for page in PAGES:
            entry = SCRIPTS / f"{page}.ts"
            if entry.exists():
                (target / f"{page}.{tag}.js").write_text(page_script(catalog, script_keys(entry)), "utf-8")


def main(arguments: Sequence[str]) -> int:
    verb = arguments[0] if len(arguments) == 1 else ""
    if verb == "extract":
        extract_all()
    elif verb == "compile":
        compile_all()
    elif verb == "check":
        found = [line for tag in page_languages() if tag != SOURCE_LANGUAGE for line in complaints(tag)]
        sys.stderr.writelines(f"{line}\n" for line in sorted(found))
        return 1 if found else 0
    else:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
