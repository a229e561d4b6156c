"""E-mails given to GOV.UK Notify, through the one HTTP client."""

import json
import time
from http import HTTPStatus

import jwt

from node.mail.transport import MailError, OutgoingEmail
from node.outbound import Outbound, OutboundError
from node.settings import Settings
from node.settings_validation import NOTIFY_KEY

NOTIFY_PATH = "/v2/notifications/email"
MAX_LEN_ERROR = 300


class NotifyTransport:
    """The template there has two places: ((subject)) and ((body))."""

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        self._settings = settings
        self._outbound = outbound

    def deliver(self, letter: OutgoingEmail) -> None:
        asked: dict[str, object] = {
            "email_address": letter.recipient,
            "template_id": self._settings.notify_template,
            "personalisation": {"subject": letter.subject, "body": letter.text},
            "reference": letter.reference,
        }
        if letter.unsubscribe:
            asked["one_click_unsubscribe_url"] = letter.unsubscribe
        try:
            answer = self._outbound.post(
                self._settings.notify_url.rstrip("/") + NOTIFY_PATH,
                json.dumps(asked).encode(),
                content_type="application/json",
                headers={"authorization": f"Bearer {self._token()}"},
            )
        except OutboundError as error:
            raise MailError(error.safe_text) from error
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            # What is wrong with this e-mail stays so; keys, limits and outages pass.
            permanent = answer.status == HTTPStatus.BAD_REQUEST
            raise MailError(_describe_error(answer.status, answer.body), permanent=permanent)

    def _token(self) -> str:
        """Who asks, for half a minute: signed with the secret of the API key."""
        key = NOTIFY_KEY.fullmatch(self._settings.notify_key)
        if key is None:
            raise MailError("notify_key is no API key of GOV.UK Notify.")
        return jwt.encode({"iss": key["service"], "iat": int(time.time())}, key["secret"], "HS256")


def _describe_error(status: int, body: bytes) -> str:
    """What Notify says is wrong."""
    try:
        errors = json.loads(body)["errors"]
        words = "; ".join(str(error["message"]) for error in errors)
    except (ValueError, KeyError, TypeError, RecursionError):
        words = body.decode("utf-8", "replace")
    return f"{status} {' '.join(words.split())}"[:MAX_LEN_ERROR]
