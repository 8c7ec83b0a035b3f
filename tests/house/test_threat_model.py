"""The threat model names tests; each of them must exist, and every control must name one."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "server" / "THREAT_MODEL.md"
NAMED = re.compile(r"`([\w/.]+\.py)::(\w+)`")


def rows() -> list[str]:
    lines = MODEL.read_text("utf-8").splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith("| threat")]


def functions_of(file: Path) -> set[str]:
    found = ast.walk(ast.parse(file.read_text("utf-8")))
    return {one.name for one in found if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_control_names_a_test() -> None:
    assert len(rows()) > 30
    assert [row for row in rows() if not NAMED.search(row)] == []


def test_every_test_it_names_exists() -> None:
    missing = []
    for file, name in NAMED.findall(MODEL.read_text("utf-8")):
        path = ROOT / "tests" / file
        if not path.exists() or name not in functions_of(path):
            missing.append(f"{file}::{name}")
    assert missing == []
