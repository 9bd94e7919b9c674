"""What administrators send that changes something, and which entry of the audit log says what there was before."""

import base64
from datetime import timedelta
from typing import Any

from flask_app.database import utc_now
from tests.conftest import PASSWORD
from tests.support import logos

CANARY = "sk-canary-5f0c7b21d9e84a36"
PRICES = {"input_hit": "0.5", "input_miss": "1", "output": "2"}
SOON = {"model": "m", "currency": "CNY", "prices": PRICES, "starts_at": (utc_now() + timedelta(days=30)).isoformat()}

IDENTITY = {"name": "Campus", "issuer": "https://id.example.org", "client_id": "chat", "client_secret": CANARY}
DIRECTORY = {
    "name": "Campus",
    "address": "ldaps://127.0.0.1:9",
    "base_dn": "ou=people,dc=school",
    "bind_dn": "cn=reader",
}
DIRECTORY |= {"bind_password": CANARY}

# What to send to each route of the administrators' that changes something, so that it does.
ACTS: dict[str, Any] = {
    "POST /api/admin/users": {"username": "new", "password": CANARY},
    "PATCH /api/admin/users/<user_id>": {"disabled": True},
    "DELETE /api/admin/users/<user_id>": None,
    "POST /api/admin/users/<user_id>/reset-link": None,
    "DELETE /api/admin/users/<user_id>/second-step": None,
    "POST /api/admin/users/<user_id>/ownership": {"password": PASSWORD, "keep": True},
    "POST /api/admin/users/<user_id>/ownership/end": {"password": PASSWORD},
    "DELETE /api/admin/users/<user_id>/passkeys": None,
    "POST /api/admin/invitations": {"name": "Class 3b"},
    "POST /api/admin/invitations/many": {"people": "Li Lei", "send": False},
    "DELETE /api/admin/invitations/<invitation_id>": None,
    "PUT /api/admin/settings/registration": {"mode": "open"},
    "POST /api/admin/registrations/<registration_id>/accept": {},
    "DELETE /api/admin/registrations/<registration_id>": None,
    "POST /api/admin/identity-providers": IDENTITY | {"slug": "campus"},
    "PUT /api/admin/identity-providers/<identity_provider_id>": IDENTITY,
    "DELETE /api/admin/identity-providers/<identity_provider_id>": None,
    "POST /api/admin/identity-providers/try": {"issuer": "http://127.0.0.1:9"},
    "POST /api/admin/directories": DIRECTORY | {"slug": "directory"},
    "PUT /api/admin/directories/<directory_id>": DIRECTORY,
    "DELETE /api/admin/directories/<directory_id>": None,
    "POST /api/admin/directories/try": {"directory": DIRECTORY, "username": "somebody"},
    "PUT /api/admin/settings/password-sign-in": {"everybody": False},
    "PUT /api/admin/settings/site": {"name": "Yucai School", "locale": "zh"},
    "PUT /api/admin/settings/logo": {"content": base64.b64encode(logos.png(64, 64)).decode()},
    "DELETE /api/admin/settings/logo": None,
    "PUT /api/admin/settings/retention": {"days": 30},
    "POST /api/admin/announcements": {"text": "closed on Friday"},
    "PUT /api/admin/announcements/<announcement_id>": {"text": "open on Friday"},
    "DELETE /api/admin/announcements/<announcement_id>": None,
    "POST /api/admin/groups": {"name": "class"},
    "PATCH /api/admin/groups/<group_id>": {"on_disconnect": "stop"},
    "DELETE /api/admin/groups/<group_id>": None,
    "PUT /api/admin/groups/<group_id>/managers": {"usernames": ["member"]},
    "PUT /api/admin/groups/<group_id>/access": {"api": False},
    "PUT /api/admin/groups/<group_id>/supervision": {"supervised": True},
    "PUT /api/admin/groups/<group_id>/opening-balance": {"amount": 1000},
    "POST /api/admin/prompts": {"command": "ask", "title": "Ask", "text": "What is it?"},
    "PUT /api/admin/prompts/<shared_prompt_id>": {"command": "sum", "title": "Sum", "text": "Sum it up."},
    "DELETE /api/admin/prompts/<shared_prompt_id>": None,
    "POST /api/admin/assistants": {"name": "Tutor", "instructions": "Ask back."},
    "PATCH /api/admin/assistants/<shared_assistant_id>": {"name": "Another"},
    "DELETE /api/admin/assistants/<shared_assistant_id>": None,
    "PUT /api/admin/rates/site": {"messages": {"amount": 9, "seconds": 60}},
    "PUT /api/admin/rates/groups/<group_id>": {"messages": {"amount": 9, "seconds": 60}},
    "DELETE /api/admin/tokens/<access_token_id>": None,
    "DELETE /api/admin/shares/<anybodys_share_id>": None,
    "PUT /api/admin/settings/sharing": {"mode": "people"},
    "POST /api/admin/keys": {"label": "added", "secret": CANARY, "base_url": "the provider's"},
    "PATCH /api/admin/keys/<key_id>": {"disabled": True},
    "DELETE /api/admin/keys/<key_id>": None,
    "POST /api/admin/keys/<key_id>/test": None,
    "POST /api/admin/keys/<key_id>/balance": None,
    "DELETE /api/admin/keys/<key_id>/bench": None,
    "PATCH /api/admin/providers/<provider_id>": {"priority": 3},
    "PUT /api/admin/models/titles": {"model_id": None},
    "PUT /api/admin/models/<model_id>": {"successor_id": None, "aliases": ["another name"]},
    "POST /api/admin/tariffs": SOON,
    "PUT /api/admin/tariffs/<tariff_id>": {"prices": PRICES | {"output": "3"}, "starts_at": SOON["starts_at"]},
    "DELETE /api/admin/tariffs/<tariff_id>": None,
    "POST /api/admin/budgets": {"scope": "site", "scope_id": "", "unit": "tokens", "period": "day", "limit": 1000},
    "PATCH /api/admin/budgets/<budget_id>": {"limit": 2000},
    "DELETE /api/admin/budgets/<budget_id>": None,
    "POST /api/admin/budgets/<budget_id>/top-ups": {"amount": 500, "reason": "paid in cash"},
    "POST /api/admin/code-batches": {"label": "flyers", "count": 2, "amount": 1000, "expires_on": "2999-12-31"},
    "DELETE /api/admin/code-batches/<batch_id>": None,
    "DELETE /api/admin/codes/<code_id>": None,
    "PATCH /api/admin/warnings": {"low_balance_micros": 5_000_000},
    "PUT /api/admin/warnings/webhook": {"url": "https://hooks.example.com/" + CANARY},
    "DELETE /api/admin/warnings/webhook": None,
    "POST /api/admin/warnings/webhook/secret": None,
    "POST /api/admin/warnings/webhook/test": None,
    "POST /api/admin/warnings/mail/test": {"address": "me@example.com"},
    "POST /api/admin/records/<record_id>/refund": {"reason": "it was wrong"},
    "PUT /api/admin/reconciliations/<reconciliation_id>/acknowledgement": {"note": "we know"},
    "PUT /api/admin/reconciliations/threshold": {"absolute": 50_000, "permille": 5},
    "PUT /api/admin/requests/retention": {"days": 7},
}

