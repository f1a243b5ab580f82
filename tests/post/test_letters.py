"""What people read in a message: words, dates, one link, and nothing about anybody else."""

import re
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from unicodedata import category

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from programme.post import DIGEST, SAFETY, SESSION, Invitation, Item, MessageIssued
from web.mail import Envelope, Mail, Unsendable, mime, reference, written
from web.presenters import Letter, Programme, letter

SENDER = "Olive Branch <olive@trust.example>"
URL = "https://olive.trust.example"
TODAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 4, 8, tzinfo=UTC)
PROGRAMME = Programme("0199", "Emergency department", frozenset({"med", "man"}), URL)
AGREE = Item(
    title="Agree or decline an action",
    task="1/agreement/agree-a1-v1/p1",
    rung="opened+4",
    due=date(2026, 3, 11),
    why="10 working days after the action was proposed on 25 February 2026",
)
CHECK_IN = Item(
    title="Send your check-in", task="1/delivery/check-in-a1-2026-03/p1", rung="due+2", due=date(2026, 3, 3)
)
NEWS = Item(title="The diagnosis is ready to read", notice=7, about="diagnosis")
NOTES_LATE = Item(
    title="Confirm the notes of session A",
    task="1/sessions/confirm-notes-A/p9",
    rung="due+1 facilitator",
    due=date(2026, 3, 3),
    escalation=True,
)
SESSION_A = Invitation(
    uid="session-a@0199",
    title="Joint session A: Make sense together",
    starts=datetime(2026, 4, 15, 13, tzinfo=UTC),
    ends=datetime(2026, 4, 15, 16, 30, tzinfo=UTC),
    place="Seminar room 2",
)


def issued(
    *items: Item, people: tuple[str, ...] = ("p1",), topic: str = DIGEST, invitation: Invitation | None = None
) -> MessageIssued:
    return MessageIssued(people=people, items=items, topic=topic, on=TODAY, invitation=invitation)


def words(*items: Item, people: tuple[str, ...] = ("p1",), topic: str = DIGEST, today: date = TODAY) -> Letter:
    return letter(issued(*items, people=people, topic=topic), PROGRAMME, name="Priya Nair", today=today)


def invited(invitation: Invitation) -> MessageIssued:
    news = Item(title="Joint session A has a date: Wednesday 15 April 2026, 2pm to 5:30pm", notice=3)
    return issued(news, topic=SESSION, invitation=invitation)


def mail(message: MessageIssued, name: str = "Priya Nair", programme: Programme = PROGRAMME) -> Mail:
    to = ("p1@trust.example",)
    its_letter = letter(message, programme, name=name, today=TODAY)
    return written(its_letter, message, organiser="olive@trust.example", to=to, issued=NOW)


def received(mail: Mail, to: tuple[str, ...] = ("p1@trust.example",), name: str = "r1") -> EmailMessage:
    """The mail as a mail program reads it, from its bytes."""
    sent = mime(Envelope(mail, to, name, NOW), SENDER)
    return message_from_bytes(sent.as_bytes(), _class=EmailMessage, policy=default)


def calendar_of(message: MessageIssued) -> icalendar.Calendar:
    entry = mail(message).calendar
    assert entry
    return icalendar.Calendar.from_ical(entry.content)


def entry_of(message: MessageIssued) -> icalendar.Event:
    (entry,) = calendar_of(message).events
    return entry


