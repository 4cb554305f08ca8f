"""Commands: pharmacology."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from limen.cli.output import Json, check_ending, name_and_number, print_json, read_json, write_whole
from limen.errors import InputError

if TYPE_CHECKING:
    from limen.pharmacology.exposure import Curve
    from limen.pharmacology.models import Model
    from limen.pharmacology.nonmem import Subject
    from limen.pharmacology.outcome import Forecast
    from limen.pharmacology.patient import PatientProfile
    from limen.pharmacology.recovery import Leaving
    from limen.pharmacology.regimen import Dose


def register(app: typer.Typer) -> None:
    """Add ``limen models list``, ``limen models show`` and ``limen simulate``."""
    group = typer.Typer(name="models", help="Published kinetic models, every number with its source.")

    @group.command("list")
    def list_models(json: Json = False) -> None:
        """The models on file."""
        from limen.pharmacology import models

        rows = [_head(model) for model in models.list_models()]
        if json:
            print_json(rows)
            return
        for row in rows:
            typer.echo(f"{row['id']:18} {'/'.join(row['products']):20} {row['matrix']:9} {row['title']}")

    @group.command("show")
    def show(model: str = typer.Argument(help="Model id."), json: Json = False) -> None:
        """One model: parameters with units, verification marks and sources."""
        from limen.pharmacology import models

        found = models.get(model)
        if json:
            print_json(_head(found) | _detail(found))
        else:
            typer.echo("\n".join(_page(found)))

    app.add_typer(group)

    @app.command()
    def simulate(
        model: Annotated[str, typer.Option(help="Model id, or ensemble.")],
        patient: Annotated[str, typer.Option(help="JSON file of the patient, or - for standard input.")],
        until: Annotated[str, typer.Option(help="Horizon, such as '4 h'.")],
        dose: Annotated[
            list[str] | None,
            typer.Option(
                help="AMOUNT UNIT ROUTE [over DURATION] [at TIME] [on LINE] [then STEP over DURATION]; repeatable."
            ),
        ] = None,
        records: Annotated[
            str | None,
            typer.Option(help="Instead of doses, a table of records (ID TIME AMT RATE II ADDL SS EVID CMT)."),
        ] = None,
        cmt: Annotated[
            list[str] | None, typer.Option(help="Of the records: CMT=ROUTE, such as 1=iv; repeatable.")
        ] = None,
        id: Annotated[str | None, typer.Option(help="Of the records: whose, where there are several.")] = None,
        every: Annotated[str, typer.Option(help="Step of the curves.")] = "1 min",
        product: Annotated[str | None, typer.Option(help="racemic, s-ketamine or esketamine-nasal.")] = None,
        population: Annotated[int, typer.Option(help="Virtual patients, for percentiles.")] = 0,
        seed: Annotated[int, typer.Option(help="Seed of the virtual patients.")] = 1,
        people: Annotated[
            str | None,
            typer.Option(help="Virtual patients with bodies and ages of their own, such as esketamine-trials."),
        ] = None,
        outputs: Annotated[
            str, typer.Option(help="Of a population: all, concentrations, or dosed (what is given, at once fastest).")
        ] = "all",
        with_: Annotated[
            list[str] | None,
            typer.Option("--with", help="Another drug taken, or a genotype such as 'CYP2B6 *1/*6'; repeatable."),
        ] = None,
        setting: Annotated[
            str | None, typer.Option(help="Of the ensemble: where the patient is treated, such as intensive-care.")
        ] = None,
        weight: Annotated[
            list[str] | None, typer.Option(help="Of the ensemble: MODEL=NUMBER, what a member counts; repeatable.")
        ] = None,
        escort: Annotated[
            bool | None, typer.Option(help="Whether somebody takes the patient home; the longer stay while not said.")
        ] = None,
        plot: Annotated[str | None, typer.Option(help="Draw to this .svg or .png file.")] = None,
        out: Annotated[str | None, typer.Option(help="Write the curves to this .csv or .parquet file.")] = None,
        json: Json = False,
    ) -> None:
        """What a dose will do: concentration in plasma and at the effect site, and pressure."""
        check_ending(plot, (".svg", ".png"), "--plot")
        check_ending(out, (".csv", ".parquet"), "--out")
        if (records is None) == (not dose):
            raise InputError(
                "no dose" if records is None else "doses beside records",
                where="--dose, --records",
                allowed="one of the two",
            )
        profile = read_json(patient)
        others = with_ or []
        recorded = None if records is None else _subject(records, cmt or [], id)

        def reading(taken: list[str]) -> Forecast:
            ask = (model, profile, dose or [], until, every, product, population, seed, taken)
            return _run(
                *ask,
                escort=escort,
                setting=setting,
                weight=weight or [],
                people=people,
                outputs=outputs,
                recorded=recorded,
            )

        result = reading(others)
        # A disputed genotype is read both ways, and both readings are shown.
        no_gene = _without_genotype(others)
        other_way = None if no_gene == others else reading(no_gene)
        if plot is not None:
            from limen.reports.plots import draw_forecast

            picture = draw_forecast(result).written_as(Path(plot).suffix)
            write_whole(plot, lambda path: path.write_bytes(picture))
        if out is not None:
            write_whole(out, lambda path: _table(result, path, Path(out).suffix))
        if json:
            entry = result.to_json()
            print_json(entry if other_way is None else entry | {"without_genotype": other_way.to_json()})
            return
        typer.echo("\n".join(_lines(result)))
        if other_way is not None:
            typer.echo("\nThe other reading: the genotype changes nothing\n" + "\n".join(_lines(other_way)))


def _subject(records: str, cmt: list[str], name: str | None) -> Subject:
    """Whose records are run."""
    from limen.cli.regimen import read_text, routes_of
    from limen.pharmacology.nonmem import read_records

    found = read_records(read_text(records), routes_of(cmt), where="standard input" if records == "-" else records)
    mine = [subject for subject in found if name is None or subject.id == name]
    if len(mine) != 1:
        raise InputError(
            f"{len(found)} patients in the records" if name is None else f"no ID {name!r:.40}",
            where="--id",
            allowed=", ".join(subject.id for subject in found[:20]),
        )
    return mine[0]


def _leaving(product: str, doses: Sequence[Dose], escort: bool | None) -> Leaving | None:
    """The product's criteria with the discharge rules' minimum stay; none for a product that has no criteria."""
    from limen.care.leaving import leaving_after
    from limen.pharmacology.models.schema import Product

    return (
        leaving_after(product, [dose.route for dose in doses], escort=escort) if product in get_args(Product) else None
    )


def _without_genotype(others: list[str]) -> list[str]:
    if not others:
        return others
    from limen.pharmacology.covariates.genotype import gene_of

    return [name for name in others if gene_of(name) is None]


def _run(
    model: str,
    patient: dict[str, Any],
    dose: list[str],
    until: str,
    every: str,
    product: str | None,
    population: int,
    seed: int,
    perpetrators: list[str],
    *,
    escort: bool | None,
    setting: str | None,
    weight: list[str],
    people: str | None,
    outputs: str,
    recorded: Subject | None,
) -> Forecast:
    from dataclasses import replace

    import numpy as np

    from limen.pharmacology import models
    from limen.pharmacology.courses.madrs_forecast import with_madrs
    from limen.pharmacology.forecast import forecast
    from limen.pharmacology.infusion_lines import check_lines, parse_steps
    from limen.pharmacology.patient import PatientProfile
    from limen.pharmacology.regimen import resolve
    from limen.pharmacology.simulate import simulate, usual_product
    from limen.units import parse_duration_min

    if model != models.ENSEMBLE:
        models.get(model)
        if setting is not None or weight:
            raise InputError("one model has no members", where="--setting, --weight", allowed="with --model ensemble")
    if seed < 0:
        raise InputError(f"seed {seed}", where="--seed", allowed="0 or more")
    profile, unknown = PatientProfile.from_json(patient)
    until_min = parse_duration_min(until, where="--until")
    every_min = parse_duration_min(every, where="--every")
    orders = [order for text in dose for order in parse_steps(text, where="--dose")]
    doses = [resolve(order, profile.weight_kg) for order in orders]
    ever: dict[str, Any] = {}
    if recorded is not None:
        doses = list(recorded.doses)
        ever = {"steady": recorded.steady, "resets_min": recorded.resets_min}
    given = [*doses, *(item.dose for item in ever.get("steady", ()))]
    check_lines(doses, where="--dose" if recorded is None else "--records")
    rng = np.random.default_rng(seed) if population else None
    crowd = None
    if people is not None:
        from limen.pharmacology.populations.crowd import crowd_of

        crowd = crowd_of(people, orders, population)
    member_weight = dict(name_and_number(text, "--weight") for text in weight)
    counted = outputs != "all" or _too_many(model, doses, profile, product, population, until_min, every_min, setting)
    if any(ever.values()) and (counted or model == models.ENSEMBLE):
        raise InputError(
            "a steady state or a reset",
            where="--records",
            allowed="with one model, and as many virtual patients as memory holds",
        )
    if counted:
        result = _counted(
            model,
            doses,
            profile,
            product,
            population,
            seed,
            outputs,
            {"member_weight": member_weight, "setting": setting} if model == models.ENSEMBLE else {},
            until_min=until_min,
            every_min=every_min,
            perpetrators=perpetrators,
            people=crowd,
        )
    elif model == models.ENSEMBLE:
        result = forecast(
            doses,
            profile,
            product or "racemic",
            until_min,
            every_min,
            population,
            rng,
            perpetrators=perpetrators,
            setting=setting,
            member_weight=member_weight,
            leaving=_leaving(product or "racemic", doses, escort),
            people=crowd,
        )
    else:
        result = simulate(
            model,
            doses,
            profile,
            until_min=until_min,
            every_min=every_min,
            product=product,
            n=population,
            rng=rng,
            perpetrators=perpetrators,
            leaving=_leaving(product or usual_product(models.get(model), given), given, escort),
            people=crowd,
            **ever,
        )
    return replace(with_madrs(result, doses, profile, rng), unknown_inputs=unknown)


def _too_many(
    model: str,
    doses: Sequence[Dose],
    profile: PatientProfile,
    product: str | None,
    population: int,
    until_min: float,
    every_min: float,
    setting: str | None,
) -> bool:
    """Whether these patients are to be counted, for memory does not hold them all."""
    from limen.pharmacology import models
    from limen.pharmacology.response import MAX_PATIENT_POINTS

    if every_min <= 0 or not population:
        return False
    members = 1
    if model == models.ENSEMBLE:
        from limen.pharmacology.ensemble import ensemble

        routes = tuple(dict.fromkeys(dose.route for dose in doses))
        members = len(ensemble().panel(product or "racemic", routes, profile.age_years, setting).members)
    return population * (until_min / every_min + 1) * members > MAX_PATIENT_POINTS


def _counted(
    model: str,
    doses: Sequence[Dose],
    profile: PatientProfile,
    product: str | None,
    population: int,
    seed: int,
    outputs: str,
    of_ensemble: dict[str, Any],
    **settings: Any,
) -> Forecast:
    """Percentiles in bounded memory, with a bar that shows how far it is."""
    import numpy as np

    from limen.cli.progress import bar
    from limen.pharmacology import models
    from limen.pharmacology.population import seed_of

    if not population:
        raise InputError("outputs without a population", where="--outputs", allowed="with --population")
    settings |= {"n": population, "seed": seed_of(np.random.default_rng(seed)), "outputs": outputs}
    with bar("Virtual patients") as progress:
        if model == models.ENSEMBLE:
            from limen.pharmacology.populations.large_ensemble import ensemble_quantiles

            return ensemble_quantiles(
                doses, profile, product or "racemic", progress=progress, **of_ensemble, **settings
            )
        from limen.pharmacology.populations.large_population import population_quantiles

        return population_quantiles(model, doses, profile, product=product, progress=progress, **settings)


def _table(result: Forecast, path: Path, ending: str) -> None:
    """One row a time, one column a curve: ``time_h``, then NAME.typical, NAME.p05, ..."""
    columns: dict[str, list[float | None]] = {"time_h": result.time_h.tolist()}
    for name, curve in result.outputs.items():
        for key, values in curve.to_json().items():
            if isinstance(values, dict):
                columns |= {f"{name}.{key}_{edge}": column for edge, column in values.items()}
            else:
                columns[f"{name}.{key}"] = values
    if ending == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(columns), path)
        return
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _head(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "title": model.title,
        "product": model.product,
        "products": list(model.products),
        "routes": list(model.routes),
        "matrix": model.matrix,
        "population": model.population,
        "variability": bool(model.variability),
        "sources": list(model.sources),
    }


def _detail(model: Model) -> dict[str, Any]:
    from limen.evidence import cite

    return {
        "studied": model.studied.model_dump(mode="json"),
        "arms": [arm.model_dump(mode="json", exclude_none=True) for arm in model.arms],
        "absorption": {
            name: item.model_dump(mode="json", exclude_none=True) for name, item in model.absorption.items()
        },
        "pathways": [route.model_dump(mode="json", exclude_none=True) for route in model.pathways],
        "covariates": [item.model_dump(mode="json", exclude_none=True) for item in model.covariates],
        "between_patients": [block.model_dump(mode="json", exclude_none=True) for block in model.variability],
        "between_occasions": [block.model_dump(mode="json", exclude_none=True) for block in model.between_occasions],
        "residual": [item.model_dump(mode="json", exclude_none=True) for item in model.residual],
        "unusable_after_fast_input_min": model.unusable_after_fast_input_min,
        "caveats": [caveat.model_dump(mode="json") for caveat in model.caveats],
        "citations": [
            {"key": key} | cite(key).model_dump(mode="json", include={"citation", "doi", "pmid", "grade", "note"})
            for key in model.sources
        ],
    }


def _page(model: Model) -> list[str]:
    from limen.evidence import cite
    from limen.pharmacology.models.listing import (
        covariate_in_words,
        parameters_in_order,
        residual_in_words,
        route_in_words,
        spread_in_words,
    )

    lines = [
        f"{model.id}: {model.title}",
        f"  product {', '.join(model.products)}; route {', '.join(model.routes)}; {model.matrix} samples",
        f"  {model.population}",
    ]
    owner = None
    for whose, name, item in parameters_in_order(model):
        if whose != owner:
            lines.append(f"  {whose}")
            owner = whose
        scaled = f" x (weight/70 kg)^{item.weight_exponent:g}" if item.weight_exponent else ""
        lines.append(
            f"    {name} : {item.value:g} {item.unit}{scaled} : {item.verification.words} [{item.source}]"
            + (f" ({item.note})" if item.note else "")
        )
    lines += [f"  by the route {route_in_words(route)}" for route in model.pathways]
    lines += [f"  {covariate_in_words(item)} [{item.verification}]" for item in model.covariates]
    lines += [f"  between patients, {spread_in_words(block)}" for block in model.variability]
    lines += [f"  between occasions, {spread_in_words(block)}" for block in model.between_occasions]
    lines += [f"  of a measurement, {residual_in_words(item)}" for item in model.residual]
    lines += [f"  {caveat.code}: {caveat.message} [{caveat.verification}]" for caveat in model.caveats]
    return lines + [f"  {key}: {cite(key).citation}" for key in model.sources]


def _lines(result: Forecast) -> list[str]:
    from limen.pharmacology.wording import in_words

    who = f", {result.patients} virtual patients" if result.patients else ""
    lines = [f"Forecast by {result.model}, product {result.product}{who}"]
    for name, summary in result.summary.items():
        cells = summary.to_json()
        if name.startswith("madrs_"):
            lines.append(f"  {in_words(name)}: {_lowest(result.time_h, result.outputs[name])}")
            continue
        lines.append(f"  {in_words(name)}: peak {_cell(cells['cmax'])} at {_cell(cells['tmax_h'], 2)} h")
        for key, label in (("auc_0_24_ng_h_per_mL", "AUC 0-24 h"), ("auc_0_end_ng_h_per_mL", "AUC to the end")):
            if cells.get(key):
                lines.append(f"    {label} {_cell(cells[key])} ng h/mL")
    if result.recovery is not None:
        ready = result.recovery.to_json()
        lines.append(
            f"  Ready to leave after {_cell(ready['used'], 2)} h (by effects alone {_cell(ready['forecast'], 2)})"
        )
    for member in result.members:
        inside = {True: "inside", False: "OUTSIDE", None: "cannot be told"}[
            member.domain.inside if member.domain else None
        ]
        lines.append(f"  Model {member.id}, weight {member.weight:.3g}; this patient among those studied: {inside}")
    lines += [f"  ! {flag.code}: {flag.message}" for flag in result.flags]
    if result.unknown_inputs:
        lines.append(f"  not used: {', '.join(result.unknown_inputs)}")
    return lines


def _lowest(time_h: Any, curve: Curve) -> str:
    """Where a difference that is better when it is less stands lowest; its band is between trials."""
    place = int(curve.typical.argmin())
    spread = curve.between_patients
    band = (
        ""
        if spread is None
        else f" (90 of 100 draws between trials {spread.p05[place]:.1f} to {spread.p95[place]:.1f})"
    )
    return f"lowest {curve.typical[place]:.1f}{band} at {time_h[place]:.2f} h"


def _cell(cell: dict[str, Any], digits: int = 1) -> str:
    def show(value: float | None) -> str:
        return "not known" if value is None else f"{value:.{digits}f}"

    text = show(cell["typical"])
    if "between_models" in cell:
        text += f" (models {show(cell['between_models']['low'])} to {show(cell['between_models']['high'])})"
    if "p05" in cell:
        text += f" (90 of 100 patients {show(cell['p05'])} to {show(cell['p95'])})"
    return text
