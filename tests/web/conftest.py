"""What tests of the pages of recordings share: small films, and a made-up server that has them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.kit.browsers import Browsers, chromium
from tests.e2e.kit.ports import free_port
from tests.web import recording_samples as samples
from tests.web.playback_media import make_view
from tests.web.recording_site import Vault
from tests.web.site import site


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for at, (view, spans) in enumerate(samples.SPANS.items()):
        voice = 0 if view.startswith("s") else 220 + 80 * at
        make_view(folder / f"{view}.webm", spans, length_s=samples.LENGTH_S, shade=50 + 30 * at, hz=voice)
    return folder


@pytest.fixture
def vault(films: Path) -> Vault:
    return Vault(films)


@pytest.fixture
async def origin(vault: Vault) -> AsyncIterator[str]:
    async with site(free_port(), vault.routes()) as (found, _clinic):
        yield found
        vault.flow.set()


@pytest.fixture
async def browsers() -> AsyncIterator[Browsers]:
    async with chromium() as found:
        yield found
