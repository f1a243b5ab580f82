"""Where everything is found: task queues, workflow ids, and the attributes that Temporal's own page can search."""

TASK_QUEUE = "olive-branch"
POST_QUEUE = "olive-post"  # its own, so that a mail server that does not answer keeps nothing but mail waiting
CALENDARS = "calendars"  # the one workflow that brings new calendars after an announcement
CALENDARS_DAILY = "calendars-daily"  # the schedule that does so each morning, and the stem of its workflows' ids
OFFERS_DAILY = "offers-daily"  # the schedule that offers newer templates each morning; the stem of its workflows' ids

STAGE, PAUSED, NEXT_DUE = "OliveStage", "OlivePaused", "OliveNextDue"
SEARCH_ATTRIBUTES = {STAGE: "Keyword", PAUSED: "Bool", NEXT_DUE: "Datetime"}
"""Attribute name -> kind. Nothing personal: a stage, a flag, an instant."""


def engagement_workflow(engagement_id: str) -> str:
    """The workflow that hosts an engagement. The id is opaque: no name, address or code."""
    return f"engagement-{engagement_id}"


def bulk_workflow(bulk_id: str, *, dry: bool) -> str:
    """The workflow that foresees a request of many engagements, or carries it out."""
    return f"bulk-{bulk_id}-dry" if dry else f"bulk-{bulk_id}"
