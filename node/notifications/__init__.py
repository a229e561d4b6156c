"""Notices: what happened in what somebody follows, on a page of theirs and by e-mail."""
