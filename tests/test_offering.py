"""Dialogues about courses and activities: with buttons, in words, and being told of what is new."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.conversation import Reply, Respond, Sent, respond
from bot.delivery import Delivery
from bot.knowledge import Holder
from bot.languages import LANGUAGES
from bot.offers import Offer, Offers
from bot.storage import retention, subscriptions
from bot.texts import Texts
from bot.understanding import Understanding
from tests.conftest import Clock, OpenDialogue
from tests.dialogue import Dialogue


@pytest.fixture
def holder(understanding: Understanding) -> Holder[Understanding]:
    return Holder(understanding)


@pytest.fixture
def changing(database: AsyncEngine, holder: Holder[Understanding], catalogues: Texts, clock: Clock) -> Respond:
    """The conversation, on knowledge that can change in a test."""
    return partial(respond, knowledge=holder, database=database, texts=catalogues, clock=clock)


def _with_offers(understanding: Understanding, *offers: Offer) -> Understanding:
    known = understanding.snapshot.offers
    changed = Offers(offers, known.neighbourhoods, known.otherwise)
    version = f"{len(offers)}-{','.join(offer.id for offer in offers)}"
    return replace(understanding, snapshot=replace(understanding.snapshot, offers=changed, version=version))


# Buttons


@pytest.mark.parametrize("code", ["nl", "uk", "ar", "tr"])
async def test_at_most_three_presses_lead_to_a_list(dialogue: OpenDialogue, catalogues: Texts, code: str) -> None:
    for kind in range(6):
        person = dialogue(code)
        await person.commands("offers")
        await person.presses_data(person.data_of(kind))
        for _ in range(2):
            if catalogues.text("Found: {count}", code, count="#").split("#")[0].strip() in person.text:
                break
            await person.presses_data(person.data_of(0))
        assert catalogues.text("Found: {count}", code, count="#").split("#")[0].strip() in person.text


async def test_a_list_leads_to_an_offer_and_to_enrolling(dialogue: OpenDialogue) -> None:
    person = dialogue("en")
    await person.commands("offers")
    await person.presses("Dutch lessons")
    await person.presses("Evening")
    while "Found:" not in person.text:
        await person.presses("does not matter")
    assert "not a real offer" in person.text
    said = await person.presses("1. ")
    assert "Organised by" in said
    assert "≤ €180.00" in said
    await person.presses("Make an appointment")
    assert "How many people" in person.text


@pytest.mark.parametrize("slug", ["mo-languages", "mo-when", "dutch-practise", "leisure-find", "leisure-children"])
async def test_an_answer_shows_how_many_offers_there_are_and_leads_there(dialogue: OpenDialogue, slug: str) -> None:
    person = dialogue("en")
    await person.presses_data(f"se:en:{slug}")
    (label,) = [label for label in person.labels if label.startswith("🔎")]
    assert int(label.rpartition("(")[2].rstrip(")")) > 3
    await person.presses("🔎")
    assert person.labels


# Words


async def test_words_give_the_list_and_what_was_understood_can_be_taken_away(dialogue: OpenDialogue) -> None:
    person = dialogue("nl")
    said = await person.says("Is er MO in het Arabisch op dinsdagavond?")
    assert "mo-ar" not in said
    assert "Maatschappelijke oriëntatie in het Arabisch" in said
    assert {"✕ Arabisch", "✕ dinsdag"} <= set(person.labels)
    before = said.count("Maatschappelijke oriëntatie")
    await person.presses("✕ Arabisch")
    assert person.text.count("Maatschappelijke oriëntatie") > before
    assert "✕ Arabisch" not in person.labels


@pytest.mark.parametrize(
    ("code", "text", "nearest"),
    [
        ("nl", "MO in het Pashtu in het weekend", "Pasjtoe"),
        ("en", "MO course in Pashto at the weekend", "Pasjtoe"),
        ("uk", "курс MO українською у вихідні", ""),
        ("ar", "دورة MO بالبشتو في عطلة نهاية الأسبوع", "Pasjtoe"),
        ("tr", "hafta sonu Peştuca MO kursu var mı", "Pasjtoe"),
    ],
)
async def test_where_there_is_none_the_nearest_is_offered_and_one_can_be_told(
    dialogue: OpenDialogue, catalogues: Texts, code: str, text: str, nearest: str
) -> None:
    person = dialogue(code)
    said = await person.says(text)
    assert catalogues.text("I did not find this now.", code) in said
    assert nearest in said
    assert any(label.startswith("🔔") for label in person.labels)


async def test_without_any_group_in_a_language_the_way_to_interpreters_is_shown(
    dialogue: OpenDialogue, understanding: Understanding
) -> None:
    person = dialogue("en")
    await person.says("MO course in Tigrinya in the evening")
    assert understanding.snapshot.entries["mo-interpreter"].text("en").title in person.labels


async def test_a_person_in_danger_gets_help_and_no_list(dialogue: OpenDialogue) -> None:
    person = dialogue("en")
    said = await person.says("my husband hits me, is there a MO course in French in the evening")
    assert "112" in said or "1712" in said


async def test_a_question_about_the_rule_gets_the_rule(dialogue: OpenDialogue, understanding: Understanding) -> None:
    person = dialogue("en")
    said = await person.says("How much does the integration trajectory cost?")
    assert understanding.snapshot.entries["trajectory-cost"].text("en").title in said


async def test_an_appointment_stays_an_appointment(dialogue: OpenDialogue) -> None:
    person = dialogue("nl")
    await person.says("Ik wil een afspraak maken voor de Nederlandse les op woensdag")
    assert "Hoeveel" in person.text or "afspraak" in person.text.lower()
    assert not any(label.startswith("✕") for label in person.labels)


@pytest.mark.parametrize(
    "data", ["on:en:m:x", "on:en:zzz:0", "os:en:m:999", "os:en:m.a0:0", "oo:en:nothing", "os:en:m:-1"]
)
async def test_a_forged_button_leads_to_the_kinds(dialogue: OpenDialogue, data: str) -> None:
    person = dialogue("en")
    await person.presses_data(data)
    assert "What are you looking for?" in person.text or "Found" in person.text


# Being told


class Post:
    """What arrived, by chat."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, Reply]] = []

    async def push(self, chat: str, replies: Sequence[Reply]) -> Sent:
        self.arrived += [(chat, reply) for reply in replies]
        return Sent()


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def delivery(
    database: AsyncEngine, holder: Holder[Understanding], catalogues: Texts, clock: Clock, post: Post
) -> Delivery:
    async def no_wait(_seconds: float) -> None: ...

    return Delivery(database, holder, catalogues, clock, {"test": post.push}, no_wait)


