"""The ids of everything: 128 random bits, url-safe, made outside the core and passed in."""

from typing import Final, NewType

ConsultId = NewType("ConsultId", str)
ClinicId = NewType("ClinicId", str)
ParticipantId = NewType("ParticipantId", str)
UserId = NewType("UserId", str)  # a staff account
DeviceId = NewType("DeviceId", str)  # a browser that exchanged an invitation or signed in
MessageId = NewType("MessageId", str)
ConnectionId = NewType("ConnectionId", str)  # one socket
PeerId = NewType("PeerId", str)  # one RTCPeerConnection
RecordingId = NewType("RecordingId", str)
ActorId = NewType("ActorId", str)  # a ParticipantId, a UserId, or CLOCK: who caused an event

CLOCK: Final = ActorId("clock")
