"""From a received message to the handlers of the rooms."""
