"""What jobs measured: the names of their metrics, and curves thinned for a plot."""

from __future__ import annotations

from typing import Annotated, Any

from workbench.contract import Field, Page, PageNumber, PageSize, Table, query
from workbench.domain.jobs import JobMetrics, MetricName
from workbench.services import curves
from workbench.services.service import Service

MOST_CURVES = 100
Name = Annotated[str, Field(max_length=200, description="Name of the metric.")]
MaxPoints = Annotated[int, Field(ge=4, le=100_000, description="Points per curve, roughly; minima and maxima always stay.")]
Start = Annotated[int | None, Field(description="Leave out the steps before; the thinning starts anew in what is left.")]
Stop = Annotated[int | None, Field(description="Leave out the steps after.")]


class JobCurves(Service):
    """Hold the reads of what jobs measured."""

    records: Any

    @query("GET", "/jobs/{job_id}/metrics", topics=("jobs",))
    def metrics(
        self,
        job_id: str,
        *,
        name: Annotated[str | None, Field(max_length=200, description="Only this metric.")] = None,
        names: Annotated[
            list[str] | None, Field(max_length=MOST_CURVES, description="Only these metrics; none: the first hundred of the job.")
        ] = None,
        max_points: MaxPoints = 2000,
        start: Start = None,
        stop: Stop = None,
    ) -> JobMetrics:
        """Return the curves of a job, those of a hundred metrics at most; `metric_names` lists all there are."""
        self.records.get(job_id)
        with self.db.read():
            first, total = curves.names(self.db, job_id, "", limit=MOST_CURVES)
            wanted = first if name is None and names is None else [*([name] if name else []), *(names or [])]
            found = curves.series(self.db, job_id, list(dict.fromkeys(wanted)), max_points, start=start, stop=stop)
        return JobMetrics(metrics=found, total=total)

    @query("GET", "/jobs/{job_id}/metric-names", key="metric_names", topics=("jobs",))
    def metric_names(
        self,
        job_id: str,
        *,
        search: Annotated[str, Field(max_length=200, description="Part of the name.")] = "",
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[MetricName]:
        """List the metrics of a job with their latest and extreme values, losses and accuracies first."""
        self.records.get(job_id)
        with self.db.read():
            names, total = curves.names(self.db, job_id, search, limit=page_size, offset=(page - 1) * page_size)
            rows = curves.described(self.db, job_id, names)
        return Page(MetricName, rows, total=total, page=page, page_size=page_size)

    @query("GET", "/jobs/{job_id}/metric-curve", topics=("jobs",))
    def metric_curve(
        self, job_id: str, name: Name, *, max_points: MaxPoints = 2000, first_step: Start = None, last_step: Stop = None
    ) -> Table:
        """Return one curve as a table of step, value, epoch and logged_at."""
        self.records.get(job_id)
        table = curves.points(self.db, [job_id], [name], max_points, start=first_step, stop=last_step)
        return table.select(["step", "value", "epoch", "logged_at"])
