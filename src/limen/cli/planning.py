"""Commands: planning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from limen.cli.case import read_case
from limen.cli.output import Json, print_json, read_json

if TYPE_CHECKING:
    from limen.care.case import Case
    from limen.care.planning import Forecaster

# The forecast of a plan: its horizon and step, and the virtual patients behind its bands.
_UNTIL_MIN = 240.0
_EVERY_MIN = 2.0
_PATIENTS = 200


def register(app: typer.Typer) -> None:
    """Add ``limen plan``."""

    @app.command()
    def plan(
        case: Annotated[str, typer.Argument(help="A CASE or a FHIR R4 Bundle as JSON, or - for standard input.")],
        protocol: Annotated[str, typer.Option(help="Protocol, such as TRD-IV.")],
        dose: Annotated[
            list[str] | None,
            typer.Option(help="Such as '0.5 mg/kg iv over 40 min'; once for each step; the usual one else."),
        ] = None,
        concentration_mg_per_mL: Annotated[
            float | None, typer.Option("--concentration-mg-per-mL", help="Strength of the vial.")
        ] = None,
        dilute_to_mg_per_mL: Annotated[
            float | None, typer.Option("--dilute-to-mg-per-mL", help="Strength of what the pump runs.")
        ] = None,
        weight_basis: Annotated[
            str | None, typer.Option(help="actual, ideal or adjusted, as the protocol allows.")
        ] = None,
        exposure: Annotated[
            str | None,
            typer.Option(help="JSON of what was given before and how it went; default: the CASE's own `exposure`."),
        ] = None,
        site: Annotated[
            str | None, typer.Option(help="JSON of the site's own limits and of its syringes and pumps.")
        ] = None,
        population: Annotated[int, typer.Option(help="Virtual patients of the forecast; 0 for none.")] = _PATIENTS,
        seed: Annotated[int, typer.Option(help="Seed of the virtual patients.")] = 1,
        on: Annotated[str | None, typer.Option(help="The day of the session; default: the CASE's own.")] = None,
        json: Json = False,
    ) -> None:
        """Plan one session: asked and used side by side with the walls, the pump, the forecast and the reasons."""
        from limen.care.exposure_json import history_from_json
        from limen.care.planning import plan as make_plan
        from limen.care.site_dosing import site_dosing
        from limen.errors import InputError
        from limen.knowledge.protocols import WeightBasis, get_protocol

        if seed < 0 or population < 0:
            raise InputError(f"seed {seed}, population {population}", where="--seed", allowed="0 or more")
        if weight_basis not in (None, *get_args(WeightBasis)):
            allowed = ", ".join(get_args(WeightBasis))
            raise InputError(f"weight basis {weight_basis!r}", where="--weight-basis", allowed=allowed)
        document = read_json(case)
        within = document.pop("exposure", None) if isinstance(document, dict) else None
        known, report = read_case(document, on, {})
        before = within if exposure is None else read_json(exposure)
        history, unread = (None, ()) if before is None else history_from_json(before, known.on)
        result = make_plan(
            known,
            protocol,
            "; ".join(dose) if dose else None,
            concentration_mg_per_mL,
            dilute_to_mg_per_mL=dilute_to_mg_per_mL,
            weight_basis=weight_basis,  # type: ignore[arg-type]
            history=history,
            site=None if site is None else site_dosing(read_json(site)),
            forecast=_forecaster(get_protocol(protocol).product, known, population, seed),
        ).to_json()
        result["unknown_inputs"] += [f"exposure.{key}" for key in unread]
        if report is not None:
            result["import"] = report
        if json:
            print_json(result)
        else:
            typer.echo("\n".join(_lines(result)))


def _forecaster(product: str, known: Case, population: int, seed: int) -> Forecaster:
    from limen.care.interactions import perpetrators_of
    from limen.care.leaving import leaving_after

    taken = perpetrators_of(known)
    escort = known.value("facts.escort")

    def run(doses: Any, patient: Any) -> Mapping[str, Any]:
        import numpy as np

        from limen.errors import InputError
        from limen.pharmacology.effects import CHAIRSIDE
        from limen.pharmacology.forecast import forecast

        rng = np.random.default_rng(seed) if population else None
        try:
            found = forecast(
                doses,
                patient,
                product,
                _UNTIL_MIN,
                _EVERY_MIN,
                population,
                rng,
                perpetrators=taken,
                setting=known.setting,
                wanted_effects=CHAIRSIDE,
                leaving=leaving_after(
                    product, [dose.route for dose in doses], escort=escort if isinstance(escort, bool) else None
                ),
            )
        except InputError as problem:
            if problem.where == "population":
                raise
            # Outside what the models were made for: the plan stands, and says why there is no curve.
            return {"outputs": {}, "summary": {}, "flags": [{"code": "no-forecast", "message": str(problem)}]}
        return {**found.to_json(), "with": list(taken)}

    return run


def _lines(result: dict[str, Any]) -> list[str]:
    state = "RELEASED" if result["released"] else "NOT RELEASED"
    lines = [f"{result['protocol']} version {result['protocol_version']}: {state} (screening: {result['verdict']})"]
    lines += [f"  {item['level']:10} {item['rule']}: {item['because']}" for item in result["blocked_by"]]
    asked, limits = result["asked"], result["limits"]
    lines.append(f"Asked by {asked['by']}: {_amount(asked)}")
    binding = limits["binding"]
    if binding is not None:
        deed = {"hard": "Refused", "rounding": "Rounded down"}.get(binding["kind"], "Held")
        lines.append(
            f"{deed} by {binding['rule']}, {binding['name']}: asked {binding['asked']:g}, used {binding['used']:g}"
            f" {binding['unit']} ({binding['because']}) [{_words(binding['verification'])}]"
        )
    lines += [_wall_line(wall) for wall in limits["walls"]]
    dose = result["dose"]
    if dose is not None:
        lines.append(f"Used: {_amount(dose)} ({dose['weight_basis']} weight {dose['weight_kg']:g} kg)")
        lines.append(f"  {result['weights']['because']} [{_words(result['weights']['verification'])}]")
        lines += _syringe_lines(dose["syringe"])
    lines += _before_lines(result)
    lines += _titration_lines(result["titration"])
    lines += _forecast_lines(result)
    for finding in result["findings"]:
        lines.append(f"{finding['level'].upper():5} {finding['rule']}  {finding['title']}. {finding['because']}.")
    lines.append("Course")
    lines += [f"  {phase['phase']}: {phase['spacing']}" for phase in result["course"]]
    lines.append("Monitoring")
    lines += [f"  {item['what']}: {item['when']}" for item in result["monitoring"]]
    lines.append(f"Evidence: {result['evidence']['regulatory_status']}")
    for side in ("for", "against"):
        lines += [f"  {side}: {item['text']}" for item in result["evidence"][side]]
    return lines


def _amount(dose: dict[str, Any]) -> str:
    if dose["dose_mg"] is None:
        return "no dose can be computed"
    text = f"{dose['dose_mg']:g} mg"
    if dose["dose_mg_per_kg"] is not None:
        text += f" ({dose['dose_mg_per_kg']:.3g} mg/kg)"
    if dose["duration_min"]:
        text += f" over {dose['duration_min']:g} min"
    if dose["rate_mg_per_h"] is not None:
        text += f", {dose['rate_mg_per_h']:g} mg/h"
    if dose["rate_mcg_per_kg_per_min"] is not None:
        text += f" ({dose['rate_mcg_per_kg_per_min']:.3g} mcg/kg/min)"
    return text


def _wall_line(wall: dict[str, Any]) -> str:
    bound = "at most" if wall["bound"] == "most" else "at least"
    past = wall["past"] or {}
    since = "since the last" if wall["measure"] == "apart" else "before"
    before = f", {past['given']:g} {past['unit']} {since}" if past.get("given") else ""
    return (
        f"  {wall['kind']} wall, {wall['name']}: {bound} {wall['whole']:g} {wall['unit']}{before}"
        f" [{wall['rule']}, {_words(wall['verification'])}]"
    )


def _before_lines(result: dict[str, Any]) -> list[str]:
    before, here = result["exposure"], result["position"]
    if not before["known"]:
        return ["Before: not given (--exposure), so only this session is counted"]
    plural = "" if before["sessions"] == 1 else "s"
    lines = [f"Before: {before['sessions']} session{plural}"]
    if before["last_on"]:
        lines[0] += f", the last on {before['last_on']}"
    if before["given_mg"] is not None:
        lines[0] += f", {before['given_mg']:g} mg of this product"
    if here is not None and here["phase"] is not None:
        of = f" of {here['of']}" if here["of"] else ""
        lines.append(f"  number {here['number_in_phase']}{of} of the {here['phase']} phase: {here['spacing']}")
    return lines


def _titration_lines(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return []
    proposal = found["proposal"]
    head = "no dose" if proposal is None else f"{proposal['dose']} = {proposal['dose_mg']:g} mg, to be taken up by hand"
    lines = [f"Titration, {found['decision']}: {head}", f"  {found['because']}"]
    response = found["response"]
    if response is not None:
        lines.append(
            f"  {response['instrument']} {response['total']:g} on {response['on']},"
            f" baseline {response['baseline']:g} on {response['baseline_on']}"
        )
    return lines + [f"  ask: {item}" for item in found["ask"]]


def _syringe_lines(syringe: dict[str, Any] | None) -> list[str]:
    if syringe is None:
        return []
    lines = []
    if syringe["draw_mL"] is not None:
        lines.append(
            f"  draw {syringe['dose_mg']:g} mg = {syringe['draw_mL']:g} mL of {syringe['vial_mg_per_mL']:g} mg/mL"
        )
    made = f"  make up to {syringe['volume_mL']:g} mL" if syringe["diluent"] else f"  give {syringe['volume_mL']:g} mL"
    if syringe["diluent"]:
        made += f" with {syringe['diluent']}"
    made += f" at {syringe['concentration_mg_per_mL']:g} mg/mL"
    if syringe["rate_mL_per_h"] is not None:
        made += f", pump {syringe['rate_mL_per_h']:g} mL/h"
    lines.append(made)
    if syringe["note"]:
        lines.append(f"  {syringe['note']}")
    return lines


def _forecast_lines(result: dict[str, Any]) -> list[str]:
    forecast, dose = result["forecast"], result["forecast_for"]
    if forecast is None or dose is None:
        return ["Forecast: none, because no dose can be computed"]
    lines = [f"Forecast of {dose['dose_mg']:g} mg over {dose['duration_min']:g} min"]
    for name, measures in forecast["summary"].items():
        peak, when = measures.get("cmax"), measures.get("tmax_h")
        if peak is not None and when is not None:
            at = "a time not known" if when["typical"] is None else f"{60 * when['typical']:.0f} min"
            lines.append(f"  {name}: peak {_spread(peak)} at {at}")
    return lines + [f"  note: {flag['message']}" for flag in forecast["flags"]]


def _spread(measure: dict[str, Any]) -> str:
    def show(value: float | None) -> str:
        return "withheld" if value is None else f"{value:.3g}"

    text = show(measure["typical"])
    if measure.get("between_models"):
        text += f" (models {show(measure['between_models']['low'])} to {show(measure['between_models']['high'])})"
    if "p05" in measure:
        text += f" (90 of 100 patients {show(measure['p05'])} to {show(measure['p95'])})"
    return text


def _words(mark: str) -> str:
    from limen.evidence import Verification

    return Verification(mark).words
