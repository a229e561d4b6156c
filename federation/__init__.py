"""ActivityPub as a pure library: verifies requests, and reads and builds documents."""
