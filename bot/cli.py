"""The `wegwijs` commands."""

import argparse
import asyncio
import datetime
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import structlog

from bot import evaluation, settings, texts
from bot.app import open_conversation, serve
from bot.cli_bookings import WrongBooking, add_bookings
from bot.cli_poster import WrongPoster, add_poster
from bot.conversation import Button, Link, Press, Reply, Speaker, Start, Utterance
from bot.conversation.answering import reply_to
from bot.conversation.offering import looked_for
from bot.conversation.packing import pack
from bot.conversation.voice import Voice
from bot.knowledge import BrokenKnowledge, load
from bot.knowledge.checking import check
from bot.knowledge.snapshot import Status
from bot.languages import LANGUAGES, language_of
from bot.learning import learn, recall
from bot.markup import to_plain
from bot.scheduling import day_of
from bot.settings import WrongSettings
from bot.storage import Unavailable, Unusable
from bot.texts import STAFF
from bot.understanding import Understanding


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; ends the process with 1 and one clear line when something is wrong."""
    chosen = _parser().parse_args(arguments)
    _set_up_logging(quiet=chosen.command != "serve")
    try:
        sys.exit(chosen.run(chosen))
    except (WrongSettings, BrokenKnowledge, WrongBooking, WrongPoster, WrongInput) as error:
        sys.exit(f"wegwijs: {error}")
    except Unavailable:
        sys.exit("wegwijs: the database cannot be reached; check WEGWIJS_DATABASE_URL")
    except Unusable as error:
        sys.exit(f"wegwijs: the database cannot be used ({error}); check WEGWIJS_DATABASE_URL")
    except BrokenPipeError:  # `wegwijs … | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)


class WrongInput(Exception):
    """What was given on the command line cannot be used; its text is one line."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("wegwijs", description="Answers for people who are new in Ghent.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser("serve", help="serve the web chat, and Telegram when a token is set")
    command.set_defaults(run=_serve)

    command = commands.add_parser("chat", help="the same conversation in this terminal")
    command.add_argument("--language", choices=LANGUAGES, help="the language that you chose")
    command.set_defaults(run=_chat)

    command = commands.add_parser("ask", help="one question, or a file of them")
    asked = command.add_mutually_exclusive_group(required=True)
    asked.add_argument("text", nargs="?", metavar="TEXT")
    asked.add_argument("--batch", type=Path, metavar="FILE", help="one JSON object a line: id, text, lang (optional)")
    command.add_argument("--language", choices=LANGUAGES, help="the language that the person chose")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--knowledge", type=Path, metavar="DIR", help="another knowledge directory")
    command.set_defaults(run=_ask)

    command = commands.add_parser("evaluate", help="how often the answers to a file of questions are right")
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--knowledge", type=Path, metavar="DIR", help="another knowledge directory")
    command.set_defaults(run=_evaluate)

    add_bookings(commands)
    add_poster(commands)

    command = commands.add_parser("knowledge", help="look after the knowledge directory")
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, run, description in (
        ("check", _check, "every problem, with file and line"),
        ("status", _status, "per language, what is there and what is missing"),
    ):
        action = actions.add_parser(name, help=description)
        action.add_argument("directory", type=Path, nargs="?", metavar="DIR")
        action.set_defaults(run=run)
    actions.choices["check"].add_argument("--language", choices=("en", "nl"), default="en", help="of the messages")
    return parser


def _set_up_logging(*, quiet: bool) -> None:
    level = logging.ERROR if quiet else logging.INFO
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)


# serve, chat


def _serve(_chosen: argparse.Namespace) -> int:
    loaded = settings.load()
    asyncio.run(serve(loaded, _announcer(loaded)))
    return 0


def _announcer(loaded: settings.Settings) -> Callable[[str, str], None]:
    def announce(address: str, link: str) -> None:
        print(
            "Wegwijs is ready.",
            f"  Web chat  {address}/",
            f"  Console   {link}  (works once, within ten minutes)",
            f"  Health    {address}/healthz  {address}/readyz  {address}/metrics",
            sep="\n",
        )
        telegram = "on" if loaded.telegram_token else "off (set WEGWIJS_TELEGRAM_TOKEN to a token from @BotFather)"
        print(f"  Telegram  {telegram}\nStop with Ctrl+C.", flush=True)

    return announce


def _chat(chosen: argparse.Namespace) -> int:
    asyncio.run(_converse(chosen.language))
    return 0


