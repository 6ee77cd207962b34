"""Wegwijs: answers for people who are new in Ghent. `app.py` puts the rooms together."""
