"""Raters: from answers to a position on each domain, with a reason and evidence.

``closed`` reads closed answers by the key; ``option`` lets a language model map an open answer
to the scale and scores that by the key; ``llm`` lets one or several judge groups of answers;
``detector`` reads them with a trained model and asks nobody.
"""
