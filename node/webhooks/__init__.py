"""Telling other programs what happens here: signed, queued, tried again (Standard Webhooks)."""
