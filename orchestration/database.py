"""The PostgreSQL database of all accounts: Meltano's states and the delivery store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from accounts import AccountsError

VARIABLE = "WOOTRIC_DATABASE_URL"
DRIVER = "postgresql+psycopg"


def url(driver: str = "postgresql") -> str:
    """Return the address of the database, for a driver.

    Raises:
        AccountsError: The variable is missing or is no address of a PostgreSQL database.
    """
    value = os.environ.get(VARIABLE, "")
    if not value.startswith(("postgres://", "postgresql://")):
        raise AccountsError(f"Set {VARIABLE} to postgresql://USER:PASSWORD@HOST/DATABASE.")
    return sa.make_url(value).set(drivername=driver).render_as_string(hide_password=False)


@contextmanager
def transaction() -> Iterator[sa.Connection]:
    """Open a connection and begin a transaction.

    Raises:
        AccountsError: The database failed.
    """
    try:
        with sa.create_engine(url(DRIVER), poolclass=sa.NullPool).begin() as connection:
            yield connection
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise AccountsError(f"The database failed: {reason}. Check {VARIABLE}.") from None
