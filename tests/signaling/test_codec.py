"""Whatever a client sends is a message or a protocol error, nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.errors import Code, ProtocolError
from signaling.protocol import codec, messages
from signaling.protocol.codec import DEPTH_MAX, MESSAGE_MAX
from signaling.protocol.views import BOARD_VERBS, SEAT_VERBS

TYPES = sorted(SEAT_VERBS | BOARD_VERBS)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)
# Almost messages: a real type, fields of real names with any value.
FIELDS = sorted(
    {name for message in (messages.SEAT_TYPES | messages.BOARD_TYPES) for name in message.model_fields}  # type: ignore[attr-defined]
)
almost = st.builds(
    lambda kind, fields: {**fields, "type": kind},
    st.sampled_from(TYPES) | anything,
    st.dictionaries(st.sampled_from(FIELDS), anything | st.just("command-1") | st.just("ar"), max_size=6),
)


@settings(max_examples=250, deadline=None)
@given(anything | almost, st.booleans())
def test_anything_is_a_message_or_a_protocol_error(raw: object, board: bool) -> None:  # noqa: FBT001
    try:
        message = codec.decode(raw, board=board)
    except ProtocolError:
        return
    assert type(message) in (messages.BOARD_TYPES if board else messages.SEAT_TYPES)


@settings(max_examples=100, deadline=None)
@given(anything)
def test_anything_as_auth_is_a_ticket_or_a_protocol_error(raw: object) -> None:
    try:
        auth = codec.decode_auth(raw)
    except ProtocolError:
        return
    assert auth.ticket


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "arrive", "command_id": "command-1", "role": "physician"},
        {"type": "arrive", "command_id": "command-1", "admitted": True},
        {"type": "leave", "command_id": "command-1", "consult_id": "another"},
        {"type": "admit", "command_id": "command-1", "participant": "p", "consult_id": "another"},
        {"type": "consult_view"},
        {"type": ["arrive"]},
        {"type": {}},
        {"command_id": "command-1"},
        {"type": "arrive"},
        {"type": "arrive", "command_id": "x"},
        {"type": "arrive", "command_id": "command 1"},
        {"type": "set_media", "audio_on": "true", "video_on": True},
        {"type": "fetch_chat", "after_seq": "0"},
        {"type": "fetch_chat", "after_seq": -1},
        {"type": "send_message", "command_id": "command-1", "text": ""},
        {"type": "send_message", "command_id": "command-1", "text": "   "},
        {"type": "send_message", "command_id": "command-1", "text": "x" * 2001},
        {"type": "send_message", "command_id": "command-1", "text": "a\x00b"},
        {"type": "send_message", "command_id": "command-1", "text": "\ud800"},
        {"type": "rename", "command_id": "command-1", "participant": "p", "name": "a\u202eb"},
        {"type": "extend", "command_id": "command-1", "minutes": 10**400},
        {"type": "extend", "command_id": "command-1", "minutes": float("nan")},
        None,
        [],
        "arrive",
        b"arrive",
    ],
)
def test_what_no_correct_client_sends_is_refused(raw: object) -> None:
    with pytest.raises(ProtocolError):
        codec.decode(raw, board=False)


def test_names_and_texts_of_every_script_pass_and_are_trimmed() -> None:
    for name in ("أمل حدّاد", "李 小龙", "Ñandú Ð.", "علی‌رضا", "O'Brien-Łuk"):
        rename = {"type": "rename", "command_id": "command-1", "participant": "p", "name": f" {name} "}
        message = codec.decode(rename, board=False)
        assert isinstance(message, messages.Rename)
        assert message.name == name
    say = {"type": "send_message", "command_id": "command-1", "text": "مرحبا\n\tسطر <b>&amp;"}
    message = codec.decode(say, board=False)
    assert isinstance(message, messages.SendMessage)
    assert message.text == "مرحبا\n\tسطر <b>&amp;"


def test_a_board_says_which_consult_and_a_seat_does_not() -> None:
    end = {"type": "end", "command_id": "command-1", "reason": "completed"}
    assert codec.decode(end, board=False).type == "end"
    assert codec.decode({**end, "consult_id": "c"}, board=True).type == "end"
    for raw, board in ((end, True), ({**end, "consult_id": "c"}, False)):
        with pytest.raises(ProtocolError):
            codec.decode(raw, board=board)


def test_each_kind_of_connection_sends_its_own_messages() -> None:
    leave = {"type": "leave", "command_id": "command-1"}
    with pytest.raises(ProtocolError) as caught:
        codec.decode(leave, board=True)
    assert caught.value.code == "wrong_connection"
    with pytest.raises(ProtocolError) as caught:
        codec.decode({"type": "open_board"}, board=False)
    assert caught.value.code == "wrong_connection"


def test_size_and_depth_are_bounded_before_anything_is_parsed() -> None:
    with pytest.raises(ProtocolError) as caught:
        codec.decode({"type": "connect_media", "offer": "x" * MESSAGE_MAX}, board=False)
    assert caught.value.code == "too_large"
    deep: object = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ProtocolError) as caught:
        codec.decode({"type": deep}, board=False)
    assert "nested" in caught.value.detail
    assert DEPTH_MAX < 10


def test_what_a_person_typed_is_in_no_error_text() -> None:
    secret = {"type": "send_message", "command_id": "command-1", "text": "my secret\x00"}
    with pytest.raises(ProtocolError) as caught:
        codec.decode(secret, board=False)
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match="ReportConnection") as leaked:
        messages.ReportConnection.model_validate({"type": "report_connection", "level": "my secret"})
    assert "secret" not in str(leaked.value)


def test_every_field_of_a_server_message_is_sent() -> None:
    sent = codec.encode(messages.Accepted(version=3))
    assert json.loads(json.dumps(sent)) == {
        "type": "accepted",
        "version": 3,
        "consult_id": None,
        "participant": None,
        "invitations": [],
    }
    refusal = codec.encode(messages.Refusal(code=Code.ENDED))
    assert refusal == {"type": "refusal", "code": "ended", "support_id": None}