async def _deliver(delivery: Delivery) -> None:
    await delivery.announce()
    while await delivery.send_due():
        pass


NEW = Offer("mo-ti", "mo", "MO in het Tigrinya", language="ti", days=frozenset({5}), first=datetime.date(2027, 1, 9))


async def test_who_asked_is_told_once_in_their_language_when_a_fitting_offer_appears(
    changing: Respond,
    holder: Holder[Understanding],
    understanding: Understanding,
    delivery: Delivery,
    post: Post,
    catalogues: Texts,
    clock: Clock,
) -> None:
    person = Dialogue(changing, "ti")
    await person.presses_data("os:ti:m.lti:0")
    await person.presses("🔔")
    await _deliver(delivery)
    assert post.arrived == []
    holder.current = _with_offers(understanding, replace(NEW, id="other", language="tr"))
    await _deliver(delivery)
    assert post.arrived == []
    holder.current = _with_offers(understanding, NEW)
    for _ in range(2):
        await _deliver(delivery)
        clock.now += datetime.timedelta(hours=1)
    ((chat, reply),) = post.arrived
    assert (chat, reply.language.code) == (person.speaker.chat, "ti")
    assert catalogues.text("There is something new that you asked about:", "ti") in reply.text
    assert "MO in het Tigrinya" in reply.text


