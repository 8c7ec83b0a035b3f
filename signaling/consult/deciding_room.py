"""Deciders about what people say and do in a consult: consent, location, names, sharing, chat, notices."""

from signaling.consult import commands, events
from signaling.consult.case import Case, Events
from signaling.consult.values import Role
from signaling.errors import Code, Refused


def give_consent(case: Case, command: commands.GiveConsent) -> Events:
    """Record what was accepted; accepting the same text again changes nothing."""
    given = case.myself.consent
    if given is not None and given.text_hash == command.text_hash:
        return ()
    return (
        events.ConsentGiven(
            at=case.now,
            by=case.by,
            participant=case.myself.id,
            text_id=command.text_id,
            text_hash=command.text_hash,
            language=command.language,
        ),
    )


def tell_location(case: Case, _: commands.TellLocation) -> Events:
    """Record that the person said where they are, each time they do."""
    return (events.LocationTold(at=case.now, by=case.by, participant=case.myself.id),)


def rename(case: Case, command: commands.Rename) -> Events:
    """Record that a name was corrected: one's own, or anybody's by staff."""
    mine = case.me is not None and case.me.id == command.participant
    if not mine and case.role not in (Role.PHYSICIAN, Role.COORDINATOR):
        raise Refused(Code.NOT_PERMITTED, "only one's own name")
    return (events.ParticipantRenamed(at=case.now, by=case.by, participant=command.participant),)


def nothing(case: Case, _: commands.Command) -> Events:
    """Permitted, and no event: it is presence, or told once."""
    del case
    return ()


def start_sharing(case: Case, _: commands.StartSharing) -> Events:
    """Share one's screen, unless somebody else does."""
    sharing = case.consult.sharing
    if sharing == case.myself.id:
        return ()
    if sharing is not None:
        raise Refused(Code.ALREADY_SHARING, "one screen at a time")
    return (events.SharingStarted(at=case.now, by=case.by, participant=case.myself.id),)


def stop_sharing(case: Case, _: commands.StopSharing) -> Events:
    """Stop the screen share; a physician may stop anybody's."""
    sharing = case.consult.sharing
    if sharing is None:
        return ()
    if sharing != case.myself.id and case.role is not Role.PHYSICIAN:
        raise Refused(Code.NOT_PERMITTED, "only one's own")
    return (events.SharingStopped(at=case.now, by=case.by, participant=sharing),)


def send_message(case: Case, command: commands.SendMessage) -> Events:
    """Give a chat message the next number."""
    return (
        events.MessageSent(
            at=case.now,
            by=case.by,
            participant=case.myself.id,
            message=command.message,
            seq=case.consult.chat_seq + 1,
        ),
    )


def send_notice(case: Case, command: commands.SendNotice) -> Events:
    """Tell the waiting people how long it will be."""
    return (events.NoticeSent(at=case.now, by=case.by, kind=command.kind, minutes=command.minutes),)