class Page(HTMLParser):
    """What a page shows, what it links to, and what it would load."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.shown = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "background", "action"}]

    def handle_data(self, data: str) -> None:
        self.shown += data


# --- words ---------------------------------------------------------------------------------------------------------


def test_a_letter_greets_by_name_and_names_the_service_first_and_last() -> None:
    text = mail(issued(AGREE)).text
    assert text.startswith("Dear Priya Nair\n")
    assert text.rstrip().endswith("\nOlive Branch")
    assert mail(issued(AGREE)).subject == "Olive Branch: Agree or decline an action"


def test_a_due_date_is_in_words_and_explains_itself() -> None:
    (line,) = words(AGREE).sections[0].lines
    assert line.sentences == (
        "Please do this by Wednesday 11 March 2026.",
        "Why this date: 10 working days after the action was proposed on 25 February 2026.",
    )


def test_what_is_late_is_said_as_a_fact_without_blame() -> None:
    message = mail(issued(CHECK_IN))
    assert "This check-in was due on 3 March 2026." in message.text
    for blame in ("late", "overdue", "fail", "urgent", "must"):
        assert blame not in message.text.lower()


def test_what_is_due_today_says_so() -> None:
    (line,) = words(CHECK_IN, today=date(2026, 3, 3)).sections[0].lines
    assert line.sentences == ("This check-in is due today, Tuesday 3 March 2026.",)


def test_a_message_that_was_held_up_speaks_of_the_day_on_which_it_leaves() -> None:
    (line,) = words(AGREE, today=date(2026, 3, 12)).sections[0].lines
    assert line.sentences[0] == "This answer was due on 11 March 2026."


def test_one_digest_holds_everything_the_most_pressing_first() -> None:
    text = mail(issued(NEWS, AGREE, CHECK_IN, NOTES_LATE)).text
    places = [
        text.index(part) for part in ("Send your check-in", "Agree or decline", "Confirm the notes", "diagnosis is")
    ]
    assert places == sorted(places)
    assert "2 tasks wait for you." in text


def test_both_sponsors_read_one_message_that_names_neither() -> None:
    message = words(NOTES_LATE, people=("med", "man"))
    assert message.greeting == "Dear both sponsors"
    assert "Both of you receive this message at the same time." in message.opening
    assert "Priya" not in str(message)


def test_others_are_told_that_help_may_be_needed_in_words_that_are_not_meant_for_them() -> None:
    message = mail(issued(NOTES_LATE))
    assert message.subject == "Olive Branch: not yet done, due on 3 March 2026"
    assert "Not yet done: \N{LEFT DOUBLE QUOTATION MARK}Confirm the notes of session A" in message.text
    assert "so that help can be offered" in message.text


def test_a_reason_that_speaks_to_the_holder_is_not_told_to_others() -> None:
    asked = AGREE.model_copy(update={"why": "15 working days after you were asked on 11 February 2026"})
    assert "Why this date" in mail(issued(asked)).text
    assert "Why this date" not in mail(issued(asked.model_copy(update={"escalation": True}))).text


def test_the_news_of_a_session_is_said_once_and_first() -> None:
    message = mail(invited(SESSION_A))
    assert message.subject.startswith("Olive Branch: Joint session A has a date: Wednesday 15 April")
    assert message.text.count("has a date") == 1
    assert message.text.index("has a date") < message.text.index("Seminar room 2")


def test_patient_safety_is_said_first() -> None:
    message = words(AGREE, topic=SAFETY)
    assert message.subject == "Olive Branch: patient safety, please read now"
    assert message.opening[0].startswith("This is about the safety of patients")


@pytest.mark.parametrize(
    ("items", "link"),
    [((AGREE, NEWS), f"{URL}/tasks"), ((NEWS,), f"{URL}/engagements/0199"), ((NOTES_LATE,), f"{URL}/engagements/0199")],
)
def test_a_message_has_one_plain_link_and_loads_nothing(items: tuple[Item, ...], link: str) -> None:
    message = mail(issued(*items))
    assert re.findall(r"https?://\S+", message.text) == [link]
    page = Page(message.html)
    assert page.links == [link]
    assert link in page.shown
    assert not page.tags & {"img", "script", "link", "iframe", "form", "object", "video", "audio"}
    assert "url(" not in message.html


def test_both_forms_say_the_same() -> None:
    message = mail(issued(NEWS, AGREE, CHECK_IN, NOTES_LATE))
    shown = " ".join(Page(message.html).shown.split())
    for line in message.text.splitlines():
        assert " ".join(line.strip("* ").split()) in shown


def test_the_message_says_how_data_is_used_and_how_reminders_stop() -> None:
    text = mail(issued(AGREE)).text
    assert "We use your name and e-mail address only to write to you about this programme" in text
    assert "To change when they reach you, or to stop them, ask your programme manager." in text


def test_markup_in_a_title_or_name_stays_text() -> None:
    message = mail(issued(Item(title="R&D <script>alert(1)</script>")), name="Ann <b>Other</b>")
    page = Page(message.html)
    assert not page.tags & {"script", "b"}
    assert "R&D <script>alert(1)</script>" in page.shown
    assert "R&D <script>alert(1)</script>" in message.text
    assert "Dear Ann <b>Other</b>" in page.shown


def test_a_long_title_is_cut_in_the_subject_and_whole_in_the_text() -> None:
    title = "Paused until 3 March 2026 because of a great many things that take a while to say"
    message = mail(issued(Item(title=title)))
    assert len(message.subject) <= 69
    assert message.subject.endswith("\N{HORIZONTAL ELLIPSIS}")
    assert title in message.text


# --- joint sessions ------------------------------------------------------------------------------------------------


def test_a_session_is_told_in_local_time_and_kept_in_utc() -> None:
    message = mail(invited(SESSION_A))
    assert "Wednesday 15 April 2026, 2pm to 5:30pm" in message.text  # British summer time
    assert "Place: Seminar room 2" in message.text
    entry = entry_of(invited(SESSION_A))
    assert entry.start == datetime(2026, 4, 15, 13, tzinfo=UTC)
    assert b"DTSTART:20260415T130000Z" in entry.to_ical()


def test_an_update_and_a_cancellation_reach_the_same_entry() -> None:
    moved = SESSION_A.model_copy(update={"revision": 1, "starts": SESSION_A.starts + timedelta(days=7)})
    cancelled = moved.model_copy(update={"revision": 2, "cancelled": True})
    calendars = [calendar_of(invited(one)) for one in (SESSION_A, moved, cancelled)]
    entries = [calendar.events[0] for calendar in calendars]
    assert [calendar["METHOD"] for calendar in calendars] == ["REQUEST", "REQUEST", "CANCEL"]
    assert {str(entry["UID"]) for entry in entries} == {"session-a@0199"}
    assert [entry["SEQUENCE"] for entry in entries] == [0, 1, 2]
    assert [str(entry["STATUS"]) for entry in entries] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert "brings your calendar up to date" in mail(invited(moved)).text
    assert "takes it out of your calendar" in mail(invited(cancelled)).text


def test_the_calendar_file_travels_as_an_alternative_and_as_an_attachment() -> None:
    message = received(mail(invited(SESSION_A)))
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    alternative, attached = list(message.walk())[4:]
    assert alternative.get_param("method") == "REQUEST"
    assert attached.get_payload(decode=True) == mail(invited(SESSION_A)).calendar.content  # type: ignore[union-attr]


def test_a_message_without_a_session_has_no_attachment() -> None:
    kinds = [part.get_content_type() for part in received(mail(issued(AGREE))).walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]


def test_a_place_cannot_write_further_lines_of_a_calendar() -> None:
    place = "Room 1; left, then\r\nATTENDEE:mailto:mallory@evil.example"
    entry = entry_of(invited(SESSION_A.model_copy(update={"place": place})))
    assert str(entry["ATTENDEE"]) == "mailto:p1@trust.example"
    assert "mallory" in str(entry["LOCATION"])


def test_nobody_sees_who_else_is_invited() -> None:
    attendee = entry_of(invited(SESSION_A))["ATTENDEE"]
    assert str(attendee) == "mailto:p1@trust.example"


# --- headers -------------------------------------------------------------------------------------------------------


@given(
    before=st.text(st.characters(codec="utf-8"), max_size=8),
    line_break=st.sampled_from(["\r\n", "\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\0"]),
)
def test_a_header_of_more_than_one_line_is_refused(before: str, line_break: str) -> None:
    with pytest.raises(Unsendable):
        received(Mail(subject=f"{before}{line_break}Bcc: mallory@evil.example", text="", html=""))
    with pytest.raises(Unsendable):
        received(mail(issued(AGREE)), name=f"{before}{line_break}Bcc: mallory@evil.example")


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_whatever_a_title_holds_no_header_comes_of_it(title: str) -> None:
    try:
        message = received(mail(issued(Item(title=title))))
    except Unsendable:
        assert any(category(character) in {"Cc", "Zl", "Zp"} for character in title)
    else:
        assert set(message.keys()) == {
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
        }


@pytest.mark.parametrize(
    "address",
    ["", "p1", "p1@trust.example\r\nBcc: m@evil.example", "a b@c.example", "a@b, c@d", "<a@b.example>", "ü@b.example"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Unsendable):
        received(mail(issued(AGREE)), to=(address,))


def test_mails_ask_for_no_automatic_answer() -> None:
    assert received(mail(issued(AGREE)))["Auto-Submitted"] == "auto-generated"


def test_a_repeat_has_the_same_reference_and_nothing_else_has_it() -> None:
    first = reference("0199", 12, ("p1",))
    assert first == reference("0199", 12, ("p1",))
    assert reference("0199", 12, ("med", "man")) == reference("0199", 12, ("man", "med"))
    others = {reference("0199", 13, ("p1",)), reference("0199", 12, ("p2",)), reference("0198", 12, ("p1",))}
    assert first not in others
    assert len(others) == 3
    assert "p1" not in first


# --- nothing about anybody else ------------------------------------------------------------------------------------

WORDS = st.text(st.characters(categories=("L", "Nd", "P", "Zs")), max_size=30)
DATES = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@st.composite
def items(draw: st.DrawFn) -> Item:
    """Any item that the core can issue: its ids name people, its words do not."""
    task = draw(st.sampled_from(["", "1/delivery/check-in-a1/person-secret", "1/agreement/agree-a1/person-secret"]))
    return Item(
        title=draw(WORDS),
        task=task,
        rung="due+2 secret-rung" if task else "",
        notice=0 if task else 4,
        about="secret-about",
        due=draw(st.none() | DATES),
        why=draw(WORDS),
        escalation=bool(task) and draw(st.booleans()),
    )


@given(st.lists(items(), min_size=1, max_size=5), st.sampled_from([("person-secret",), ("med-secret", "man-secret")]))
def test_no_id_of_a_person_or_a_task_is_in_what_is_sent(lines: list[Item], people: tuple[str, ...]) -> None:
    message = issued(*lines, people=people)
    programme = Programme("0199", "Ward", frozenset({"med-secret", "man-secret"}), URL)
    sent = mail(message, programme=programme)
    assert "secret" not in sent.subject + sent.text + sent.html
    if len(people) > 1:
        assert "Priya" not in sent.subject + sent.text + sent.html
