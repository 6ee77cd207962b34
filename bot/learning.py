"""From a knowledge directory to an `Understanding`, kept on disk so that the next start need not learn again."""

import hashlib
import os
import pickle
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bot import knowledge, phrases, texts
from bot.understanding import Understanding, train

CACHE = Path("var/understanding.pickle")
_CODE = Path(__file__).parent


def learn(directory: Path) -> Understanding:
    """The knowledge in `directory`, with all that can be learnt from it; raises `BrokenKnowledge`."""
    return train(knowledge.load(directory), phrases.load())


def recall(directory: Path, cache: Path = CACHE) -> Understanding:
    """As `learn`, but taken from `cache` when no file that it came from has changed since.

    The cache is a pickle of our own, beside the database and as private as that; it holds one directory.
    """
    fingerprint = _fingerprint(directory)
    # A pickle that is cut short or of another version can raise nearly anything; then we learn again.
    with suppress(Exception), cache.open("rb") as file:
        if pickle.load(file) == fingerprint:
            kept: Understanding = pickle.load(file)
            return kept
    learnt = learn(directory)
    with suppress(OSError):
        _keep(fingerprint, learnt, cache)
    return learnt


def _keep(fingerprint: str, learnt: Understanding, cache: Path) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    new = cache.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        pickle.dump(fingerprint, file)
        pickle.dump(learnt, file)
    new.replace(cache)


def _fingerprint(directory: Path) -> str:
    """A hash over all files that an understanding is made from: which they are, how large, and when last written."""
    digest = hashlib.sha256()
    for path in _made_from(directory.resolve()):  # `knowledge` and its full path are the same directory
        about = path.stat()
        digest.update(f"{path}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _made_from(directory: Path) -> Iterator[Path]:
    yield from sorted(path for path in directory.rglob("*") if path.suffix in (".md", ".yaml") and path.is_file())
    yield from sorted(texts.DIRECTORY.glob("*/phrases.yaml"))
    yield from sorted(_CODE.rglob("*.py"))
