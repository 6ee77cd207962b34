"""A changed file into the git repository that it stands in, if it does; a git that fails does no harm."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import structlog

_SECONDS = 20
_MAIL = "console@localhost"

log = structlog.get_logger(__name__)


async def commit(path: Path, message: str, who: str) -> None:
    """Commit this one file in the name of `who`; whatever else is changed or staged stays as it is."""
    if not _is_in_repository(path):
        return
    try:
        async with asyncio.timeout(_SECONDS):
            name = f"{who} (Wegwijs console)"
            identity = ("-c", f"user.name={name}", "-c", f"user.email={_MAIL}", "-c", "commit.gpgsign=false")
            await _git(path.parent, "add", "--", path.name)
            author = f"--author={name.translate(_NO_BRACKETS)} <{_MAIL}>"
            await _git(path.parent, *identity, "commit", "-q", "-m", message, author, "--", path.name)
    except (OSError, TimeoutError, _Failed) as error:
        log.warning("text not committed", file=path.name, entry=path.parent.name, reason=repr(error))


def _is_in_repository(path: Path) -> bool:
    return any((parent / ".git").exists() for parent in path.resolve().parents)


class _Failed(Exception):
    """git said no; holds what it said."""


_NO_BRACKETS = str.maketrans("", "", "<>\n\r")


async def _git(folder: Path, *arguments: str) -> None:
    # Paths are read as they are: a folder's name is no pattern.
    command = ("git", "--literal-pathspecs", "-C", str(folder), *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        said, complained = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise _Failed((complained or said).decode(errors="replace").strip()[:200])
