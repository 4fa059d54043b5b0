"""Ask a chatbot, keep what it says, and rate the personality it shows.

Bots (``bots``), transcripts (``records``), four protocols (``self_report``, ``interview``,
``situational``, ``story``), raters, and the resulting profile.
"""
