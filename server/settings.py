"""Every setting: its name, type, default and sentence in one place. Read once, frozen afterwards.

`config/meridian.example.toml` is generated from these classes. Where values come from, and what a wrong one
looks like, is in `settings_loading.py`.
"""

import os
import sys
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from server.turn import address_of
from signaling.protocol.fields import Language, Phone

ENV_PREFIX = "MERIDIAN_"
FILE_PREFIX = "file:"
FILE_BYTES_MAX = 4096
DATABASES = ("sqlite+aiosqlite:///", "postgresql+asyncpg://")
CLUSTER_SECRET_CHARS_MIN = 32
DEFAULT_PORTS = {"http": 80, "https": 443}


def data_dir_default() -> Path:
    """Where this platform keeps a program's data for the person who runs it."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Meridian"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "Meridian"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "meridian"


def _list(value: Any) -> Any:
    """Accept `a, b` from the environment where TOML has a list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _secret(value: Any) -> Any:
    """Read `file:/run/secrets/x`; anything else is the secret itself."""
    if not isinstance(value, str) or not value.startswith(FILE_PREFIX):
        return value
    path = Path(value.removeprefix(FILE_PREFIX))
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(FILE_BYTES_MAX).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the secret's file cannot be read: {path} ({type(error).__name__})") from error


def _database_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(DATABASES):
        raise ValueError(f"use {' or '.join(DATABASES)} and what belongs to it")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("no such time zone; use a name such as America/Los_Angeles") from error
    return value


def as_origin(value: str) -> str:
    """An origin in the one form browsers send it in; raises ValueError for anything else."""
    parts = urlsplit(value)
    beside = parts.path.removeprefix("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or beside:
        raise ValueError("use scheme, host and port alone, such as https://visits.example.org")
    # As browsers send it, or no request would come from the right place.
    host = parts.hostname if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    name = f"[{host}]" if ":" in host else host
    with_port = "" if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{name}{with_port}"


Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=7 * 86400)]
Secret = Annotated[SecretStr, BeforeValidator(_secret)]
TimeZone = Annotated[str, AfterValidator(_zone)]
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Section(BaseModel):
    """One table of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Server(Section):
    """The web server."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all of this machine's.")
    port: Port = Field(8080, description="TCP port to listen on.")
    public_url: Annotated[str, AfterValidator(as_origin)] | None = Field(
        None,
        description="What people type to reach it, such as https://visits.example.org; not set: host, port.",
    )
    tls_certificate: Path | None = Field(
        None, description="Certificate chain (PEM), when no proxy in front speaks TLS."
    )
    tls_key: Path | None = Field(None, description="Private key of the certificate (PEM).")
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_list)] = Field(
        (), description="Networks of proxies whose X-Forwarded-For is believed."
    )
    data_dir: Path = Field(
        default_factory=data_dir_default,
        description="Folder of the database and all else that is kept. Not set: the platform's usual place.",
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="Log lines: json, text, or auto for text on a terminal and json elsewhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least level that is logged."
    )
    metrics_token: Secret | None = Field(
        None, description="Bearer token for /metrics from other machines. Not set: this machine only."
    )


class Media(Section):
    """Audio and video."""

    port: Port = Field(
        40000, description="UDP port of the first media worker; each further one has the next."
    )
    workers: int = Field(0, ge=0, le=64, description="Media worker processes; 0 for one per processor core.")
    bind: Annotated[tuple[Address, ...], NoDecode, BeforeValidator(_list)] = Field(
        (), description="Local addresses to send and receive on. Empty: all of this machine's."
    )
    public_addresses: Annotated[tuple[Address, ...], NoDecode, BeforeValidator(_list)] = Field(
        (),
        description="Addresses under which the media ports are reached from outside (1:1 translation).",
    )


def _turn_urls(value: tuple[str, ...]) -> tuple[str, ...]:
    for url in value:
        address_of(url)
    return value