# The entry that has the values before and after.
CHANGES = {
    "PATCH /api/admin/users/<user_id>": "user.change",
    "PUT /api/admin/settings/registration": "registration.change",
    "PUT /api/admin/identity-providers/<identity_provider_id>": "identity_provider.change",
    "PUT /api/admin/directories/<directory_id>": "identity_provider.change",
    "PUT /api/admin/settings/password-sign-in": "password_sign_in.change",
    "PUT /api/admin/settings/site": "site.change",
    "PUT /api/admin/settings/logo": "site.change",
    "DELETE /api/admin/settings/logo": "site.change",
    "PUT /api/admin/settings/retention": "retention.change",
    "PUT /api/admin/settings/sharing": "sharing.change",
    "PUT /api/admin/announcements/<announcement_id>": "announcement.change",
    "PATCH /api/admin/groups/<group_id>": "group.change",
    "PUT /api/admin/groups/<group_id>/managers": "group.managers",
    "PUT /api/admin/groups/<group_id>/access": "group.access",
    "PUT /api/admin/groups/<group_id>/supervision": "group.supervise",
    "PUT /api/admin/groups/<group_id>/opening-balance": "group.opening",
    "PUT /api/admin/prompts/<shared_prompt_id>": "prompt.change",
    "PATCH /api/admin/assistants/<shared_assistant_id>": "assistant.change",
    "PUT /api/admin/rates/site": "rates.change",
    "PUT /api/admin/rates/groups/<group_id>": "rates.change",
    "PATCH /api/admin/keys/<key_id>": "key.change",
    "PATCH /api/admin/providers/<provider_id>": "provider.change",
    "PUT /api/admin/models/titles": "titles.change",
    "PUT /api/admin/models/<model_id>": "model.change",
    "PUT /api/admin/tariffs/<tariff_id>": "tariff.change",
    "PATCH /api/admin/budgets/<budget_id>": "budget.change",
    "PATCH /api/admin/warnings": "warnings.threshold",
    "PUT /api/admin/warnings/webhook": "webhook.set",
    "PUT /api/admin/reconciliations/threshold": "reconciliation.threshold",
    "PUT /api/admin/requests/retention": "requests.retention",
}
NOT_CHANGES = {"PUT /api/admin/reconciliations/<reconciliation_id>/acknowledgement"}  # a word on a day
