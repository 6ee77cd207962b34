"""How often one address may ask: for pages that anybody on the net can reach."""

import ipaddress
from time import monotonic
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.texts import Texts
from bot.web.speaking import spoken_language

_CHAT = "/chat"
_FREE = ("/healthz", "/readyz", "/metrics")


class Allows(Protocol):
    """Who may ask once more."""

    def allows(self, who: str, now: float) -> bool: ...


def limiting(limit: Allows, texts: Texts, free: str = "") -> Middleware:
    """A middleware: 429 for an address that asks too often, said in the reader's language. Calls to the path `free` are
    not counted: Telegram makes them, and proves it."""

    @web.middleware
    async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
        counted = request.path not in _FREE and (not free or request.path != free)
        if counted and not limit.allows(address_of(request), monotonic()):
            return _refusal(request, texts)
        return await handler(request)

    return limited


def _refusal(request: web.Request, texts: Texts) -> web.Response:
    """JSON for the chat, which shows it; plain words where a browser shows what comes as it is."""
    sorry = texts.text(
        "You are writing very fast. Please wait a minute, then I can answer again.", spoken_language(request).code
    )
    headers = {"Retry-After": "60"}
    if request.path.startswith(_CHAT):
        return web.json_response({"error": sorry}, status=429, headers=headers)
    return web.Response(text=sorry, status=429, headers=headers)


def address_of(request: web.Request) -> str:
    """Who asks. A proxy on a private address says for whom it asks; anybody else could say anything."""
    remote = request.remote or ""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return forwarded if forwarded and _is_private(remote) else remote


def _is_private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False
