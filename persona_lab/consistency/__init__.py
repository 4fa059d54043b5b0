"""Does the character stay the same? Consistency of personality and persona in dialogues.

Example:
    >>> from persona_lab import load_detector, read_dialogues
    >>> from persona_lab.consistency.judge import ConsistencyJudge
    >>> judge = ConsistencyJudge(load_detector())  # doctest: +SKIP
    >>> for dialogue in read_dialogues("chats.jsonl"):  # doctest: +SKIP
    ...     for report in judge.reports(dialogue):
    ...         print(report.speaker, report.score, report.explanation)
"""
