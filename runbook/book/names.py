"""What Azure takes for a name, by the kind of what is named: refused here, before anything is sent.

Invariant: a name is refused only by a rule that is published; kinds without one get the rule that all share.

Source: Microsoft Learn, "Naming rules and restrictions for Azure resources"
(azure-resource-manager/management/resource-name-rules): the rows of Microsoft.Resources/resourcegroups and
Microsoft.Network/privateEndpoints. Microsoft.HybridCompute/privateLinkScopes has no row there. What all share is of
the same page ("don't use #") and of what separates and escapes in an id or URL (RFC 3986, section 2.2).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

GROUP: Final = "Microsoft.Resources/resourceGroups"

_LETTERS: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})
"""``Char.IsLetterOrDigit``, which the rule of resource groups names."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """What may stand in a name. ``allowed`` is the same as ``takes``, in words."""

    least: int
    most: int
    takes: Callable[[str], bool]
    allowed: str
    begins: Callable[[str], bool] = lambda c: True
    ends: Callable[[str], bool] = lambda c: c not in ". "
    end_words: str = "it cannot end with a period or a blank"


def _is_plain(c: str) -> bool:
    return c.isascii() and c.isalnum()


_ANY: Final = _Rule(
    1, 260, lambda c: c.isprintable() and c not in "/\\?#%&<>:*+", "anything but / \\ ? # % & < > : * +"
)
_RULES: Final = {
    GROUP.lower(): _Rule(
        1,
        90,
        lambda c: unicodedata.category(c) in _LETTERS or c in "_-.()",
        "letters, digits, _ - . ( )",
        end_words="it cannot end with a period",
    ),
    "microsoft.network/privateendpoints": _Rule(
        2,
        64,
        lambda c: _is_plain(c) or c in "_-.",
        "letters without accents, digits, _ - .",
        begins=_is_plain,
        ends=lambda c: _is_plain(c) or c == "_",
        end_words="it ends with a letter, a digit or _",
    ),
}


def called(kind: str) -> str:
    """What a kind is called in a sentence: ``resource group``, or its type."""
    return "resource group" if kind.lower() == GROUP.lower() else kind


def why_not(kind: str, name: str) -> str:
    """Why Azure would not take this name for a resource of this type; empty where it would, for all that is known."""
    rule = _RULES.get(kind.lower(), _ANY)
    wrong = next((c for c in name if not rule.takes(c)), None)
    if wrong is not None:
        sign = "a blank" if wrong == " " else f"{wrong!r}" if wrong.isprintable() else "a control character"
        return f"{sign} cannot stand in it; allowed: {rule.allowed}"
    if not rule.least <= len(name) <= rule.most:
        return f"it has {len(name)} characters; from {rule.least} to {rule.most} are allowed"
    if not rule.begins(name[0]):
        return "it begins with a letter or a digit"
    return "" if rule.ends(name[-1]) else rule.end_words
