"""The first tables, and the triggers that keep the journal append only."""

import sqlalchemy as sa
from alembic import op

from store.database import Exact, Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQLITE = (
    """CREATE TRIGGER journal_refuses_update BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    """CREATE TRIGGER journal_refuses_delete BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    # INSERT OR REPLACE deletes without asking the trigger above.
    """CREATE TRIGGER journal_refuses_replacement BEFORE INSERT ON journal WHEN EXISTS (
        SELECT 1 FROM journal WHERE engagement_id = NEW.engagement_id
        AND (sequence = NEW.sequence OR previous_digest = NEW.previous_digest)
    ) BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION refuse_journal_change() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the journal is append only'; END $$""",
    """CREATE TRIGGER journal_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_journal_change()""",
)


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("action_id", sa.String(length=80), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", "action_id", name="pk_actions"),
    )
    op.create_table(
        "answer_links",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("survey", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.String(length=80), nullable=False),
        sa.Column("response_id", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", "cycle", "survey", "person_id", name="pk_answer_links"),
        sa.UniqueConstraint("response_id", name="uq_answer_links_response_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "answers",
        sa.Column("response_id", sa.String(length=80), nullable=False),
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("survey", sa.String(length=80), nullable=False),
        sa.Column("side", sa.String(length=80), nullable=False),
        sa.Column("ratings", sa.JSON(), nullable=False),
        sa.Column("comments", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("response_id", name="pk_answers"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_answers_engagement_id_cycle_survey", "answers", ["engagement_id", "cycle", "survey"])
    op.create_table(
        "calendars",
        sa.Column("division", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("calendar", sa.JSON(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("division", "version", name="pk_calendars"),
    )
    op.create_table(
        "comments",
        sa.Column("comment_id", sa.String(length=80), nullable=False),
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("survey", sa.String(length=80), nullable=False),
        sa.Column("question", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("comment_id", name="pk_comments"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_comments_engagement_id_cycle_survey", "comments", ["engagement_id", "cycle", "survey"])
    op.create_table(
        "deposits",
        sa.Column("deposit_id", sa.String(length=80), nullable=False),
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("author_id", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("about", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("claimed", sa.Boolean(), nullable=False),
        sa.Column("deposited_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("deposit_id", name="pk_deposits"),
    )
    op.create_index("ix_deposits_engagement_id_purpose", "deposits", ["engagement_id", "purpose"])
    op.create_index(
        "orphan_deposits",
        "deposits",
        ["deposited_at"],
        sqlite_where=sa.text("NOT claimed"),
        postgresql_where=sa.text("NOT claimed"),
    )
    op.create_table(
        "engagements",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("read_model", sa.Integer(), nullable=False),
        sa.Column("ods_code", sa.String(length=8), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_key", sa.Text(), nullable=False),
        sa.Column("stage", sa.String(length=80), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("progress", sa.String(length=80), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("registered", sa.Date(), nullable=True),
        sa.Column("next_due", Instant(), nullable=True),
        sa.Column("ended", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", name="pk_engagements"),
    )
    op.create_index(
        "one_open_engagement",
        "engagements",
        ["ods_code", "scope_key"],
        unique=True,
        sqlite_where=sa.text("ended = ''"),
        postgresql_where=sa.text("ended = ''"),
    )
    op.create_table(
        "idempotency",
        sa.Column("person_id", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("command_id", sa.String(length=80), nullable=False),
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("response", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created", "idempotency", ["created"])
    op.create_table(
        "journal",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_id", sa.String(length=80), nullable=False),
        sa.Column("on_behalf_of", sa.String(length=80), nullable=True),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("previous_digest", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint("sequence > 0", name="ck_journal_counts_from_one"),
        sa.PrimaryKeyConstraint("engagement_id", "sequence", name="pk_journal"),
        sa.UniqueConstraint("engagement_id", "previous_digest", name="uq_journal_engagement_id_previous_digest"),
    )
    op.create_table(
        "measures",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("measure_id", sa.String(length=80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", "measure_id", name="pk_measures"),
    )
    op.create_table(
        "memberships",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.String(length=80), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("offered", sa.JSON(), nullable=False),
        sa.Column("side", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("engagement_id", "person_id", name="pk_memberships"),
    )
    op.create_index("ix_memberships_person_id_engagement_id", "memberships", ["person_id", "engagement_id"])
    op.create_table(
        "outbox",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("message", sa.Integer(), nullable=False),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("invitation", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("given_up_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("engagement_id", "message", name="pk_outbox"),
    )
    op.create_index(
        "waiting_post",
        "outbox",
        ["engagement_id", "message"],
        sqlite_where=sa.text("sent_at IS NULL AND given_up_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL AND given_up_at IS NULL"),
    )
    op.create_table(
        "outbox_rungs",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("task_id", sa.String(length=300), nullable=False),
        sa.Column("person_id", sa.String(length=80), nullable=False),
        sa.Column("rung", sa.String(length=80), nullable=False),
        sa.Column("message", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", "task_id", "person_id", "rung", name="pk_outbox_rungs"),
    )
    op.create_table(
        "packs",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("survey", sa.String(length=80), nullable=False),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", "cycle", "survey", name="pk_packs"),
    )
    op.create_table(
        "people",
        sa.Column("person_id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_people"),
        sa.UniqueConstraint("email_key", name="uq_people_email_key"),
    )
    op.create_table(
        "points",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("measure_id", sa.String(length=80), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("value", Exact(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", "measure_id", "period", name="pk_points"),
    )
    op.create_table(
        "refusals",
        sa.Column("refusal_id", sa.String(length=80), nullable=False),
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.String(length=80), nullable=False),
        sa.Column("command", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("refusal_id", name="pk_refusals"),
    )
    op.create_index("ix_refusals_engagement_id_at_refusal_id", "refusals", ["engagement_id", "at", "refusal_id"])
    op.create_table(
        "reservations",
        sa.Column("ods_code", sa.String(length=8), nullable=False),
        sa.Column("scope_key", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("reserved_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("ods_code", "scope_key", name="pk_reservations"),
        sa.UniqueConstraint("engagement_id", name="uq_reservations_engagement_id"),
    )
    op.create_table(
        "reviews",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("review_id", sa.String(length=80), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("external", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", "review_id", name="pk_reviews"),
    )
    op.create_table(
        "sessions",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("session_id", sa.String(length=80), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("letter", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("held", sa.Date(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", "session_id", name="pk_sessions"),
    )
    op.create_table(
        "snapshots",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("read_model", sa.Integer(), nullable=False),
        sa.Column("engagement", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", name="pk_snapshots"),
    )
    op.create_table(
        "tasks",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("task_id", sa.String(length=300), nullable=False),
        sa.Column("person_id", sa.String(length=80), nullable=False),
        sa.Column("about", sa.String(length=300), nullable=False),
        sa.Column("command", sa.String(length=80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("ladder", sa.String(length=80), nullable=False),
        sa.Column("opened", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("side", sa.String(length=80), nullable=True),
        sa.Column("falls", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", "task_id", name="pk_tasks"),
    )
    op.create_index(
        "ix_tasks_person_id_falls_engagement_id_task_id", "tasks", ["person_id", "falls", "engagement_id", "task_id"]
    )
    op.create_table(
        "tokens",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=80), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("revoked", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name="fk_tokens_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name="pk_tokens"),
    )
    op.create_index("ix_tokens_person_id", "tokens", ["person_id"])
    for trigger in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(trigger)


def downgrade() -> None:
    message = "There is nothing before the first tables. Delete the database instead."
    raise NotImplementedError(message)
