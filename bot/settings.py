"""The environment (or a `.env` file) as one frozen value. Nothing else reads `os.environ`."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "WEGWIJS_"
_ASYNC_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}


def _database_url(value: str) -> str:
    """Complete a URL with the async driver that we bring; refuse other databases."""
    try:
        url = make_url(value)
    except ArgumentError:
        raise ValueError from None
    url = url.set(drivername=_ASYNC_DRIVERS.get(url.drivername, url.drivername))
    if url.drivername not in _ASYNC_DRIVERS.values():
        raise ValueError
    return url.render_as_string(hide_password=False)


def _web_address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError
    return value.rstrip("/")


def _https_address(value: str) -> str:
    if not value.startswith("https://"):
        raise ValueError
    return value


def _matching(pattern: str) -> Callable[[SecretStr], SecretStr]:
    def check(secret: SecretStr) -> SecretStr:
        if not re.fullmatch(pattern, secret.get_secret_value(), re.ASCII):
            raise ValueError
        return secret

    return check


_telegram_token = _matching(r"\w+:[\w-]+")
_webhook_secret = _matching(r"[\w-]{1,256}")  # Bot API, setWebhook, secret_token


def _ids(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """What the operator chooses; each field is the variable `WEGWIJS_` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    telegram_token: Annotated[SecretStr, AfterValidator(_telegram_token)] | None = Field(
        None, description="a token as @BotFather gives it, 123456:ABC…"
    )
    telegram_api: Annotated[str, AfterValidator(_web_address)] = Field(
        "https://api.telegram.org", description="a web address that starts with http:// or https://"
    )
    webhook_url: Annotated[str, AfterValidator(_https_address)] | None = Field(
        None, description="a web address that starts with https://"
    )
    webhook_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] | None = Field(
        None, description="1 to 256 letters, digits, _ or -"
    )
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        "sqlite+aiosqlite:///var/wegwijs.db",
        description="an SQLAlchemy URL, sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
    )
    knowledge: Path = Field(Path("knowledge"), description="a directory")
    host: str = Field("127.0.0.1", description="a host name or an address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="a whole number from 0 to 65535")
    staff: Annotated[tuple[int, ...], NoDecode] = Field(
        (), description="Telegram user ids, whole numbers with commas between them"
    )
    staff_chat: int | None = Field(None, description="the id of a Telegram group, a whole number")

    @model_validator(mode="before")
    @classmethod
    def _split_ids(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "staff": _ids(values["staff"])} if "staff" in values else values

    @model_validator(mode="after")
    def _webhook_has_its_secret(self) -> "Settings":
        if self.webhook_url and not self.webhook_secret:
            raise ValueError(
                f"{PREFIX}WEBHOOK_URL is set: set {PREFIX}WEBHOOK_SECRET too, to 1 to 256 letters, digits, _ or -"
            )
        if self.webhook_url and not self.telegram_token:
            raise ValueError(
                f"{PREFIX}WEBHOOK_URL is set: set {PREFIX}TELEGRAM_TOKEN too, to a token as @BotFather gives it"
            )
        return self


class WrongSettings(Exception):
    """One or more settings are wrong; its text is one line for each, for the operator."""


def load(**overrides: Any) -> Settings:
    """Read the settings; raises `WrongSettings` that names the variable, what it holds and what it takes."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise WrongSettings("\n".join(_line(problem) for problem in error.errors())) from None


def _line(problem: Any) -> str:
    if not problem["loc"]:
        return str(problem["ctx"]["error"])
    name = str(problem["loc"][0])
    takes = Settings.model_fields[name].description
    secret = name in ("telegram_token", "webhook_secret") or "@" in str(problem["input"])
    holds = "a value that is not shown here" if secret else repr(problem["input"])
    return f"{PREFIX}{name.upper()} holds {holds}; it takes {takes}"
