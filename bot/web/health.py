"""What operators and their machines look at: is it alive, can it serve, how is it doing."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

Ready = Callable[[], Awaitable[dict[str, str]]]


Measure = Callable[[], Awaitable[None]]
STOPPING = ("database",)  # parts without which nobody can be served


async def _nothing() -> None: ...


def add_health(app: web.Application, ready: Ready, registry: CollectorRegistry, measure: Measure = _nothing) -> None:
    """Serve `/healthz`, `/readyz` and `/metrics`. `ready` says what is wrong with each part; empty when all is well.

    `measure` brings figures up to date before they are shown.
    """

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        faults = {part: fault for part, fault in (await ready()).items() if fault}
        stopped = any(part in STOPPING for part in faults)
        return web.json_response(
            {"status": "not ready" if stopped else "ready", **faults}, status=503 if stopped else 200
        )

    async def metrics(_request: web.Request) -> web.Response:
        await measure()
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
