"""Regions: display names, and the short names that private-link FQDNs use.

The short and geo names follow the recorded pattern but are ours: Azure's cannot be derived from a region's name and
are published nowhere as a list. A scenario may give its own; an unknown region falls back to its own name.
"""

from __future__ import annotations

from typing import Final

from runbook.sim.scenario import Region, Scenario

REGIONS: Final[dict[str, Region]] = {
    "australiaeast": Region(display="Australia East", short="ae", geo="apac"),
    "centralus": Region(display="Central US", short="cus", geo="us"),
    "eastus": Region(display="East US", short="eus", geo="us"),
    "eastus2": Region(display="East US 2", short="eus2", geo="us"),
    "francecentral": Region(display="France Central", short="fc", geo="eu"),
    "germanywestcentral": Region(display="Germany West Central", short="gwc", geo="eu"),
    "japaneast": Region(display="Japan East", short="jpe", geo="apac"),
    "northeurope": Region(display="North Europe", short="ne", geo="eu"),
    "southeastasia": Region(display="Southeast Asia", short="sea", geo="apac"),
    "swedencentral": Region(display="Sweden Central", short="sc", geo="eu"),
    "switzerlandnorth": Region(display="Switzerland North", short="szn", geo="eu"),
    "uksouth": Region(display="UK South", short="uks", geo="eu"),
    "westeurope": Region(display="West Europe", short="we", geo="eu"),
    "westus2": Region(display="West US 2", short="wus2", geo="us"),
    "westus3": Region(display="West US 3", short="wus3", geo="us"),
}
_GOVERNMENT: Final[dict[str, Region]] = {
    "usgovarizona": Region(display="USGov Arizona", short="usga", geo="usgov"),
    "usgovvirginia": Region(display="USGov Virginia", short="usgv", geo="usgov"),
}
_CHINA: Final[dict[str, Region]] = {
    "chinaeast2": Region(display="China East 2", short="cne2", geo="china"),
    "chinanorth3": Region(display="China North 3", short="cnn3", geo="china"),
}
_OF_CLOUD: Final = {"AzureCloud": REGIONS, "AzureUSGovernment": _GOVERNMENT, "AzureChinaCloud": _CHINA}


def regions(scenario: Scenario) -> dict[str, Region]:
    """All regions of the scenario's cloud by name, the scenario's own words first."""
    return {**_OF_CLOUD[scenario.cloud], **scenario.regions}


def normal(location: str) -> str:
    """``West Europe`` and ``westeurope`` are the same region: the second form."""
    return location.replace(" ", "").lower()


def region(scenario: Scenario, location: str) -> Region:
    """A region's names; for an unknown one its own name stands for all of them."""
    name = normal(location)
    return regions(scenario).get(name) or Region(display=location, short=name, geo=name)
