"""Who is let in, and who did what: `rl-teacher token` and `rl-teacher audit`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from rl_teacher.errors import UserError, unknown
from rl_teacher.feedback.admitting import Token
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.shell import tell

WHAT = ("create", "list", "revoke")
ROLES = ("labeller", "researcher", "admin")
DAYS = 30
MOST_DAYS = 3650
DAY = 86_400.0
BY = "command line"
"""What the audit calls whoever uses these commands: they may do anything to the files as well."""


def open_there(run_dir: str, url: str | None) -> Store:
    """The store of a run dir, which must be there already.

    Raises:
        UserError: If it is not.
    """
    if url is None and not (Path(run_dir) / "feedback.db").exists():
        raise UserError(f"No runs in {run_dir}: it holds no feedback.db. Give --run_dir, or --store.")
    return open_store(run_dir, url)


def token(
    store: Store, what: str, id: str | None, role: str, name: str | None, experiment: str | None, days: int
) -> None:
    """Make a token, list those there are, or end one.

    Args:
        store: Where their hashes are kept.
        what: Of `WHAT`.
        id: Which one to revoke; its beginning is enough.
        role: Of `ROLES`, of a new one.
        name: In whose name the holder of a new one answers.
        experiment: Name of the only experiment that a new one opens; None: all.
        days: How long a new one lasts.

    Raises:
        UserError: For words it does not know, and for what is missing.
        NotFoundError: If there is no such token or experiment.
    """
    if what not in WHAT:
        raise unknown("thing to do with tokens", what, WHAT)
    if (id is not None) != (what == "revoke"):
        raise UserError(
            "'token revoke' needs the ID of a token, and only it takes one. `rl-teacher token list` tells the IDs."
        )
    if what == "create":
        _create(store, role, name, experiment, days)
    elif what == "list":
        tell(sys.stdout, _listed(store.tokens(), store.clock()))
    else:
        ended = store.token_by(id or "")
        store.revoke_token(ended.id, BY)
        tell(sys.stdout, f"Revoked: {_line(ended)}\n")


def _create(store: Store, role: str, name: str | None, experiment: str | None, days: int) -> None:
    if role not in ROLES:
        raise unknown("role", role, ROLES)
    if name is None and role == "labeller":
        raise UserError("A labeller answers in a name of their own, and none was given. Give one with --name.")
    if name is not None and not (0 < len(name) <= 40 and name.isprintable() and name == name.strip()):
        raise UserError("--name takes 1 to 40 letters without line breaks or spaces around them. Give another.")
    opens = None if experiment is None else store.experiment_by_name(experiment).id
    made = store.create_token(role, None if name is None else store.labeller(name), opens, days * DAY, BY)
    tell(sys.stdout, made + "\n")  # alone, so that scripts can read it
    tell(
        sys.stderr,
        f"This {role}'s token is shown only now. Open the page's address with #token= and the token after it, or send "
        f"it as 'Authorization: Bearer …'. It lasts {days} days; `rl-teacher token revoke` ends it.\n",
    )


def _listed(found: list[Token], now: float) -> str:
    if not found:
        return "Nobody is let in: no token is good now. `rl-teacher token create` makes one.\n"
    lines = [_line(one) for one in found]
    return "".join(f"{line}\n" for line in lines) + f"{len(found)} good on {_day(now)}\n"


def _line(one: Token) -> str:
    opens = "all experiments" if one.experiment is None else one.experiment
    ends = "for ever" if one.expires_at is None else f"until {_day(one.expires_at)}"
    by = "" if one.invite_id is None else f"  by invitation {one.invite_id[:8]}"
    return _printable(f"{one.id[:12]}  {one.role:10}  {one.name or '-'}  {opens}  {ends}{by}")


def audit(store: Store, limit: int, what: str | None) -> None:
    """Print the newest lines of the audit, the newest last."""
    found = store.notes(limit, what)
    for one in found:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.at))
        detail = json.dumps(dict(one.detail), ensure_ascii=False)
        tell(sys.stdout, _printable(f"{at}  {one.who}  {one.what}  {detail}") + "\n")
    if not found:
        tell(sys.stdout, "Nothing is noted" + (f" about '{what}'" if what else "") + ".\n")


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _printable(text: str) -> str:
    """What people called themselves must not steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
