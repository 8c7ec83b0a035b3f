"""Finds every message in Python, templates and TypeScript, and which of them a page's script can reach."""

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract

from web.catalog import DOMAIN

WEB = Path(__file__).parent
SCRIPTS = WEB / "client" / "src"
TEMPLATES = WEB / "templates"

# Which argument is what: a plural has two forms, a context comes before its message.
Words = dict[str, tuple[int | tuple[int, int] | tuple[int, str], ...] | None]
PYTHON_WORDS: Words = {"N_": None}
TEMPLATE_WORDS: Words = {"_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
SCRIPT_WORDS: Words = {"t": None, "tn": (1, 2), "tc": ((1, "c"), 2)}
IMPORTED = re.compile(r"""(?:from|import|import\()\s*["'](\./[\w./-]+\.ts|\.\./[\w./-]+\.ts)["']""")

Key = tuple[str | None, str | tuple[str, str]]


def messages_in(path: Path) -> Iterator[tuple[int, Key]]:
    """Line and key (context, message or both plural forms) of every message in a source file."""
    methods: dict[str, tuple[str, Words]] = {
        ".py": ("python", PYTHON_WORDS),
        ".html": ("jinja2.ext:babel_extract", TEMPLATE_WORDS),
        ".ts": ("javascript", SCRIPT_WORDS),
    }
    method, words = methods[path.suffix]
    options = {"silent": "false", "trimmed": "true"} if path.suffix == ".html" else {}
    with path.open("rb") as source:
        for line, message, _comments, context in extract(method, source, words, options=options):
            key = (str(message[0]), str(message[1])) if isinstance(message, tuple) else str(message)
            yield line, (context, key)


def sources() -> Iterator[Path]:
    """Every file that may hold a message, in a stable order."""
    yield from sorted(WEB.glob("*.py"))
    yield from sorted(TEMPLATES.rglob("*.html"))
    yield from script_sources()


def script_sources() -> Iterator[Path]:
    return (path for path in sorted(SCRIPTS.rglob("*.ts")) if not path.name.endswith((".test.ts", ".gen.ts")))


def template_catalog() -> Catalog:
    """All messages of the product, untranslated."""
    found = Catalog(domain=DOMAIN, charset="utf-8")
    for path in sources():
        for line, (context, message) in messages_in(path):
            found.add(message, locations=[(path.relative_to(WEB).as_posix(), line)], context=context)
    return found


def reachable(entry: Path) -> set[Path]:
    """The script files a page loads, now or later: its entry and everything it imports."""
    seen: set[Path] = set()
    waiting = [entry]
    while waiting:
        path = waiting.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        waiting += [(path.parent / name).resolve() for name in IMPORTED.findall(path.read_text("utf-8"))]
    return seen


def script_keys(entry: Path) -> set[Key]:
    """The messages a page's script can ask for."""
    return {key for path in reachable(entry.resolve()) for _line, key in messages_in(path)}
