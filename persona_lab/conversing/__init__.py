"""Two chatbots talk: turns, questionnaires before and after, alignment to the partner."""
