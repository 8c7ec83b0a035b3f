"""The bounded building blocks of messages: every string and list on the wire has a largest size."""

from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from signaling.consult.ids import ConsultId, MessageId, ParticipantId, PeerId, UserId

OFFER_MAX: Final = 32_768  # characters; our own clients stay under 24 KB
TEXT_MAX: Final = 2_000
# Control characters never belong in a name, and direction overrides could make one name read as another.
NAME_PATTERN: Final = r"^[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$"
TEXT_PATTERN: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
ID_PATTERN: Final = r"^[A-Za-z0-9_-]+$"

_Id = StringConstraints(min_length=1, max_length=64, pattern=ID_PATTERN)
ConsultRef = Annotated[ConsultId, _Id]
ParticipantRef = Annotated[ParticipantId, _Id]
UserRef = Annotated[UserId, _Id]
PeerRef = Annotated[PeerId, _Id]
MessageRef = Annotated[MessageId, _Id]
CommandId = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=ID_PATTERN)]
TextId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Ticket = Annotated[str, StringConstraints(min_length=16, max_length=128, pattern=ID_PATTERN)]
SupportId = Annotated[str, _Id]

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=NAME_PATTERN)
]
Place = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=NAME_PATTERN)
]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_MAX, pattern=TEXT_PATTERN)
]
LocationText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=TEXT_PATTERN)
]
CaseText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600, pattern=TEXT_PATTERN)
]
Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]  # ISO 3166-1 alpha-2
TimeZone = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$")]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Phone = Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9+() .*#-]*$")]
TextHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Offer = Annotated[str, StringConstraints(min_length=1, max_length=OFFER_MAX)]
Url = Annotated[str, StringConstraints(max_length=2_048)]
Time = AwareDatetime


class Shape(BaseModel):
    """A value on the wire: closed (no further fields) and immutable."""

    # An error text is logged; what a person typed does not belong there.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add each field's sentence, the last string in its `Annotated`, as its description."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, info in cls.model_fields.items():
            sentences = [said for said in info.metadata if isinstance(said, str)]
            if sentences:
                properties[name]["description"] = sentences[-1]
        return schema
