"""`moothall mail`: sends a test email, and lists and retries emails."""

from node.mail import service as mail
from node.testing.nodes import TestNode
from tests.cli.conftest import Command
from tests.notices.postman import mail_server


def test_a_test_email_is_sent(moothall: Command, council: TestNode) -> None:
    database = council.node.settings.database_url
    with mail_server() as server:
        result = moothall(
            "mail", "test", "ola@aldermoor.example", database_url=database, **server.settings
        )
        assert result.out == "smtp accepted the email to ola@aldermoor.example\n"
        assert [message["To"] for message in server.received] == ["ola@aldermoor.example"]
        server.answers.append("550 nobody of that name")
        result = moothall("mail", "test", "x@y.example", database_url=database, **server.settings)
        assert result.refusal == "The mail server did not accept the email: 550 nobody of that name"
    result = moothall("mail", "test", "x@y.example", database_url=database, **server.settings)
    assert result.refusal.startswith(
        "The mail server did not accept the email: The mail server cannot be used"
    )
    result = moothall("mail", "test", "nobody", database_url=database, **server.settings)
    assert result.refusal == "The email address is not valid."


def test_failed_emails_are_listed_and_retried(moothall: Command, council: TestNode) -> None:
    database = council.node.settings.database_url
    with council.work() as work:
        row = mail.send(work, "ola@aldermoor.example", "Hello", "Words.")
        row.move_to("failed")
        row.answer, number = "550 nobody of that name", row.id
    listed = moothall("mail", "list", "--state", "failed", database_url=database).out
    assert listed == f"{number}\tfailed\tola@aldermoor.example\t0\t550 nobody of that name\n"
    assert "FAIL  no emails have failed: 1 failed" in moothall("doctor", database_url=database).out
    result = moothall("mail", "retry", number, database_url=database)
    assert result.out == "The email to ola@aldermoor.example will be retried\n"
    assert moothall("mail", "list", "--state", "failed", database_url=database).out == ""


def test_settings_of_mail_are_checked(moothall: Command) -> None:
    assert moothall("doctor", mail="smtp").refusal == "With mail = smtp, mail_from must be set."
    wrong = moothall("doctor", mail="notify", notify_key="a key").refusal
    assert wrong == "With mail = notify, notify_key must be an API key of GOV.UK Notify."
