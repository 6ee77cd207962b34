"""From a knowledge directory to an `Understanding`, kept on disk so that the next start need not learn again."""

import hashlib
import os
import pickle
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from bot import knowledge, phrases, texts
from bot.understanding import Understanding, train

CACHE = Path("var/understanding.pickle")
READ = (".md", ".yaml", ".csv", ".xlsx")
_CODE = Path(__file__).parent
_ROOMS = ("understanding", "knowledge", "offers")  # whose code decides what is learnt, and how it is kept
_MODULES = ("learning", "phrases", "languages", "scheduling")


def learn(directory: Path, earlier: Understanding | None = None) -> Understanding:
    """The knowledge in `directory`, with all that can be learnt from it; raises `BrokenKnowledge`.

    Only languages whose texts differ from those of `earlier` are learnt again.
    """
    return train(knowledge.load(directory), phrases.load(), earlier, filters=phrases.load_filters())


def recall(directory: Path, cache: Path = CACHE) -> Understanding:
    """As `learn`, but what no change has touched since is taken from `cache`.

    The cache is a pickle of our own, beside the database and as private as that; it holds one directory.
    """
    fingerprint = _fingerprint(_texts(directory))
    known, kept = _kept(cache)
    if kept and known == fingerprint:
        return kept
    learnt = learn(directory, kept)
    with suppress(OSError):
        _keep(fingerprint, learnt, cache)
    return learnt


def _kept(cache: Path) -> tuple[str, Understanding | None]:
    """What the same code kept, and the fingerprint of the files that it came from."""
    # A pickle that is cut short or of another version can raise nearly anything; then we learn again.
    with suppress(Exception), cache.open("rb") as file:
        if pickle.load(file) == _fingerprint(_code()):
            fingerprint: str = pickle.load(file)
            understanding: Understanding = pickle.load(file)
            return fingerprint, understanding
    return "", None


def _keep(fingerprint: str, learnt: Understanding, cache: Path) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    new = cache.with_suffix(f".{secrets.token_hex(8)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        pickle.dump(_fingerprint(_code()), file)
        pickle.dump(fingerprint, file)
        pickle.dump(learnt, file)
    new.replace(cache)


def _fingerprint(paths: Iterable[Path]) -> str:
    """A hash over files: which they are, how large, and when last written."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        about = path.stat()
        digest.update(f"{path}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _code() -> Iterator[Path]:
    for room in _ROOMS:
        yield from (_CODE / room).rglob("*.py")
    yield from (_CODE / f"{name}.py" for name in _MODULES)


def _texts(directory: Path) -> Iterator[Path]:
    """The files that an understanding is made from; `knowledge` and its full path are the same directory."""
    yield from (path for path in directory.resolve().rglob("*") if path.suffix in READ and path.is_file())
    yield from texts.DIRECTORY.glob("*/phrases.yaml")
    yield from texts.DIRECTORY.glob("*/filters.yaml")
