"""Reports of what should not be here, and what moderators do about them."""
