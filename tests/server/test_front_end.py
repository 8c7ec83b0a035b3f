"""Pages and the files they name: compressed where that gives nothing away, and fresh."""

from pathlib import Path
from typing import Any

import pytest

from server.http import front_end
from server.http.front_end import FrontEnd


async def test_pages_are_compressed_and_what_holds_a_secret_is_not(http: Any) -> None:
    page = await http.enter("patient")
    client, headers = (
        http.client.session,
        {"Accept": "text/html", "Host": http.origin.removeprefix("http://")},
    )
    for accepted, coding in (("gzip, deflate, br", "gzip"), ("identity", None)):
        url = f"http://127.0.0.1:{http.services.settings.server.port}{page}"
        answer = await client.get(url, headers=headers | {"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == coding
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert "</html>" in await answer.text()
    _, _, consult, participant = page.split("/")
    ticket = await http.post("/api/ticket", {"consult_id": consult, "participant_id": participant})
    preview = await http.post(
        "/api/invitation/preview", {"secret": http.secret("interpreter"), "language": "en"}
    )
    for answer in (ticket, preview):
        assert answer.status == 200
        assert "Content-Encoding" not in answer.headers


async def test_the_demonstration_notices_a_new_build(
    http: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = http.services.front.files
    manifest = tmp_path / "manifest.json"
    manifest.write_text("{}")
    monkeypatch.setattr(front_end, "MANIFEST", manifest)
    after = http.services.front.files
    assert after is not before
    assert http.services.front.files is after
    asked = FrontEnd(follows_builds=False)
    kept = asked.files
    manifest.write_text("{} ")
    assert asked.files is kept
