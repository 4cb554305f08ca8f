"""Which drug a name means: brands, codes, guesses at a misspelling, and what is said of a name nobody knows."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.care.case import Case, Medication
from limen.care.case_json import case_from_json
from limen.care.interactions import check, perpetrators_of
from limen.care.screening import screen
from limen.knowledge.interactions import agents, combinations, drug_codes
from limen.knowledge.naming import read_name, suggestions
from limen.knowledge.rules import rules
from limen.pharmacology.covariates.interactions import perpetrators

ON = "2026-11-21"
PERPETRATORS = [name for item in perpetrators() for name in (item.drug, *item.names)]


@pytest.mark.parametrize(
    ("written", "drugs"),
    [
        ("Percocet 5/325", {"oxycodone", "paracetamol"}),
        ("Symbyax", {"olanzapine", "fluoxetine"}),
        ("Contrave", {"naltrexone", "bupropion"}),
        ("Euthyrox 50 micrograms in the morning", {"levothyroxine"}),
        ("Temesta 1 mg nocte prn", {"lorazepam"}),
        ("Rimactane", {"rifampicin"}),
        ("MST Continus 30 mg bd", {"morphine"}),
        ("Jarsin 300", {"st-johns-wort"}),
        ("Zestoretic 20/12.5", {"lisinopril", "hydrochlorothiazide"}),
        ("insulin isophane, human 70 UNT/ML", {"insulin"}),
    ],
)
def test_brands_and_labels(written: str, drugs: set[str]) -> None:
    read = read_name(written)
    assert {agent.id for agent in read.agents} == drugs
    assert read.guesses == ()
    assert read.unknown == ()


@pytest.mark.parametrize(
    ("written", "drug", "edits", "letters"),
    [
        ("clarithromicyn", "clarithromycin", 1, 14),  # two neighbours swapped
        ("ri fampicin", "rifampicin", 1, 10),
        ("ritonavier", "ritonavir", 1, 10),
        ("karbamazepine 200 mg", "carbamazepine", 1, 13),
        ("hydroxzine", "hydroxyzine", 1, 11),
    ],
)
def test_a_misspelling_is_read_and_to_be_confirmed(written: str, drug: str, edits: int, letters: int) -> None:
    (guess,) = read_name(written).guesses
    assert guess.agent.id == drug
    assert guess.confidence_pct == pytest.approx(100 * (1 - edits / letters), abs=3)
    assert read_name(written).unknown == ()


def test_a_name_between_two_drugs_is_unknown_with_both_suggested() -> None:
    read = read_name("clobazapam")
    assert read.agents == ()
    assert read.guesses == ()
    assert read.unknown == ("clobazapam",)
    assert {"clobazam", "clonazepam"} <= set(suggestions("clobazapam"))


def test_a_word_beside_a_known_name_is_not_passed_over() -> None:
    read = read_name("aspirin moonwort")
    assert [agent.id for agent in read.agents] == ["aspirin"]
    assert read.unknown == ("moonwort",)
    assert check("iv", "racemic", ["aspirin moonwort"]).no_finding == ()


def test_a_guess_at_a_drug_without_a_rule_is_unknown_not_without_finding() -> None:
    report = check("iv", "racemic", ["paracetamoll"])
    assert (report.unknown, report.no_finding) == (("paracetamoll",), ())
    assert report.suggestions == {"paracetamoll": ("paracetamol",)}


def test_a_guess_shows_its_confidence_and_asks() -> None:
    document = check("po", "racemic", ["teophillin"]).to_json()
    (finding,) = document["findings"]
    assert (finding["resolved"], finding["rule"], finding["confirm"]) == ("theophylline", "INT-06", True)
    assert 50 < finding["confidence_pct"] < 100
    assert "confirm" in finding["because"]
    (certain,) = check("po", "racemic", ["theophylline"]).to_json()["findings"]
    assert (certain["confidence_pct"], certain["confirm"]) == (100, False)


def test_a_guess_adds_a_risk_and_never_takes_one_away() -> None:
    bipolar = {"on": ON, "indication": "bipolar-depression", "conditions": [{"text": "Bipolar disorder"}]}
    certain = screen(case_from_json({**bipolar, "medications": [{"name": "lithium carbonate"}]}))
    guessed = screen(case_from_json({**bipolar, "medications": [{"name": "lithyum carbonate"}]}))
    assert "SEL-10" not in {item.rule for item in certain.findings}
    waits = [item for item in guessed.missing if item.rule == "SEL-10" and "confirm" in item.why]
    assert [item.input for item in waits] == ["medications: lithium"]
    (row,) = guessed.to_json()["medications_to_confirm"]
    assert (row["drug"], row["resolved"]) == ("lithyum carbonate", "lithium")
    assert "INT-00" in {item.rule for item in guessed.findings}


def test_a_guess_changes_no_forecast() -> None:
    from datetime import date

    case = Case(on=date(2026, 11, 21), medications=(Medication("clarithromicyn"),))
    assert perpetrators_of(case) == ()
    assert "INT-02" in {item.rule for item in check("po", "racemic", ["clarithromicyn"]).findings}


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(PERPETRATORS),
    edits=st.lists(
        st.tuples(
            st.sampled_from(["insert", "drop", "exchange", "swap"]),
            st.integers(0, 30),
            st.sampled_from(string.ascii_lowercase),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_a_misspelt_perpetrator_is_never_without_finding(name: str, edits: list[tuple[str, int, str]]) -> None:
    letters = list(name)
    for kind, at, letter in edits:
        place = at % max(1, len(letters))
        match kind:
            case "insert":
                letters.insert(place, letter)
            case "drop" if len(letters) > 3:
                letters.pop(place)
            case "exchange":
                letters[place] = letter
            case "swap" if place + 1 < len(letters):
                letters[place], letters[place + 1] = letters[place + 1], letters[place]
            case _:
                pass
    written = "".join(letters)
    report = check("po", "s-ketamine", [written])
    assert report.no_finding == ()
    assert {item.drug for item in report.findings} | set(report.unknown) == {written.strip()}


def test_a_code_names_the_drug_whatever_it_is_called() -> None:
    for code, drug in (("238083", "ketamine"), ("N06AX27", "ketamine"), ("R03DA04", "theophylline")):
        assert [agent.id for agent in read_name("Zzyx", code).agents] == [drug]
    (agent,) = read_name("Zzyx", "N05BA99").agents
    assert agent.classes == ("benzodiazepine",)
    assert read_name("Zzyx", "999999").agents == ()


def test_every_class_and_drug_of_a_rule_has_a_name_to_be_found_by() -> None:
    for rule in rules().values():
        for term in rule.agents:
            members = [agent for agent in agents().values() if agent.id == term or term in agent.classes]
            assert members, term
            for agent in members:
                for name in (agent.id.replace("-", " "), *agent.names):
                    assert agent.id in {found.id for found in read_name(name).agents}, name


def test_combinations_and_codes_name_drugs_that_exist() -> None:
    for item in combinations():
        assert {agent.id for agent in read_name(item.name).agents} == set(item.of)
    assert len({(item.system, item.code) for item in drug_codes()}) == len(drug_codes())
