"""What everybody is answered at every route, about their own consult, another one and one that has ended.

One status a visitor, in the order of `EVERYBODY`: nobody, the patient and the interpreter with their links,
the physician of the consult, another physician, the coordinator, an interpreter with an account, another
clinic's coordinator. Where a body is needed they send what is well formed but proves nothing.
"""

import json
from typing import Any, Final

from server.http.routes import DEMO_ROUTES, ROUTES
from tests.server.authorization.visitors import EVERYBODY, Target, Visitors

TABLE: Final = """
GET  /                                      200 200 200 303 303 303 303 303
GET  /help                                  200 200 200 200 200 200 200 200
GET  /signin                                200 200 200 200 200 200 200 200
GET  /static/{file:.+}                      404 404 404 404 404 404 404 404
GET  /v                                     200 200 200 200 200 200 200 200
POST /api/invitation/preview                400 400 400 400 400 400 400 400
POST /api/invitation/exchange               400 400 400 400 400 400 400 400
GET  /c/{consult_id}/{participant_id} own   404 200 200 200 404 404 404 404
GET  /c/{consult_id}/{participant_id} other 404 404 404 404 404 404 404 404
GET  /c/{consult_id}/{participant_id} ended 404 200 200 200 404 404 404 404
POST /api/ticket own                        404 200 200 200 404 404 404 404
POST /api/ticket other                      404 404 404 404 404 404 404 404
POST /api/ticket ended                      404 200 200 200 404 404 404 404
POST /api/ticket board                      401 401 401 200 200 200 200 200
GET  /board                                 303 303 303 200 200 200 303 200
GET  /board/new                             303 303 303 303 303 200 303 200
GET  /board/interpreters                    303 303 303 303 303 200 303 200
GET  /board/interpreters.csv                401 401 401 403 403 200 403 200
POST /api/interpreters                      401 401 401 403 403 200 403 200
POST /api/interpreters/save                 401 401 401 403 403 400 403 400
POST /api/interpreters/shift                401 401 401 403 403 400 403 400
POST /api/interpreters/unshift              401 401 401 403 403 400 403 400
POST /api/desk                              401 401 401 403 403 403 200 403
POST /api/consult/{consult_id}/{participant_id}/rate own   404 400 400 400 404 404 404 404
POST /api/consult/{consult_id}/{participant_id}/rate other 404 404 404 404 404 404 404 404
POST /api/consult/{consult_id}/{participant_id}/rate ended 404 400 400 400 404 404 404 404
GET  /desk                                  303 303 303 303 303 303 200 303
POST /api/consult/{consult_id}/enter own    401 401 401 200 403 403 403 404
POST /api/consult/{consult_id}/enter other  401 401 401 403 403 403 403 404
POST /api/consult/{consult_id}/enter ended  401 401 401 200 403 403 403 404
GET  /recordings                            303 303 303 200 200 200 303 200
GET  /recordings/{recording_id} own         303 303 303 200 200 200 303 404
GET  /recordings/{recording_id} other       303 303 303 200 200 200 303 404
POST /api/recordings                        401 401 401 200 200 200 403 200
POST /api/recordings/acknowledge            401 401 401 403 403 404 403 404
POST /api/recordings/{recording_id}/open own         401 401 401 200 403 403 403 404
POST /api/recordings/{recording_id}/open other       401 401 401 403 403 403 403 404
POST /api/recordings/{recording_id}/export own       401 401 401 200 403 403 403 404
POST /api/recordings/{recording_id}/export other     401 401 401 403 403 403 403 404
POST /api/recordings/{recording_id}/compose own      401 401 401 200 403 403 403 404
POST /api/recordings/{recording_id}/compose other    401 401 401 403 403 403 403 404
POST /api/recordings/{recording_id}/compose/cancel own   401 401 401 200 403 403 403 404
POST /api/recordings/{recording_id}/compose/cancel other 401 401 401 403 403 403 403 404
POST /api/recordings/{recording_id}/access-log own   401 401 401 200 403 200 403 404
POST /api/recordings/{recording_id}/access-log other 401 401 401 403 403 200 403 404
POST /api/recordings/{recording_id}/hold own         401 401 401 200 403 200 403 404
POST /api/recordings/{recording_id}/hold other       401 401 401 403 403 200 403 404
POST /api/recordings/{recording_id}/delete own       401 401 401 409 403 409 403 404
POST /api/recordings/{recording_id}/delete other     401 401 401 403 403 409 403 404
GET  /api/recordings/{recording_id}/views/{view} own     401 401 401 403 403 403 403 404
GET  /api/recordings/{recording_id}/views/{view} other   401 401 401 403 403 403 403 404
GET  /api/recordings/{recording_id}/composed own     401 401 401 403 403 403 403 404
GET  /api/recordings/{recording_id}/composed other   401 401 401 403 403 403 403 404
GET  /healthz                               200 200 200 200 200 200 200 200
GET  /readyz                                200 200 200 200 200 200 200 200
GET  /metrics                               200 200 200 200 200 200 200 200
GET  /demo                                  200 200 200 200 200 200 200 200
POST /api/demo/enter                        400 400 400 400 400 400 400 400
POST /api/signin                            400 400 400 400 400 400 400 400
POST /api/signout                           200 200 200 200 200 200 200 200
"""
BOARD_TICKET: Final = {"board": True}


def _table() -> list[tuple[str, str, str, list[int]]]:
    """Method, path, which consult ("" where none is named) and the statuses; signing out comes last."""
    rows = []
    for line in TABLE.strip().splitlines():
        words = line.split()
        statuses = [int(word) for word in words[-len(EVERYBODY) :]]
        method, path, *which = words[: -len(EVERYBODY)]
        rows.append((method, path, "".join(which), statuses))
    return rows


# Well formed: what is refused is refused for who asks. Deleting comes after the hold, and so is too late.
SAID: Final = {
    "acknowledge": {"alert": "none"},
    "open": {"purpose": "treatment"},
    "export": {"purpose": "treatment"},
    "compose": {"purpose": "treatment"},
    "hold": {"held": True, "reason": "a claim"},
    "delete": {"reason": "the patient asks", "drop": True},
}


def _said(path: str, which: str, target: Target, who: str) -> str:
    if path.startswith("/api/recordings"):
        return json.dumps(SAID.get(path.rpartition("/")[2], {}))
    if path != "/api/ticket":
        return "{}"
    seat = {"consult_id": target.consult, "participant_id": target.seat(who)}
    return json.dumps(BOARD_TICKET if which == "board" else seat)


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert {(method, path) for method, path, _, _ in _table()} == {
        (route.method, route.path) for route in ROUTES + DEMO_ROUTES
    }


async def test_everybody_is_answered_what_the_table_says(http: Any) -> None:
    visitors = Visitors(http)
    await visitors.come()
    wrong = {}
    for method, path, which, statuses in sorted(
        _table(), key=lambda row: row[2] == "ended" or "signout" in row[1]
    ):
        if which == "ended" and "ended" not in visitors.targets:
            await visitors.end()
        target = visitors.targets.get(which, visitors.targets["own"])
        for who, expected in zip(EVERYBODY, statuses, strict=True):
            named = {
                "{consult_id}": target.consult,
                "{participant_id}": target.seat(who),
                "{file:.+}": "no.js",
                "{recording_id}": target.recording,
                "{view}": "p0",
            }
            address = path
            for field, value in named.items():
                address = address.replace(field, value)
            body = _said(path, which, target, who) if method == "POST" else None
            status = await visitors.send(who, method, address, body)
            if status != expected:
                wrong[method, path, which, who] = f"{status}, not {expected}"
    assert wrong == {}