class Turn(Section):
    """Relays for people whose network blocks the direct way to the media ports."""

    urls: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list), AfterValidator(_turn_urls)] = Field(
        (),
        max_length=5,
        description="TURN URIs: turn:turn.example.org:3478, the same with ?transport=tcp, "
        "turns:turn.example.org:443. All are tried at once.",
    )
    secret: Secret | None = Field(
        None, description="What coturn knows as static-auth-secret. Or file:/path/of/secret."
    )
    credential_valid_s: int = Field(
        600, ge=60, le=86400, description="Seconds in which a credential opens a relay; open ones stay."
    )


class Database(Section):
    """Where consults are kept."""

    url: Annotated[Secret, AfterValidator(_database_url)] | None = Field(
        None,
        description="SQLAlchemy URL. Not set: an SQLite file in server.data_dir. Or file:/path/of/secret.",
    )


def _redis_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("redis://", "rediss://")):
        raise ValueError("use redis:// or rediss:// and what belongs to it")
    return value


class Redis(Section):
    """Counts that outlive a restart, and news between servers. It keeps nothing that must last."""

    url: Annotated[Secret, AfterValidator(_redis_url)] | None = Field(
        None,
        description="Redis that counts tries of links and passwords. Not set: this process counts.",
    )


def _link_address(value: str) -> str:
    parts = urlsplit(f"//{value}")
    try:
        is_right = bool(parts.hostname) and parts.port is not None and parts.netloc == value
    except ValueError:
        is_right = False
    if not is_right:
        raise ValueError("use host and port alone, such as 10.0.0.5:9443")
    return value


class Cluster(Section):
    """Several servers with one database. They also need redis.url, and database.url with PostgreSQL."""

    address: Annotated[str, Field(max_length=120), AfterValidator(_link_address)] | None = Field(
        None,
        description="Private host:port where the other servers reach this one. Not set: there is no other.",
    )
    secret: Secret | None = Field(
        None, description="What all servers know and nobody else; 32 characters or more."
    )


class Clinic(Section):
    """The clinic people see."""

    id: str = Field(
        "main", pattern=r"^[a-z0-9-]{1,32}$", description="Short name of this clinic in the database."
    )
    name: str = Field("International Health Clinic", max_length=120, description="Name shown to patients.")
    phone: Phone = Field("", description="Number a patient can call for help, in international form.")
    interpreter_line: Phone = Field(
        "", description="Number of the telephone interpreters to call when no interpreter answers a ring."
    )
    time_zone: TimeZone = Field("America/Los_Angeles", description="The clinic's time zone.")
    languages: Annotated[tuple[Language, ...], NoDecode, BeforeValidator(_list)] = Field(
        ("en", "ar", "es", "zh-Hans"),
        description="Languages a patient can be booked in, as BCP 47 tags.",
    )


class Waiting(Section):
    """The waiting room."""

    open_before_s: Seconds = Field(1800, description="Seconds before the appointment that it opens.")
    lost_after_s: Seconds = Field(
        10, description="Seconds without a connection until a person counts as lost."
    )
    rejoin_grace_s: Seconds = Field(900, description="Seconds a lost person keeps their seat.")
    no_show_after_s: Seconds = Field(
        1800, description="Seconds after the start until an absent patient is a no-show."
    )
    abandoned_after_s: Seconds = Field(
        3600, description="Seconds with nobody there until a consult ends by itself."
    )
    participants_max: int = Field(6, ge=2, le=6, description="People in one consult.")


class SignIn(Section):
    """Sign-in of staff."""

    idle_s: int = Field(
        900,
        ge=120,
        le=86400,
        description="Seconds without a request, an open board or an open consult until staff sign in again.",
    )
    absolute_s: Seconds = Field(
        43200, description="Seconds after which staff must sign in again in any case."
    )
    attempts_per_minute: int = Field(
        10, ge=1, le=1000, description="Sign-in attempts a minute from one address."
    )
    attempts_per_account: int = Field(
        20, ge=1, le=1000, description="Sign-in attempts a quarter of an hour for one account."
    )


