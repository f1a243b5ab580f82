"""The front door, put together: the only place in which its parts are made."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from temporalio.client import Client

from api import (
    answers,
    arriving,
    bulk,
    commands,
    corrections,
    departures,
    engagements,
    enrolment,
    forecasts,
    health,
    history,
    holidays,
    launch,
    news,
    packs,
    reference,
    registers,
    stages,
    tasks,
    templates,
)
from api.bodies import Bodies
from api.dependencies import FrontDoor
from api.describing import DESCRIPTION, TITLE, describe
from api.desk import Desk
from api.errors import handle_errors, too_large
from api.figures import reported
from api.tidying import tidied
from programme.changes.correcting import CorrectEntry
from programme.messages import Command
from programme.people import EnrolPeople
from programme.questionnaire import Questionnaire
from programme.stages.renewal import SuggestTemplate
from runtime.settings import Settings
from runtime.telemetry import Telemetry
from runtime.templates import Templates
from store.database import Database

BASE = "/api/v1"
HEADERS = {
    "Cache-Control": "no-store",  # what people read here is about people
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
PROBES = frozenset({"/healthz", "/readyz"})  # asked every few seconds: their traces would drown what people do
OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}


def create_app(
    *, database: Database, client: Client, settings: Settings, telemetry: Telemetry, questionnaire: Questionnaire
) -> FastAPI:
    """The API, as one process serves it. Whoever made the database and the client closes them."""
    bodies = Bodies(questionnaire)
    desk = Desk(
        client,
        database,
        telemetry,
        at_once=settings.updates_in_flight,
        patience=timedelta(seconds=settings.answer_within_seconds),
    )
    app = FastAPI(
        title=TITLE,
        description=DESCRIPTION,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=_living(desk, database, telemetry),
        strict_content_type=True,
        generate_unique_id_function=lambda route: route.name,
        telemetry={
            "tracer_provider": telemetry.tracer_provider,
            "meter_provider": telemetry.meter_provider,
            "logs": False,  # they would carry the texts of exceptions
            "operation_spans": False,
            "exclude": lambda scope: scope["path"] in PROBES,
            "auto_configure": False,
        },
    )
    app.state.front_door = FrontDoor(
        database=database,
        client=client,
        settings=settings,
        telemetry=telemetry,
        questionnaire=questionnaire,
        templates=Templates(settings.templates_dir),
        bodies=bodies,
        desk=desk,
    )
    over_tls = settings.public_base_url.startswith("https://")
    app.add_middleware(BodyLimit, most=settings.largest_request)
    app.add_middleware(SecurityHeaders, headers=HEADERS | (OVER_TLS if over_tls else {}))
    handle_errors(app)
    _include_routes(app, bodies)
    describe(app, launch.BODIES)
    return app


def _include_routes(app: FastAPI, bodies: Bodies) -> None:
    by_hand: dict[type[Command], Callable[..., Any]] = {
        EnrolPeople: enrolment.enrol_people,
        SuggestTemplate: templates.suggest_template,
        CorrectEntry: corrections.correct_entry,
    }
    of_one = f"{BASE}/engagements/{{engagement_id}}"
    # First, because each router that is asked in vain costs a step time, and steps are what everybody waits for.
    app.include_router(commands.command_router(bodies, by_hand), prefix=of_one)
    for router in (holidays.router, launch.router, engagements.router, tasks.router, templates.router):
        app.include_router(router, prefix=BASE)
    for router in (bulk.router, bulk.request_router(bodies)):
        app.include_router(router, prefix=BASE)
    for router in (
        engagements.of_one,
        tasks.of_one,
        templates.of_one,
        news.of_one,
        departures.of_one,
        forecasts.of_one,
        stages.of_one,
        registers.register_router(),
        packs.router,
        answers.router,
        history.router,
        commands.more,
    ):
        app.include_router(router, prefix=of_one)
    for router in (health.router, reference.explained, reference.router, arriving.router):
        app.include_router(router)


def _living(
    desk: Desk, database: Database, telemetry: Telemetry
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with reported(telemetry, database, lambda: desk.lag), tidied(database):
            yield
        await desk.close()

    return lifespan


class SecurityHeaders:
    """Headers on every answer, save where an answer has set its own."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add to what comes back."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class BodyLimit:
    """Bodies of at most so many bytes: refused at once where their length is said, else when they grow too long.

    The framework's own limit answers in plain text.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as long as its body stays within the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared[:20]) > self._most:
            await too_large()(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        await self._app(scope, counted, send)
