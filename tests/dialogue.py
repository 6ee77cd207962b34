"""A person in a test: says and presses, and looks at what comes back."""

from collections.abc import Collection, Sequence
from itertools import count

from bot.conversation import Attachment, Button, Command, Link, Press, Reply, Respond, Speaker, Start, Utterance
from bot.conversation.packing import pack
from bot.markup import to_plain

_numbers = count(1)


async def nothing_waits(_chat: str, _seen: Collection[int]) -> Sequence[tuple[int, Reply]]:
    """For a page whose person has no notices."""
    return ()


class Dialogue:
    """One person in one chat. `text` and `labels` are what the last replies showed."""

    def __init__(self, respond: Respond, hint: str | None = None, *, chat: str | None = None) -> None:
        self._respond = respond
        self.speaker = Speaker("test", chat or f"chat-{next(_numbers)}", hint)
        self.replies: Sequence[Reply] = ()

    @property
    def text(self) -> str:
        return "\n\n".join(to_plain(reply.text, "ltr") for reply in self.replies)

    @property
    def labels(self) -> list[str]:
        return [button.label for button in self._buttons]

    @property
    def language(self) -> str:
        return self.replies[-1].language.code

    @property
    def links(self) -> list[str]:
        return [button.target.url for button in self._buttons if isinstance(button.target, Link)]

    @property
    def _buttons(self) -> list[Button]:
        return [button for reply in self.replies for row in reply.rows for button in row]

    def data_of(self, place: int) -> str:
        """What a press on the button at `place` sends."""
        target = self._buttons[place].target
        assert not isinstance(target, Link)
        return pack(target)

    async def starts(self, payload: str = "") -> str:
        """Open the chat; `payload` is what a poster or a link asks for."""
        self.replies = await self._respond(Start(payload=payload, speaker=self.speaker))
        return self.text

    async def says(self, text: str, *, key: str | None = None) -> str:
        self.replies = await self._respond(Utterance(text=text, speaker=self.speaker, key=key))
        return self.text

    async def commands(self, name: str) -> str:
        self.replies = await self._respond(Command(name=name, speaker=self.speaker))
        return self.text

    async def sends_something_without_words(self) -> str:
        self.replies = await self._respond(Attachment(speaker=self.speaker))
        return self.text

    async def presses(self, label: str, *, key: str | None = None) -> str:
        """Press the first button whose label holds `label`."""
        button = next((button for button in self._buttons if label in button.label), None)
        assert button, f"no button {label!r} among {self.labels}"
        assert not isinstance(button.target, Link), f"{label!r} is a link"
        return await self.presses_data(pack(button.target), key=key)

    async def presses_data(self, data: str, *, key: str | None = None) -> str:
        self.replies = await self._respond(Press(data=data, speaker=self.speaker, key=key))
        return self.text
