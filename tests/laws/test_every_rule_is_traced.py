"""Every rule rests on a source that was read, or its mark says that it does not and is shown."""

from __future__ import annotations

import pytest

from limen.care.dossier import dossier, knowledge_roots
from limen.evidence import Verification
from limen.knowledge.discharge import discharge
from limen.knowledge.index import claims
from limen.knowledge.instruments import instruments
from limen.knowledge.monitoring import monitoring
from limen.knowledge.protocols import protocols
from limen.knowledge.rules import rules

CLAIMS = claims(knowledge_roots())
OWNERS = sorted(
    {claim.owner for claim in CLAIMS if not claim.file.startswith(("models/", "effects/", "pharmacology/"))}
)
SHOWN_AS_SUCH = {Verification.UNVERIFIED, Verification.CLINIC_RULE}


def test_every_rule_the_product_decides_by_is_in_the_list() -> None:
    deciding = {*rules(), *protocols(), *instruments()}
    deciding |= {limit.rule for limit in monitoring().limits} | {item.id for item in discharge().criteria}
    assert deciding <= set(OWNERS)


@pytest.mark.parametrize("name", OWNERS)
def test_a_rule_is_traced_or_says_that_it_is_not(name: str) -> None:
    found = dossier(name)
    assert found["sources"]
    assert found["traced"] or Verification(found["verification"]) in SHOWN_AS_SUCH


def test_every_clinical_claim_carries_a_mark_of_its_own() -> None:
    bare = [
        f"{claim.file}:{claim.line} {claim.owner}"
        for claim in CLAIMS
        if claim.mark is None and not claim.file.startswith(("models/", "effects/", "pharmacology/"))
    ]
    assert bare == []
