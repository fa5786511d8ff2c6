"""What a script does inside a simulated machine: an interpreter of the few PowerShell words that matter here.

A script with ``Restart-Service`` and ``RDAgentBootLoader`` starts the agent's loader anew (``loader_restarted``); one
that also asks with ``Get-Service`` prints the service's status. Anything else runs and says nothing. A script that the
scenario lets go wrong (``script_error``) leaves that text on its standard error and does nothing; as in PowerShell it
ends with 0 all the same, unless the script makes errors terminating (``-ErrorAction Stop`` or
``$ErrorActionPreference = 'Stop'``).

Source: "Azure Virtual Desktop agent" (the service RDAgentBootLoader) and "about_Preference_Variables",
learn.microsoft.com.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from runbook.sim.cloud import Cloud
from runbook.sim.faults import script_error

LONGEST: Final = 4096
"""Characters of output that are handed out, from the end (unconfirmed)."""

_STOPS: Final = re.compile(r"-ErrorAction\s+Stop\b|\$ErrorActionPreference\s*=\s*['\"]?Stop\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a script ended."""

    exit_code: int
    output: str
    error: str


def run(cloud: Cloud, vm_id: str, script: str) -> Ran:
    """Let a script have run in a machine by now."""
    if said := script_error(cloud, vm_id):
        return Ran(int(bool(_STOPS.search(script))), "", said[-LONGEST:])
    words = script.lower()
    if "rdagentbootloader" not in words:
        return Ran(0, "", "")
    if "restart-service" in words:
        cloud.emit("loader_restarted", {"vm": vm_id})
    return Ran(0, "Running" if "get-service" in words else "", "")
