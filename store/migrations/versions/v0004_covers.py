"""Who covers for whom now: so that an inbox holds what somebody may do on another's behalf."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "covers",
        sa.Column("engagement_id", sa.String(length=80), nullable=False),
        sa.Column("cover", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(length=80), nullable=False),
        sa.Column("by_id", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", "cover", name="pk_covers"),
    )
    op.create_index("ix_covers_by_id_engagement_id_person_id", "covers", ["by_id", "engagement_id", "person_id"])


def downgrade() -> None:
    op.drop_table("covers")
