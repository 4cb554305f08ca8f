"""Where every number comes from: sources, verification marks, and the strict YAML reader."""

from limen.evidence.marks import Verification
from limen.evidence.sources import Source, cite, sources
from limen.evidence.yaml import read_yaml

__all__ = ["Source", "Verification", "cite", "read_yaml", "sources"]
