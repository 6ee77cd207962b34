"""The library's requests through aiohttp, which is here anyway and whose parser is not written in Python."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from telegram import Bot
from telegram._utils.defaultvalue import DEFAULT_NONE
from telegram._utils.types import ODVInput
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_CONNECT_SECONDS, _READ_SECONDS, _KEPT_SECONDS = 5.0, 10.0, 30.0


class AiohttpRequest(BaseRequest):
    """Sends what the library asks for; at most `connections` at a time, others wait in turn."""

    def __init__(self, connections: int, heard: Callable[[str], None], proxy: str | None = None) -> None:
        self._connections, self._heard, self._proxy = connections, heard, proxy
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """How long an answer may take, in seconds, where a call does not say."""
        return _READ_SECONDS

    async def initialize(self) -> None:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEPT_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, proxy=self._proxy)

    async def shutdown(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(  # noqa: PLR0913, PLR0917 - as the library calls it
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = DEFAULT_NONE,
        write_timeout: ODVInput[float] = DEFAULT_NONE,
        connect_timeout: ODVInput[float] = DEFAULT_NONE,
        pool_timeout: ODVInput[float] = DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """The status and the body of an answer; raises `TimedOut` and `NetworkError`, as the library wants it."""
        if self._session is None:
            raise RuntimeError("not initialized")
        read = _READ_SECONDS if read_timeout is DEFAULT_NONE else read_timeout
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=read)  # type: ignore[arg-type]
        try:
            body = _body(request_data)
            headers = _FORM if isinstance(body, bytes) else None
            async with self._session.request(method, url, data=body, headers=headers, timeout=timeout) as response:
                self._heard("" if response.status == HTTPStatus.OK else str(response.status))
                return response.status, await response.read()
        except (TimeoutError, aiohttp.ServerTimeoutError) as error:
            self._heard("timeout")
            raise TimedOut from error
        except aiohttp.ClientError as error:
            self._heard("connection")
            # The library hides the token, which stands in the address, in what it logs; so do we.
            raise NetworkError(type(error).__name__) from error


def proxy_for(url: str) -> str | None:
    """What the environment says (`HTTPS_PROXY`, `NO_PROXY`). aiohttp's own `trust_env` does the same, but then reads
    the user's netrc file in a thread before each request.
    """
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a call that are text already: the library would take them apart and put them together again."""

    json_parameters: Mapping[str, str]
    contains_files: bool = False
    multipart_data: None = None


async def call(bot: Bot, method: str, fields: Mapping[str, str]) -> Any:
    """Call a method of the Bot API with these fields; raises what the library raises."""
    data: Any = Fields(fields)
    return await bot.request.post(f"{bot.base_url}/{method}", data)


def _body(data: RequestData | Fields | None) -> Any:
    if data is None:
        return None
    if not data.contains_files:
        return urlencode(data.json_parameters).encode()
    form = aiohttp.FormData(dict(data.json_parameters))
    for name, (filename, content, media_type) in (data.multipart_data or {}).items():
        form.add_field(name, content, filename=filename, content_type=media_type)
    return form
