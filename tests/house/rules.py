"""Rules that no tool checks: sizes of files and functions, addresses that bind to one machine."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

FILE_LINES_MAX = 450
FUNCTION_LINES_MAX = 70

CODE = frozenset({".py", ".ts", ".tsx", ".js", ".mjs", ".css", ".html", ".sh"})

ADDRESSES = (
    ("a path of one machine", re.compile(r"(?<![\w.~}/-])/(?:work|root|home|tmp|Users)/[\w.-]+")),
    (
        "the address of a package registry or mirror",
        re.compile(
            r"pypi\.org|pythonhosted\.org|registry\.(?:npmjs|yarnpkg)|npm[m]irror|(?:deb|security)\.debian\.org"
            r"|archive\.ubuntu\.com|(?:artifactory|nexus|devpi|mirror)s?\.[\w-]+\.\w+|file:[/]{3}",
            re.IGNORECASE,
        ),
    ),
)
LOCKED_ADDRESS = re.compile(r'"resolved"\s*:|--(?:extra-)?index-url|--find-links|^(?!\s*#).*https?://')


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One place that breaks a rule; `line` counts from 1."""

    path: PurePath
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def size_problems(path: PurePath, text: str) -> Iterator[Problem]:
    """Files and Python functions that are too long to be read in one go; generated code is exempt."""
    if path.suffix not in CODE or ".gen" in path.suffixes:
        return
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield Problem(path=path, line=lines, text=f"{lines} lines, at most {FILE_LINES_MAX}")
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                message = f"{node.name} has {length} lines, at most {FUNCTION_LINES_MAX}"
                yield Problem(path=path, line=node.lineno, text=message)


def address_problems(path: PurePath, text: str) -> Iterator[Problem]:
    """Paths of one machine and registry addresses: a checkout works anywhere and locks name no source."""
    locked = path.suffix == ".lock" or path.name == "package-lock.json"
    for number, line in enumerate(text.splitlines(), start=1):
        for what, pattern in ADDRESSES:
            found = pattern.search(line)
            if found:
                yield Problem(path=path, line=number, text=f"{what}: {found[0]}")
        if locked and LOCKED_ADDRESS.search(line) and '"url"' not in line:
            yield Problem(path=path, line=number, text="a lock that names where packages come from")


def file_problems(root: Path, names: list[str]) -> Iterator[Problem]:
    """Every problem in these files below `root`; binary files and files that are gone are passed over."""
    for name in names:
        try:
            text = (root / name).read_text()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        yield from size_problems(PurePath(name), text)
        yield from address_problems(PurePath(name), text)