async def test_a_press_ends_it_and_a_stranger_cannot(
    changing: Respond,
    holder: Holder[Understanding],
    understanding: Understanding,
    delivery: Delivery,
    post: Post,
    database: AsyncEngine,
) -> None:
    person, stranger = Dialogue(changing, "en"), Dialogue(changing, "en")
    await person.presses_data("ow:en:m.lti")
    stop = person.data_of(0)
    await stranger.presses_data(stop)
    async with storage.begin(database) as connection:
        assert len(await subscriptions.of_person(connection, "test", person.speaker.chat)) == 1
    await person.presses_data(stop)
    holder.current = _with_offers(understanding, NEW)
    await _deliver(delivery)
    assert post.arrived == []


async def test_an_offer_that_is_gone_before_it_is_told_is_not_told(
    changing: Respond, holder: Holder[Understanding], understanding: Understanding, delivery: Delivery, post: Post
) -> None:
    person = Dialogue(changing, "en")
    await person.presses_data("ow:en:m.lti")
    holder.current = _with_offers(understanding, NEW)
    await delivery.announce()
    holder.current = _with_offers(understanding, replace(NEW, full=True))
    await _deliver(delivery)
    assert post.arrived == []


async def test_what_fitted_when_they_asked_is_no_news(
    changing: Respond, holder: Holder[Understanding], understanding: Understanding, delivery: Delivery, post: Post
) -> None:
    holder.current = _with_offers(understanding, NEW)
    person = Dialogue(changing, "en")
    await person.presses_data("ow:en:m.lti")
    holder.current = _with_offers(understanding, NEW, replace(NEW, id="second", name="Tweede"))
    await _deliver(delivery)
    ((_, reply),) = post.arrived
    assert "Tweede" in reply.text
    assert "MO in het Tigrinya" not in reply.text


async def test_two_processes_that_see_the_same_files_tell_once(
    changing: Respond,
    holder: Holder[Understanding],
    understanding: Understanding,
    delivery: Delivery,
    post: Post,
    database: AsyncEngine,
) -> None:
    person = Dialogue(changing, "en")
    await person.presses_data("ow:en:m.lti")
    holder.current = _with_offers(understanding, NEW)
    other = replace(delivery, database=database)
    await delivery.announce()
    await other.announce()
    await _deliver(delivery)
    await _deliver(other)
    assert len(post.arrived) == 1


async def test_a_subscription_ends_after_half_a_year(changing: Respond, database: AsyncEngine, clock: Clock) -> None:
    person = Dialogue(changing, "en")
    said = await person.presses_data("ow:en:m.lti")
    assert "2027" in said
    async with storage.begin(database) as connection:
        await retention.delete_expired(connection, clock.now + retention.SUBSCRIPTIONS)
        assert await subscriptions.of_person(connection, "test", person.speaker.chat)
        await retention.delete_expired(connection, clock.now + retention.SUBSCRIPTIONS + datetime.timedelta(days=1))
        assert not await subscriptions.of_person(connection, "test", person.speaker.chat)


@pytest.mark.parametrize("code", list(LANGUAGES))
async def test_every_offer_can_be_shown_in_every_language(dialogue: OpenDialogue, code: str) -> None:
    person = dialogue(code)
    for kind in "mdplbi":
        for page in range(5):
            await person.presses_data(f"os:{code}:{kind}:{page}")
    for reference in ("mo-ar", "ligo-lezen", "voetbalkamp-pasen", "2run", "oekraine-1", "samenlezen-lente"):
        assert await person.presses_data(f"oo:{code}:{reference}")


async def test_children_beside_a_dutch_course_do_not_hide_it(dialogue: OpenDialogue) -> None:
    person = dialogue("nl")
    assert "Gevonden: 5" in await person.says("ik zoek avondles Nederlands, ik heb 2 kinderen")
