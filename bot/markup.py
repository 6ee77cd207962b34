"""A reply's Markdown as HTML, and as plain words; right-to-left text keeps its numbers and names in one piece."""

import re
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

import sulguk
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from bot.languages import Direction

# Unicode Bidirectional Algorithm (UAX #9): a first-strong isolate, and its end.
ISOLATE, END = "\u2068", "\u2069"

_LATIN = "0-9A-Za-zÀ-ɏ"
_LATIN_RUN = re.compile(rf"\+?[{_LATIN}](?:[{_LATIN} @.+/:,&'’_–-]*[{_LATIN}])?")


def isolate(text: str) -> str:
    """Right-to-left `text` with each run of numbers and Latin words kept together as it is read."""
    return _LATIN_RUN.sub(rf"{ISOLATE}\g<0>{END}", text)


@lru_cache(maxsize=4096)  # the same answers are shown again and again, and parsing costs more than all the rest
def to_html(markdown: str, direction: Direction) -> str:
    """`markdown` as HTML without anything a writer could smuggle in: raw HTML is shown as text."""
    return str(_parser().render(markdown, {"direction": direction}))


@lru_cache(maxsize=4096)
def to_plain(markdown: str, direction: Direction) -> str:
    """`markdown` as words to read in a terminal: no signs, lists with bullets."""
    return sulguk.transform_html(to_html(markdown, direction)).text.strip()


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    parser.core.ruler.push("isolate", _isolate_words)
    parser.add_render_rule("link_open", _open_link)
    return parser


def _isolate_words(state: StateCore) -> None:
    if state.env["direction"] == "rtl":
        for token in (child for block in state.tokens for child in block.children or ()):
            if token.type == "text":
                token.content = isolate(token.content)


def _open_link(
    renderer: RendererProtocol, tokens: list[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    if str(tokens[index].attrs["href"]).startswith("http"):
        tokens[index].attrs |= {"target": "_blank", "rel": "noopener"}
    return renderer.renderToken(tokens, index, options, env)  # type: ignore[attr-defined,no-any-return]
