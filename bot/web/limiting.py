"""How often one address may ask: for pages that anybody on the net can reach."""

import ipaddress
from time import monotonic
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_FREE = ("/healthz", "/readyz", "/metrics")


class Allows(Protocol):
    """Who may ask once more."""

    def allows(self, who: str, now: float) -> bool: ...


def limiting(limit: Allows, free: str = "") -> Middleware:
    """A middleware: 429 for an address that asks too often. Calls to the path `free` are not counted: Telegram makes
    them, and proves it."""

    @web.middleware
    async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
        counted = request.path not in _FREE and (not free or request.path != free)
        if counted and not limit.allows(address_of(request), monotonic()):
            return web.json_response({"error": "too many requests"}, status=429, headers={"Retry-After": "60"})
        return await handler(request)

    return limited


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
