"""Freshness of projects: review dates, reminders and archiving."""
