"""The coordinators' register, duty plan and counts over HTTP; an interpreter's own day; ratings."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from server.demo_day import REGISTER


@pytest.fixture
async def site(http: Any) -> Any:
    await http.sign_in("coordinator")
    return http


async def overview(site: Any) -> dict[str, Any]:
    answer = await site.post("/api/interpreters")
    assert answer.status == 200
    return dict(await answer.json())


async def line(site: Any, number: str) -> dict[str, Any]:
    found = next(one for one in (await overview(site))["register"] if one["number"] == number)
    return {name: found[name] for name in found if name not in ("name", "availability")}


async def test_a_line_of_the_register_is_changed_and_read_back(site: Any) -> None:
    changed = await line(site, REGISTER[1].number) | {
        "agency": "Lingua",
        "pairs": [["ar", "en"], ["en", "ar"], ["fa", "en"], ["en", "fa"]],
        "gender": None,
        "camera": False,
    }
    physicians = (await overview(site))["physicians"]
    changed["excluded"] = [physicians[0]["id"]]
    answer = await site.post("/api/interpreters/save", changed)
    assert answer.status == 200
    assert await line(site, REGISTER[1].number) == changed


async def test_a_number_belongs_to_one_interpreter(site: Any) -> None:
    changed = await line(site, REGISTER[1].number) | {"number": REGISTER[0].number}
    answer = await site.post("/api/interpreters/save", changed)
    assert (answer.status, (await answer.json())["code"]) == (410, "used")


@pytest.mark.parametrize(
    "change",
    [{"number": "with spaces"}, {"pairs": [["ar"]]}, {"pairs": [["ar", "en"]] * 49}, {"gender": "?"}],
    ids=["number", "half a pair", "too many", "gender"],
)
async def test_what_is_not_as_it_should_be_is_refused(site: Any, change: dict[str, Any]) -> None:
    answer = await site.post("/api/interpreters/save", await line(site, REGISTER[1].number) | change)
    assert answer.status == 400


async def test_only_an_interpreter_of_this_clinic_is_put_on_the_register(site: Any) -> None:
    physician = (await overview(site))["physicians"][0]["id"]
    changed = await line(site, REGISTER[1].number) | {"user": physician, "number": "1"}
    assert (await site.post("/api/interpreters/save", changed)).status == 404


async def test_a_shift_is_planned_and_taken_out(site: Any) -> None:
    user = (await line(site, REGISTER[1].number))["user"]
    now = site.services.clock.now()
    shift = {
        "user": user,
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=8)).isoformat(),
    }
    made = (await (await site.post("/api/interpreters/shift", shift)).json())["shift"]
    assert [one["shift"] for one in (await overview(site))["shifts"]] == [made]
    backwards = shift | {"ends_at": (now - timedelta(hours=1)).isoformat()}
    assert (await site.post("/api/interpreters/shift", backwards)).status == 400
    assert (await site.post("/api/interpreters/unshift", {"shift": made})).status == 200
    assert (await overview(site))["shifts"] == []


async def test_nothing_has_happened_yet_and_the_table_has_its_head(site: Any) -> None:
    assert (await overview(site))["counts"] == {"languages": [], "signals": {}}
    answer = await site.get("/board/interpreters.csv?days=7")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert rows == []


async def test_an_interpreter_sees_their_own_day(http: Any) -> None:
    await http.sign_in("desk")
    answer = await http.post("/api/desk")
    assert await answer.json() == {"minutes": 0, "consults": 0, "shifts": []}
