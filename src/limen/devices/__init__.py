"""Monitors and pumps -> samples: recorded files and virtual chairs, sent to the clinic through one gateway."""

from limen.devices.gateway import Gateway, GatewayRefusedError
from limen.devices.replay import read_numerics

__all__ = ["Gateway", "GatewayRefusedError", "read_numerics"]
