"""The look: layout, components, theme, static files, error pages, and headers for browsers."""
