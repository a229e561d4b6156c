"""What browsers and proxies may keep: nothing that was made for one person."""

import pytest

from node.testing.visitor import Visitor

HTML = {"Accept": "text/html"}
FOR_ALL = ("/", "/projects", "/councils/aldermoor", "/nothing")
FOR_SOME = ("/projects/new", "/projects/drafts", "/operator/deliveries")


@pytest.mark.parametrize("place", FOR_ALL + FOR_SOME)
def test_a_page_for_one_person_is_not_kept(operator: Visitor, place: str) -> None:
    answer = operator.client.get(place, headers=HTML)
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_form_that_is_given_back_is_not_kept(operator: Visitor) -> None:
    operator.visit("/projects/new")
    refused = operator.submit(title="")
    assert (refused.status_code, refused.headers["Cache-Control"]) == (400, "private, no-store")


@pytest.mark.parametrize("place", FOR_ALL)
def test_a_page_for_all_may_be_kept(stranger: Visitor, place: str) -> None:
    assert "Cache-Control" not in stranger.client.get(place, headers=HTML).headers


def test_files_are_kept_by_who_is_signed_in_too(operator: Visitor) -> None:
    for place in ("/static/moothall.css", "/theme/1d5b4f.css"):
        answer = operator.client.get(place, buffered=True)
        assert answer.headers["Cache-Control"] == "no-cache"
