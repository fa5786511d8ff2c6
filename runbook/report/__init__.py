"""The hand-over report: what was run, what was checked, who said go, how long it was waited for."""

from __future__ import annotations

from runbook.report.model import report_doc
from runbook.report.render import render

__all__ = ["render", "report_doc"]
