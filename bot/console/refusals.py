"""What staff read where a page cannot be shown: one small page for each kind of refusal, in Dutch or English.

It is the same for every address, so that a stranger learns nothing about which pages there are.
"""

from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot import storage
from bot.console.console import Console, is_from_elsewhere, is_of_console, language_of, say
from bot.texts import marked

# What it is, and what to do.
_SAID: Mapping[int, tuple[str, str]] = {
    403: (
        marked("This form is too old"),
        marked("Nothing was stored. Go back, reload the page, and do it again."),
    ),
    404: (
        marked("Nothing here"),
        marked(
            "There is no such page, or you are no longer signed in. "
            "Send /staff to the bot, or ask a colleague for a link."
        ),
    ),
    413: (
        marked("This is too long"),
        marked("Nothing was stored. Go back, make it shorter, and do it again."),
    ),
    429: (
        marked("Too many tries"),
        marked("Wait a minute, then try again."),
    ),
    503: (
        marked("The database is away"),
        marked("Nothing was stored. Try again in a minute."),
    ),
}
_FORM = "application/x-www-form-urlencoded"  # as browsers send the forms of our pages
_TYPED = ("title", "text", "body", "questions", "keywords", "question")  # fields that take long to fill in


def refusing(console: Console) -> Middleware:
    """A middleware: a page for staff instead of the server's own words."""

    @web.middleware
    async def refused(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_of_console(request):
            return await handler(request)
        try:
            return await handler(request)
        except storage.Unavailable:
            return await _page(console, request, 503)
        except web.HTTPException as error:
            if error.status not in _SAID:
                raise
            return await _page(console, request, error.status)

    return refused


async def _page(console: Console, request: web.Request, status: int) -> web.Response:
    language = language_of(request)
    title, what_to_do = _SAID[status]
    html = console.pages.get_template("refusal.html").render(
        language=language,
        say=lambda message: say(message, language),
        title=title,
        what_to_do=what_to_do,
        typed=await _typed(request, status),
    )
    return web.Response(text=html, content_type="text/html", status=status)


async def _typed(request: web.Request, status: int) -> str:
    """What somebody typed into a form of ours, so that it is not lost; nothing that another site puts in our mouth."""
    if request.method != "POST" or request.content_type != _FORM or status == 413 or is_from_elsewhere(request):
        return ""
    try:
        sent = await request.post()
    except (ValueError, LookupError, web.HTTPRequestEntityTooLarge):
        return ""
    fields = (sent.get(name, "") for name in _TYPED)
    return "\n\n".join(field for field in fields if isinstance(field, str) and field.strip())
