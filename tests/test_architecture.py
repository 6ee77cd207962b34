"""The rooms of `bot/` and who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

BOT = ROOT / "bot"
EVERYTHING = {"*"}

# What each room may import of the others.
MAY_IMPORT: dict[str, set[str]] = {
    "__init__": set(),
    "__main__": EVERYTHING,
    "cli": EVERYTHING,
    "cli_bookings": EVERYTHING,
    "app": EVERYTHING,
    "settings": set(),
    "languages": set(),
    "texts": set(),
    "markup": {"languages"},
    "phrases": {"languages", "texts"},
    "scheduling": set(),
    "offers": set(),
    "knowledge": {"languages", "scheduling", "offers"},
    "understanding": {"knowledge", "languages", "offers", "phrases"},
    "learning": {"knowledge", "phrases", "texts", "understanding"},
    "evaluation": {"languages", "understanding"},
    "storage": {"scheduling"},
    "conversation": {"understanding", "knowledge", "offers", "scheduling", "storage", "texts", "languages"},
    "delivery": {
        "handover",
        "shielding",
        "conversation",
        "knowledge",
        "offers",
        "scheduling",
        "storage",
        "texts",
        "languages",
        "understanding",
    },
    "replies": {"storage"},
    "limits": set(),
    "metrics": set(),
    "shielding": set(),
    "middleware": {
        *("conversation", "knowledge", "languages", "limits", "metrics", "storage", "texts", "understanding"),
    },
    "handover": {"conversation", "knowledge", "languages", "storage", "texts", "understanding"},
    "likeness": {"understanding"},
    "figures": {"storage"},
    "poster": {"languages", "texts"},
    "cli_poster": EVERYTHING,
    "console": {
        *(
            "conversation",
            "desk",
            "figures",
            "handover",
            "knowledge",
            "languages",
            "learning",
            "likeness",
            "limits",
            "markup",
        ),
        *("offers", "phrases", "scheduling", "storage", "texts", "understanding", "web"),
    },
    "desk": {"conversation", "knowledge", "scheduling", "storage"},
    "telegram": {"conversation", "texts", "languages", "markup", "shielding", "storage.Unavailable"},
    "web": {"conversation", "texts", "languages", "markup", "storage.Unavailable"},
}

FREE_OF_INPUT_AND_OUTPUT = ("understanding",)
INPUT_AND_OUTPUT = {"pathlib", "os", "io", "asyncio", "aiohttp", "sqlalchemy", "httpx", "socket", "time", "datetime"}


def _room(path: Path) -> str:
    return path.relative_to(BOT).parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def _rooms_imported(path: Path) -> set[str]:
    """The rooms that `path` imports; `storage.Unavailable` alone is a word that channels may know."""
    names = {name.removeprefix("bot.") for name in _imports(path) if name.startswith("bot.")}
    return {name if name == "storage.Unavailable" else name.split(".")[0] for name in names}


MODULES = [path for path in sorted(BOT.rglob("*.py")) if "versions" not in path.parts]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(BOT)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    room = _room(path)
    allowed = MAY_IMPORT[room]
    if allowed != EVERYTHING:
        assert _rooms_imported(path) - {room} <= allowed


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(BOT)))
def test_a_module_is_short_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text)) or path.name == "__main__.py"


@pytest.mark.parametrize("room", FREE_OF_INPUT_AND_OUTPUT)
def test_a_room_that_is_free_of_input_and_output_stays_so(room: str) -> None:
    for path in (BOT / room).glob("*.py"):
        assert {name.split(".")[0] for name in _imports(path)}.isdisjoint(INPUT_AND_OUTPUT), path


def test_only_settings_read_the_environment() -> None:
    readers = [path for path in MODULES if "os.environ[" in path.read_text() or "getenv(" in path.read_text()]
    assert readers == []


def test_only_storage_speaks_sql() -> None:
    speakers = {_room(path) for path in MODULES if any(name.startswith("sqlalchemy") for name in _imports(path))}
    assert speakers <= {
        "storage",
        "conversation",
        "delivery",
        "desk",
        "handover",
        "replies",
        "middleware",
        "console",
        "cli_bookings",
        "settings",
        "app",
    }
    for path in (
        *(BOT / "conversation").glob("*.py"),
        *(BOT / "console").glob("*.py"),
        *(BOT / f"{name}.py" for name in ("delivery", "desk", "handover", "middleware", "replies")),
    ):
        assert {name for name in _imports(path) if name.startswith("sqlalchemy")} <= {
            "sqlalchemy.ext.asyncio.AsyncConnection",
            "sqlalchemy.ext.asyncio.AsyncEngine",
        }
