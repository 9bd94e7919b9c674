"""The table of who may do what as a page: `flask_app/domain/policy.py` in words."""

from flask_app.domain.policy import PERMISSIONS, ROLES

_INTRODUCTION = """# Roles

Generated from `flask_app/domain/policy.py` by `make docs`; every route of the application names its permission there,
and [api.md](api.md) says who may call it.

- An **owner** set the site up, or got it handed over. There is always at least one, also when two act in one moment.
- An **administrator** keeps the site, but cannot touch owners and other administrators: not disable, move or demote
  them, nor make links for their passwords. One may step down by oneself.
- A **manager** is a member whom an administrator named for a group (*Admin → Groups*), which need not be their own. In
  it they help members, not each other, and let in again whom a manager disabled, not whom an administrator did; a
  group that is not theirs looks to them as one that is not there. What people used is counted for the group that they
  are in now, as everywhere.
- A **member** is everybody else.

An owner is neither disabled nor demoted before the ownership ends: by handing it over (*Admin → People*, in the
person's menu), or by another owner. Both ask for the password again and are in the audit log. On the server,
`flask users role NAME owner` does it without one: for a site whose owner is gone.

The account of somebody who has left is deleted by an administrator, that of an administrator or another owner by an
owner (*Admin → People*, `flask users delete NAME`); nobody deletes the last owner, or themselves there: one's own
account goes with the password, on *My account*.

| permission | {roles} | what it lets somebody do |
|---|{lines}---|
"""
_REACH = {"site": "the site", "group": "their groups", "own": "their own", "-": "–"}


def page() -> str:
    introduction = _INTRODUCTION.format(roles=" | ".join(ROLES), lines="---|" * len(ROLES))
    rows = []
    for permission in PERMISSIONS.values():
        cells = [_REACH[permission.reach[role]] for role in ROLES]
        rows.append(" | ".join(["", f"`{permission.name}`", *cells, permission.words, ""]).strip())
    return introduction + "\n".join(rows) + "\n"
