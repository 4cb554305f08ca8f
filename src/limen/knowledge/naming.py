"""Which drug a name on a list means: known names, codes, and a guess at a misspelling that a person must confirm."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from limen.errors import KnowledgeError
from limen.knowledge.interactions import Agent, agents, combinations, drug_classes, drug_codes

_PARTS = re.compile(r"\s/\s|\+|,|;|\band\b|\bwith\b")
# Words of a label or a prescription that name no drug.
_LABEL = re.compile(
    r"\d+(?:\.\d+)?|mg|mcg|ug|micrograms?|milligrams?|grams?|g|ml|l|h|hr|hrs|hour|hours|unt|unit|units|iu|meq|mmol|percent|actuat|tablet|tablets|tab|tabs"
    r"|capsule|capsules|cap|caps|pill|pills|oral|orally|solution|suspension|syrup|drops|drop|cream|ointment|gel|lotion"
    r"|prefilled|pre|filled|syringe|syringes|autoinjector|auto|injector|cartridge|implant|implantable|ring|shampoo|foam|powder"
    r"|granules|elixir|kit|starter|blister|device|actuation|puff|puffs|gum|wafer|strip|insert|enteric|gastro|resistant"
    r"|nda|ndc|intrauterine|mucosal|intramuscular|intravenous|subcutaneous|intranasal|vaginal|ophthalmic|otic|dry|mist|nebulizer|prolonged"
    r"|injection|injectable|infusion|vial|ampoule|pen|extended|release|sustained|modified|prolonged|controlled|delayed"
    r"|immediate|retard|forte|depot|long|acting|slow|xr|er|sr|mr|cr|la|xl|ir|dr|ec|odt|film|coated|chewable|dispersible"
    r"|soluble|effervescent|orodispersible|spray|nasal|inhaler|inhalation|inhaled|evohaler|accuhaler|nebules|nebuliser"
    r"|patch|patches|transdermal|topical|sublingual|buccal|rectal|suppository|troche|troches|lozenge|lozenges|rdt"
    r"|system|day|days|daily|week|weeks|weekly|month|monthly|pack|po|iv|im|sc|sl|pr|bd|bid|od|qd|tds|tid|qds|qid|qhs|hs"
    r"|qam|qpm|prn|stat|om|on|nocte|mane|once|twice|three|four|times|time|nightly|night|morning|evening|noon|bedtime"
    r"|every|each|as|needed|required|half|one|two|hydrochloride|hcl|hydrobromide|hydrobromid|sodium|potassium|calcium"
    r"|sulfate|sulphate|maleate|succinate|tartrate|acetate|mesylate|mesilate|besylate|besilate|fumarate|citrate|oxalate"
    r"|phosphate|chloride|bromide|nitrate|pamoate|embonate|decanoate|bitartrate|monohydrate|dihydrate|hydrate|base|salt"
    r"|usp|bp|eur|generic|brand|human|regular|isophane|a|an|at|by|to|per|for|from|meal|meals|food|metered|dose|doses|in"
    r"|of|the|mouth|is|taking|takes|took|last|since|old|new|current|currently|home|medication|medicine|drug|or"
)
_LONGEST = 3  # edits at most
# Longest length of the names, in letters -> how many letters may be wrong and the name still be guessed at.
_EDITS = ((4, 0), (7, 1), (10, 2))


@dataclass(frozen=True, slots=True)
class Guess:
    """A name that is spelled almost like one known drug, and like no other: acted on strictly, and to be confirmed.

    Attributes
    ----------
    written : str
        The words as they stand on the list.
    name : str
        The known name they resemble.
    confidence_pct : float
        How much of the longer of the two names agrees: one wrong letter in ten is 90.
    """

    written: str
    agent: Agent
    name: str
    confidence_pct: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one entry of a medication list.

    Attributes
    ----------
    agents : tuple of Agent
        By a known name or code.
    guesses : tuple of Guess
        To be confirmed by a person.
    unknown : tuple of str
        Parts that name no known drug, or are spelled like two.
    """

    agents: tuple[Agent, ...]
    guesses: tuple[Guess, ...] = ()
    unknown: tuple[str, ...] = ()


