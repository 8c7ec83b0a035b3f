"""Bodies of requests: JSON, small, exactly of a declared shape."""

import asyncio
from typing import Annotated, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from server.http.errors import HttpError

BODY_BYTES_MAX: Final = 16 * 1024
ARRIVES_WITHIN_S: Final = 10.0

Secret = Annotated[str, StringConstraints(min_length=43, max_length=43, pattern=r"^[A-Za-z0-9_-]+$")]
Tag = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class Body(BaseModel):
    """A body without further fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Shape = TypeVar("Shape", bound=Body)


async def read(request: web.Request, shape: type[Shape]) -> Shape:
    """The request's body; `bad_request` names the field, never its value."""
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise HttpError("too_large")
    try:
        async with asyncio.timeout(ARRIVES_WITHIN_S):
            body = await request.read()
    except TimeoutError:
        raise HttpError("too_slow") from None
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise HttpError("bad_request", f"{where[:60]}: {first['type']}") from None
