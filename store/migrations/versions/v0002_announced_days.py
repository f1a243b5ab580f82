"""Days announced late, append only; and by which calendar each engagement goes."""

import sqlalchemy as sa
from alembic import op

from store.database import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQLITE = (
    """CREATE TRIGGER announced_days_refuse_update BEFORE UPDATE ON announced_days
    BEGIN SELECT RAISE(ABORT, 'announcements are append only'); END""",
    """CREATE TRIGGER announced_days_refuse_delete BEFORE DELETE ON announced_days
    BEGIN SELECT RAISE(ABORT, 'announcements are append only'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION refuse_announcement_change() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'announcements are append only'; END $$""",
    """CREATE TRIGGER announced_days_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON announced_days
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_announcement_change()""",
)


def upgrade() -> None:
    op.create_table(
        "announced_days",
        sa.Column("announcement_id", sa.String(length=80), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reach", sa.String(length=80), nullable=False),
        sa.Column("whose", sa.String(length=80), nullable=False),
        sa.Column("announced_at", Instant(), nullable=False),
        sa.Column("announced_by", sa.String(length=80), nullable=False),
        sa.Column("withdraws", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("announcement_id", name="pk_announced_days"),
        sa.UniqueConstraint("withdraws", name="uq_announced_days_withdraws"),
    )
    op.create_index("ix_announced_days_reach_whose", "announced_days", ["reach", "whose"])
    op.add_column("engagements", sa.Column("division", sa.String(length=80), nullable=True))
    op.add_column("engagements", sa.Column("calendar", sa.String(length=80), nullable=True))
    for trigger in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(trigger)


def downgrade() -> None:
    op.drop_table("announced_days")
    op.drop_column("engagements", "calendar")
    op.drop_column("engagements", "division")
