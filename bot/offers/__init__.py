"""Courses and activities that somebody can look for."""

from bot.offers.model import FIELDS_OF, KINDS, Kind, Neighbourhood, Offer
from bot.offers.packing import pack_search, unpack_search
from bot.offers.search import Offers, Search, Wish, answer_to, narrowing

__all__ = [
    "FIELDS_OF",
    "KINDS",
    "Kind",
    "Neighbourhood",
    "Offer",
    "Offers",
    "Search",
    "Wish",
    "answer_to",
    "narrowing",
    "pack_search",
    "unpack_search",
]
