"""A transport that sends emails by GOV.UK Notify."""

import json
import time
from http import HTTPStatus

import jwt

from node.mail.transport import MailError, OutgoingEmail
from node.outbound import OutboundClient, OutboundError
from node.settings import Settings
from node.settings_validation import NOTIFY_KEY

NOTIFY_PATH = "/v2/notifications/email"
MAX_LEN_ERROR = 300


class NotifyTransport:
    """Requires a Notify template with the placeholders ((subject)) and ((body))."""

    def __init__(self, settings: Settings, outbound: OutboundClient) -> None:
        self._settings = settings
        self._outbound = outbound

    def deliver(self, email: OutgoingEmail) -> None:
        payload: dict[str, object] = {
            "email_address": email.recipient,
            "template_id": self._settings.notify_template,
            "personalisation": {"subject": email.subject, "body": email.text},
            "reference": email.reference,
        }
        if email.unsubscribe:
            payload["one_click_unsubscribe_url"] = email.unsubscribe
        try:
            response = self._outbound.post(
                self._settings.notify_url.rstrip("/") + NOTIFY_PATH,
                json.dumps(payload).encode(),
                content_type="application/json",
                headers={"authorization": f"Bearer {self._build_token()}"},
            )
        except OutboundError as error:
            raise MailError(error.safe_text) from error
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            # Errors of this email are permanent; those of keys, limits and outages are not.
            permanent = response.status == HTTPStatus.BAD_REQUEST
            raise MailError(_describe_error(response.status, response.body), permanent=permanent)

    def _build_token(self) -> str:
        """The JWT that authenticates a request, valid for 30 seconds."""
        key = NOTIFY_KEY.fullmatch(self._settings.notify_key)
        if key is None:
            raise MailError("notify_key is not an API key of GOV.UK Notify.")
        return jwt.encode({"iss": key["service"], "iat": int(time.time())}, key["secret"], "HS256")


def _describe_error(status: int, body: bytes) -> str:
    """Status and error messages of a response."""
    try:
        errors = json.loads(body)["errors"]
        text = "; ".join(str(error["message"]) for error in errors)
    except (ValueError, KeyError, TypeError, RecursionError):
        text = body.decode("utf-8", "replace")
    return f"{status} {' '.join(text.split())}"[:MAX_LEN_ERROR]
