"""Resource ids, shortened to what tells them apart. Whoever shows a short one keeps the whole at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

_ID: Final = re.compile(r"/(?:subscriptions|providers)/[^\s\"',;<>()\[\]{}]{12,2000}", re.IGNORECASE)
_LEAST: Final = 2
"""Parts that a short form has at least: kind and name."""


def ids_in(texts: Iterable[str]) -> list[str]:
    """Every resource id that stands in some texts, once each, in their order."""
    return list(dict.fromkeys(found[0] for text in texts for found in _ID.finditer(text)))


def short_forms(ids: Iterable[str]) -> Mapping[str, str]:
    """Each id with as many of its last parts as it takes to tell it from all the others; ``…/`` stands for the rest."""
    every = list(dict.fromkeys(ids))
    forms: dict[str, str] = {}
    for id_ in every:
        parts = id_.strip("/").split("/")
        others = [o.strip("/").lower().split("/") for o in every if o.lower() != id_.lower()]
        count = _LEAST
        while count < len(parts) and any([p.lower() for p in parts[-count:]] == o[-count:] for o in others):
            count += 2
        forms[id_] = "…/" + "/".join(parts[-count:]) if count < len(parts) else id_
    return forms


def shortened(text: str, forms: Mapping[str, str]) -> str:
    """A text with the ids in it in their short forms; those without one stay."""
    return _ID.sub(lambda found: forms.get(found[0], found[0]), text)
