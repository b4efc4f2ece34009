"""The pharmacist's pages: the queue, one order with its worksheet, lawful next states only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from biflora.clinic import pharmacy
from biflora.clinic.access import User
from biflora.clinic.opening import Clinic
from biflora.dispensary.batch import Batch, Lot, OrderState, Worksheet, WorksheetLine
from biflora.errors import BifloraError, PharmacistMust
from biflora.web.contexts import OrderPage, Queue
from biflora.web.forms import decimal
from biflora.web.pages import bench
from biflora.web.render import page
from biflora.web.security import AnyClinic, Form, Pharmacist, text

pages = APIRouter(prefix="/pharmacy")
pages.routes.extend(bench.pharmacy.routes)


@pages.get("")
def queue(request: Request, clinic: AnyClinic, user: Pharmacist) -> Response:
    lines = pharmacy.queue(clinic.store)
    closed = (OrderState.SHIPPED, *pharmacy.DONE)
    context = Queue(
        open_lines=[line for line in lines if line.order.state not in closed],
        done_lines=[line for line in lines if line.order.state in closed],
    )
    return page(request, "queue.html", c=context)


@pages.get("/orders/{order_id}")
def order(request: Request, clinic: AnyClinic, user: Pharmacist, order_id: str) -> Response:
    clinic.note_read(user.username, "order read", order_id)
    return _show(request, clinic, order_id)


@pages.post("/orders/{order_id}/move")
def move(request: Request, clinic: AnyClinic, user: Pharmacist, order_id: str, form: Form) -> Response:
    try:
        wanted = {state.value: state for state in OrderState}.get(text(form, "to"))
        if wanted is None:
            raise PharmacistMust("Choose one of the offered states.")
        pharmacy.move(clinic.store, order_id, wanted, by=user, reason=text(form, "reason")[:300])
    except BifloraError as problem:
        return _show(request, clinic, order_id, problem=str(problem), form=form)
    return RedirectResponse(f"/pharmacy/orders/{order_id}", status_code=303)


@pages.post("/orders/{order_id}/weigh")
def weigh(request: Request, clinic: AnyClinic, user: Pharmacist, order_id: str, form: Form) -> Response:
    try:
        _weigh(clinic, user, order_id, form)
    except BifloraError as problem:
        return _show(request, clinic, order_id, problem=str(problem), form=form)
    return RedirectResponse(f"/pharmacy/orders/{order_id}", status_code=303)


def _weigh(clinic: Clinic, user: User, order_id: str, form: FormData) -> None:
    sheet = pharmacy.worksheet_for(pharmacy.order_line(clinic.store, order_id))
    weights: dict[str, float] = {}
    lots: list[Lot] = []
    for number, line in enumerate(sheet.lines, start=1):
        value = decimal(form, f"weight_{number}", 0, 100_000, error=PharmacistMust)
        if value is None:
            raise PharmacistMust(
                f"Line {number} ({line.name}) has no weight; weigh it and enter what the scale says."
            )
        weights[line.ingredient] = value
        lot = _lot(form, number, line)
        if lot is not None:
            lots.append(lot)
    pharmacy.weigh(
        clinic.store,
        order_id,
        by=user,
        checked_by=text(form, "checked_by")[:80],
        lot_number=text(form, "lot_number")[:20] or pharmacy.next_lot_number(clinic.store),
        weighed_g=weights,
        lots=lots,
    )


def _lot(form: FormData, number: int, line: WorksheetLine) -> Lot | None:
    """The lot of that line, None when neither its number nor its expiry was entered."""
    lot_number, expires = text(form, f"lot_{number}")[:40], text(form, f"expires_{number}")
    if not lot_number and not expires:
        return None
    try:
        return Lot(ingredient=line.ingredient, lot_number=lot_number, expires_on=date.fromisoformat(expires))
    except ValueError:
        place = f"Line {number} ({line.name})"
        raise PharmacistMust(f"{place}: enter the lot with its expiry as year-month-day.") from None


def _weighed_before(batch: Batch) -> dict[str, str]:
    """Weights and lots of a batch that came back from its check, so that only what was wrong is retyped."""
    given = {}
    for number, line in enumerate(batch.worksheet.lines, start=1):
        if line.weighed_g is not None:
            given[f"weight_{number}"] = f"{line.weighed_g:g}"
        if line.lot is not None:
            given |= {f"lot_{number}": line.lot.lot_number, f"expires_{number}": line.lot.expires_on.isoformat()}
    return given


def _show(
    request: Request, clinic: Clinic, order_id: str, *, problem: str = "", form: FormData | None = None
) -> Response:
    line = pharmacy.order_line(clinic.store, order_id)
    worksheet: Worksheet | None = None
    worksheet_problem = ""
    try:
        worksheet = pharmacy.worksheet_for(line)
    except BifloraError as reason:
        worksheet_problem = str(reason)
    person = clinic.store.patient(line.patient_id)
    weighing = line.order.state is OrderState.COMPOUNDING
    given: Mapping[str, str] = {k: v for k, v in form.items() if isinstance(v, str)} if form else {}
    if weighing and line.batch is not None and not given:
        given = _weighed_before(line.batch)
    context = OrderPage(
        line=line,
        worksheet=worksheet,
        worksheet_problem=worksheet_problem,
        next_states=pharmacy.open_states(line),
        before_release=pharmacy.before_release(line),
        needs_reason=pharmacy.NEEDS_A_REASON,
        weighing=weighing,
        lot_number=pharmacy.next_lot_number(clinic.store),
        allergies=person.allergies if person else (),
        problem=problem,
        given=given,
    )
    return page(request, "order.html", status=422 if problem else 200, c=context)
