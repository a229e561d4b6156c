"""What happened, for the people of this council: noted where it happens, told by `notices`."""
