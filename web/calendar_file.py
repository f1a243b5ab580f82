"""Joint sessions as calendar files: one entry for the life of a session, updated and cancelled by the same UID.

RFC 5545 and 5546: ``METHOD`` says what a mail program does with the file, ``SEQUENCE`` which version is newer. Times
are UTC, so the file needs no definition of British summer time.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from icalendar import Calendar, Event, vCalAddress

from programme.post import Invitation
from web.presenters import SERVICE


def method(invitation: Invitation) -> str:
    """What the mail program is asked to do: put the entry in or update it, or take it out."""
    return "CANCEL" if invitation.cancelled else "REQUEST"


def calendar_file(
    invitation: Invitation, *, organiser: str, attendees: Sequence[str], issued: datetime, link: str
) -> bytes:
    """The file for these attendees, and nobody else's address in it.

    organiser, attendees: bare e-mail addresses. issued: when the message was issued (an instant with its zone).
    """
    calendar = Calendar()
    calendar.add("prodid", f"-//{SERVICE}//Joint sessions//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method(invitation))
    calendar.add_component(_entry(invitation, organiser, attendees, issued, link))
    return bytes(calendar.to_ical())


def _entry(invitation: Invitation, organiser: str, attendees: Sequence[str], issued: datetime, link: str) -> Event:
    entry = Event()
    entry.add("uid", invitation.uid)
    entry.add("sequence", invitation.revision)
    entry.add("dtstamp", issued.astimezone(UTC))
    entry.add("dtstart", invitation.starts.astimezone(UTC))
    entry.add("dtend", invitation.ends.astimezone(UTC))
    entry.add("summary", f"{SERVICE}: {invitation.title}")
    entry.add("description", link)
    entry.add("url", link)
    entry.add("status", "CANCELLED" if invitation.cancelled else "CONFIRMED")
    if invitation.place:
        entry.add("location", invitation.place)
    entry.add("organizer", _person(organiser, CN=SERVICE))
    for attendee in attendees:
        # No answer by e-mail: coming or not is said on the task list, where quorum is counted.
        entry.add("attendee", _person(attendee, ROLE="REQ-PARTICIPANT", PARTSTAT="NEEDS-ACTION", RSVP="FALSE"))
    return entry


def _person(address: str, **parameters: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    for name, value in parameters.items():
        person.params[name] = value
    return person
