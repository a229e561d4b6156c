"""Review of drafts before they are published."""
