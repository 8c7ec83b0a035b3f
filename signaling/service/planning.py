"""From a message to the command it asks for, and the rows that are stored with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final
from zoneinfo import ZoneInfo

from signaling.consult import commands, events, recording_commands
from signaling.consult.case import Events
from signaling.consult.commands import Command, Seating
from signaling.consult.ids import ClinicId, ConsultId, DeviceId, MessageId, ParticipantId, RecordingId, UserId
from signaling.consult.values import Consult, LanguagePair, Participant, Policy, Role
from signaling.errors import Code, Refused
from signaling.ports import ChatRow, Ids, PersonChange, SideRows
from signaling.protocol import asked, messages
from signaling.protocol import recording_messages as recording
from signaling.protocol.shapes import Person
from signaling.service import planning_interpreting
from signaling.service.consults import no_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a message is planned in: the consult, the sender's seat and device in it, fresh ids."""

    consult: Consult
    me: ParticipantId | None
    device: DeviceId | None
    further: bool = False  # `device` is not the first one
    user: UserId | None = None  # the account that acts from a board or a desk
    ids: Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What to decide, what to store beside it, and whom it invites."""

    command: Command
    rows: Callable[[Events], SideRows] = no_rows
    invited: ParticipantId | None = None


def plan(message: asked.Asked, scene: Scene) -> Planned:
    """The command and rows a message about an existing consult asks for (all but `ContinueConsult`)."""
    return _PLANS[type(message)](message, scene)


def _people(*changes: PersonChange) -> Callable[[Events], SideRows]:
    rows = SideRows(people=changes)
    return lambda _: rows


def _arrive(_: messages.Arrive | messages.TakeSeat, scene: Scene) -> Planned:
    if scene.device is None:
        raise Refused(Code.NOT_PERMITTED, "only from a seat")
    return Planned(command=commands.Arrive(device=scene.device, further=scene.further))


def _leave(_: messages.Leave, __: Scene) -> Planned:
    return Planned(command=commands.Leave())


def _consent(message: messages.GiveConsent, _: Scene) -> Planned:
    return Planned(
        command=commands.GiveConsent(
            text_id=message.text_id, text_hash=message.text_hash, language=message.language
        )
    )


def _location(message: messages.TellLocation, scene: Scene) -> Planned:
    if scene.me is None:
        raise Refused(Code.NOT_PERMITTED, "only from a seat")
    told = PersonChange(participant=scene.me, location_country=message.country, location_text=message.text)
    return Planned(command=commands.TellLocation(), rows=_people(told))


def _start_sharing(_: messages.StartSharing, __: Scene) -> Planned:
    return Planned(command=commands.StartSharing())


def _stop_sharing(_: messages.StopSharing, __: Scene) -> Planned:
    return Planned(command=commands.StopSharing())


def _message(message: messages.SendMessage, scene: Scene) -> Planned:
    def rows(happened: Events) -> SideRows:
        return SideRows(
            chat=tuple(
                ChatRow(
                    seq=event.seq,
                    message=event.message,
                    participant=event.participant,
                    at=event.at,
                    text=message.text,
                )
                for event in happened
                if isinstance(event, events.MessageSent)
            )
        )

    return Planned(command=commands.SendMessage(message=MessageId(scene.ids.new())), rows=rows)


def _person(scene: Scene, wanted: ParticipantId) -> Participant:
    person = scene.consult.participant(wanted)
    if person is None:
        raise Refused(Code.NOT_FOUND, "no such participant")
    return person


NO_DEVICE: Final = DeviceId("")


def _admit(message: messages.Admit, scene: Scene) -> Planned:
    person = _person(scene, message.participant)
    asks = person.further_device or (person.device if person.unconfirmed else None)
    device = asks if message.further_device else person.device
    return Planned(
        command=commands.Admit(
            participant=person.id,
            device=device or NO_DEVICE,  # the rules refuse it, after asking who may admit at all
            further=message.further_device,
            identity_confirmed=message.identity_confirmed,
        )
    )


def _decline(message: messages.Decline, _: Scene) -> Planned:
    return Planned(
        command=commands.Decline(
            participant=message.participant,
            further_device=message.further_device,
            reason=message.reason,
        )
    )


def _about(command: Callable[..., Command]) -> Callable[[Any, Scene], Planned]:
    """A plan for a command that is only about a participant."""
    return lambda message, _: Planned(command=command(participant=message.participant))


def _rename(message: messages.Rename, _: Scene) -> Planned:
    renamed = PersonChange(participant=message.participant, name=message.name)
    return Planned(command=commands.Rename(participant=message.participant), rows=_people(renamed))


def _notice(message: messages.SendNotice, _: Scene) -> Planned:
    return Planned(command=commands.SendNotice(kind=message.kind, minutes=message.minutes))


def _extend(message: messages.Extend, _: Scene) -> Planned:
    return Planned(command=commands.Extend(minutes=message.minutes))


def _end(message: messages.End, _: Scene) -> Planned:
    return Planned(command=commands.End(reason=message.reason))


def _invite(message: messages.Invite, scene: Scene) -> Planned:
    participant = ParticipantId(scene.ids.new())
    return Planned(
        command=commands.Invite(seating=seating(message.person, participant)),
        rows=_people(person_row(message.person, participant)),
        invited=participant,
    )


def _renew(message: messages.RenewInvitation, _: Scene) -> Planned:
    command = commands.RenewInvitation(participant=message.participant)
    return Planned(command=command, invited=message.participant)


def _reschedule(message: messages.Reschedule, _: Scene) -> Planned:
    return Planned(
        command=commands.Reschedule(
            starts_at=message.starts_at.astimezone(UTC), ends_at=message.ends_at.astimezone(UTC)
        )
    )


def _cancel(message: messages.Cancel, _: Scene) -> Planned:
    return Planned(command=commands.Cancel(reason=message.reason))


def _cover(message: messages.Cover, scene: Scene) -> Planned:
    participant = ParticipantId(scene.ids.new())

    def rows(happened: Events) -> SideRows:
        return SideRows(
            people=tuple(
                PersonChange(participant=event.participant, user=event.user)
                for event in happened
                if isinstance(event, events.ParticipantInvited)
            )
        )

    command = commands.Cover(participant=participant, language=message.language)
    return Planned(command=command, rows=rows, invited=participant)


def _ask_recording(message: recording.AskRecording, scene: Scene) -> Planned:
    return Planned(
        command=recording_commands.AskRecording(
            recording=RecordingId(scene.ids.new()),
            what=message.what,
            text_id=message.text_id,
            text_hash=message.text_hash,
            language=message.language,
        )
    )


def _agree_to_recording(message: recording.AgreeToRecording, _: Scene) -> Planned:
    return Planned(
        command=recording_commands.AgreeToRecording(
            no=message.no,
            what=message.what,
            text_id=message.text_id,
            text_hash=message.text_hash,
            language=message.language,
        )
    )


def _refuse_recording(_: recording.RefuseRecording, __: Scene) -> Planned:
    return Planned(command=recording_commands.RefuseRecording())


def _stop_recording(_: recording.StopRecording, __: Scene) -> Planned:
    return Planned(command=recording_commands.StopRecording())


def _of(plan: planning_interpreting.Plan) -> Callable[[Any, Scene], Planned]:
    """A plan for a message about interpreting: it needs an id and the account, and invites by itself."""

    def planned(message: Any, scene: Scene) -> Planned:
        command, rows = plan(message, scene.consult, ParticipantId(scene.ids.new()), scene.user)
        return Planned(command=command, rows=rows)

    return planned


# Each function takes the message class it is listed under; a test compares the annotations.
_PLANS: Final[Mapping[type[Any], Callable[[Any, Scene], Planned]]] = {
    messages.Arrive: _arrive,
    messages.TakeSeat: _arrive,
    messages.Leave: _leave,
    messages.GiveConsent: _consent,
    messages.TellLocation: _location,
    messages.StartSharing: _start_sharing,
    messages.StopSharing: _stop_sharing,
    messages.SendMessage: _message,
    messages.Admit: _admit,
    messages.Decline: _decline,
    messages.Hold: _about(commands.Hold),
    messages.Resume: _about(commands.Resume),
    messages.Remove: _about(commands.Remove),
    messages.AskToMute: _about(commands.AskToMute),
    messages.RevokeInvitation: _about(commands.RevokeInvitation),
    messages.RenewInvitation: _renew,
    messages.Rename: _rename,
    messages.SendNotice: _notice,
    messages.Extend: _extend,
    messages.End: _end,
    messages.Invite: _invite,
    messages.Reschedule: _reschedule,
    messages.Cancel: _cancel,
    messages.Cover: _cover,
    recording.AskRecording: _ask_recording,
    recording.AgreeToRecording: _agree_to_recording,
    recording.RefuseRecording: _refuse_recording,
    recording.StopRecording: _stop_recording,
    **{message: _of(plan) for message, plan in planning_interpreting.PLANS.items()},
}


def seating(person: Person, participant: ParticipantId) -> Seating:
    """Whom an invitation is for, once the person is described well enough."""
    if person.user is None and person.name is None:
        raise Refused(Code.BAD_PEOPLE, "a name is needed without a staff account")
    if person.role is Role.PATIENT and None in (person.birth_year, person.time_zone, person.country):
        raise Refused(Code.BAD_PEOPLE, "birth year, time zone and country are needed for a patient")
    if person.time_zone is not None:
        _check_time_zone(person.time_zone)
    return Seating(participant=participant, role=person.role, language=person.language, user=person.user)


def _check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # not found is a KeyError, a folder an OSError
        raise Refused(Code.BAD_PEOPLE, "no such time zone") from error


def person_row(person: Person, participant: ParticipantId) -> PersonChange:
    """What is stored of an invited person beside the event."""
    return PersonChange(
        participant=participant,
        user=person.user,
        name=person.name,
        birth_year=person.birth_year,
        time_zone=person.time_zone,
        country=person.country,
        city=person.city,
    )


def schedule(
    message: messages.Schedule, *, clinic: ClinicId, policy: Policy, ids: Ids
) -> tuple[commands.Schedule, SideRows]:
    """The command and rows of a new consult."""
    participants = [ParticipantId(ids.new()) for _ in message.people]
    invited = list(zip(message.people, participants, strict=True))
    patients = [p for p in message.people if p.role is Role.PATIENT]
    with_interpreter = any(p.role is Role.INTERPRETER for p in message.people)
    interpreted = bool(patients) and (with_interpreter or message.on_demand)
    pair = (
        LanguagePair(patient=patients[0].language, clinician=message.clinician_language)
        if interpreted
        else None
    )
    command = commands.Schedule(
        consult=ConsultId(ids.new()),
        clinic=clinic,
        starts_at=message.starts_at.astimezone(UTC),
        ends_at=message.ends_at.astimezone(UTC),
        on_demand=message.on_demand and not with_interpreter,
        seatings=tuple(seating(person, participant) for person, participant in invited),
        interpreting=pair,
        policy=policy,
    )
    return command, SideRows(people=tuple(person_row(p, participant) for p, participant in invited))
