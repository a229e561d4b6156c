"""Outgoing email: the queue, and the transports SMTP, GOV.UK Notify and console."""
