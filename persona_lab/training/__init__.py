"""Training, tuning, export and evaluation; inference never imports this room."""
