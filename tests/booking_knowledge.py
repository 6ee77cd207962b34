"""A permanence that tests book: two counsellors on Wednesdays, a room for six on Thursdays."""

import datetime
from collections.abc import Mapping
from dataclasses import replace

from bot.knowledge import Snapshot
from bot.scheduling import Moment, Permanence
from bot.understanding import Understanding

PLACE = "Kongostraat 42, 9000 Gent"

SCHOOL = Permanence(
    service="school",
    titles={"nl": "Een school zoeken", "en": "Finding a school", "uk": "Пошук школи", "ar": "البحث عن مدرسة"},
    bring={"nl": "papieren van uw kind", "en": "papers of your child"},
    place=PLACE,
    location=(51.05, 3.72),
    moments=(Moment(2, datetime.time(13, 30), datetime.time(15, 0), 30, 2, ("nl", "ar")),),
    notice=datetime.timedelta(hours=1),
    horizon=datetime.timedelta(days=14),
)
SESSION = Permanence(
    service="ukraine",
    titles={"nl": "Infosessie", "en": "Information session", "uk": "Зустріч"},
    bring={},
    place=PLACE,
    moments=(Moment(3, datetime.time(10, 0), datetime.time(11, 0), 60, 6, ("uk",)),),
    per_person=True,
    horizon=datetime.timedelta(days=14),
)
PERMANENCES: Mapping[str, Permanence] = {"school": SCHOOL, "ukraine": SESSION}


def with_permanences(
    understanding: Understanding, permanences: Mapping[str, Permanence] = PERMANENCES
) -> Understanding:
    """The same knowledge with these permanences instead of the files'."""
    snapshot: Snapshot = replace(understanding.snapshot, permanences=permanences)
    return replace(understanding, snapshot=snapshot)
