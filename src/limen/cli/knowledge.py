"""Commands: knowledge and its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from limen.cli.output import Json, print_json

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def register(app: typer.Typer) -> None:
    """Add ``limen knowledge check``, ``freeze``, ``diff`` and ``export``, and ``limen evidence show``."""
    knowledge = typer.Typer(name="knowledge", help="The clinic's rules as data.", no_args_is_help=True)
    evidence = typer.Typer(name="evidence", help="Where every number comes from.", no_args_is_help=True)

    @knowledge.command()
    def check(json: Json = False) -> None:
        """Read every knowledge file by its schema and follow every source; exit 2 where one must be mended."""
        from limen.knowledge.index import claims, problems
        from limen.knowledge.release import knowledge_release

        roots = _roots()
        found = problems(roots)
        every = claims(roots) if not found else ()
        result = {
            "release": knowledge_release() if not found else None,
            "claims": len(every),
            "unverified": sum(claim.verification == "M" for claim in every),
            "problems": [{"where": problem.where, "what": problem.what} for problem in found],
        }
        if json:
            print_json(result)
        elif not found:
            typer.echo(
                f"Knowledge {result['release']}: {result['claims']} claims, every source found; "
                f"{result['unverified']} unverified, for the medical director to sign off."
            )
        else:
            for problem in found:
                typer.echo(f"{problem.where}: {problem.what}", err=True)
        if found:
            raise typer.Exit(2)

    @knowledge.command()
    def freeze(
        file: str = typer.Argument(metavar="FILE", help="A new file."),
    ) -> None:
        """Write the knowledge as it stands into one file, for the director to sign and to compare with later."""
        from limen.knowledge.snapshot import snapshot

        held = snapshot()
        _write_new(file, held)
        typer.echo(f"{file}: knowledge {held['release']}, {len(held['files'])} files")

    @knowledge.command()
    def diff(
        file: str = typer.Argument(metavar="FILE", help="What `freeze` wrote, or - for standard input."),
        json: Json = False,
    ) -> None:
        """What has changed since the knowledge that was signed: each place, what it was and what it is."""
        from limen.cli.output import read_json
        from limen.knowledge.snapshot import differences, snapshot

        now = snapshot()
        was = read_json(file)
        found = differences(was, now)
        if json:
            changes = [item.to_json() for item in found]
            print_json({"was": was["release"], "now": now["release"], "changes": changes})
            return
        typer.echo(f"{was['release']} -> {now['release']}: {len(found)} changes")
        for item in found:
            typer.echo(f"  {item.file} {item.where}: {_short(item.was)} -> {_short(item.now)}")

    @knowledge.command()
    def export(
        folder: str = typer.Argument(metavar="FOLDER", help="An empty or new folder."),
    ) -> None:
        """Write every instrument as a FHIR R4 Questionnaire and every protocol as a PlanDefinition."""
        from pathlib import Path

        from limen.errors import InputError
        from limen.interop.fhir.definitions import plan_definition, questionnaire
        from limen.knowledge.instruments import instruments
        from limen.knowledge.protocols import protocols

        into = Path(folder)
        if into.exists() and (not into.is_dir() or any(into.iterdir())):
            raise InputError("there is something already", where=folder, allowed="an empty or new folder")
        made = [questionnaire(item) for item in instruments().values()]
        made += [plan_definition(item) for item in protocols().values()]
        into.mkdir(parents=True, exist_ok=True)
        for resource in made:
            _write_new(str(into / f"{resource['resourceType']}-{resource['id']}.json"), resource)
        typer.echo(f"{folder}: {len(instruments())} Questionnaires, {len(protocols())} PlanDefinitions")

    @evidence.command()
    def show(
        name: str = typer.Argument(metavar="ID", help="A rule, protocol, model or source, such as SEL-04."),
        json: Json = False,
    ) -> None:
        """What speaks for and against one rule, protocol or model, and who rests on one source."""
        result = _dossier(name)
        if json:
            print_json(result)
            return
        typer.echo(f"{result['id']}: {result['title']} [{result['verification']}]")
        for text in result["claims_for"]:
            typer.echo(f"  + {text}")
        for text in result["claims_against"]:
            typer.echo(f"  - {text}")
        for source in result["sources"]:
            doi = f" doi:{source['doi']}" if source["doi"] else ""
            typer.echo(f"  {source['key']}: {source['citation']} [{source['grade']}]{doi}")
        if result["used_by"]:
            typer.echo(f"  used by {', '.join(result['used_by'])}")

    app.add_typer(knowledge)
    app.add_typer(evidence)


def _write_new(file: str, content: Any) -> None:
    """Write JSON whole, and never over what is there."""
    import json
    from pathlib import Path

    from limen.errors import InputError

    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    try:
        with Path(file).open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise InputError("there is a file already", where=file, allowed="a new name") from None
    except OSError as problem:
        raise InputError(f"cannot write: {problem.strerror}", where=file, allowed="a writable folder") from None


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _roots() -> list[Traversable]:
    from importlib import resources

    return [
        resources.files("limen.knowledge") / "data",
        resources.files("limen.pharmacology") / "data",
        resources.files("limen.pharmacology.models") / "data",
    ]


def _dossier(name: str) -> dict[str, Any]:
    from limen.care.wording import threshold_text
    from limen.errors import InputError
    from limen.evidence import sources
    from limen.knowledge.index import claims, users, weakest_mark
    from limen.knowledge.protocols import protocols
    from limen.knowledge.rules import rules

    every = claims(_roots())
    if name in sources():
        source = sources()[name]
        resting = [claim for claim in every if name in claim.sources]
        return {
            "id": name,
            "title": source.citation,
            "verification": weakest_mark(resting).value,
            "claims_for": [f"{claim.owner}: {claim.text}" for claim in resting],
            "claims_against": [],
            "sources": [_cited(name)],
            "used_by": list(users(name, every)),
        }
    about = [claim for claim in every if claim.owner == name]
    if not about:
        near = sorted({claim.owner for claim in every if claim.owner.lower().startswith(name.lower()[:3])})
        raise InputError(
            f"nothing is on record under {name!r}",
            where="ID",
            allowed="a rule, protocol, model or source",
            hint=f"Near it: {', '.join(near[:8])}" if near else "",
        )
    title, against = name, list[str]()
    supports = [claim.text for claim in about]
    if name in rules():
        rule = rules()[name]
        title = rule.title
        supports = [
            f"{tier.level}: {threshold_text(tier.when)}. {tier.action} [{tier.verification.value}]"
            for tier in rule.tiers
        ]
    elif name in protocols():
        title = protocols()[name].title
        against = [statement.text for statement in protocols()[name].evidence.opposes]
    keys = dict.fromkeys(key for claim in about for key in claim.sources)
    return {
        "id": name,
        "title": title,
        "verification": weakest_mark(about).value,
        "claims_for": [text for text in dict.fromkeys(supports) if text not in against],
        "claims_against": against,
        "sources": [_cited(key) for key in keys],
        "used_by": ["screen"] if name in rules() else sorted({claim.file for claim in about}),
    }


def _cited(key: str) -> dict[str, Any]:
    from limen.evidence import cite

    source = cite(key)
    return {
        "key": key,
        "citation": source.citation,
        "doi": source.doi,
        "pmid": source.pmid,
        "url": source.url,
        "grade": source.grade,
        "note": source.note,
    }
