"""What a project of ours said before: its versions, what changed between them, going back."""