@functools.lru_cache(maxsize=4096)
def read_name(name: str, code: str | None = None) -> Reading:
    """The ingredients that an entry of a medication list holds.

    A combination is read part by part. What is left of a part after its known names, and is no word of a label, is
    guessed at or said to be unknown: nothing is passed over.

    Parameters
    ----------
    name : str
        As a patient or a label gives it.
    code : str, optional
        RxNorm or ATC, as the record gives it.

    Examples
    --------
    >>> [agent.id for agent in read_name("Hydrochlorothiazide 25 MG Oral Tablet").agents]
    ['hydrochlorothiazide']
    >>> [(guess.agent.id, round(guess.confidence_pct)) for guess in read_name("theofyllin 300").guesses]
    [('theophylline', 91)]
    >>> read_name("aspirin moonwort").unknown
    ('moonwort',)
    """
    found: dict[str, Agent] = {agent.id: agent for agent in _by_code(code)} if code else {}
    guesses: dict[str, Guess] = {}
    unknown: list[str] = []
    for part in _PARTS.split(name.lower()):
        text = " ".join(_words(part))
        known = list(_pattern().finditer(text))
        found.update({agent.id: agent for match in known for agent in _by_name()[match.group()]})
        for rest in _leftovers(text, known):
            guess = _guess(rest)
            if guess is not None:
                guesses.setdefault(guess.agent.id, guess)
            else:
                unknown.append(rest if known else part.strip())
    if not found and not guesses and not unknown:
        unknown.append(name.strip())
    held = tuple(guess for agent, guess in guesses.items() if agent not in found)
    return Reading(tuple(found.values()), held, tuple(dict.fromkeys(unknown)))


def resolve(name: str) -> tuple[tuple[Agent, ...], tuple[str, ...]]:
    """What is certain of a name: its known ingredients, and the parts that are not recognised, guesses among them.

    Examples
    --------
    >>> found, unknown = resolve("Zoloft 50 mg + moonwort")
    >>> [agent.id for agent in found], unknown
    (['sertraline'], ('moonwort',))
    """
    read = read_name(name)
    return read.agents, (*read.unknown, *(guess.written for guess in read.guesses))


def possible(name: str) -> tuple[Agent, ...]:
    """Every ingredient a name may hold, guesses among them: for what speaks against a drug, never for it.

    Examples
    --------
    >>> [agent.id for agent in possible("theofyllin")]
    ['theophylline']
    """
    read = read_name(name)
    return (*read.agents, *(guess.agent for guess in read.guesses))


def suggestions(name: str) -> tuple[str, ...]:
    """Ingredients spelled much like this name, or like a word of it: to ask about.

    Examples
    --------
    >>> suggestions("clonazidine")
    ('clonidine',)
    """
    words = [word for word in _words(name) if not _LABEL.fullmatch(word)]
    near = {agent.id: None for text in (" ".join(words), *words) for _, _, agent in _near(text, _LONGEST)}
    return tuple(near)[:3]


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:'s)?|\d+(?:\.\d+)?", name.lower().replace("’", "'"))


def _leftovers(text: str, known: list[re.Match[str]]) -> Iterator[str]:
    """Runs of words between the known names that are no words of a label."""
    ends = [0, *(match.end() for match in known)]
    starts = [*(match.start() for match in known), len(text)]
    for begin, end in zip(ends, starts, strict=True):
        words = [word for word in text[begin:end].split() if not _LABEL.fullmatch(word)]
        if words:
            yield " ".join(words)


