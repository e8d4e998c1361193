"""How tables are written: what their parts are called, and the columns that most of them have."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite numbers rows by itself only in a column called INTEGER."""


def ident(length: int = 32) -> sa.Column[str]:
    """The primary key, text."""
    return sa.Column("id", sa.String(length), primary_key=True)


def ref(name: str, target: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[str]:
    """The id of a row of another table, `table.column`."""
    length = 64 if target == "clips.id" else 32
    return sa.Column(name, sa.String(length), sa.ForeignKey(target), nullable=nullable, primary_key=primary_key)


def moment(name: str, *, nullable: bool = False) -> sa.Column[float]:
    """Unix seconds."""
    return sa.Column(name, sa.Double, nullable=nullable)


def text(name: str, length: int) -> sa.Column[str]:
    """Text that is always there."""
    return sa.Column(name, sa.String(length), nullable=False)
