"""What every part of a challenge review asks of it, and how what is true of it is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.messages import Event, PersonId, Stage, Task
from programme.part import Asked
from programme.post import SESSION, Invitation, NoticeRaised
from programme.refusals import AlreadyDone, ConflictOfInterest, Invalid, NotHeldByYou, Unknown
from programme.stages.review import Finding, FindingId, Meeting, Panellist, Review, ReviewId, conflict
from programme.working_time import uk_day

if TYPE_CHECKING:
    from programme.engagement import Engagement


def invitation(engagement: Engagement, review: Review, meeting: Meeting, *, cancelled: bool = False) -> Invitation:
    """The calendar entry of a review meeting."""
    return Invitation(
        uid=f"{engagement.id}-review-{review.id}",
        revision=meeting.revision + cancelled,
        cancelled=cancelled,
        title=f"Challenge review, {review.kind.value}",
        starts=meeting.starts,
        ends=meeting.ends,
        place=meeting.place,
    )


def review_of(engagement: Engagement, review: ReviewId) -> Review:
    """A review of the running cycle that is open.

    Raises:
        Unknown: there is none with this id.
    """
    found = engagement.cycle.challenge.reviews.get(review) if engagement.cycle else None
    if found is None:
        message = f"No review '{review}' is open in this cycle. Look at the reviews for those that are."
        raise Unknown(message)
    return found


def unfound(engagement: Engagement, review: ReviewId) -> Review:
    """A review without findings yet; refused where they are recorded."""
    found = review_of(engagement, review)
    if found.found:
        raise AlreadyDone("the findings of this review are recorded")
    return found


def panellist_of(review: Review, person: PersonId) -> Panellist:
    """Somebody on the panel of a review; refused where the person is not."""
    found = review.panel.get(person)
    if found is None:
        message = f"'{person}' is not on the panel of this review."
        raise Unknown(message)
    return found


def refuse_conflict(engagement: Engagement, review: Review, person: PersonId) -> None:
    """Refuse somebody who may not challenge here, with the reason."""
    found = conflict(engagement, review, person)
    if found:
        raise ConflictOfInterest(found.value)


def said(text: str, what: str) -> str:
    """What was written, without blanks around it; refused where nothing was."""
    words = text.strip()
    if not words:
        message = f"{what} is empty. Write it in a sentence or two."
        raise Invalid(message)
    return words


def uninvited(engagement: Engagement, review: Review, person: PersonId) -> list[Event]:
    """What takes the calendar entry of a review meeting back from somebody who leaves its panel."""
    if not review.meeting or review.held or not review.panel[person].accepted:
        return []
    entry = invitation(engagement, review, review.meeting, cancelled=True)
    return [
        NoticeRaised(
            people=(person,),
            title="You are no longer on the panel of a challenge review",
            about=review.id,
            topic=SESSION,
            invitation=entry,
        )
    ]


def invited(
    engagement: Engagement, review: Review, meeting: Meeting, people: tuple[PersonId, ...]
) -> list[NoticeRaised]:
    """The calendar entry of a review meeting, for these people."""
    title = f"{review.kind.value.capitalize()} challenge review on {uk_day(meeting.on)}"
    entry = invitation(engagement, review, meeting)
    return [NoticeRaised(people=people, title=title, about=review.id, topic=SESSION, invitation=entry)]


def refuse_others_than_the_chair(engagement: Engagement, review: Review, asked: Asked) -> None:
    """Refuse whoever does not chair the review, or may not."""
    if asked.by != review.chair:
        raise NotHeldByYou("Chairing this review")
    refuse_conflict(engagement, review, asked.by)


def finding_of(review: Review, finding: FindingId) -> Finding:
    """A finding of a review.

    Raises:
        Unknown: there is none with this id.
    """
    found = review.findings.get(finding)
    if found is None:
        message = f"No finding '{finding}' in this review."
        raise Unknown(message)
    return found


def with_challenge(engagement: Engagement, **changes: object) -> Engagement:
    """The engagement with these fields of its challenge changed."""
    return engagement.in_cycle(challenge=engagement.running.challenge.model_copy(update=changes))


def keep(engagement: Engagement, review: Review) -> Engagement:
    """The engagement with this review as it is now."""
    return with_challenge(engagement, reviews={**engagement.running.challenge.reviews, review.id: review})


def change_review(engagement: Engagement, review: ReviewId, **changes: object) -> Engagement:
    """The engagement with these fields of a review changed."""
    return keep(engagement, engagement.running.challenge.reviews[review].model_copy(update=changes))


def with_finding(engagement: Engagement, review: ReviewId, finding: Finding) -> Engagement:
    """The engagement with this finding as it is now."""
    findings = engagement.running.challenge.reviews[review].findings
    return change_review(engagement, review, findings={**findings, finding.id: finding})


def task_of(engagement: Engagement, what: str, person: PersonId, **fields: object) -> Task:
    """A task of this stage."""
    prefix = f"{engagement.running.number}/{Stage.CHALLENGE.value}"
    return Task(id=f"{prefix}/{what}/{person}", person=person, **fields)  # type: ignore[arg-type]
