from __future__ import annotations

import pytest

from rl_teacher.errors import UserError
from rl_teacher.feedback import admitting, auditing


def test_notes_come_back_in_order(lesson):
    for number in range(5):
        lesson.clock.now += 1
        lesson.store.note("ann", "odd" if number % 2 else "even", {"number": number, "share": float("nan")})
    shown = lesson.store.notes(2)
    assert [(note.what, note.detail["number"]) for note in shown] == [("odd", 3), ("even", 4)]
    assert [note.detail["number"] for note in lesson.store.notes(9, "even")] == [0, 2, 4]
    assert shown[-1].at == lesson.clock.now
    assert shown[-1].detail["share"] is None
    lesson.store.note("x" * 300, "y" * 300, {})  # what comes from outside fits in


def test_refusals_are_kept_in_a_bounded_number_and_nothing_else_makes_room(lesson, monkeypatch):
    monkeypatch.setattr(auditing, "MOST_REFUSED", 10)
    lesson.store.note("ann", "signed in", {})
    for number in range(25):
        lesson.store.note_refused("eve", {"number": number})
    kept = lesson.store.notes(100)
    assert [note.what for note in kept] == ["signed in"] + ["refused"] * 10
    assert [note.detail["number"] for note in kept[1:]] == list(range(15, 25))


def test_tokens_are_found_by_the_beginning_of_their_id(lesson, monkeypatch):
    store = lesson.store
    for _ in range(20):
        store.create_token("admin")
    one = store.tokens()[7]
    assert store.token_by(one.id) == store.token_by(one.id[:12]) == one
    monkeypatch.setattr(admitting, "SHORTEST", 0)
    with pytest.raises(UserError, match="several"):
        store.token_by("")


def test_a_token_that_is_over_is_listed_only_if_asked_for(lesson):
    store = lesson.store
    store.create_token("admin", lifetime_seconds=10.0)
    lesson.clock.now += 1.0
    store.create_token("labeller", store.labeller("ann"), lesson.experiment, None)
    assert [(one.role, one.name, one.experiment) for one in store.tokens()] == [
        ("admin", None, None),
        ("labeller", "ann", "hop"),
    ]
    lesson.clock.now += 10.0
    assert [one.role for one in store.tokens()] == ["labeller"]
    store.revoke_token(store.tokens()[0].id)
    assert store.tokens() == []
    assert len(store.tokens(over=True)) == 2
