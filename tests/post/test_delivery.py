"""The post on good and bad days: a real database, a real SMTP conversation, and the server's clock."""

import asyncio
import shutil
import sys
import traceback
from contextlib import suppress
from datetime import date, time, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.accounts import MailFolder, SmtpAccount
from activities.channels import channel_of
from activities.post import PostActivities
from programme.post import SAFETY, SESSION, Item, MessageIssued
from programme.working_time import at_local
from runtime.payloads import CONVERTER
from store import confidential
from tests.post.trust import (
    CHECK_IN,
    EASTER_MONDAY,
    ID,
    INVITATION,
    LATE,
    NAMES,
    NEWS,
    SENDER,
    URL,
    WEDNESDAY,
    Trust,
    attempt,
    email,
    everything_in,
    text_of,
)
from workflows.addresses import POST_QUEUE
from workflows.ports import POSTING, Delivery, GivenUp, Post

# --- good days -----------------------------------------------------------------------------------------------------


async def test_a_message_arrives_once_as_text_and_html_with_its_link(trust: Trust) -> None:
    await trust.issue(CHECK_IN, NEWS)
    assert await trust.deliver() == Delivery()
    assert await trust.deliver() == Delivery()
    (message,) = trust.server.took
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert message["From"] == SENDER
    assert message["To"] == email("d1")
    text = text_of(message)
    assert "Dear Dora Docherty" in text
    assert "This check-in is due today, Wednesday 4 March 2026." in text
    assert "The diagnosis is ready to read" in text  # one digest, with everything
    assert f"{URL}/tasks" in text
    assert await trust.left() == []


async def test_many_messages_leave_in_one_round_each_to_its_reader(trust: Trust) -> None:
    for person in NAMES:
        await trust.issue(NEWS, to=person)
    await trust.deliver()
    assert trust.server.reached == [email(person) for person in NAMES]
    assert len({message["Message-ID"] for message in trust.server.took}) == len(NAMES)


async def test_a_session_comes_with_a_calendar_file_that_updates_and_cancels(trust: Trust) -> None:
    for change in ({}, {"revision": 1, "place": "Room 2"}, {"revision": 2, "cancelled": True}):
        invitation = INVITATION.model_copy(update=change)
        await trust.issue(Item(title="Session A", notice=9), topic=SESSION, invitation=invitation)
    await trust.deliver()
    files = [part.get_content() for message in trust.server.took for part in message.iter_attachments()]
    assert [b"METHOD:CANCEL" in file for file in files] == [False, False, True]
    assert all(b"UID:session-a@0199" in file for file in files)
    assert [f"SEQUENCE:{revision}".encode() in file for revision, file in enumerate(files)] == [True] * 3


async def test_both_sponsors_get_one_message_in_the_same_moment(trust: Trust) -> None:
    await trust.issue(LATE, to=("med", "man"))
    await trust.deliver()
    assert trust.server.envelopes == [[email("med"), email("man")]]
    (message,) = trust.server.took
    assert message["To"] == f"{email('med')}, {email('man')}"
    assert "Dear both sponsors" in text_of(message)


async def test_the_post_logs_in_where_the_account_has_a_password(trust: Trust) -> None:
    account = SmtpAccount("127.0.0.1", trust.server.port, SENDER, user="olive", password="right", starttls=False)
    await trust.issue(NEWS)
    trust.post = PostActivities(trust.database, channel_of(account), URL)
    await trust.deliver()
    assert trust.server.logins == [(b"olive", b"right")]
    assert trust.server.reached == [email("d1")]
    assert "right" not in repr(account)


async def test_where_there_is_no_mail_server_mails_are_kept_in_a_folder(trust: Trust, tmp_path: Path) -> None:
    await trust.issue(NEWS)
    trust.post = PostActivities(trust.database, channel_of(MailFolder(tmp_path / "mail", SENDER)), URL)
    await trust.deliver()
    (file,) = (tmp_path / "mail").iterdir()
    assert b"Dear Dora Docherty" in file.read_bytes()


# --- nothing about anybody else ------------------------------------------------------------------------------------


