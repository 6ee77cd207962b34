"""The application as an operator starts it: one process, from outside."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest
import structlog
from structlog.testing import capture_logs

from bot import storage
from bot.app import open_conversation
from bot.conversation import Event, Reply, Speaker, Utterance
from bot.settings import Settings
from tests.conftest import KNOWLEDGE, eventually
from tests.fake_telegram import TOKEN, Refused, open_fake_telegram
from tests.serving import WEBHOOK

WEGWIJS = Path(sys.executable).with_name("wegwijs")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def _start(workplace: Path, **settings: str) -> asyncio.subprocess.Process:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("WEGWIJS_")},
        "WEGWIJS_DATABASE_URL": f"sqlite:///{workplace}/wegwijs.db",
        "WEGWIJS_KNOWLEDGE": str(KNOWLEDGE),
        **{f"WEGWIJS_{name}": value for name, value in settings.items()},
    }
    return await asyncio.create_subprocess_exec(
        str(WEGWIJS),
        "serve",
        cwd=workplace,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _ready(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    async with asyncio.timeout(60):
        while line := (await process.stdout.readline()).decode():
            if "Web chat" in line:
                return line.split()[-1].rstrip("/")
    assert process.stderr
    pytest.fail((await process.stderr.read()).decode())


async def test_serve_answers_on_the_web_and_on_telegram_and_stops_when_told(workplace: Path) -> None:
    async with open_fake_telegram() as telegram:
        process = await _start(workplace, PORT=str(_free_port()), TELEGRAM_TOKEN=TOKEN, TELEGRAM_API=telegram.url)
        address = await _ready(process)
        async with (
            aiohttp.ClientSession() as client,
            client.post(f"{address}/chat", json={"text": "adres Amal"}) as web,
        ):
            assert "Kongostraat" in await web.text()
        telegram.say("де ваша адреса?", language="uk")
        await eventually(lambda: telegram.messages)
        assert "Kongostraat" in telegram.messages[0].text
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 0
        assert "Traceback" not in errors.decode()
        assert "адреса" not in errors.decode()


async def test_a_restart_keeps_what_was_chosen_and_answers_what_came_meanwhile(workplace: Path) -> None:
    async with open_fake_telegram() as telegram:
        settings = {"PORT": str(_free_port()), "TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API": telegram.url}
        process = await _start(workplace, **settings)
        telegram.say("/language")
        await eventually(lambda: telegram.messages)
        telegram.press(telegram.messages[0], "Türkçe")
        await eventually(lambda: telegram.messages[0].edited and not telegram.unanswered)
        process.kill()
        await process.communicate()
        telegram.say("/start")
        process = await _start(workplace, **settings)
        await eventually(lambda: "Merhaba" in telegram.messages[-1].text)
        assert len(telegram.messages) == 2
        process.terminate()
        await process.communicate()


async def test_the_web_chat_is_served_while_telegram_is_away_and_telegram_is_joined_when_it_is_back(
    workplace: Path,
) -> None:
    port = _free_port()
    process = await _start(workplace, PORT="0", TELEGRAM_TOKEN=TOKEN, TELEGRAM_API=f"http://127.0.0.1:{port}")
    address = await _ready(process)
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{address}/chat", json={"text": "adres Amal"}) as web,
    ):
        assert "Kongostraat" in await web.text()
    async with open_fake_telegram(port=port) as telegram:
        telegram.say("where is Amal?")
        await eventually(lambda: telegram.messages)
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def test_a_webhook_that_telegram_refuses_ends_the_start_with_one_clear_line(workplace: Path) -> None:
    async with open_fake_telegram() as telegram:
        telegram.faults["setWebhook"] = [Refused(400, "Bad Request: bad webhook: Failed to resolve host")]
        process = await _start(workplace, PORT="0", TELEGRAM_TOKEN=TOKEN, TELEGRAM_API=telegram.url, **WEBHOOK)
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    line = errors.decode().strip().splitlines()[-1]
    assert line.startswith("wegwijs: WEGWIJS_WEBHOOK_URL is not accepted by Telegram: ")
    assert "failed to resolve host" in line
    assert "Traceback" not in errors.decode()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"PORT": "http"}, "WEGWIJS_PORT holds 'http'; it takes a whole number from 0 to 65535"),
        ({"KNOWLEDGE": "/nowhere"}, "/nowhere:1: this directory is not there"),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "the database cannot be reached"),
        ({"DATABASE_URL": f"sqlite:///{__file__}"}, "the database cannot be used (file is not a database)"),
        ({"DATABASE_URL": f"sqlite:///{__file__}/x.db"}, "the database cannot be reached"),
        ({"HOST": "256.0.0.1"}, "set WEGWIJS_HOST or WEGWIJS_PORT to another"),
    ],
)
async def test_a_wrong_setting_ends_the_start_with_one_clear_line(
    workplace: Path, settings: dict[str, str], line: str
) -> None:
    process = await _start(workplace, **{"PORT": "0", **settings})
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    said = [text for text in errors.decode().splitlines() if not text.startswith("{")]
    assert process.returncode == 1
    assert len(said) == 1
    assert said[0].startswith("wegwijs: ")
    assert line in said[0]


async def test_a_wrong_token_ends_the_start_with_one_clear_line(workplace: Path) -> None:
    async with open_fake_telegram() as telegram:
        process = await _start(workplace, PORT="0", TELEGRAM_TOKEN="1:wrong", TELEGRAM_API=telegram.url)
        _, errors = await asyncio.wait_for(process.communicate(), 60)
        assert errors.decode().splitlines()[-1].startswith("wegwijs: WEGWIJS_TELEGRAM_TOKEN is not accepted")


async def test_a_port_that_is_taken_is_one_clear_line(workplace: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await _start(workplace, PORT=str(taken.getsockname()[1]))
        _, errors = await asyncio.wait_for(process.communicate(), 60)
        assert "set WEGWIJS_HOST or WEGWIJS_PORT to another" in errors.decode().splitlines()[-1]


async def _logged(workplace: Path, event: Event) -> tuple[Sequence[Reply], list[dict[str, object]]]:
    settings = Settings(database_url=f"sqlite:///{workplace}/x.db", knowledge=KNOWLEDGE)
    async with open_conversation(settings) as conversation:
        with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
            replies = await conversation.respond(event)
    return replies, [dict(entry) for entry in logs]


async def test_a_log_line_says_what_was_decided_and_nothing_that_was_written(workplace: Path) -> None:
    event = Utterance(text="wat is het adres van Amal, ik heet Jan Peeters", speaker=Speaker("test", "9876543", "nl"))
    _, logs = await _logged(workplace, event)
    [line] = [entry for entry in logs if entry["event"] == "answered"]
    assert (line["decision"], line["slug"], line["language"]) == ("answer", "contact", "nl")
    everything = json.dumps(logs)
    assert "Jan" not in everything
    assert "9876543" not in everything


async def test_a_fault_of_ours_becomes_a_kind_word(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_args: object, **_kwargs: object) -> Sequence[Reply]:
        raise RuntimeError("secret words")

    monkeypatch.setattr("bot.app.respond", broken)
    [reply], logs = await _logged(workplace, Utterance(text="hallo", speaker=Speaker("test", "1", "nl")))
    assert reply.language.code == "nl"
    assert any(entry["event"] == "respond failed" for entry in logs)


async def test_a_database_that_is_away_is_no_fault_of_ours(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_args: object, **_kwargs: object) -> Sequence[Reply]:
        raise storage.Unavailable

    monkeypatch.setattr("bot.app.respond", away)
    with pytest.raises(storage.Unavailable):
        await _logged(workplace, Utterance(text="hallo", speaker=Speaker("test", "1", "nl")))
