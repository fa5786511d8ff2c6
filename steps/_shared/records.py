"""Names, addresses and zones as the steps take them; what is known of them stands in ``runbook.core.records``."""

from __future__ import annotations

from runbook.core.records import PREFIX, Record, record_of, suffix_of, zones_of_group

__all__ = ["PREFIX", "Record", "record_of", "suffix_of", "zones_of_group"]
