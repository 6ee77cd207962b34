"""What a person meant: a language and a decision. No input or output: `train` takes values, `understand` gives one.

A text goes through four steps, a module each: `normalise` brings it to one spelling, `detect` finds its
language, `danger` looks for a person in danger, and `match` compares it with every question of that language
and says how sure it is. `meaning` puts them together and decides.
"""

from bot.understanding.meaning import Match, Meaning, Understanding, train

__all__ = ["Match", "Meaning", "Understanding", "train"]
