"""One request of many engagements: what was asked, and what came of it in each."""

import sqlalchemy as sa
from alembic import op

from store.database import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulks",
        sa.Column("bulk_id", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.String(length=80), nullable=False),
        sa.Column("operation", sa.String(length=80), nullable=False),
        sa.Column("command", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("bulk_id", name="pk_bulks"),
    )
    op.create_index("ix_bulks_person_id_bulk_id", "bulks", ["person_id", "bulk_id"])
    op.create_table(
        "bulk_items",
        sa.Column("bulk_id", sa.String(length=80), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("foreseen", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulks.bulk_id"], name="fk_bulk_items_bulk_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bulk_id", "place", name="pk_bulk_items"),
        sa.UniqueConstraint("bulk_id", "engagement_id", name="uq_bulk_items_bulk_id_engagement_id"),
    )
    op.create_index(
        "ix_bulk_items_bulk_id_state_attempts_place", "bulk_items", ["bulk_id", "state", "attempts", "place"]
    )


def downgrade() -> None:
    op.drop_table("bulk_items")
    op.drop_table("bulks")
