"""Settings: where values come from, and that a wrong one is named with its reason and a next step."""

import ipaddress
from pathlib import Path

import pytest

from server.config_example import EXAMPLE, example
from server.settings import Settings
from server.settings_loading import SettingsError, load, shown


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MERIDIAN_SERVER__PORT", raising=False)


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "meridian.toml"
    path.write_text(text)
    return path


def refused(tmp_path: Path, text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(file(tmp_path, text))
    return caught.value


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERIDIAN_SERVER__PORT", "9001")
    loaded = load(file(tmp_path, '[server]\nport = 9000\nhost = "127.0.0.2"\n'))
    assert loaded.settings.server.port == 9001
    assert loaded.settings.server.host == "127.0.0.2"
    assert loaded.settings.media.port == 40000
    sources = {line.name: line.source for line in shown(loaded)}
    assert sources["server.port"] == "environment"
    assert sources["server.host"].endswith("meridian.toml")
    assert sources["media.port"] == "default"


def test_port_media_port_and_data_dir_can_be_moved_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERIDIAN_SERVER__PORT", "9001")
    monkeypatch.setenv("MERIDIAN_MEDIA__PORT", "41000")
    monkeypatch.setenv("MERIDIAN_SERVER__DATA_DIR", str(tmp_path))
    settings = load().settings
    assert (settings.server.port, settings.media.port, settings.server.data_dir) == (9001, 41000, tmp_path)
    assert settings.database_url.endswith(f"{tmp_path}/meridian.sqlite3")


def test_lists_come_from_the_environment_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERIDIAN_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1/128")
    proxies = load().settings.server.trusted_proxies
    assert proxies == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))


def test_a_secret_can_be_the_path_of_a_file_and_is_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("hunter2\n")
    loaded = load(file(tmp_path, f'[server]\nmetrics_token = "file:{secret}"\n'))
    token = loaded.settings.server.metrics_token
    assert token is not None
    assert token.get_secret_value() == "hunter2"
    assert "hunter2" not in "".join(line.value for line in shown(loaded))
    assert "hunter2" not in repr(loaded.settings)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nprot = 1\n", "server.prot"),
        ("[sever]\nport = 1\n", "sever"),
        ("[server]\nport = 70000\n", "server.port"),
        ('[clinic]\ntime_zone = "Mars/Base"\n', "clinic.time_zone"),
        ('[server]\nhost = "0.0.0.0"\n', "server.public_url"),
        ('[server]\npublic_url = "http://visits.example.org"\n', "server.public_url"),
        ('[server]\npublic_url = "https://visits.example.org/x"\n', "server.public_url"),
        ('[server]\npublic_url = "https://visits.example.org:99999"\n', "server.public_url"),
        ('[server]\npublic_url = "https://me:pw@visits.example.org"\n', "server.public_url"),
        ('[server]\npublic_url = "https://visits.example.org#x"\n', "server.public_url"),
        ('[database]\nurl = "mysql://somewhere/x"\n', "database.url"),
        ('[clinic]\nphone = "ask at the desk"\n', "clinic.phone"),
        ('[clinic]\nlanguages = ["en", "no tag"]\n', "clinic.languages"),
        ('[server]\ntls_key = "k.pem"\n', "server.tls_certificate"),
        ('[server]\nmetrics_token = "file:/nowhere"\n', "server.metrics_token"),
        ("[media]\nport = 65535\nworkers = 4\n", "media.port"),
        ("port = 1\n", "port"),
        ("[server\n", "meridian.toml"),
    ],
)
def test_a_wrong_setting_is_named_with_a_next_step(tmp_path: Path, text: str, named: str) -> None:
    error = refused(tmp_path, text)
    assert named in str(error)
    assert error.hint


@pytest.mark.parametrize(
    ("typed", "sent_by_browsers"),
    [
        ("https://Visits.Example.org/", "https://visits.example.org"),
        ("https://visits.example.org:443", "https://visits.example.org"),
        ("https://visits.example.org:8443", "https://visits.example.org:8443"),
        ("http://LOCALHOST:80", "http://localhost"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
    ],
)
def test_the_public_url_is_understood_as_browsers_send_it(typed: str, sent_by_browsers: str) -> None:
    assert load(overrides={"server": {"public_url": typed}}).settings.public_url == sent_by_browsers


def test_an_unknown_setting_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERIDIAN_SERVER__PROT", "1")
    with pytest.raises(SettingsError, match=r"server\.prot"):
        load()


def test_a_missing_second_underscore_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERIDIAN_SERVER_PORT", "1")
    with pytest.raises(SettingsError) as caught:
        load()
    assert "MERIDIAN_SERVER__PORT" in caught.value.hint


def test_settings_cannot_be_changed_once_read() -> None:
    settings = load().settings
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1  # type: ignore[misc]


def test_every_setting_has_a_sentence() -> None:
    for name, section in Settings.model_fields.items():
        settings = getattr(Settings(), name)
        assert section.annotation is type(settings)
        assert type(settings).__doc__
        for field in type(settings).model_fields.values():
            assert (field.description or "").endswith((".", "address.", "secret."))


def test_the_example_file_is_fresh() -> None:
    assert EXAMPLE.read_text() == example(), "python -m server config example --write"


def test_the_example_file_with_everything_set_is_accepted(tmp_path: Path) -> None:
    lines = [
        line.removeprefix("#")
        for line in example().splitlines()
        if not line.startswith("# ") and not line.endswith("=")
    ]
    assert load(file(tmp_path, "\n".join(lines))).settings.model_dump() == Settings().model_dump()