async def test_no_name_answer_or_comment_of_anybody_else_is_in_any_message(trust: Trust) -> None:
    secret = "They never listen to a word"
    async with trust.database.writing() as connection:
        kept = await confidential.deposit(connection, ID, trust.ids["d2"], "reflection", "pair-1", secret)
    await trust.issue(CHECK_IN, LATE, NEWS, to="d1")
    await trust.issue(LATE, to="pm")
    await trust.issue(LATE, to=("med", "man"))
    await trust.issue(CHECK_IN, to="m1", topic=SAFETY)
    await trust.issue(Item(title="Session A", notice=9), topic=SESSION, invitation=INVITATION, to="d2")
    await trust.deliver()
    readers = [("d1",), ("pm",), ("med", "man"), ("m1",), ("d2",)]
    assert len(trust.server.took) == len(readers)
    for message, named in zip(trust.server.took, readers, strict=True):
        found = everything_in(message)
        for person, name in NAMES.items():
            assert (name in found) == (person in named and len(named) == 1)
            assert (email(person) in found) == (person in named)
            assert trust.ids[person] not in found
        assert secret not in found
        assert kept not in found
        assert "check-in-a1" not in found


# --- sending hours -------------------------------------------------------------------------------------------------

FRIDAY_EVENING = at_local(date(2026, 4, 3), time(18))
"""6pm before Easter Monday, in British summer time."""


async def test_the_last_minute_of_the_working_day_still_sends(trust: Trust) -> None:
    friday = FRIDAY_EVENING - timedelta(minutes=1)
    await trust.issue(NEWS, at=friday)
    await trust.deliver(friday)
    assert trust.server.reached == [email("d1")]


@pytest.mark.parametrize("hours", [0, 12, 36, 60, 61.9])
async def test_nothing_leaves_in_the_evening_at_the_weekend_or_on_a_bank_holiday(trust: Trust, hours: float) -> None:
    await trust.issue(NEWS, at=FRIDAY_EVENING - timedelta(minutes=1))
    error = await trust.waits(FRIDAY_EVENING + timedelta(hours=hours))
    assert error.type == "OutsideSendingHours"
    assert error.next_retry_delay
    assert trust.server.took == []


async def test_what_waited_leaves_at_8am_on_the_next_working_day(trust: Trust) -> None:
    await trust.issue(NEWS, at=FRIDAY_EVENING - timedelta(minutes=1))
    tuesday = at_local(EASTER_MONDAY + timedelta(days=1), time(8))
    error = await trust.waits(tuesday - timedelta(seconds=90))
    assert error.next_retry_delay is not None
    assert timedelta(seconds=80) < error.next_retry_delay <= timedelta(seconds=90)
    await trust.deliver(tuesday)
    assert trust.server.reached == [email("d1")]


async def test_a_message_about_patients_safety_leaves_at_any_hour_and_the_rest_stays(trust: Trust) -> None:
    midnight = FRIDAY_EVENING + timedelta(hours=6)
    await trust.issue(NEWS, to="d1", at=midnight)
    await trust.issue(CHECK_IN, to="d2", at=midnight, topic=SAFETY)
    error = await trust.waits(midnight)
    assert error.type == "OutsideSendingHours"
    assert trust.server.reached == [email("d2")]


async def test_a_safety_message_never_waits_long_behind_others(trust: Trust) -> None:
    await trust.issue(NEWS, at=FRIDAY_EVENING)
    error = await trust.waits(FRIDAY_EVENING)
    assert error.next_retry_delay == timedelta(minutes=5)  # and not until Tuesday morning


@workflow.defn
class HandsOverOnce:
    @workflow.run
    async def run(self, engagement_id: str) -> Delivery:
        return await workflow.execute_activity_method(Post.deliver, engagement_id, **POSTING)


