"""Webhooks: signed, queued and retried messages about events (Standard Webhooks)."""
