"""What a seat's browser reports and fetches, and its media: nothing of this is an event."""

from typing import Final

from signaling.consult import commands, interpreting_commands
from signaling.consult.ids import ConnectionId, PeerId
from signaling.consult.presence import (
    Checked,
    ConsultPresence,
    with_check,
    with_direction,
    with_media,
    with_original,
    with_peer,
    with_reported_level,
)
from signaling.consult.rules import decide
from signaling.consult.values import CONNECTABLE, HERE, Consult, Participant, SeatHolder, SeatState
from signaling.errors import Code, Refused
from signaling.ports import Clock, Ids, Relays
from signaling.protocol import interpreting_messages as interpreting
from signaling.protocol import messages, shapes
from signaling.service.consults import Consults
from signaling.service.media import MediaKeeper
from signaling.service.publishing import Publisher

Report = (
    messages.SetMedia
    | messages.ReportDeviceCheck
    | messages.ReportConnection
    | interpreting.SetDirection
    | interpreting.PreferOriginal
)
_REPORTS: Final[dict[type[Report], commands.Command]] = {
    interpreting.SetDirection: interpreting_commands.SetDirection(),
    interpreting.PreferOriginal: interpreting_commands.PreferOriginal(),
    messages.SetMedia: commands.SetMedia(),
    messages.ReportDeviceCheck: commands.ReportDeviceCheck(),
    messages.ReportConnection: commands.ReportConnection(),
}


class OwnSeat:
    """Handles what is about the sender's own seat only. Called under the consult's lock."""

    def __init__(
        self,
        *,
        consults: Consults,
        media: MediaKeeper,
        relays: Relays,
        publisher: Publisher,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """Work on the same consults as the handler."""
        self._consults = consults
        self._media = media
        self._relays = relays
        self._publisher = publisher
        self._clock = clock
        self._ids = ids

    async def report(self, consult: Consult, me: Participant, message: Report) -> messages.Answer:
        """Note a person's microphone, camera, device check or connection."""
        now = self._clock.now()
        decide(consult, _REPORTS[type(message)], by=SeatHolder(participant=me.id), now=now)
        before = await self._consults.presence.get(consult.id)
        after = await self._consults.presence.update(consult.id, lambda p: _noted(p, me, message))
        if after.revision != before.revision:
            await self._publisher.publish(consult.id)
        return messages.Accepted(version=consult.version)

    async def chat(self, consult: Consult, me: Participant, message: messages.FetchChat) -> messages.Answer:
        """The chat, for whoever is in the room. On hold one reads nothing."""
        if consult.over or me.seat is not SeatState.PRESENT:
            raise Refused(Code.NOT_NOW, "only in the room")
        rows = await self._consults.store.chat(
            consult.id, after_seq=message.after_seq, limit=messages.CHAT_PAGE_MAX
        )
        return messages.Chat(
            messages=[
                shapes.ChatMessage(
                    seq=row.seq, id=row.message, participant=row.participant, at=row.at, text=row.text
                )
                for row in rows
            ]
        )

    async def connect_media(
        self, consult: Consult, me: Participant, message: messages.ConnectMedia, connection: ConnectionId
    ) -> messages.Answer:
        """Take a peer for this seat. Nothing is forwarded for it before admission."""
        if consult.over or me.seat not in CONNECTABLE:
            raise Refused(Code.NOT_NOW, "arrive first")
        newest = (await self._consults.presence.get(consult.id)).of(me.id).connection
        if me.seat not in HERE and connection != newest:
            # No device holds the seat yet: two that check at once would end each other's peer for ever.
            raise Refused(Code.ELSEWHERE, "another device came later")
        await self._publisher.drop_peer(consult.id, me)
        peer = PeerId(self._ids.new())
        answer = await self._media.connect(consult.id, peer, message.offer)
        await self._consults.presence.update(consult.id, lambda p: with_peer(p, me.id, peer))
        await self._publisher.publish(consult.id)
        relays = [
            shapes.RelayServers(urls=list(one.urls), username=one.username, credential=one.credential)
            for one in self._relays.of(me.id)
        ]
        return messages.MediaAnswer(peer=peer, answer=answer, relays=relays)

    async def close_media(
        self, consult: Consult, me: Participant, message: messages.CloseMedia
    ) -> messages.Answer:
        """Close this seat's peer, unless it has a newer one."""
        presence = await self._consults.presence.get(consult.id)
        if presence.of(me.id).peer == message.peer:
            await self._publisher.drop_peer(consult.id, me)
            await self._publisher.publish(consult.id)
        return messages.Accepted(version=consult.version)


def _noted(presence: ConsultPresence, me: Participant, message: Report) -> ConsultPresence:
    match message:
        case interpreting.SetDirection():
            return with_direction(presence, me.id, message.into)
        case interpreting.PreferOriginal():
            return with_original(presence, me.id, prefers=message.prefers)
        case messages.SetMedia():
            return with_media(presence, me.id, audio_on=message.audio_on, video_on=message.video_on)
        case messages.ReportConnection():
            return with_reported_level(presence, me.id, message.level)
        case messages.ReportDeviceCheck():
            check = message.check
            return with_check(
                presence,
                me.id,
                Checked(
                    camera=check.camera,
                    microphone=check.microphone,
                    speaker=check.speaker,
                    network=check.network,
                ),
            )
