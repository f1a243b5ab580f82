"""The programme manager tells both sides something: the same words, by the ordinary post, within its limits."""

import pytest

from programme.continuity import PauseEngagement
from programme.messages import Side, Stage
from programme.post import MessageIssued, NoticeRaised
from programme.refusals import EngagementPaused, Invalid, NotYet, RoleRequired
from programme.telling import TITLE, ParticipantsTold, TellParticipants
from tests.core.programme_driver import FACILITATOR, MEDICAL, PM, begun

NEWS = "The lift to the seminar room is out of order, so sessions meet in the library"


def test_everybody_of_both_sides_is_told_the_same_and_nobody_else() -> None:
    programme = begun(Stage.DELIVERY)
    told, raised = programme.do(TellParticipants(text=f"  {NEWS}\n"), PM)
    assert isinstance(told, ParticipantsTold)
    assert isinstance(raised, NoticeRaised)
    everybody = {person for side in Side for person in programme.engagement.participants(side)}
    assert (told.text, told.by, raised.title) == (NEWS, PM, TITLE)
    assert set(raised.people) == everybody
    assert not raised.together


def test_it_leaves_once_with_each_persons_next_message() -> None:
    programme = begun(Stage.DELIVERY)
    programme.do(TellParticipants(text=NEWS), PM)
    programme.wait(10)
    sent = [event for event in programme.events(MessageIssued) if any(item.title == TITLE for item in event.items)]
    readers = [person for event in sent for person in event.people]
    assert sorted(readers) == sorted(person for side in Side for person in programme.engagement.participants(side))
    for event in programme.events(MessageIssued):
        assert len(event.people) == 1 or TITLE not in {item.title for item in event.items}
        assert NEWS not in event.model_dump_json()


@pytest.mark.parametrize("text", ["", "  ", "Write to me@example.nhs.uk", "See https://example.org", "www.example.org"])
def test_a_text_that_says_nothing_or_leads_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        begun(Stage.DELIVERY).do(TellParticipants(text=text), PM)


@pytest.mark.parametrize("person", [MEDICAL, FACILITATOR, "d0"])
def test_nobody_but_the_programme_manager_speaks_to_both_sides_at_once(person: str) -> None:
    with pytest.raises(RoleRequired):
        begun(Stage.DELIVERY).do(TellParticipants(text=NEWS), person)


def test_there_is_nobody_to_tell_before_somebody_takes_part() -> None:
    with pytest.raises(NotYet):
        begun(Stage.MANDATE).do(TellParticipants(text=NEWS), PM)


def test_a_pause_is_quiet() -> None:
    programme = begun(Stage.DELIVERY)
    programme.do(PauseEngagement(reason="Winter", resumes=programme.engagement.time.plus(programme.today, 3)), PM)
    with pytest.raises(EngagementPaused):
        programme.do(TellParticipants(text=NEWS), PM)
