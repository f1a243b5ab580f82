"""Every table. The journal is the record; what is derived from it can be thrown away and folded again.

Derived: engagements, snapshots, memberships, tasks, actions, sessions, measures, points, reviews. Kept beside it:
people and tokens, the confidential store (deposits, answers), the post, and what the front door remembers.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from store.database import Exact, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(80)
Word = String(80)
Digest = String(64)


def engagement_id(*, primary_key: bool = True) -> Column[str]:
    """The engagement to which a row belongs."""
    return Column("engagement_id", Id, primary_key=primary_key, nullable=False)


# --- the record ----------------------------------------------------------------------------------------------------

journal = Table(
    "journal",
    metadata,
    engagement_id(),
    Column("sequence", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor_id", Id, nullable=False),
    Column("on_behalf_of", Id),
    Column("kind", Word, nullable=False),
    Column("body", LargeBinary, nullable=False),  # the RFC 8785 bytes that the digest is taken over
    Column("previous_digest", Digest, nullable=False),
    Column("digest", Digest, nullable=False),
    UniqueConstraint("engagement_id", "previous_digest"),  # a fork becomes an error
    CheckConstraint("sequence > 0", name="counts_from_one"),
)

# --- derived from the record ---------------------------------------------------------------------------------------

engagements = Table(
    "engagements",
    metadata,
    engagement_id(),
    Column("sequence", Integer, nullable=False),
    Column("digest", Digest, nullable=False),
    Column("read_model", Integer, nullable=False),  # the version of the derivations that wrote this
    Column("ods_code", String(8), nullable=False),
    Column("scope", Text, nullable=False),
    Column("scope_key", Text, nullable=False),
    Column("stage", Word, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("progress", Word, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("registered", Date),
    Column("next_due", Instant),
    Column("ended", Word, nullable=False),
    Column("division", Word),  # whose bank holidays count; NULL: an older build wrote this row
    Column("calendar", Word),  # the version of the calendar by which it goes
    Index(
        "one_open_engagement",
        "ods_code",
        "scope_key",
        unique=True,
        sqlite_where=text("ended = ''"),
        postgresql_where=text("ended = ''"),
    ),
)

snapshots = Table(
    "snapshots",
    metadata,
    engagement_id(),
    Column("sequence", Integer, nullable=False),  # the last entry folded into it
    Column("read_model", Integer, nullable=False),  # the version of the fold
    Column("engagement", Text, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    engagement_id(),
    Column("person_id", Id, primary_key=True),
    Column("roles", JSON, nullable=False),  # held now
    Column("offered", JSON, nullable=False),  # not accepted yet
    Column("side", Word),
    Index(None, "person_id", "engagement_id"),
)

tasks = Table(
    "tasks",
    metadata,
    engagement_id(),
    Column("task_id", String(300), primary_key=True),
    Column("person_id", Id, nullable=False),
    Column("about", String(300), nullable=False),
    Column("command", Word, nullable=False),
    Column("title", Text, nullable=False),
    Column("ladder", Word, nullable=False),
    Column("opened", Date, nullable=False),
    Column("due", Date),
    Column("why", Text, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("side", Word),
    Column("falls", Date, nullable=False),  # the due date, or the end of time: what lists are ordered by
    Index(None, "person_id", "falls", "engagement_id", "task_id"),
)

covers = Table(
    "covers",
    metadata,
    engagement_id(),
    Column("cover", Integer, primary_key=True, autoincrement=False),
    Column("person_id", Id, nullable=False),  # who stays accountable
    Column("by_id", Id, nullable=False),  # who acts
    Index(None, "by_id", "engagement_id", "person_id"),
)

actions = Table(
    "actions",
    metadata,
    engagement_id(),
    Column("action_id", Id, primary_key=True),
    Column("cycle", Integer, nullable=False),
    Column("state", Word, nullable=False),
    Column("title", Text, nullable=False),
    Column("content", JSON, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    engagement_id(),
    Column("session_id", Id, primary_key=True),
    Column("cycle", Integer, nullable=False),
    Column("letter", Word, nullable=False),
    Column("state", Word, nullable=False),
    Column("held", Date),
    Column("content", JSON, nullable=False),
)

measures = Table(
    "measures",
    metadata,
    engagement_id(),
    Column("measure_id", Id, primary_key=True),
    Column("title", Text, nullable=False),
    Column("content", JSON, nullable=False),
)

points = Table(
    "points",
    metadata,
    engagement_id(),
    Column("measure_id", Id, primary_key=True),
    Column("period", Date, primary_key=True),
    Column("value", Exact, nullable=False),
    Column("content", JSON, nullable=False),
)

reviews = Table(
    "reviews",
    metadata,
    engagement_id(),
    Column("review_id", Id, primary_key=True),
    Column("cycle", Integer, nullable=False),
    Column("external", Boolean, nullable=False),
    Column("state", Word, nullable=False),
    Column("content", JSON, nullable=False),
)

# --- people --------------------------------------------------------------------------------------------------------

people = Table(
    "people",
    metadata,
    Column("person_id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),  # case-insensitive
)

tokens = Table(
    "tokens",
    metadata,
    Column("digest", Digest, primary_key=True),
    Column("person_id", Id, ForeignKey("people.person_id", ondelete="CASCADE"), nullable=False),
    Column("role", Word, nullable=False),
    Column("created", Instant, nullable=False),
    Column("revoked", Instant),
    Index(None, "person_id"),
)

# --- the post ------------------------------------------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    engagement_id(),
    Column("message", Integer, primary_key=True),  # the sequence of the entry that issued it
    Column("people", JSON, nullable=False),
    Column("items", JSON, nullable=False),
    Column("topic", Word, nullable=False),
    Column("invitation", JSON(none_as_null=True)),
    Column("issued_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    # Requests of which the message is a consequence, while anybody traces.
    Column("caused_by", JSON(none_as_null=True)),
    Column("sent_at", Instant),
    Column("given_up_at", Instant),
    Index(
        "waiting_post",
        "engagement_id",
        "message",
        sqlite_where=text("sent_at IS NULL AND given_up_at IS NULL"),
        postgresql_where=text("sent_at IS NULL AND given_up_at IS NULL"),
    ),
)

outbox_rungs = Table(
    "outbox_rungs",
    metadata,
    engagement_id(),
    Column("task_id", String(300), primary_key=True),
    Column("person_id", Id, primary_key=True),
    Column("rung", Word, primary_key=True),
    Column("message", Integer, nullable=False),
)

# --- what the front door remembers ---------------------------------------------------------------------------------

reservations = Table(
    "reservations",
    metadata,
    Column("ods_code", String(8), primary_key=True),
    Column("scope_key", Text, primary_key=True),
    engagement_id(primary_key=False),
    Column("reserved_at", Instant, nullable=False),
    UniqueConstraint("engagement_id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("person_id", Id, primary_key=True),
    Column("key", String(300), primary_key=True),
    Column("digest", Digest, nullable=False),  # of the request
    Column("command_id", Id, nullable=False),
    Column("engagement_id", Id, nullable=False),
    Column("response", JSON(none_as_null=True)),  # None: not answered yet
    Column("created", Instant, nullable=False),
    Index(None, "created"),
)

refusals = Table(
    "refusals",
    metadata,
    Column("refusal_id", Id, primary_key=True),
    engagement_id(primary_key=False),
    Column("person_id", Id, nullable=False),
    Column("command", Word, nullable=False),
    Column("code", Word, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "engagement_id", "at", "refusal_id"),
)

# --- the confidential store ----------------------------------------------------------------------------------------

deposits = Table(
    "deposits",
    metadata,
    Column("deposit_id", Id, primary_key=True),
    engagement_id(primary_key=False),
    Column("author_id", Id, nullable=False),
    Column("purpose", Word, nullable=False),
    Column("about", String(300), nullable=False),
    Column("text", Text, nullable=False),
    Column("claimed", Boolean, nullable=False),
    Column("deposited_at", Instant, nullable=False),
    Index(None, "engagement_id", "purpose"),
    Index(
        "orphan_deposits",
        "deposited_at",
        sqlite_where=text("NOT claimed"),
        postgresql_where=text("NOT claimed"),
    ),
)

# No time stands in these tables, and rows lie in the order of a random id: order and time would tell who said what.
answer_links = Table(
    "answer_links",
    metadata,
    engagement_id(),
    Column("cycle", Integer, primary_key=True),
    Column("survey", Word, primary_key=True),
    Column("person_id", Id, primary_key=True),
    Column("response_id", Id, nullable=False, unique=True),
    sqlite_with_rowid=False,
)

answers = Table(
    "answers",
    metadata,
    Column("response_id", Id, primary_key=True),
    engagement_id(primary_key=False),
    Column("cycle", Integer, nullable=False),
    Column("survey", Word, nullable=False),
    Column("side", Word, nullable=False),
    Column("ratings", JSON, nullable=False),
    Column("comments", JSON, nullable=False),  # empty once the questionnaire has closed
    Index(None, "engagement_id", "cycle", "survey"),
    sqlite_with_rowid=False,
)

comments = Table(
    "comments",
    metadata,
    Column("comment_id", Id, primary_key=True),
    engagement_id(primary_key=False),
    Column("cycle", Integer, nullable=False),
    Column("survey", Word, nullable=False),
    Column("question", Word, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "engagement_id", "cycle", "survey"),
    sqlite_with_rowid=False,
)

packs = Table(
    "packs",
    metadata,
    engagement_id(),
    Column("cycle", Integer, primary_key=True),
    Column("survey", Word, primary_key=True),
    Column("pack", Text, nullable=False),  # the canonical JSON that the digest is taken over
    Column("digest", Digest, nullable=False),
)

# Append only, by triggers as the journal's: what was announced and what was taken back both stay to be read.
announced_days = Table(
    "announced_days",
    metadata,
    Column("announcement_id", Id, primary_key=True),
    Column("on", Date, nullable=False),
    Column("name", Text, nullable=False),
    Column("reach", Word, nullable=False),  # everywhere, division, trust, engagement
    Column("whose", Id, nullable=False),  # which division, trust (ODS code) or engagement; empty: everywhere
    Column("announced_at", Instant, nullable=False),
    Column("announced_by", Id, nullable=False),
    Column("withdraws", Id, unique=True),  # the announcement that this row takes back
    Index(None, "reach", "whose"),
)

calendars = Table(
    "calendars",
    metadata,
    Column("division", Word, primary_key=True),
    Column("version", Word, primary_key=True),
    Column("calendar", JSON, nullable=False),
    Column("taken_on", Date, nullable=False),
)

# --- one request of many engagements -------------------------------------------------------------------------------

bulks = Table(
    "bulks",
    metadata,
    Column("bulk_id", Id, primary_key=True),
    Column("person_id", Id, nullable=False),
    Column("operation", Word, nullable=False),
    Column("command", JSON(none_as_null=True)),  # None: each engagement has its own
    Column("state", Word, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("begun_at", Instant),
    Column("ended_at", Instant),
    Index(None, "person_id", "bulk_id"),
)

bulk_items = Table(
    "bulk_items",
    metadata,
    Column("bulk_id", Id, ForeignKey("bulks.bulk_id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    engagement_id(primary_key=False),
    Column("state", Word, nullable=False),
    Column("code", Word, nullable=False),
    Column("why", Text, nullable=False),
    Column("foreseen", JSON(none_as_null=True)),
    Column("entries", Integer, nullable=False),
    Column("last", Integer, nullable=False),  # of the entries that came of it: where the journal has to have come to
    Column("attempts", Integer, nullable=False),
    UniqueConstraint("bulk_id", "engagement_id"),
    Index(None, "bulk_id", "state", "attempts", "place"),
)
