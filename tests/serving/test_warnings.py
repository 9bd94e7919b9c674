"""A server that warns by itself: from an answer to a mail, over an encrypted line, under its real web server."""

from pathlib import Path

from flask_app.services.operations.upkeep_service import ROUND_SECONDS
from tests.support import certificates
from tests.support.brokers import wait_until
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.served import served

LONGEST_ROUND = 1.5 * ROUND_SECONDS + 10


def test_what_an_answer_used_up_is_told_by_mail_within_a_round_or_two(tmp_path: Path) -> None:
    context, pem = certificates.server_of("localhost")
    (tmp_path / "trusted.pem").write_text(pem)
    (tmp_path / "password").write_text(PASSWORD)
    with MailServer(starttls=context) as mails, ScriptedUpstream() as upstream:
        settings = {
            "DEEPSEEK_API_KEY": "test-key",
            "DEEPSEEK_BASE_URL": upstream.base_url,
            "ALLOW_INSECURE_UPSTREAMS": "1",
            "SMTP_HOST": "localhost",
            "SMTP_PORT": str(mails.port),
            "SMTP_USER": USER,
            "SMTP_PASSWORD_FILE": str(tmp_path / "password"),
            "SMTP_FROM": "chat@example.org",
            "SSL_CERT_FILE": str(tmp_path / "trusted.pem"),
        }
        with served(tmp_path / "instance", **settings) as server:
            server.set_up()
            assert server.ask("PATCH", "/api/me", {"email": "me@example.com", "locale": "en"}).status == 200
            budget = {
                "scope": "site",
                "scope_id": "",
                "unit": "tokens",
                "period": "month",
                "limit": 1000,
                "hard": False,
            }
            assert server.post("/api/admin/budgets", budget | {"hard": False}).status == 201
            upstream.script(Answer("hello", usage=Usage(prompt=900, completion=1)))
            list(server.chat("hello"))
            wait_until(lambda: mails.mails, LONGEST_ROUND)
            assert mails.last.encrypted
            assert mails.last.recipients == ["me@example.com"]
            assert mails.last.message["Subject"] == "Everybody together: 1,000 tokens a month, 90% used"
            states = [notice["state"] for notice in server.get("/api/admin/warnings/notices").json()["notices"]]
            assert states in (["sent"], ["waiting"]), "the mail may be here before it is noted"
        assert len(mails.mails) == 1