async def test_a_message_of_the_evening_leaves_in_the_morning_of_the_servers_clock(trust: Trust) -> None:
    path = shutil.which("temporal-test-server", path=Path(sys.executable).parent)
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=path, data_converter=CONVERTER
    ) as environment:
        now = await environment.get_current_time()
        evening = at_local(now.date() + timedelta(days=1), time(19))
        await environment.sleep(evening - now)
        await trust.issue(NEWS, at=evening)
        async with Worker(
            environment.client,
            task_queue=POST_QUEUE,
            workflows=[HandsOverOnce],
            activities=[trust.post.deliver],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            await environment.client.execute_workflow(HandsOverOnce.run, ID, id="once", task_queue=POST_QUEUE)
    (message,) = trust.server.took
    morning = (await trust.standing()).time.next_sending(evening)
    assert timedelta() <= parsedate_to_datetime(message["Date"]) - morning < timedelta(minutes=1)


# --- bad days ------------------------------------------------------------------------------------------------------


async def test_a_mail_server_that_was_down_gets_each_message_once_when_it_is_back(trust: Trust) -> None:
    await trust.issue(NEWS, to="d1")
    await trust.issue(NEWS, to="d2")
    await trust.server.stop()
    assert (await trust.waits()).type == "PostAway"
    assert (await trust.waits(WEDNESDAY + timedelta(hours=3))).type == "PostAway"
    await trust.server.start()
    assert await trust.deliver(WEDNESDAY + timedelta(hours=4)) == Delivery()
    assert await trust.deliver(WEDNESDAY + timedelta(hours=5)) == Delivery()
    assert trust.server.reached == [email("d1"), email("d2")]


async def test_a_server_that_closes_in_the_middle_is_away_and_not_a_refusal(trust: Trust) -> None:
    await trust.issue(NEWS, to="d1")
    await trust.issue(NEWS, to="d2")
    trust.server.refusing[email("d2")] = "421"
    error = await trust.waits()
    assert (error.type, error.message) == ("PostAway", "the mail server is away (421)")
    trust.server.refusing.clear()
    await trust.deliver()
    assert trust.server.reached == [email("d1"), email("d2")]


async def test_a_wrong_password_delays_and_loses_nothing(trust: Trust) -> None:
    account = SmtpAccount("127.0.0.1", trust.server.port, SENDER, user="olive", password="wrong", starttls=False)
    await trust.issue(NEWS)
    trust.post = PostActivities(trust.database, channel_of(account), URL)
    error = await trust.waits()
    assert (error.type, error.message) == ("PostAway", "the mail server is away (535)")
    assert len(await trust.left()) == 1


async def test_nothing_is_sent_in_the_clear_where_encryption_is_asked_for(trust: Trust) -> None:
    account = SmtpAccount("127.0.0.1", trust.server.port, SENDER, user="olive", password="right", starttls=True)
    await trust.issue(NEWS)
    trust.post = PostActivities(trust.database, channel_of(account), URL)
    assert (await trust.waits()).type == "PostAway"
    assert trust.server.logins == []
    assert trust.server.took == []


async def test_one_bad_address_is_reported_and_blocks_nobody(trust: Trust) -> None:
    trust.server.refusing[email("d2")] = "550"
    numbers = {person: await trust.issue(NEWS, to=person) for person in ("d1", "d2", "m1")}
    delivery = await trust.deliver()
    assert delivery.given_up == (GivenUp(message=numbers["d2"], people=(trust.ids["d2"],)),)
    assert trust.server.reached == [email("d1"), email("m1")]
    await trust.note(delivery, WEDNESDAY)
    assert await trust.deliver() == Delivery()
    assert await trust.left() == []
    engagement = await trust.standing()
    titles = [task.title for task in engagement.open_tasks if task.person == trust.ids["pm"]]
    assert "Reach somebody whom our e-mail could not reach" in titles


async def test_a_report_that_a_crash_swallowed_is_made_again(trust: Trust) -> None:
    trust.server.refusing[email("d1")] = "550"
    await trust.issue(NEWS)
    lost = await trust.deliver()
    assert lost.given_up
    assert await trust.deliver() == lost  # the workflow never heard of the first


async def test_a_refused_content_is_reported(trust: Trust) -> None:
    trust.server.refusing_content = "554"
    number = await trust.issue(NEWS)
    assert (await trust.deliver()).given_up == (GivenUp(message=number, people=(trust.ids["d1"],)),)


async def test_a_mailbox_that_is_full_is_tried_again_and_blocks_nobody(trust: Trust) -> None:
    trust.server.refusing[email("d1")] = "452"
    await trust.issue(NEWS, to="d1")
    await trust.issue(NEWS, to="d2")
    error = await trust.waits()
    assert (error.type, error.message) == ("PostDeferred", "a mailbox takes nothing now (452)")
    assert trust.server.reached == [email("d2")]
    trust.server.refusing.clear()
    await trust.deliver(WEDNESDAY + timedelta(minutes=5))
    assert trust.server.reached == [email("d2"), email("d1")]


async def test_after_72_hours_without_a_server_the_message_is_given_up(trust: Trust) -> None:
    number = await trust.issue(NEWS)
    await trust.server.stop()
    saturday = WEDNESDAY + timedelta(hours=72)
    assert (await trust.waits(WEDNESDAY + timedelta(hours=55))).type == "PostAway"  # Friday, 4pm
    assert (await trust.waits(saturday)).type == "OutsideSendingHours"  # nobody gives up while nobody may send
    monday = WEDNESDAY + timedelta(days=5)
    later = await trust.issue(NEWS, to="d2", at=monday)
    delivery = await trust.deliver(monday)
    assert [lost.message for lost in delivery.given_up] == [number]
    await trust.note(delivery, monday)
    assert (await trust.waits(monday)).type == "PostAway"
    assert [message.message for message in await trust.left()] == [later]


async def test_a_mailbox_that_stays_full_for_72_hours_is_given_up_and_the_others_are_not(trust: Trust) -> None:
    trust.server.refusing[email("man")] = "452"
    number = await trust.issue(LATE, to=("med", "man"))
    await trust.waits(WEDNESDAY + timedelta(hours=48))
    monday = WEDNESDAY + timedelta(days=5)
    delivery = await trust.deliver(monday)
    assert delivery.given_up == (GivenUp(message=number, people=(trust.ids["man"],)),)
    await trust.note(delivery, monday)
    await trust.deliver(monday)
    assert trust.server.reached == [email("med")]


async def test_a_message_is_tried_once_more_before_it_is_given_up(trust: Trust) -> None:
    await trust.issue(NEWS)
    await trust.deliver(WEDNESDAY + timedelta(days=14))
    assert trust.server.reached == [email("d1")]


async def test_if_one_sponsor_cannot_be_reached_now_neither_is_told_first(trust: Trust) -> None:
    trust.server.refusing[email("man")] = "451"
    await trust.issue(LATE, to=("med", "man"))
    await trust.waits()
    assert trust.server.took == []
    trust.server.refusing.clear()
    await trust.deliver()
    assert trust.server.envelopes == [[email("med"), email("man")]]


async def test_if_one_sponsor_can_never_be_reached_the_other_is_told_once_that_is_known(trust: Trust) -> None:
    trust.server.refusing[email("man")] = "550"
    number = await trust.issue(LATE, to=("med", "man"))
    delivery = await trust.deliver()
    assert delivery.given_up == (GivenUp(message=number, people=(trust.ids["man"],)),)
    assert trust.server.took == []
    await trust.note(delivery, WEDNESDAY)
    assert await trust.deliver() == Delivery()
    assert trust.server.reached == [email("med")]
    assert "Dear Medina Sponsorova" in text_of(trust.server.took[0])


async def test_both_sponsors_lost_one_after_the_other_are_one_task(trust: Trust) -> None:
    number = await trust.issue(LATE, to=("med", "man"))
    for person in ("med", "man"):
        await trust.note(Delivery(given_up=(GivenUp(message=number, people=(trust.ids[person],)),)), WEDNESDAY)
    (undelivered,) = (await trust.standing()).post.undelivered
    assert undelivered.people == (trust.ids["med"], trust.ids["man"])
    assert await trust.deliver() == Delivery()
    assert await trust.left() == []


async def test_a_crash_after_the_server_took_it_repeats_it_once_under_the_same_name(trust: Trust) -> None:
    await trust.issue(NEWS)
    running = asyncio.ensure_future(trust.deliver())
    trust.server.on_taken = running.cancel  # we die before we hear that it was taken
    with suppress(asyncio.CancelledError):
        await running
    assert running.cancelled()
    trust.server.on_taken = lambda: None
    await trust.deliver()
    await trust.deliver()
    first, second = trust.server.took
    assert first["Message-ID"] == second["Message-ID"]


async def test_somebody_who_is_no_longer_known_is_reported(trust: Trust) -> None:
    stranger = MessageIssued(people=("erased",), items=(NEWS,), on=WEDNESDAY.date())
    number = await trust.record([stranger], WEDNESDAY)
    assert (await trust.deliver()).given_up == (GivenUp(message=number, people=("erased",)),)


async def test_a_title_of_two_lines_is_never_sent_and_blocks_nobody(trust: Trust) -> None:
    number = await trust.issue(Item(title="News\r\nBcc: mallory@evil.example", notice=3), to="d1")
    await trust.issue(NEWS, to="d2")
    assert (await trust.deliver()).given_up == (GivenUp(message=number, people=(trust.ids["d1"],)),)
    assert trust.server.reached == [email("d2")]


@pytest.mark.parametrize("code", ["451", "421", "550"])
async def test_no_error_and_no_log_line_holds_an_address_or_a_name(
    trust: Trust, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    trust.server.refusing[email("d1")] = code
    await trust.issue(NEWS)
    told = ""
    try:
        told = repr(await trust.deliver())
    except ApplicationError as error:
        told = "".join(traceback.format_exception(error))
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("mail."))
    for secret in (email("d1"), "Dora", "not wanted", "The diagnosis"):
        assert secret not in told
        assert secret not in ours


async def test_an_empty_outbox_needs_no_mail_server(trust: Trust) -> None:
    await trust.server.stop()
    assert await trust.deliver() == Delivery()
    assert await attempt(WEDNESDAY).run(trust.post.deliver, "unknown") == Delivery()
