"""What one may do: every rule and every derived value."""

from __future__ import annotations

from workbench.contract.operation import Operation
from workbench.services.data import SheetService
from workbench.services.generate import TrainingSheetService
from workbench.services.improve import FeedbackService
from workbench.services.jobs import JobService
from workbench.services.label import ReviewService
from workbench.services.labels import LabelService
from workbench.services.lineage import LineageService
from workbench.services.mlflow import MLflowService
from workbench.services.models import ModelsService
from workbench.services.monitor import MonitoringService
from workbench.services.overview import HomeService
from workbench.services.providers import ProviderService
from workbench.services.service import Service
from workbench.services.serving import EndpointsService
from workbench.services.studies import StudyService
from workbench.services.system import SystemService
from workbench.services.templates import TemplateService
from workbench.services.train import TrainingService

SERVICES: tuple[type[Service], ...] = (
    SystemService,
    HomeService,
    SheetService,
    TemplateService,
    ProviderService,
    TrainingSheetService,
    ReviewService,
    LabelService,
    JobService,
    TrainingService,
    StudyService,
    ModelsService,
    EndpointsService,
    MonitoringService,
    FeedbackService,
    LineageService,
    MLflowService,
)


def operations() -> dict[str, Operation]:
    """Return every operation by its id, `namespace.name`."""
    return {op.id: op for service in SERVICES for op in service.operations.values()}
