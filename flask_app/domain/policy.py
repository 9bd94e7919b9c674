"""Who may do what. `TABLE` is the whole of it; `docs/roles.md` is made from it.

An owner or an administrator is one for the whole site. Everybody else is a member, and a manager in the groups that
they were named for.
"""

from dataclasses import dataclass

ROLES = ("owner", "admin", "manager", "member")
RANKS = {role: rank for rank, role in enumerate(reversed(ROLES))}

# How far each permission reaches: over the whole site, over the groups that one manages, over one's own, or not at all.
TABLE = """
permission       owner  admin  manager  member  what it lets somebody do
own              own    own    own      own     chat, see their own use, make access tokens, keep their own account
people.see       site   site   group    -       see the people
people.invite    site   site   group    -       make and revoke invitations
people.disable   site   site   group    -       disable and enable people of a lower role
people.link      site   site   group    -       give people of a lower role a link for a new password
people.add       site   site   -        -       make accounts, let in who registered
people.change    site   site   -        -       move people of a lower role to another group
people.help      site   site   -        -       turn off a second step or passkeys of people of a lower role
people.delete    site   site   -        -       delete the accounts of people of a lower role, owners anybody else's
managers.name    site   site   -        -       say who manages a group
admins.name      site   -      -        -       make somebody an administrator, or a member again
ownership        site   -      -        -       hand ownership over, share it, end it
groups           site   site   -        -       make, change and delete groups
prompts          site   site   -        -       keep prompts for everybody or for a group
assistants       site   site   -        -       keep assistants for everybody or for a group
tools            site   site   -        -       add servers of tools, say which groups may use them
limits           site   site   -        -       set how often people may ask
conversations    -      -      group    -       read what people wrote in a supervised group; each look is noted
budgets.see      site   site   group    -       see the budgets of a group and its people
budgets          site   site   -        -       set budgets, top up balances
codes            site   site   -        -       make and revoke redeem codes
usage            site   site   group    -       see the use of the people
records          site   site   -        -       see everybody's records, with their keys and prices
refunds          site   site   -        -       give back what an answer cost
tokens           site   site   -        -       see and revoke everybody's access tokens
shares           site   site   -        -       see and end everybody's shared links
requests         site   site   -        -       see what programs asked, and set how long that is kept
keys             site   site   -        -       keep the providers' API keys
models           site   site   -        -       choose the models that are offered
prices           site   site   -        -       set prices
reconciliation   site   site   -        -       compare the ledger with the providers' balances
warnings         site   site   -        -       set up warnings, e-mail and webhook
settings         site   site   -        -       name the site, announce, set looks, what is kept, who joins or shares
identities       site   site   -        -       set up identity providers, set who may sign in by a password
audit            site   site   -        -       read the audit log
system           site   site   -        -       see how the instances stand
"""


@dataclass(frozen=True, slots=True)
class Permission:
    """`reach` says for each role: "site", "group", "own" or "-"."""

    name: str
    reach: dict[str, str]
    words: str


def _read(table: str) -> dict[str, Permission]:
    head, *lines = table.strip().splitlines()
    roles = head.split()[1 : len(ROLES) + 1]
    found = {}
    for line in lines:
        name, *cells = line.split(maxsplit=len(roles) + 1)
        found[name] = Permission(name, dict(zip(roles, cells, strict=False)), cells[-1])
    return found


PERMISSIONS = _read(TABLE)


def may(role: str, permission: str) -> bool:
    """Does the table give this role this permission, as far as it reaches? KeyError for a name that is not in it."""
    return PERMISSIONS[permission].reach[role] != "-"


def least(permission: str) -> str:
    """The lowest role that has it over the whole site, or else for itself: what a route says of itself."""
    return min(
        (role for role in ROLES if PERMISSIONS[permission].reach[role] in {"site", "own"}), key=RANKS.__getitem__
    )


def is_above(actor: str, other: str) -> bool:
    """Only who is above somebody disables them, moves them, or helps them to another password."""
    return RANKS[actor] > RANKS[other]
