"""What is left of the metadata when the secret key is another one, as after the loss of `.env`."""

from sqlalchemy import select
from superset import db
from superset.models.core import Database


def forget_unreadable_secrets() -> None:
    """Empty what was encrypted with another key: Superset could not so much as load such a database.

    The databases of files get theirs again; one that was made in the browser asks for its password.
    """
    table = Database.__table__
    for (number,) in db.session.execute(select([table.c.id])).fetchall():
        try:
            db.session.execute(select([table]).where(table.c.id == number)).fetchall()
        except ValueError:
            empty = {"password": None, "encrypted_extra": None, "server_cert": None}
            db.session.execute(table.update().where(table.c.id == number).values(empty))
    db.session.commit()
