"""Where the links of e-mails lead. The same page for everybody and every id, so that it tells nothing of anybody."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.describing import TITLE
from api.reference import POLICY, STYLE

router = APIRouter(include_in_schema=False)

PAGE = f"""<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>{TITLE}</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main>
<h1>{TITLE}</h1>
<p>If the link in an e-mail brought you here: the e-mail itself says what is asked of you and until when.
You are not shown it here, because this page does not know who you are.</p>
<h2>To do what is asked</h2>
<p>There is nothing to sign in to yet. Use the program that was set up with your access token,
or ask your programme manager how it is done at your trust.
Your tasks wait until their date, and reminders go on as usual.</p>
<h2>If you connect a program</h2>
<p><code>GET /api/v1/tasks</code> with the access token lists the tasks of a person, each with the command that
completes it. <a href="/docs">Every path of the API</a> stands on one page.</p>
</main></body></html>"""


@router.get("/")
@router.get("/tasks")
@router.get("/engagements/{engagement_id}")
async def arrived() -> HTMLResponse:
    """What to do from here."""
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})
