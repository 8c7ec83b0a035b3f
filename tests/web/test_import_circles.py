"""No script imports itself by way of others, types included, so that each can be read before its users."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "web" / "client" / "src"
IMPORT = re.compile(r"""(?:from\s+|import\s*\(?\s*)"(\.{1,2}/[\w./-]+\.ts)\"""")


def imports(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """What each script below the folder imports, as names relative to it."""
    return {
        str(file.relative_to(folder)): tuple(
            str((file.parent / name).resolve().relative_to(folder))
            for name in IMPORT.findall(file.read_text())
        )
        for file in sorted(folder.rglob("*.ts"))
    }


def circles(graph: Mapping[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """The ways that come back to where they began; one for each edge that closes one."""
    done: set[str] = set()
    way: list[str] = []

    def visit(name: str) -> Iterator[list[str]]:
        if name in way:
            yield [*way[way.index(name) :], name]
        elif name not in done:
            way.append(name)
            for other in graph.get(name, ()):
                yield from visit(other)
            way.pop()
            done.add(name)

    for name in graph:
        yield from visit(name)


def test_a_circle_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "one.ts").write_text('import type { Two } from "./more/two.ts";')
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "two.ts").write_text('const { one } = await import("../one.ts");')
    assert list(circles(imports(tmp_path))) == [["more/two.ts", "one.ts", "more/two.ts"]]


def test_no_script_imports_itself_by_way_of_others() -> None:
    graph = imports(SOURCES)
    assert len(graph) > 40
    assert [" -> ".join(circle) for circle in circles(graph)] == []
