"""Every refusal has one answer, and its words are safe."""

import pytest

from federation.errors import (
    REFUSAL_RESPONSES,
    AddressError,
    DocumentError,
    FederationError,
    Refusal,
    RefusalReason,
)


@pytest.mark.parametrize("reason", RefusalReason)
def test_every_reason_has_a_status_and_a_sentence(reason: RefusalReason) -> None:
    refusal = Refusal(reason, "secret detail")
    assert refusal.status in {400, 401, 403, 413, 415, 429, 503}
    assert refusal.safe_text.endswith(".")
    assert "secret" not in refusal.safe_text
    assert refusal.permanent is REFUSAL_RESPONSES[reason].permanent
    assert (refusal.retry_after is not None) is (refusal.status in {429, 503})
    assert str(refusal) == f"{reason}: secret detail"


def test_all_errors_have_one_base() -> None:
    for error in (
        Refusal(RefusalReason.not_json),
        DocumentError("id", "missing"),
        AddressError("No."),
    ):
        assert isinstance(error, FederationError)
    assert DocumentError("id", "missing").safe_text == "Problem with “id” in the document: missing."


def test_a_busy_server_says_when_to_come_back() -> None:
    seconds = {reason: Refusal(reason).retry_after for reason in RefusalReason}
    assert {reason: found for reason, found in seconds.items() if found is not None} == {
        RefusalReason.key_unreachable: 60,
        RefusalReason.too_many: 60,
        RefusalReason.too_many_keys: 60,
        RefusalReason.busy: 10,
    }


def test_what_may_be_accepted_later_is_not_refused_for_ever() -> None:
    assert {reason for reason in RefusalReason if not Refusal(reason).permanent} == {
        RefusalReason.host_not_allowed,
        RefusalReason.date_outside_window,
        RefusalReason.key_not_found,
        RefusalReason.key_unreachable,
        RefusalReason.too_many,
        RefusalReason.too_many_keys,
        RefusalReason.busy,
    }
