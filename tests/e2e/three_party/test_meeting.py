"""A whole consult in three browsers: nothing flows before admission, then all meet, then it is over."""

from tests.e2e.kit import axe
from tests.e2e.kit.observe import traffic, traffic_during
from tests.e2e.kit.tab import Tab, eventually
from tests.e2e.three_party import story
from tests.e2e.three_party.cast import cast, picture

DEVICES_OFF = """() => ({
  screen: document.querySelector('#screen').dataset.screen,
  open: kit.connections.filter((one) => one.connectionState !== 'closed').length,
})"""
CONNECTED = "() => document.querySelector('#screen').dataset.media === 'connected'"


async def connected(tab: Tab) -> None:
    """The connection is up already in the waiting room."""
    await eventually(lambda: tab.evaluate(CONNECTED), bool, within_s=15, what="media is connected")


async def test_three_people_meet_after_admission_and_not_before_and_part_at_the_end() -> None:
    async with cast() as people:
        patient, physician, interpreter = people.everyone
        for guest in people.everyone:
            await connected(guest.tab)
        sending = await traffic_during(physician.tab, 1)
        assert sending.audio_sent > 30, f"a physician alone in the room is heard by the forwarder: {sending}"
        for guest in people.everyone:
            total = await traffic(guest.tab)
            assert (total.audio_received, total.video_received) == (0, 0), f"{guest.role}: {total}"
            if guest is not physician:
                assert total.packets == 0, f"{guest.role} sends before admission: {total}"

        await people.admit_all()
        await story.meet(patient, physician, interpreter)
        for guest in people.everyone:
            moved = await traffic_during(guest.tab, 2)
            assert moved.audio_sent > 60, f"{guest.role}: {moved}"
            assert moved.audio_received > 120, f"{guest.role} hears two: {moved}"
            assert moved.video_frames > 20, f"{guest.role} sees two: {moved}"
        for guest in people.everyone:
            await picture(guest.tab, f"room.{guest.role}")  # type: ignore[arg-type]

        await story.end_consult(physician.tab)
        for guest in people.everyone:
            await story.on_screen(guest.tab, "ended")
            await eventually(
                lambda tab=guest.tab: tab.evaluate(DEVICES_OFF),  # type: ignore[misc]
                lambda seen: seen["open"] == 0,
                within_s=5,
                what=f"the {guest.role}'s connection is closed",
            )
            await picture(guest.tab, f"ended.{guest.role}")  # type: ignore[arg-type]
        assert people.browsers.errors == []


async def test_every_screen_of_the_three_is_accessible() -> None:
    async with cast() as people:
        for guest in people.everyone:
            await axe.is_accessible(guest.tab, texts_min=5)
            await picture(guest.tab, f"before.{guest.role}")  # type: ignore[arg-type]
        await people.admit_all()
        await story.meet(*people.everyone)
        for guest in people.everyone:
            await axe.is_accessible(guest.tab, texts_min=5)
        await story.end_consult(people.physician.tab)
        for guest in people.everyone:
            await story.on_screen(guest.tab, "ended")
            await axe.is_accessible(guest.tab, texts_min=3)


async def test_patient_and_interpreter_are_apart_while_no_physician_is_in_the_room() -> None:
    async with cast() as people:
        patient, physician, interpreter = people.everyone
        await people.admit_all()
        await story.meet(*people.everyone)
        await story.press(physician.tab, "leave")
        await story.press(physician.tab, "leave_yes")
        for guest in (patient, interpreter):
            await story.on_screen(guest.tab, "separated")
            await picture(guest.tab, f"separated.{guest.role}")  # type: ignore[arg-type]
        for guest in (patient, interpreter):
            apart = await traffic_during(guest.tab, 1)
            assert apart.audio_received == 0, f"{guest.role}: {apart}"
            assert apart.video_received == 0, f"{guest.role}: {apart}"
        await story.press(physician.tab, "return")
        await story.meet(*people.everyone)
