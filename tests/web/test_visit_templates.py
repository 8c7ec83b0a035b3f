"""The seat page's templates and scripts name the same things: screens, buttons, parts, dialogs."""

import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
TEMPLATES = "\n".join(
    path.read_text("utf-8") for path in sorted((WEB / "templates" / "visit").glob("*.html"))
)
SOURCES = WEB / "client" / "src"
SCRIPTS = "\n".join(
    path.read_text("utf-8")
    for pattern in ("visit*.ts", "check/*.ts", "room/*.ts", "media/*.ts")
    for path in sorted(SOURCES.glob(pattern))
)
# Made by a script of their own, not by a template.
SCREENS_OF_STEPS = frozenset({"check"})
# Forms are sent, not pressed.
SUBMITTED = frozenset({"place_next", "send"})


def found(pattern: str, text: str) -> list[str]:
    return sorted(set(re.findall(pattern, text)))


def screens() -> list[str]:
    protocol = (SOURCES / "protocol.gen.ts").read_text("utf-8")
    union = re.search(r"export type Screen =([^;]+);", protocol)
    assert union
    return found(r'"(\w+)"', union[1])


def buttons() -> list[str]:
    """What can be pressed: by name in the markup, and as argument of the macros."""
    plain = found(r'data-do="([\w-]+)"', TEMPLATES)
    dock = found(r"parts\.ctl\('([\w-]+)'", TEMPLATES)
    dialogs = found(r"\{\{ two\('([\w-]+)'", TEMPLATES)
    return sorted({*plain, *dock, *dialogs} - SUBMITTED)


@pytest.mark.parametrize("screen", screens())
def test_every_screen_the_server_can_choose_has_a_template(screen: str) -> None:
    named = f'id="screen-{screen}"' in TEMPLATES or re.search(rf"(quiet|pause)\('{screen}'", TEMPLATES)
    assert named or screen in SCREENS_OF_STEPS


@pytest.mark.parametrize("name", buttons())
def test_every_button_does_something(name: str) -> None:
    key = re.compile(rf'(?m)^\s*(?:{re.escape(name)}|"{re.escape(name)}"): |case "{re.escape(name)}"')
    assert key.search(SCRIPTS), f"no script has an action “{name}”"


@pytest.mark.parametrize("name", found(r'part(?:<\w+>)?\(\s*[\w.]+,\s*"([\w-]+)"', SCRIPTS))
def test_every_part_a_script_needs_is_in_a_template(name: str) -> None:
    assert f'data-part="{name}"' in TEMPLATES


@pytest.mark.parametrize("name", found(r'(?:openDialog|dialog|ask)\("([\w-]+)"', SCRIPTS))
def test_every_dialog_a_script_opens_is_in_a_template(name: str) -> None:
    assert f"call dialog('{name}'" in TEMPLATES


@pytest.mark.parametrize("name", found(r'clone\("([\w-]+)"\)', SCRIPTS))
def test_every_template_a_script_clones_is_there(name: str) -> None:
    assert f'id="{name}"' in TEMPLATES
