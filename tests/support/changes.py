"""What administrators send that changes something, and which entry of the audit log says what there was before."""

from datetime import timedelta

from flask_app.database import utc_now

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
    "PUT /api/admin/prompts/<shared_prompt_id>": "prompt.change",
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
