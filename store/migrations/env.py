"""How alembic runs the migrations: on the connection that it is handed, in one transaction."""

from alembic import context
from sqlalchemy import Connection, text

from store.tables import metadata

ONE_AT_A_TIME = 7_238_109_114  # any number that nothing else locks: several processes may start at once


def run(connection: Connection) -> None:
    """Bring the database behind a connection to the revision that was asked for."""
    # SQLite cannot change a table in place: alembic copies it.
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})"))
        context.run_migrations()


run(context.config.attributes["connection"])
