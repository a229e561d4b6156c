"""What plugins consist of: hooks, declarations, and how they are loaded and guarded."""