class Invitations(Section):
    """Links sent to people without an account."""

    valid_after_end_s: Seconds = Field(
        7200, description="Seconds after the booked end that a link still works."
    )
    tries_per_minute: int = Field(
        30, ge=1, le=10000, description="Links tried a minute from one address; families share one."
    )
    tries_per_consult: int = Field(
        60, ge=1, le=10000, description="Uses a minute of all links of one consult."
    )


def _storage_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "s3" or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise ValueError("use s3://bucket or s3://bucket/prefix; credentials come from the environment")
    return value


class Recording(Section):
    """Recordings of consults. Each needs the agreement of everybody in it."""

    enabled: bool = Field(default=True, description="Whether a physician can ask for a recording.")
    vault: Literal["child", "separate"] = Field(
        "child",
        description="What opens recordings: child, a process of the server's account, or separate: "
        "python -m server vault under an account of its own.",
    )
    unreviewed_texts: bool = Field(
        default=False,
        description="Let people agree to consent texts nobody has reviewed: only to try it out.",
    )
    retention_days: int = Field(
        3650, ge=1, le=36500, description="Days after which a recording is destroyed, unless it is held."
    )
    storage_url: Annotated[str, AfterValidator(_storage_url)] | None = Field(
        None,
        description="Where closed parts are kept beside server.data_dir, such as s3://bucket/prefix. "
        "Not set: nowhere.",
    )


class Settings(BaseSettings):
    """All settings. The environment (MERIDIAN_SECTION__NAME) wins over the file, that over these defaults."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__", validate_default=True
    )

    server: Server = Server()
    media: Media = Media()
    turn: Turn = Turn()
    database: Database = Database()
    redis: Redis = Redis()
    cluster: Cluster = Cluster()
    clinic: Clinic = Clinic()
    waiting: Waiting = Waiting()
    sign_in: SignIn = SignIn()
    invitations: Invitations = Invitations()
    recording: Recording = Recording()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        server = self.server
        if (server.tls_certificate is None) != (server.tls_key is None):
            raise ValueError("server.tls_certificate and server.tls_key: set both or neither")
        if server.public_url is None and not is_loopback(server.host):
            raise ValueError(
                "server.public_url: needed when server.host is not a loopback address, so that links and the "
                "check of where a request comes from have the right name"
            )
        if server.public_url is not None and server.public_url.startswith("http://"):
            host = urlsplit(server.public_url).hostname or ""
            if not is_loopback(host):
                raise ValueError("server.public_url: browsers give camera and microphone to https pages only")
        if bool(self.turn.urls) != (self.turn.secret is not None):
            raise ValueError("turn.urls and turn.secret: set both or neither")
        self._can_be_several()
        if self.media.port + self.media.workers - 1 > 65535:
            raise ValueError("media.port: too high for that many media workers")
        return self

    def _can_be_several(self) -> None:
        cluster = self.cluster
        if (cluster.address is None) != (cluster.secret is None):
            raise ValueError("cluster.address and cluster.secret: set both or neither")
        if cluster.address is None or cluster.secret is None:
            return
        if len(cluster.secret.get_secret_value()) < CLUSTER_SECRET_CHARS_MIN:
            raise ValueError(f"cluster.secret: at least {CLUSTER_SECRET_CHARS_MIN} characters")
        if self.redis.url is None:
            raise ValueError("cluster.address: several servers tell each other news through redis.url")
        if not self.database_url.startswith("postgresql"):
            raise ValueError("cluster.address: several servers need database.url with PostgreSQL")

    @property
    def public_url(self) -> str:
        """Scheme, host and port under which people reach the server."""
        if self.server.public_url is not None:
            return self.server.public_url
        scheme = "https" if self.server.tls_certificate else "http"
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return as_origin(f"{scheme}://{host}:{self.server.port}")

    @property
    def database_url(self) -> str:
        if self.database.url is not None:
            return self.database.url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.server.data_dir / 'meridian.sqlite3'}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
