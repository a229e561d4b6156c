"""The portfolio: what councils do, seen as a whole. Boards, times, places, ties and numbers."""
