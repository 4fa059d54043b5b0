"""Judges: language models that rate role-play answers by a user's rubrics, in several votes."""
