"""Plugin administration for operators: enablement, settings, failures, scheduled jobs, purge."""
