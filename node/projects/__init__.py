"""Projects that councils run, plan and can reuse from each other, local and remote alike."""