def _guess(text: str) -> Guess | None:
    """The one drug a text resembles; ``None`` where there is none, or more than one."""
    near = _near(text, _LONGEST)
    if not near and " " in text:
        near = sorted((item for word in text.split() for item in _near(word, _LONGEST)), key=lambda item: item[0])
    # Another drug that is almost as near leaves it open which of them is meant.
    if not near or len({agent.id for edits, _, agent in near if edits <= near[0][0] + 1}) > 1:
        return None
    edits, name, agent = near[0]
    longest = max(len(name), len(text) if " " in name else max(map(len, text.split())))
    return Guess(text, agent, name, round(100.0 * (1.0 - edits / longest), 1))


@functools.lru_cache(maxsize=4096)
def _near(text: str, most: int) -> list[tuple[int, str, Agent]]:
    """Known names within reach of a text, the nearest first: edits, name, drug."""
    found = []
    letters = _letters(text)
    for length in range(len(text) - most, len(text) + most + 1):
        reach = min(most, _reach(max(length, len(text))))
        if abs(length - len(text)) > reach or not reach:
            continue
        for name, held, agent in _by_length().get(length, ()):
            # One edit adds at most one letter that the other lacks, and takes at most one away.
            if (letters & ~held).bit_count() > reach or (held & ~letters).bit_count() > reach:
                continue
            edits = _edits(text, name)
            if edits <= reach:
                found.append((edits, name, agent))
    return sorted(found, key=lambda item: (item[0], item[1]))


def _reach(length: int) -> int:
    return next((edits for longest, edits in _EDITS if length <= longest), _LONGEST)


def _letters(name: str) -> int:
    """Which letters a name holds, one bit each."""
    bits = 0
    for letter in name:
        bits |= 1 << (ord(letter) % 64)
    return bits


@functools.cache
def _by_length() -> dict[int, list[tuple[str, int, Agent]]]:
    """The names of one drug by their length, each with its letters."""
    table: dict[int, list[tuple[str, int, Agent]]] = {}
    for name, of in _by_name().items():
        if len(of) == 1:
            table.setdefault(len(name), []).append((name, _letters(name), of[0]))
    return table


def _edits(first: str, second: str) -> int:
    """Letters to insert, leave out, exchange or swap with their neighbour (optimal string alignment distance).

    Examples
    --------
    >>> _edits("kitten", "sitting"), _edits("teh", "the")
    (3, 1)
    """
    before: list[int] = []
    above = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        here = [row]
        for column, other in enumerate(second, 1):
            cost = min(above[column] + 1, here[-1] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == second[column - 2] and first[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            here.append(cost)
        before, above = above, here
    return above[-1]


@functools.cache
def _by_name() -> dict[str, tuple[Agent, ...]]:
    table: dict[str, tuple[Agent, ...]] = {}
    for agent in agents().values():
        for name in (agent.id.replace("-", " "), *agent.names):
            spelled = " ".join(_words(name))
            if table.setdefault(spelled, (agent,)) != (agent,):
                raise KnowledgeError(f"the name {name!r} stands for two drugs", where="agents.yaml")
    for mixed in combinations():
        spelled = " ".join(_words(mixed.name))
        if spelled in table:
            raise KnowledgeError(f"the name {mixed.name!r} stands for two drugs", where="agents.yaml")
        table[spelled] = tuple(agents()[name] for name in mixed.of)
    return table


@functools.cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_by_name(), key=lambda name: (-len(name), name))
    return re.compile(r"(?<!\S)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\S)")


def _by_code(code: str) -> tuple[Agent, ...]:
    """The drug or class of a code: RxNorm whole, ATC by its longest known beginning."""
    plain = code.strip().upper()
    for entry in sorted(drug_codes(), key=lambda item: -len(item.code)):
        if plain == entry.code or (entry.system == "atc" and plain.startswith(entry.code)):
            known = agents().get(entry.of)
            return (known or Agent(id=drug_classes()[entry.of].id, classes=(entry.of,)),)
    return ()
