from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from rl_teacher.errors import UserError
from rl_teacher.feedback.records import Identity, NotFoundError
from rl_teacher.feedback.schema import metadata


def test_a_labeller_is_made_once_per_name_and_kind(lesson):
    ann = lesson.store.labeller("ann")
    assert lesson.store.labeller("ann") == ann
    assert lesson.store.labeller("ann", "synthetic") != ann
    with pytest.raises(UserError, match="Allowed: person, synthetic"):
        lesson.store.labeller("bob", "robot")


def test_a_token_names_its_holder(lesson):
    ann = lesson.store.labeller("ann")
    token = lesson.store.create_token("labeller", ann, lesson.experiment, 60.0)
    found = lesson.store.check_token(token)
    assert isinstance(found, Identity)
    assert (found.role, found.labeller_id, found.labeller_name) == ("labeller", ann, "ann")
    assert (found.experiment_id, found.expires_at) == (lesson.experiment, lesson.clock.now + 60.0)
    assert lesson.store.check_token(token[:-1]) is None
    assert lesson.store.check_token("\ud800") is None
    with pytest.raises(UserError, match="Allowed: admin, invite, labeller, researcher"):
        lesson.store.create_token("king")


def test_a_token_ends(lesson):
    token = lesson.store.create_token("admin", lifetime_seconds=60.0)
    lesson.clock.now += 59.9
    assert lesson.store.check_token(token) is not None
    lesson.clock.now += 0.2
    assert lesson.store.check_token(token) is None


def test_a_token_can_be_revoked(lesson):
    token = lesson.store.create_token("admin", lifetime_seconds=None)
    found = lesson.store.check_token(token)
    assert found is not None
    lesson.store.revoke_token(found.token_id)
    assert lesson.store.check_token(token) is None
    with pytest.raises(NotFoundError):
        lesson.store.revoke_token("nothing")


def test_no_token_is_kept(lesson, tmp_path: Path):
    tokens = [lesson.store.create_token("admin") for _ in range(3)]
    with lesson.store.read() as conn:
        rows = [str(row) for table in metadata.sorted_tables for row in conn.execute(sa.select(table))]
    files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert any("token created" in row for row in rows)  # the looking would find it
    assert not any(token in row for token in tokens for row in rows)
    assert not any(token.encode() in data for token in tokens for data in files)
