"""The reader: what does a text show of its speaker's personality?"""