async def _converse(language: str | None) -> None:
    """Read lines and show replies until the end of input. `/3` presses button 3."""
    speaker = Speaker("terminal", "terminal", language)
    async with open_conversation(settings.load()) as conversation:
        buttons = _show(await conversation.respond(Start(speaker=speaker)))
        while (line := await asyncio.to_thread(_read_line)) is not None:
            pressed = line.removeprefix("/")
            if pressed != line and pressed.isdecimal() and 0 < int(pressed) <= len(buttons):
                button = buttons[int(pressed) - 1]
                if isinstance(button.target, Link):
                    print(button.target.url)
                    continue
                replies = await conversation.respond(Press(data=pack(button.target), speaker=speaker))
            else:
                replies = await conversation.respond(Utterance(text=line, speaker=speaker))
            buttons = _show(replies)


def _read_line() -> str | None:
    try:
        return input("\n> ")
    except EOFError:
        return None


def _show(replies: Sequence[Reply]) -> list[Button]:
    """Print replies with numbered buttons; returns the buttons."""
    buttons: list[Button] = []
    for reply in replies:
        print(f"\n{_plain(reply)}\n")
        if reply.venue:
            print(f"📍 {reply.venue.title}, {reply.venue.address}")
        if reply.document:
            print(f"📄 {reply.document.name}")
        for row in reply.rows:
            for button in row:
                buttons.append(button)
                print(f"  /{len(buttons)}  {button.label}")
    return buttons


def _plain(reply: Reply) -> str:
    return to_plain(reply.text, reply.language.direction)


# ask, evaluate


def _ask(chosen: argparse.Namespace) -> int:
    understanding, catalogues = _understanding(chosen.knowledge), texts.Texts()
    if chosen.batch is None:
        line = _predict(understanding, catalogues, {"text": chosen.text, "lang": chosen.language})
        print(json.dumps(line, ensure_ascii=False) if chosen.json else line["text"])
        return 0
    for question in list(evaluation.read(chosen.batch, WrongInput)):  # all of them are right before one is answered
        line = _predict(understanding, catalogues, {"lang": chosen.language, **question})
        # Half a sign (JSON may hold one) cannot be printed.
        print(json.dumps(line, ensure_ascii=False).encode(errors="backslashreplace").decode())
    return 0


def _predict(understanding: Understanding, catalogues: texts.Texts, question: dict[str, Any]) -> dict[str, Any]:
    """One line of predictions: what a newcomer who asks this would get."""
    started = perf_counter()
    language = language_of(question.get("lang"))
    meaning = understanding.understand(question["text"], chosen=language)
    today = day_of(datetime.datetime.now(datetime.UTC))
    voice = Voice(understanding.snapshot, catalogues, LANGUAGES[meaning.language], today)
    text = question["text"]
    search = looked_for(voice, meaning, partial(understanding.search, text, meaning))
    replies = reply_to(meaning, voice, text, search)
    text = "\n\n".join(_plain(reply) for reply in replies)
    return {
        **({"id": question["id"]} if "id" in question else {}),
        "language": meaning.language,
        "decision": meaning.decision,
        "entries": [{"slug": match.slug, "score": round(match.score, 4)} for match in meaning.matches],
        "text": text,
        "ms": round((perf_counter() - started) * 1000, 3),
    }


def _evaluate(chosen: argparse.Namespace) -> int:
    understanding = _understanding(chosen.knowledge)
    for line in evaluation.report(understanding, evaluation.read(chosen.file, WrongInput, judged=True)):
        print(line)
    return 0


# knowledge


def _check(chosen: argparse.Namespace) -> int:
    problems = check(_directory(chosen.directory))
    staff_texts = texts.load_domain(STAFF, chosen.language)
    for problem in problems:
        print(problem.said(staff_texts.gettext))
    return 1 if problems else 0


def _status(chosen: argparse.Namespace) -> int:
    snapshot = load(_directory(chosen.directory))
    columns: tuple[Status, ...] = ("reviewed", "draft", "outdated", "missing")
    print(f"{len(snapshot.entries)} entries, version {snapshot.version}")
    print(f"{'language':<16}{''.join(f'{name:>10}' for name in ('there', *columns))}")
    for code, counts in snapshot.status().items():
        there = len(snapshot.entries) - counts["missing"]
        print(f"{code:<4}{LANGUAGES[code].name:<12}{there:>10}{''.join(f'{counts[name]:>10}' for name in columns)}")
    return 0


def _understanding(given: Path | None) -> Understanding:
    """What is known of the directory that was named, or else of our own."""
    return learn(given) if given else recall(settings.load().knowledge)


def _directory(given: Path | None) -> Path:
    return given or settings.load().knowledge
