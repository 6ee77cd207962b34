"""How much one person, or one address, may ask at once: a bucket that fills again, in this process."""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    told: bool = False


class Limit:
    """`burst` at once, and `a_minute` from then on; remembers the last `most` who asked."""

    def __init__(self, burst: int, a_minute: int, most: int = 20_000) -> None:
        self._burst, self._a_second, self._most = burst, a_minute / 60, most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def allows(self, who: str, now: float) -> bool:
        """Whether `who` may ask once more at `now` (seconds of any clock that only goes forward)."""
        bucket = self._buckets.setdefault(who, _Bucket(self._burst, now))
        self._buckets.move_to_end(who)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        bucket.left = min(self._burst, bucket.left + max(now - bucket.at, 0) * self._a_second)
        bucket.at = now
        if bucket.left < 1:
            return False
        bucket.left -= 1
        bucket.told = False
        return True

    def tells(self, who: str) -> bool:
        """Whether somebody who may not ask now has to be told: the first time, until they may again."""
        bucket = self._buckets.get(who)
        if bucket is None or bucket.told:
            return False
        bucket.told = True
        return True
