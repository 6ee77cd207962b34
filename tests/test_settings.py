"""Settings: what is wrong is said in one line; what is right is documented."""

from pathlib import Path

import pytest

from bot import settings
from bot.settings import PREFIX, Settings, WrongSettings
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("STAFF", "1,x"),
        ("STAFF_CHAT", "group"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "nonsense"),
        ("TELEGRAM_API", "api.telegram.org"),
        ("TELEGRAM_TOKEN", "not a token"),
        ("WEBHOOK_SECRET", "with spaces"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_variable_value_and_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(WrongSettings) as wrong:
        settings.load()
    line = str(wrong.value)
    assert line.startswith(PREFIX + name)
    assert "it takes" in line
    assert "\n" not in line
    secret = name in ("TELEGRAM_TOKEN", "WEBHOOK_SECRET")
    assert (value in line or "'x'" in line) is not secret


def test_a_password_in_a_database_url_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEGWIJS_DATABASE_URL", "mysql://me:secret@localhost/x")
    with pytest.raises(WrongSettings) as wrong:
        settings.load()
    assert "secret" not in str(wrong.value)


@pytest.mark.parametrize("missing", ["WEBHOOK_SECRET", "TELEGRAM_TOKEN"])
def test_a_webhook_needs_its_secret_and_a_token(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    values = {"WEBHOOK_URL": "https://example.org/x", "WEBHOOK_SECRET": "s", "TELEGRAM_TOKEN": "1:a"}
    for name, value in values.items():
        if name != missing:
            monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(WrongSettings, match=missing):
        settings.load()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
    ],
)
def test_a_database_url_gets_the_driver_that_we_bring(monkeypatch: pytest.MonkeyPatch, given: str, used: str) -> None:
    monkeypatch.setenv("WEGWIJS_DATABASE_URL", given)
    assert settings.load().database_url == used


def test_settings_are_read_from_a_file_and_an_empty_one_counts_as_not_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("WEGWIJS_PORT=9000\nWEGWIJS_STAFF=1, 2\nWEGWIJS_TELEGRAM_TOKEN=\n")
    monkeypatch.setenv("WEGWIJS_HOST", "")
    loaded = settings.load()
    assert (loaded.port, loaded.staff, loaded.telegram_token, loaded.host) == (9000, (1, 2), None, "127.0.0.1")


def test_a_token_is_not_shown_by_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEGWIJS_TELEGRAM_TOKEN", "123:hidden")
    assert "hidden" not in repr(settings.load())


def test_every_setting_is_documented() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"`{PREFIX}{name.upper()}`" in readme
