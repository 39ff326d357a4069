"""What Alembic runs: every step that is missing, in the transaction of whoever asked for it.

Either all of them are taken or none, and what they made before is left as it was.
"""

from alembic import context

from watchdog.store.postgres.server import SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema=SCHEMA,
    transactional_ddl=False,  # the transaction is the caller's
)
context.run_migrations()
