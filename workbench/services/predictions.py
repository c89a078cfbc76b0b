"""What models answered to pairs, one by one and summed up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from workbench.contract import Field, Page, PageNumber, PageSize, query
from workbench.domain.train import Confusion, PairPrediction, Predictions
from workbench.errors import NotFound, ValidationError
from workbench.services.service import Service

ASKED_BY = frozenset({"train", "evaluate"})
Sort = Annotated[Literal["loss", "confidence"], Field(description="What to order by; a pair without it comes last.")]
_PAGE = """
select job_id, pair_id, prediction, confidence, loss, correct, truth, split from job_predictions
where {where} order by {order} {way} nulls last, pair_id limit ? offset ?
"""
_PAIRS = """
select training_sheet_id || '.' || row_index as pair_id, prompt, response from pair_rows
join (select unnest(?::varchar[]) as training_sheet_id, unnest(?::bigint[]) as row_index) using (training_sheet_id, row_index)
"""
_SUM = """
select count(*) as total, count(*) filter (correct) as correct, avg(loss) filter (isfinite(loss)) as mean_loss
from job_predictions where job_id = ?
"""
_CONFUSED = """
select coalesce(truth, response) as truth, prediction, count(*) as count
from job_predictions left join pair_rows on truth is null
    and training_sheet_id = split_part(pair_id, '.', 1) and row_index = split_part(pair_id, '.', 2)::bigint
where job_id = ? and not correct and coalesce(truth, response) is not null
group by all order by count desc, truth, prediction limit ?
"""
_SHEETS = """
select split_part(pair_id, '.', 1) as id, name, count(*) as pairs
from job_predictions join training_sheets on training_sheets.id = split_part(pair_id, '.', 1)
where job_id = ? and loss is not null group by all order by pairs desc, id limit 20
"""


class PairPredictions(Service):
    """Hold the reads of what a job's model answered."""

    @query("GET", "/training/jobs/{job_id}/predictions", key="predictions", topics=("jobs",))
    def predictions(
        self,
        job_id: str,
        *,
        wrong: Annotated[bool, Field(description="Only pairs answered wrongly.")] = False,
        truth: Annotated[str | None, Field(description="Only pairs whose response this is.")] = None,
        prediction: Annotated[str | None, Field(description="Only pairs answered so.")] = None,
        sort: Sort = "loss",
        descending: Annotated[bool, Field(description="Largest first.")] = True,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[PairPrediction]:
        """List what the model answered pair by pair, the largest loss first; of a training or an evaluation job."""
        self._asking(job_id)
        equals = {"job_id": job_id, "truth": truth, "prediction": prediction}
        held = [(f"{name} = ?", value) for name, value in equals.items() if value is not None]
        where = " and ".join([*(sql for sql, _ in held), *(["not correct"] if wrong else [])])
        params = [value for _, value in held]
        sql = _PAGE.format(where=where, order=sort, way="desc" if descending else "asc")
        with self.db.read():
            total = self.db.value(f"select count(*) from job_predictions where {where}", params)
            rows = self.db.rows(sql, [*params, page_size, (page - 1) * page_size])
            texts = self._texts([row["pair_id"] for row in rows])
        return Page(PairPrediction, [_shown(row, texts) for row in rows], total=total, page=page, page_size=page_size)

    @query("GET", "/training/jobs/{job_id}/confusions", topics=("jobs",))
    def confusions(
        self, job_id: str, *, limit: Annotated[int, Field(ge=1, le=200, description="Mistakes to return.")] = 12
    ) -> Predictions:
        """Sum up what the model answered: how much was right, which responses it confuses, where to review."""
        self._asking(job_id)
        with self.db.read():
            told = self.db.row(_SUM, [job_id]) or {}
            found = self.db.rows(_CONFUSED, [job_id, limit])
            sheets = self.db.rows(_SHEETS, [job_id])
        wrong = told["total"] - told["correct"]
        return Predictions(
            job_id=job_id,
            **told,
            wrong=wrong,
            confusions=[_confusion(row, wrong, found[0]["count"]) for row in found],
            review=[
                {"training_sheet_id": s["id"], "name": s["name"], "pairs": s["pairs"], "href": _review(s["id"])} for s in sheets
            ],
        )

    def _asking(self, job_id: str) -> None:
        kind = self.db.value("select kind from jobs where id = ?", [job_id])
        if kind is None:
            raise NotFound.of("training job", job_id)
        if kind not in ASKED_BY:
            raise ValidationError.field("job_id", f"is a job of kind {kind}; only training and evaluation ask a model", job_id)

    def _texts(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        places = [(sheet, int(row)) for sheet, _, row in (id.rpartition(".") for id in ids) if row.isdecimal()]
        sheets, rows = [sheet for sheet, _ in places], [row for _, row in places]
        return {row["pair_id"]: row for row in self.db.rows(_PAIRS, [sheets, rows])} if places else {}


def _shown(row: dict[str, Any], texts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    pair = texts.get(row["pair_id"], {})
    sheet, _, place = row["pair_id"].rpartition(".")
    response = pair.get("response")
    truth = response if row["truth"] is None else row["truth"]
    place_of = {"training_sheet_id": sheet, "row_index": int(place) if place.isdecimal() else 0}
    told = {"prompt": pair.get("prompt"), "response": response, "truth": truth, "changed": response is None or response != truth}
    return {**row, **told, **place_of, "href": f"/label?{urlencode({'pair': row['pair_id']})}"}


def _confusion(row: dict[str, Any], wrong: int, largest: int) -> Confusion:
    return Confusion(**row, percent=100 * row["count"] / wrong, of_largest=100 * row["count"] / largest)


def _review(training_sheet_id: str) -> str:
    wanted = {"sheet": training_sheet_id, "status": "", "order": "training_loss", "descending": "true", "mode": "grid"}
    return f"/label?{urlencode(wanted)}"
