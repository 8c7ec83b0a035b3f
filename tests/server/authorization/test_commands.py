"""What everybody may send, about their own consult, another one and one that has ended, in one table.

One letter a person, in the order of `EVERYBODY`: in the consult patient, companion, interpreter, physician;
at a board its physician, a physician who is not in it, the coordinator, an interpreter, and another clinic's
coordinator.
"""

from typing import Final

from signaling.errors import Code
from tests.server.authorization.cases import EVERYBODY, MOMENTS, SEATS, Scene, shapes

LETTERS: Final = {
    "+": "done",
    "p": Code.NOT_PERMITTED,
    "e": Code.ENDED,
    "n": Code.NOT_NOW,
    "?": Code.NOT_FOUND,
    "w": "wrong_connection",  # a seat's message at a board, or the other way round
    "b": "bad_message",  # a seat cannot name a consult, it has one
    "h": Code.ALREADY_HERE,
    "a": Code.PHYSICIAN_ABSENT,
    "x": "bad_people",
    "t": Code.TAKEN,
}
# An interpreter's connection is closed when the consult ends: whatever they send then is `not_now`.
TABLE: Final = """
                       own            other          ended
arrive              ++++ wwwww     ++++ wwwww     eene wwwww
take_seat           ++++ wwwww     ++++ wwwww     eene wwwww
leave               ++++ wwwww     ++++ wwwww     eene wwwww
give_consent        ++pp wwwww     ++pp wwwww     eenp wwwww
tell_location       ++pp wwwww     ++pp wwwww     eenp wwwww
set_media           ++++ wwwww     ++++ wwwww     eene wwwww
report_device_check ++++ wwwww     ++++ wwwww     eene wwwww
report_connection   ++++ wwwww     ++++ wwwww     eene wwwww
start_sharing       ++++ wwwww     ++++ wwwww     eene wwwww
stop_sharing        ++++ wwwww     ++++ wwwww     eene wwwww
send_message        ++++ wwwww     ++++ wwwww     eene wwwww
fetch_chat          ++++ wwwww     ++++ wwwww     nnnn wwwww
connect_media       ++++ wwwww     ++++ wwwww     nnnn wwwww
close_media         ++++ wwwww     ++++ wwwww     ++n+ wwwww
admit               ppp+ +p+p?     bbbb apnp?     ppne epep?
decline             ppp+ +p+p?     bbbb npnp?     ppne epep?
hold                ppp+ +p+p?     bbbb npnp?     ppne epep?
resume              ppp+ +p+p?     bbbb npnp?     ppne epep?
remove              ppp+ +p+p?     bbbb npnp?     ppne epep?
rename              ppp+ +p+p?     bbbb +p+p?     eene epep?
ask_to_mute         ppp+ +p+p?     bbbb npnp?     ppne epep?
send_notice         ppp+ +p+p?     bbbb +p+p?     ppne epep?
extend              ppp+ +p+p?     bbbb npnp?     ppne epep?
end                 ppp+ +p+p?     bbbb npnp?     ppne epep?
continue_consult    ppn+ +p+p?     bbbb npnp?     ppn+ +p+p?
invite              ppp+ +p+p?     bbbb +p+p?     ppne epep?
revoke_invitation   ppp+ +p+p?     bbbb +p+p?     ppne epep?
renew_invitation    ppp+ +p+p?     bbbb +p+p?     ppne epep?
request_interpreter ppp+ +p+p?     bbbb ap+p?     ppne epep?
ring_again          ppp+ +p+p?     bbbb npnp?     ppne epep?
use_phone_line      ppp+ +p+p?     bbbb npnp?     ppne epep?
close_request       ppp+ +p+p?     bbbb npnp?     ppne epep?
begin_briefing      ppp+ wwwww     ppp+ wwwww     ppne wwwww
end_briefing        pp++ wwwww     pp++ wwwww     ppne wwwww
end_introduction    pp++ wwwww     pp++ wwwww     ppne wwwww
set_mode            pp++ wwwww     pp++ wwwww     ppne wwwww
take_over           ppnp wwwww     ppnp wwwww     ppnp wwwww
give_signal         pp+p wwwww     pp+p wwwww     ppnp wwwww
set_direction       pp+p wwwww     pp+p wwwww     ppnp wwwww
prefer_original     ++++ wwwww     ++++ wwwww     eene wwwww
ask_recording       ppp+ wwwww     ppp+ wwwww     ppne wwwww
agree_to_recording  ++++ wwwww     ++++ wwwww     eene wwwww
refuse_recording    ++++ wwwww     ++++ wwwww     eene wwwww
stop_recording      ppp+ wwwww     ppp+ wwwww     ppne wwwww
accept_ring         wwww ppptp     wwww ppptp     wwww pppep
decline_ring        wwww ppp+p     wwww ppp+p     wwww pppep
set_availability    wwww ppp?p     wwww ppp?p     wwww ppp?p
schedule            wwww pp+px     wwww pp+px     wwww pp+px
reschedule          wwww pp+p?     wwww pp+p?     wwww ppep?
cancel              wwww +p+p?     wwww +p+p?     wwww epep?
cover               wwww h+pp?     wwww h+pp?     wwww hepp?
open_board          wwww +++++     wwww +++++     wwww +++++
"""


def _table() -> dict[tuple[str, str], list[str]]:
    rows = {}
    for line in TABLE.strip().splitlines()[1:]:
        verb, *groups = line.split()
        for which, seats, boards in zip(("own", "other", "ended"), groups[::2], groups[1::2], strict=True):
            rows[verb, which] = [LETTERS[letter] for letter in seats + boards]
    return rows


def test_every_message_has_a_row_and_every_row_a_message() -> None:
    assert {verb for verb, _ in _table()} == set(shapes())
    assert {len(row) for row in _table().values()} == {len(EVERYBODY)}


async def test_everybody_may_send_what_the_table_says_and_nothing_else() -> None:
    scenes: dict[str, Scene] = {}
    wrong = {}
    for (verb, which), row in _table().items():
        moment = "ended" if which == "ended" else MOMENTS.get(verb, "in room")
        for who, expected in zip(EVERYBODY, row, strict=True):
            if moment not in scenes:
                scenes[moment] = Scene()
                await scenes[moment].begin(moment)
            answer = await scenes[moment].ask(who, verb, other=which == "other")
            if answer == "done":
                del scenes[moment]
            if answer != expected:
                wrong[verb, which, who] = f"{answer}, not {expected}"
    assert wrong == {}


async def test_nobody_reaches_from_their_seat_into_another_consult() -> None:
    scene = Scene()
    await scene.begin("in room")
    consult, people = scene.other
    before = await scene.world.store.load(consult)
    for verb, shape in shapes().items():
        if "participant" not in shape.model_fields:
            continue
        for who in SEATS:
            answer = await scene.ask(who, verb, other=False, participant=next(iter(people.values())))
            assert answer != "done", (verb, who)
    assert await scene.world.store.load(consult) == before
