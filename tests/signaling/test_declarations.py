"""Each message, event, command and rule is declared once and everything else agrees with it."""

import inspect
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.consult import evolve, rules, stored
from signaling.consult.commands import Command
from signaling.consult.events import Event
from signaling.errors import Code
from signaling.protocol import asked, fields, generate, messages, shapes
from signaling.service import planning

SHAPES = [
    shape
    for module in (messages, shapes)
    for _, shape in inspect.getmembers(module, inspect.isclass)
    if issubclass(shape, fields.Shape) and shape is not fields.Shape
]
times = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
st.register_type_strategy(datetime, times)


def test_the_generated_files_are_fresh() -> None:
    assert generate.main(["--check"]) == 0


def test_a_stale_generated_file_fails_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "TYPESCRIPT", tmp_path / "types.ts")
    monkeypatch.setattr(generate, "PAGE", tmp_path / "page.md")
    assert generate.main(["--check"]) == 1
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_every_command_has_a_rule_and_every_rule_a_command() -> None:
    assert set(rules.PERMITTED) == set(get_args(Command))


def _annotated_for(function: Callable[..., Any], position: int) -> Any:
    """What a function says it takes; one made for several classes says nothing."""
    if function.__name__ == "<lambda>":
        return Any
    name = list(inspect.signature(function).parameters)[position]
    return get_type_hints(function)[name]


def test_every_decider_takes_the_command_it_is_listed_under() -> None:
    for command, rule in rules.PERMITTED.items():
        taken = _annotated_for(rule.decide, 1)
        assert command is taken or command in get_args(taken), command


def test_every_event_but_the_first_has_an_evolver_that_takes_it() -> None:
    listed = evolve._EVOLVERS
    assert {event.__name__ for event in set(get_args(Event)) - set(listed)} == {"ConsultScheduled"}
    for event, function in listed.items():
        taken = _annotated_for(function, 1)
        assert taken in (event, Any) or event in get_args(taken), event


def test_every_message_that_asks_is_planned_by_a_function_that_takes_it() -> None:
    asking = {m for m in get_args(messages.ClientMessage) if issubclass(m, asked.Asked)}
    assert asking - set(planning._PLANS) == {messages.Schedule, messages.ContinueConsult}
    for message, function in planning._PLANS.items():
        taken = _annotated_for(function, 0)
        assert taken in (message, Any) or message in get_args(taken), message


def test_the_types_of_commands_and_events_are_literals_used_once() -> None:
    for union in (get_args(Command), get_args(Event)):
        kinds = [kind.__dataclass_fields__["type"].default for kind in union]
        assert len(set(kinds)) == len(kinds)
        assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", kind) for kind in kinds)


def test_every_verb_is_a_message_and_every_permitted_message_a_verb() -> None:
    sent = {get_args(m.model_fields["type"].annotation)[0] for m in get_args(messages.ClientMessage)}
    verbs = set(get_args(shapes.Verb))
    permitted = {rules.verb(command) for command, rule in rules.PERMITTED.items() if rule.who}
    # Those of a desk are offered with its rings, not as verbs about a consult.
    assert verbs | {"accept_ring", "decline_ring"} == permitted | {"take_seat"}
    assert verbs <= sent
    desk = {"accept_ring", "decline_ring", "set_availability"}
    assert sent - verbs == {"connect_media", "close_media", "fetch_chat", "open_board"} | desk


@settings(max_examples=200, deadline=None)
@given(st.one_of(*(st.from_type(event) for event in get_args(Event))))
def test_every_event_round_trips_through_what_is_stored(event: Event) -> None:
    body = stored.encode(event)
    assert f'"type":"{event.type}"' in body
    assert stored.decode(body) == event


def test_an_event_stored_before_a_field_existed_is_still_read() -> None:
    body = (
        '{"at":"2026-03-02T09:00:00Z","by":"u","participant":"p","role":"patient","language":"ar",'
        '"user":null,"type":"participant_invited"}'
    )
    event = stored.decode(body)
    assert event.type == "participant_invited"


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: s.__name__)
def test_every_field_has_a_sentence_and_every_text_and_list_from_a_client_a_largest_size(
    shape: type[fields.Shape],
) -> None:
    definitions = generate.definitions()
    if shape.__name__ not in definitions:
        return  # a base class
    schema = definitions[shape.__name__]
    assert schema["description"] == inspect.getdoc(shape)
    for name, field in schema["properties"].items():
        if name != "type":
            assert field["description"].endswith((".", "...")), (shape, name)
        for part in (field, *field.get("anyOf", ())):
            bounded = {"maxLength", "pattern", "const", "enum", "format"} & set(part)
            if part.get("type") == "string" and shape in generate.SENT:
                assert bounded, (shape, name)
            if part.get("type") == "array" and shape in generate.SENT:
                assert "maxItems" in part, (shape, name)


def test_every_pattern_of_a_client_field_bounds_its_length() -> None:
    for field in (fields.Country, fields.Day, fields.TextHash):
        [limits] = list(field.__metadata__)  # type: ignore[attr-defined]
        assert "{" in limits.pattern
        assert not re.search(r"[*+]", limits.pattern)


def test_no_two_refusal_codes_are_the_same_and_none_is_a_sentence() -> None:
    assert len({code.value for code in Code}) == len(Code)
    assert all(re.fullmatch(r"[a-z_]+", code.value) for code in Code)


def test_the_generated_typescript_names_every_class_on_the_wire() -> None:
    text = generate.typescript()
    for cls in generate.SENT:
        assert f"export interface {cls.__name__} {{" in text
    assert "any" not in re.findall(r"\bany\b", text.replace("anybody", ""))
