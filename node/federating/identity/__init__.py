"""Actors, their ids and the signatures of ours."""
