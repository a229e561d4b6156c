"""What tests stand on: real databases, a real browser, and no way off the machine."""
