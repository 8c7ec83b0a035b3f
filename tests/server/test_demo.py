"""The demonstration's day: believable, made once, with links that are fresh at each start."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from server import compose
from server.demo import CLINIC, DAY, prepare
from server.http.keys import Services
from signaling.consult.values import Phase, Role


async def consults(services: Services) -> list[Any]:
    now = services.clock.now()
    ids = await services.consults.board(CLINIC, now - DAY, now + DAY)
    return [await services.consults.load(one) for one in ids]


async def test_the_day_has_patients_of_three_countries_and_one_visit_is_about_to_begin(http: Any) -> None:
    now = http.services.clock.now()
    day = await consults(http.services)
    people = [(await http.services.consults.directory(one.id)).values() for one in day]
    assert {person.country for visit in people for person in visit} == {"KW", "CN", "MX", None}
    assert [one.phase for one in day] == [Phase.ENDED, Phase.SCHEDULED, Phase.SCHEDULED, Phase.SCHEDULED]
    soon = day[1]
    assert timedelta(0) <= soon.starts_at - now <= timedelta(minutes=10)
    assert soon.opens_at <= now
    assert {one.role for one in soon.participants} == {Role.PATIENT, Role.PHYSICIAN, Role.INTERPRETER}
    assert {one.role for one, _ in http.demo.passwords} == {"physician", "coordinator", "interpreter"}


async def test_starting_again_adds_nothing_and_makes_fresh_links(http: Any) -> None:
    before = await consults(http.services)
    again = await prepare(http.services, compose.policy(http.services.settings))
    assert await consults(http.services) == before
    for role, link in again.links.items():
        assert link != http.demo.links[role]
    assert not {secret for _, secret in again.passwords} & {secret for _, secret in http.demo.passwords}
    stale = await http.post("/api/invitation/preview", {"secret": http.secret("patient")})
    assert (await stale.json())["state"] == "revoked"
    http.demo = again
    assert await http.enter("patient")


async def test_starting_again_hours_later_makes_a_new_visit_that_is_about_to_begin(
    http: Any, clock: Any
) -> None:
    clock.pass_s(12 * 3600)
    before = {one.id for one in await consults(http.services)}
    http.demo = await prepare(http.services, compose.policy(http.services.settings))
    consult = (await http.enter("patient")).split("/")[2]
    assert consult not in before
    now = clock.now()
    [main] = [one for one in await consults(http.services) if one.id == consult]
    assert timedelta(0) <= main.starts_at - now <= timedelta(minutes=10)


async def test_the_links_are_written_at_once(http: Any, tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    http.demo.write(file)
    links = json.loads(file.read_text())
    assert {"patient", "physician", "interpreter"} <= set(links)
    assert [path.name for path in tmp_path.glob("*demo.json*")] == ["demo.json"]
