"""The shapes of bodies and answers, with the examples that the documentation shows."""
