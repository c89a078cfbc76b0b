"""The face of a workspace: one object, embedded or over HTTP. Generated; do not edit."""

import datetime
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pandas as pd

from workbench.client.live import LiveQuery, LiveRecord
from workbench.client.namespace import Namespace
from workbench.client.run import Run
from workbench.client.transport import Listener, Transport
from workbench.contract.page import Page
from workbench.domain.jobs import Job
from workbench.domain.record import Record
from workbench.contract.operation import Deleted
from workbench.domain.agreement import Agreement
from workbench.domain.agreement import Dispute
from workbench.domain.agreement import GoldOutcome
from workbench.domain.agreement import KnownAnswer
from workbench.domain.data import Preview
from workbench.domain.data import Replacement
from workbench.domain.data import RowChange
from workbench.domain.data import Sheet
from workbench.domain.data import SheetProfile
from workbench.domain.data import SheetRow
from workbench.domain.data import Validation
from workbench.domain.generate import Export
from workbench.domain.generate import LabelClass
from workbench.domain.generate import PlanCheck
from workbench.domain.generate import PromptPreview
from workbench.domain.generate import ReassembledPair
from workbench.domain.generate import Reassembly
from workbench.domain.generate import ResponseField
from workbench.domain.generate import ReviewImport
from workbench.domain.generate import Template
from workbench.domain.generate import TemplateSnapshot
from workbench.domain.generate import TrainingSheet
from workbench.domain.improve import Feedback
from workbench.domain.improve import FeedbackPair
from workbench.domain.improve import FeedbackStats
from workbench.domain.improve import Lineage
from workbench.domain.improve import Overview
from workbench.domain.jobs import BulkJobs
from workbench.domain.jobs import Job
from workbench.domain.jobs import JobEvent
from workbench.domain.jobs import JobLog
from workbench.domain.jobs import JobMetrics
from workbench.domain.jobs import MetricName
from workbench.domain.label import Bookmark
from workbench.domain.label import BulkOutcome
from workbench.domain.label import Card
from workbench.domain.label import Claim
from workbench.domain.label import Draft
from workbench.domain.label import Eligibility
from workbench.domain.label import Facets
from workbench.domain.label import Gold
from workbench.domain.label import Pair
from workbench.domain.label import PairFilter
from workbench.domain.label import Progress
from workbench.domain.label import Released
from workbench.domain.labels import CanonicalLabel
from workbench.domain.labels import FoundLabels
from workbench.domain.labels import LabelStats
from workbench.domain.labels import LabelVersion
from workbench.domain.models import ModelSummary
from workbench.domain.models import ModelVersion
from workbench.domain.models import ProductionSpan
from workbench.domain.models import RolledBack
from workbench.domain.models import StageChange
from workbench.domain.models import StageChanged
from workbench.domain.models import TestRun
from workbench.domain.monitor import EndpointMetrics
from workbench.domain.monitor import Health
from workbench.domain.monitor import TimeSeries
from workbench.domain.providers import GeneratedAnswer
from workbench.domain.providers import GenerationEstimate
from workbench.domain.providers import ProviderConfig
from workbench.domain.providers import ProviderPreset
from workbench.domain.providers import ProviderTest
from workbench.domain.quality import Quality
from workbench.domain.review_log import Batch
from workbench.domain.review_log import Decision
from workbench.domain.review_log import UndoOutcome
from workbench.domain.serving import ChatCompletion
from workbench.domain.serving import ChatMessage
from workbench.domain.serving import Endpoint
from workbench.domain.serving import Predictions
from workbench.domain.serving import RequestLog
from workbench.domain.studies import Study
from workbench.domain.studies import StudyCoordinates
from workbench.domain.studies import StudyImportance
from workbench.domain.studies import Trial
from workbench.domain.system import Backup
from workbench.domain.system import Change
from workbench.domain.system import Finding
from workbench.domain.system import Found
from workbench.domain.system import TableInfo
from workbench.domain.system import WorkspaceInfo
from workbench.domain.train import BaseModel
from workbench.domain.train import Comparison
from workbench.domain.train import Estimate
from workbench.domain.train import PairPrediction
from workbench.domain.train import Predictions
from workbench.domain.train import TrainingJob
from workbench.domain.train import TrainingJobMetrics

class System(Namespace):
    def info(self) -> WorkspaceInfo:
        """Return what is open and who is asking."""
    def sql(self, query: str, *, params: list[Any] = ..., max_rows: int | None = ...) -> pd.DataFrame:
        """Run one read-only SELECT; `system.tables` lists what it may read."""
    def search(self, q: str, *, page: int = ..., page_size: int = ...) -> Page[Found]:
        """Find sheets, training sheets, templates, jobs, models, endpoints and pairs by name or id."""
    def tables(self) -> Page[TableInfo]:
        """List the tables that SQL may read, with their columns."""
    def doctor(self) -> Page[Finding]:
        """Check every invariant of the workspace and list what is broken, with its remedy."""
    def backup(self, target: str, *, idempotency_key: str | None = ...) -> Backup:
        """Copy the workspace and its artifacts to a new file while work goes on."""
    def changes(self, *, after: int = ..., limit: int = ...) -> Page[Change]:
        """List committed changes after a position, oldest first; the event socket sends the same."""
class Home(Namespace):
    def overview(self) -> Overview:
        """Return the funnel with counts, changes and next actions, running jobs and what happened last."""
class Sheets(Namespace):
    def scan(self, sheet_id: str, *, response_column: str | None = ..., idempotency_key: str | None = ...) -> Job:
        """Look for duplicates, personal data, languages, leaks and outliers in a job; an earlier scan is replaced."""
    def quality(self, sheet_id: str) -> Quality:
        """Return what the newest scan found: counts, shares, examples and the spread of the signals."""
    def quality_rows(self, sheet_id: str, *, signals: list[str] | None = ..., order: Literal['row_index', 'concern', 'duplicate_group', 'near_group', 'length', 'words', 'leakage', 'repetition', 'outlier'] = ..., descending: bool = ..., limit: int = ..., offset: int = ...) -> Preview:
        """Return scanned rows with their signals, narrowed and sorted by them."""
    def update_row(self, sheet_id: str, row_index: int, values: dict[str, Any], *, seen: dict[str, Any] | None = ..., version: int | None = ..., idempotency_key: str | None = ...) -> SheetRow:
        """Change cells of one row of a draft sheet. Pairs made from it keep the row as it was, and say so."""
    def replace(self, sheet_id: str, *, preview: bool = ..., source_type: Literal['file', 'url', 'sql', 'inline'] | None = ..., source: str | None = ..., rows: Any = ..., encoding: str | None = ..., worksheet: str | None = ..., split: str | None = ..., version: int | None = ..., idempotency_key: str | None = ...) -> Replacement:
        """Take a new version of the whole source for the rows of a draft sheet, matched by the item they are about."""
    def changes(self, sheet_id: str, *, page: int = ..., page_size: int = ...) -> Page[RowChange]:
        """List what happened to the rows since the import, the newest first."""
    def list(self, *, search: str = ..., status: Literal['draft', 'published', 'archived', 'deleted'] | None = ..., sort: Literal['created_at', 'updated_at', 'name', 'item_count'] = ..., descending: bool = ..., page: int = ..., page_size: int = ...) -> Page[Sheet]:
        """List the sheets, the newest first; deleted ones only when asked for."""
    def create(self, name: str, *, source_type: Literal['file', 'url', 'sql', 'inline'] | None = ..., source: str | None = ..., rows: Any = ..., item_id_column: str | None = ..., encoding: str | None = ..., worksheet: str | None = ..., split: str | None = ..., description: str = ..., tags: list[str] = ..., data_classification: Literal['public', 'internal', 'confidential', 'restricted'] = ..., external: bool = ..., sample: bool = ..., idempotency_key: str | None = ..., wait: bool = ...) -> Sheet | Job:
        """Import rows as a new sheet: from a file, an address, a query or given directly."""
    def get(self, sheet_id: str) -> Sheet:
        """Return one sheet, also a deleted one."""
    def update(self, sheet_id: str, *, name: str = ..., description: str = ..., tags: list[str] = ..., data_classification: Literal['public', 'internal', 'confidential', 'restricted'] = ..., item_id_column: str | None = ..., version: int | None = ..., idempotency_key: str | None = ...) -> Sheet:
        """Change what is said about a draft sheet; of one that is final only add tags, or raise the classification."""
    def delete(self, sheet_id: str, *, idempotency_key: str | None = ...) -> Deleted:
        """Hide a sheet; `restore` brings it back. Refused while a job uses its rows or what was made from it."""
    def preview(self, sheet_id: str, *, limit: int = ..., offset: int = ..., columns: list[str] | None = ..., filter: str | None = ..., search: str = ...) -> Preview:
        """Show rows in their order, with the number of all that match."""
    def rows(self, sheet_id: str, *, columns: list[str] | None = ..., filter: str | None = ..., limit: int | None = ..., offset: int = ...) -> pd.DataFrame:
        """Return the rows as a table, in their order."""
    def profile(self, sheet_id: str) -> SheetProfile:
        """Describe each column: gaps, distinct and frequent values, spread of numbers and text lengths."""
    def validate(self, sheet_id: str, *, template_id: str | None = ..., idempotency_key: str | None = ...) -> Validation:
        """Check a sheet against a template, by default the attached one; nothing is changed."""
    def publish(self, sheet_id: str, *, idempotency_key: str | None = ...) -> Sheet:
        """Declare a sheet final: from now on it does not change."""
    def archive(self, sheet_id: str, *, idempotency_key: str | None = ...) -> Sheet:
        """Put a sheet aside; it can still be read."""
    def restore(self, sheet_id: str, *, idempotency_key: str | None = ...) -> Sheet:
        """Bring back a deleted or an archived sheet, in the state it had before."""
    def clone(self, sheet_id: str, *, name: str | None = ..., idempotency_key: str | None = ..., wait: bool = ...) -> Sheet | Job:
        """Copy a sheet with its rows to a new draft; more than 100,000 rows, or `wait=False`, take a job."""
    def attach_template(self, sheet_id: str, template_id: str, *, idempotency_key: str | None = ...) -> Sheet:
        """Make a template the usual one of a sheet; every placeholder has to be a column."""
class Templates(Namespace):
    def list(self, *, search: str = ..., status: Literal['draft', 'published', 'archived'] | None = ..., page: int = ..., page_size: int = ...) -> Page[Template]:
        """List the templates, the newest first."""
    def create(self, name: str, prompt_template: str, *, system_instruction: str | None = ..., response_source_mode: Literal['existing_column', 'ai_generated', 'manual_labeling'] = ..., response_column: str | None = ..., response_schema: list[ResponseField] = ..., model: str | None = ..., temperature: float = ..., max_tokens: int = ..., label_type: str = ..., label_classes: list[LabelClass] = ..., column_mapping: dict[str, str] = ..., few_shot_count: int = ..., description: str = ..., sample: bool = ..., idempotency_key: str | None = ...) -> Template:
        """Write a draft template, version 1.0.0."""
    def get(self, template_id: str) -> Template:
        """Return one template."""
    def versions(self, template_id: str, *, page: int = ..., page_size: int = ...) -> Page[Template]:
        """List all versions of a template, the newest first."""
    def update(self, template_id: str, *, name: str = ..., prompt_template: str = ..., system_instruction: str | None = ..., response_source_mode: Literal['existing_column', 'ai_generated', 'manual_labeling'] = ..., response_column: str | None = ..., response_schema: list[ResponseField] = ..., model: str | None = ..., temperature: float = ..., max_tokens: int = ..., label_type: str = ..., label_classes: list[LabelClass] = ..., column_mapping: dict[str, str] = ..., few_shot_count: int = ..., description: str = ..., revision: int | None = ..., idempotency_key: str | None = ...) -> Template:
        """Change a draft template."""
    def delete(self, template_id: str, *, idempotency_key: str | None = ...) -> Deleted:
        """Remove a template that is not published; training sheets keep their copy of it."""
    def publish(self, template_id: str, *, idempotency_key: str | None = ...) -> Template:
        """Declare a template final: from now on it does not change. It has to be complete."""
    def archive(self, template_id: str, *, idempotency_key: str | None = ...) -> Template:
        """Put a template aside."""
    def version(self, template_id: str, *, idempotency_key: str | None = ...) -> Template:
        """Copy a published template to a draft with the next minor version."""
    def validate(self, template_id: str, *, sheet_id: str | None = ..., idempotency_key: str | None = ...) -> Validation:
        """Check a template by itself or against a sheet; nothing is changed."""
    def preview(self, sheet_id: str, *, template_id: str | None = ..., template: TemplateSnapshot | None = ..., limit: int = ..., offset: int = ...) -> PromptPreview:
        """Render the first rows of a sheet with a stored or a not yet stored template; nothing is kept."""
    def check(self, template: TemplateSnapshot, *, sheet_id: str | None = ..., limit: int = ..., entered: list[str] | None = ...) -> PlanCheck:
        """Check a plan that may not be stored yet and render the first rows of a sheet with it."""
class Providers(Namespace):
    def list(self) -> Page[ProviderConfig]:
        """List the providers that may be asked, those that need no setting up first."""
    def presets(self) -> Page[ProviderPreset]:
        """List known services to start a provider from."""
    def get(self, name: str) -> ProviderConfig:
        """Return one provider by its name or an alias."""
    def create(self, name: str, *, protocol: str = ..., base_url: str | None = ..., model: str | None = ..., key_variable: str | None = ..., aliases: list[str] = ..., requests_per_minute: int | None = ..., concurrency: int = ..., price_in: float | None = ..., price_out: float | None = ..., timeout_seconds: float = ..., idempotency_key: str | None = ...) -> ProviderConfig:
        """Set up a provider. Its key is read from the named environment variable whenever it is asked."""
    def update(self, name: str, *, base_url: str | None = ..., model: str | None = ..., key_variable: str | None = ..., aliases: list[str] = ..., requests_per_minute: int | None = ..., concurrency: int = ..., price_in: float | None = ..., price_out: float | None = ..., timeout_seconds: float = ..., version: int | None = ..., idempotency_key: str | None = ...) -> ProviderConfig:
        """Change how a provider is reached and what it costs."""
    def delete(self, name: str, *, idempotency_key: str | None = ...) -> Deleted:
        """Forget a provider; one that is built in goes back to how it came."""
    def test(self, name: str, *, model: str | None = ..., idempotency_key: str | None = ...) -> ProviderTest:
        """Ask a provider one short question and tell what came back. This may cost a fraction of a cent."""
class TrainingSheets(Namespace):
    def scan(self, training_sheet_id: str, *, idempotency_key: str | None = ...) -> Job:
        """Look for duplicates, personal data, languages, leaks and outliers among the pairs, in a job."""
    def quality(self, training_sheet_id: str) -> Quality:
        """Return what the newest scan of the pairs found; the review queue takes the same conditions."""
    def import_reviews(self, name: str | None = ..., *, source_type: Literal['file', 'url', 'sql', 'inline'] | None = ..., source: str | None = ..., rows: Any = ..., format: Literal['label_studio', 'argilla', 'openai_chat', 'anthropic', 'gemini', 'alpaca', 'sharegpt', 'prompt_completion', 'preference', 'pairs', 'jsonl', 'csv', 'parquet', 'huggingface'] | None = ..., question: str | None = ..., prompt_template: str | None = ..., split: str | None = ..., encoding: str | None = ..., preview: bool = ..., idempotency_key: str | None = ..., wait: bool = ...) -> ReviewImport | Job:
        """Make a sheet, a template and a training sheet from what was reviewed in another tool."""
    def reassemble(self, training_sheet_id: str, *, template_id: str | None = ..., template: TemplateSnapshot | None = ..., preview: bool = ..., preview_id: str | None = ..., idempotency_key: str | None = ...) -> Reassembly:
        """Render the pairs anew after their sheet changed, or through another template; a preview freezes the set first."""
    def reassembled_pairs(self, training_sheet_id: str, preview_id: str, *, only: Literal['prompt_changed', 'response_changed', 'source_changed', 'stale', 'rerendered', 'removed', 'added'] | None = ..., page: int = ..., page_size: int = ...) -> Page[ReassembledPair]:
        """List the pairs that a previewed re-assembly would change, in their order, with the words that change."""
    def generate(self, training_sheet_id: str, provider: str, *, model: str | None = ..., row_indices: list[int] | None = ..., failed_in: str | None = ..., overwrite_existing: bool = ..., force: bool = ..., timeout_seconds: float | None = ..., idempotency_key: str | None = ...) -> Job:
        """Let a provider answer the pairs without a response, in a job; the answers wait for review."""
    def estimate(self, training_sheet_id: str, provider: str, *, model: str | None = ..., row_indices: list[int] | None = ..., failed_in: str | None = ..., overwrite_existing: bool = ..., force: bool = ...) -> GenerationEstimate:
        """Tell what a generation would ask, read, write and cost; nothing is asked."""
    def answers(self, training_sheet_id: str, *, job_id: str | None = ..., outcome: Literal['good', 'flagged', 'failed'] | None = ..., page: int = ..., page_size: int = ...) -> Page[GeneratedAnswer]:
        """List what providers said about pairs, with tokens, cost and faults; the newest job first."""
    def generations(self, training_sheet_id: str, *, page: int = ..., page_size: int = ...) -> Page[Job]:
        """List the jobs that asked providers about a training sheet, the newest first."""
    def assemble(self, sheet_id: str, *, name: str | None = ..., template_id: str | None = ..., template: TemplateSnapshot | None = ..., filter: str | None = ..., sample: Literal['all', 'random', 'stratified'] = ..., sample_size: int | None = ..., seed: int = ..., stratify_by: str | None = ..., overlap: int = ..., guidelines: str = ..., idempotency_key: str | None = ..., wait: bool = ...) -> TrainingSheet | Job:
        """Render rows of a sheet through a template into pairs to review."""
    def list(self, *, search: str = ..., sheet_id: str | None = ..., status: Literal['assembling', 'ready', 'failed', 'archived', 'deleted'] | None = ..., page: int = ..., page_size: int = ...) -> Page[TrainingSheet]:
        """List the training sheets, the newest first, with counts by source and state of their pairs."""
    def get(self, training_sheet_id: str) -> TrainingSheet:
        """Return one training sheet, also a deleted one."""
    def update(self, training_sheet_id: str, *, name: str = ..., overlap: int = ..., guidelines: str = ..., version: int | None = ..., idempotency_key: str | None = ...) -> TrainingSheet:
        """Change the name, the guidelines or how many people review each pair."""
    def delete(self, training_sheet_id: str, *, idempotency_key: str | None = ...) -> Deleted:
        """Hide a training sheet; `restore` brings it back. Refused while a job refers to it."""
    def archive(self, training_sheet_id: str, *, idempotency_key: str | None = ...) -> TrainingSheet:
        """Put a training sheet aside."""
    def restore(self, training_sheet_id: str, *, idempotency_key: str | None = ...) -> TrainingSheet:
        """Bring back a deleted or an archived training sheet."""
    def preview(self, training_sheet_id: str, *, limit: int = ..., offset: int = ...) -> Preview:
        """Show pairs in their order."""
    def export(self, training_sheet_id: str, format: Literal['openai_chat', 'anthropic', 'gemini', 'alpaca', 'sharegpt', 'prompt_completion', 'preference', 'jsonl', 'csv', 'parquet', 'huggingface'] = ..., *, split: float | None = ..., seed: int = ..., include_unreviewed: bool = ..., spreadsheet_safe: bool = ..., idempotency_key: str | None = ..., wait: bool = ...) -> Export | Job:
        """Write approved pairs that may be trained on to files, with a manifest to make them again."""
class Review(Namespace):
    def rows(self, training_sheet_id: str, *, as_of: datetime.datetime | None = ..., page: int = ..., page_size: int = ...) -> Page[Pair]:
        """Return pairs in their order, whatever their state; with `as_of`, as they were at that moment."""
    def table(self, training_sheet_id: str, *, as_of: datetime.datetime | None = ...) -> pd.DataFrame:
        """Return all pairs as a table, without a limit; with `as_of`, as they were at that moment."""
    def history(self, training_sheet_id: str, *, row_index: int | None = ..., batch_id: str | None = ..., reviewer: str | None = ..., action: str | None = ..., since: datetime.datetime | None = ..., until: datetime.datetime | None = ..., page: int = ..., page_size: int = ...) -> Page[Decision]:
        """Return the log of decisions, the newest first, with the words that changed."""
    def batches(self, training_sheet_id: str, *, row_index: int | None = ..., reviewer: str | None = ..., action: str | None = ..., since: datetime.datetime | None = ..., until: datetime.datetime | None = ..., page: int = ..., page_size: int = ...) -> Page[Batch]:
        """List the steps of the review, the newest first, with what undoing each of them would do."""
    def undo(self, training_sheet_id: str, *, batch_id: str | None = ..., scope: Literal['mine', 'all'] = ..., row_index: int | None = ..., version: int | None = ..., seen_version: int | None = ..., idempotency_key: str | None = ...) -> UndoOutcome:
        """Take back a batch where nothing came after it, or bring one pair back to an earlier version."""
    def redo(self, training_sheet_id: str, *, batch_id: str | None = ..., scope: Literal['mine', 'all'] = ..., idempotency_key: str | None = ...) -> UndoOutcome:
        """Make again what was undone, where nothing came after it."""
    def bulk_approve(self, training_sheet_id: str, *, row_indices: list[int] | None = ..., filter: PairFilter | None = ..., preview: bool = ..., preview_id: str | None = ..., idempotency_key: str | None = ...) -> BulkOutcome:
        """Approve many pairs as one step that can be undone; a preview freezes the set first."""
    def bulk_reject(self, training_sheet_id: str, *, row_indices: list[int] | None = ..., filter: PairFilter | None = ..., flag_reason: str | None = ..., preview: bool = ..., preview_id: str | None = ..., idempotency_key: str | None = ...) -> BulkOutcome:
        """Reject many pairs as one step that can be undone."""
    def bulk_flag(self, training_sheet_id: str, *, row_indices: list[int] | None = ..., filter: PairFilter | None = ..., flag_reason: str | None = ..., preview: bool = ..., preview_id: str | None = ..., idempotency_key: str | None = ...) -> BulkOutcome:
        """Flag many pairs as one step that can be undone."""
    def bulk_reset(self, training_sheet_id: str, *, row_indices: list[int] | None = ..., filter: PairFilter | None = ..., preview: bool = ..., preview_id: str | None = ..., idempotency_key: str | None = ...) -> BulkOutcome:
        """Take many pairs back to unlabeled as one step that can be undone."""
    def bulk_rights(self, training_sheet_id: str, *, row_indices: list[int] | None = ..., filter: PairFilter | None = ..., allowed_uses: list[Literal['training', 'validation', 'evaluation', 'few_shot', 'testing']] | None = ..., prohibited_uses: list[Literal['training', 'validation', 'evaluation', 'few_shot', 'testing']] | None = ..., preview: bool = ..., preview_id: str | None = ..., idempotency_key: str | None = ...) -> BulkOutcome:
        """Change the usage rights of many pairs as one step that can be undone."""
    def adjudicate(self, training_sheet_id: str, row_index: int, action: Literal['approve', 'reject', 'flag'], *, response: str = ..., prompt: str = ..., flag_reason: str | None = ..., notes: str | None = ..., allowed_uses: list[Literal['training', 'validation', 'evaluation', 'few_shot', 'testing']] | None = ..., prohibited_uses: list[Literal['training', 'validation', 'evaluation', 'few_shot', 'testing']] | None = ..., version: int | None = ..., idempotency_key: str | None = ...) -> Pair:
        """Settle a pair whose reviewers disagree, or correct one that they settled; their votes stay on record."""
    def disputes(self, training_sheet_id: str, *, first: int | None = ..., page: int = ..., page_size: int = ...) -> Page[Dispute]:
        """Return the pairs whose reviewers disagree, with their votes side by side."""
    def agreement(self, training_sheet_id: str, *, over: Literal['action', 'response'] = ..., samples: int = ..., seed: int = ...) -> Agreement:
        """Return how far reviewers agree, with intervals, and what each of them has done."""
    def gold(self, training_sheet_id: str, *, page: int = ..., page_size: int = ...) -> Page[KnownAnswer]:
        """Return the pairs whose answer is known, with how people do on them; reviewers cannot tell them from the others."""
    def mark_gold(self, training_sheet_id: str, items: list[Gold], *, idempotency_key: str | None = ...) -> GoldOutcome:
        """Keep the right answer to some pairs, to see how reviewers do on them; votes never change it."""
    def unmark_gold(self, training_sheet_id: str, row_indices: list[int], *, idempotency_key: str | None = ...) -> GoldOutcome:
        """Forget the right answer to some pairs."""
    def queue(self, training_sheet_id: str, *, status: Literal['to_review', 'unlabeled', 'labeled', 'rejected', 'flagged', 'stale', 'disputed', 'all'] = ..., search: str = ..., regex: str | None = ..., response_source: Literal['empty', 'imported', 'ai_generated', 'human_labeled', 'human_verified', 'canonical'] | None = ..., reviewer: str | None = ..., item_ref: str | None = ..., use: Literal['training', 'validation', 'evaluation', 'few_shot', 'testing'] | None = ..., labeled_since: datetime.datetime | None = ..., labeled_until: datetime.datetime | None = ..., updated_since: datetime.datetime | None = ..., updated_until: datetime.datetime | None = ..., signals: list[str] | None = ..., where: str | None = ..., order: Literal['row_index', 'confidence', 'length', 'updated', 'disagreement', 'random', 'concern', 'duplicates', 'near_duplicates', 'words', 'pii', 'leakage', 'repetition', 'outlier', 'training_loss'] = ..., descending: bool = ..., seed: int = ..., limit: int = ..., cursor: str | None = ...) -> Page[Pair]:
        """Return the next pairs of a queue, the true number of all of them and where the next page begins."""
    def card(self, training_sheet_id: str, row_index: int, *, status: Literal['to_review', 'unlabeled', 'labeled', 'rejected', 'flagged', 'stale', 'disputed', 'all'] = ..., search: str = ..., regex: str | None = ..., response_source: Literal['empty', 'imported', 'ai_generated', 'human_labeled', 'human_verified', 'canonical'] | None = ..., reviewer: str | None = ..., item_ref: str | None = ..., use: Literal['training', 'validation', 'evaluation', 'few_shot', 'testing'] | None = ..., labeled_since: datetime.datetime | None = ..., labeled_until: datetime.datetime | None = ..., updated_since: datetime.datetime | None = ..., updated_until: datetime.datetime | None = ..., signals: list[str] | None = ..., where: str | None = ..., order: Literal['row_index', 'confidence', 'length', 'updated', 'disagreement', 'random', 'concern', 'duplicates', 'near_duplicates', 'words', 'pii', 'leakage', 'repetition', 'outlier', 'training_loss'] = ..., descending: bool = ..., seed: int = ...) -> Card:
        """Return all that the review screen shows of one pair, and its neighbors in the queue."""
    def bookmark(self, training_sheet_id: str) -> Bookmark:
        """Return where the caller left off and can go on: the pair that was open, or what follows it by now, and the queue."""
    def keep_bookmark(self, training_sheet_id: str, row_index: int, *, filter: PairFilter | None = ..., order: Literal['row_index', 'confidence', 'length', 'updated', 'disagreement', 'random', 'concern', 'duplicates', 'near_duplicates', 'words', 'pii', 'leakage', 'repetition', 'outlier', 'training_loss'] = ..., descending: bool = ..., shared: bool = ..., idempotency_key: str | None = ...) -> Bookmark:
        """Keep where the caller is, so that who opens the training sheet anew finds the same pair in the same queue."""
    def get(self, training_sheet_id: str, row_index: int, *, version: int | None = ...) -> Pair:
        """Return one pair, as it is or as it was at an earlier version."""
    def decide(self, training_sheet_id: str, row_index: int, *, action: Literal['approve', 'reject', 'flag', 'reset'] | None = ..., status: Literal['labeled', 'rejected', 'flagged', 'unlabeled'] | None = ..., response: str = ..., prompt: str = ..., flag_reason: str | None = ..., notes: str | None = ..., allowed_uses: list[Literal['training', 'validation', 'evaluation', 'few_shot', 'testing']] | None = ..., prohibited_uses: list[Literal['training', 'validation', 'evaluation', 'few_shot', 'testing']] | None = ..., version: int | None = ..., n: int | None = ..., idempotency_key: str | None = ...) -> Pair:
        """Approve, reject, flag, reset or edit one pair; editing and approving go in one step."""
    def draft(self, training_sheet_id: str, row_index: int, *, response: str = ..., prompt: str = ..., version: int | None = ..., idempotency_key: str | None = ...) -> Draft:
        """Keep what the caller typed into a pair until it is decided on; the pair itself stays as it is."""
    def drafts(self, training_sheet_id: str, *, page: int = ..., page_size: int = ...) -> Page[Draft]:
        """Return what the caller typed into pairs and did not save, the newest first."""
    def claim(self, training_sheet_id: str, count: int = ..., *, lease_seconds: int = ..., filter: PairFilter | None = ..., order: Literal['row_index', 'confidence', 'length', 'updated', 'disagreement', 'random', 'concern', 'duplicates', 'near_duplicates', 'words', 'pii', 'leakage', 'repetition', 'outlier', 'training_loss'] = ..., descending: bool = ..., seed: int = ..., after: int | None = ..., take_over: bool = ..., idempotency_key: str | None = ...) -> Claim:
        """Hand out the next pairs to review in the order of the queue; asking again renews one's own among them."""
    def release(self, training_sheet_id: str, *, row_indices: list[int] | None = ..., idempotency_key: str | None = ...) -> Released:
        """Give back claimed pairs; without rows, all of one's own."""
    def progress(self, training_sheet_id: str) -> Progress:
        """Return how far the review has come, by person and by day, with pace and time left."""
    def facets(self, training_sheet_id: str) -> Facets:
        """Return what the pairs can be filtered by, with counts."""
    def eligibility(self, training_sheet_id: str) -> Eligibility:
        """Return how many pairs may be trained on, and why the others may not."""
class Labels(Namespace):
    def list(self, *, sheet_id: str | None = ..., label_type: str | None = ..., search: str = ..., page: int = ..., page_size: int = ...) -> Page[CanonicalLabel]:
        """List the labels, the newest first."""
    def create(self, sheet_id: str, item_ref: str, label: str, *, label_type: str = ..., confidence: Literal['low', 'medium', 'high'] = ..., notes: str | None = ..., allowed_uses: list[Literal['training', 'validation', 'evaluation', 'few_shot', 'testing']] | None = ..., prohibited_uses: list[Literal['training', 'validation', 'evaluation', 'few_shot', 'testing']] | None = ..., idempotency_key: str | None = ...) -> CanonicalLabel:
        """State the truth on an item of a sheet, once per kind of truth."""
    def lookup(self, sheet_id: str, item_ref: str, *, label_type: str = ...) -> CanonicalLabel:
        """Return the label of one item."""
    def bulk_lookup(self, sheet_id: str, item_refs: list[str], *, label_type: str = ...) -> FoundLabels:
        """Return the labels of many items, and the items without one."""
    def stats(self, *, sheet_id: str | None = ...) -> LabelStats:
        """Count the labels, their reuse and their versions."""
    def get(self, label_id: str) -> CanonicalLabel:
        """Return one label."""
    def update(self, label_id: str, *, label: str = ..., confidence: Literal['low', 'medium', 'high'] = ..., notes: str | None = ..., allowed_uses: list[Literal['training', 'validation', 'evaluation', 'few_shot', 'testing']] | None = ..., prohibited_uses: list[Literal['training', 'validation', 'evaluation', 'few_shot', 'testing']] | None = ..., version: int | None = ..., idempotency_key: str | None = ...) -> CanonicalLabel:
        """Change a label; another truth becomes a new version of it. Pairs that took it over keep what they have."""
    def delete(self, label_id: str, *, idempotency_key: str | None = ...) -> Deleted:
        """Remove a label that no approved pair is linked to."""
    def versions(self, label_id: str, *, page: int = ..., page_size: int = ...) -> Page[LabelVersion]:
        """List all that was ever the truth on an item, the newest first."""
class Jobs(Namespace):
    def log(self, job_id: str, *, max_bytes: int = ..., attempt: int | None = ...) -> JobLog:
        """Return the end of what the job's process wrote to its output, in the latest or an earlier attempt."""
    def log_text(self, job_id: str, *, attempt: int | None = ...) -> str:
        """Return what the job's process wrote as a text file, its last 10 MB where it is longer."""
    def metrics(self, job_id: str, *, name: str | None = ..., names: list[str] | None = ..., max_points: int = ..., start: int | None = ..., stop: int | None = ...) -> JobMetrics:
        """Return the curves of a job, those of a hundred metrics at most; `metric_names` lists all there are."""
    def metric_names(self, job_id: str, *, search: str = ..., page: int = ..., page_size: int = ...) -> Page[MetricName]:
        """List the metrics of a job with their latest and extreme values, losses and accuracies first."""
    def metric_curve(self, job_id: str, name: str, *, max_points: int = ..., first_step: int | None = ..., last_step: int | None = ...) -> pd.DataFrame:
        """Return one curve as a table of step, value, epoch and logged_at."""
    def bulk_cancel(self, ids: list[str], *, reason: str = ..., idempotency_key: str | None = ...) -> BulkJobs:
        """Cancel several jobs; those that have ended already refuse, the others are not held up by them."""
    def bulk_retry(self, ids: list[str], *, idempotency_key: str | None = ...) -> BulkJobs:
        """Make a new job like each of several that failed or were cancelled."""
    def bulk_delete(self, ids: list[str], *, idempotency_key: str | None = ...) -> BulkJobs:
        """Delete several jobs that have ended; those that are still needed refuse, the others go together."""
    def list(self, *, kind: str | None = ..., status: Literal['pending', 'queued', 'running', 'succeeded', 'failed', 'cancelled'] | None = ..., search: str = ..., created_by: str | None = ..., since: datetime.datetime | None = ..., until: datetime.datetime | None = ..., label: str | None = ..., parent_id: str | None = ..., trials: bool = ..., sort: Literal['created_at', 'started_at', 'completed_at', 'duration_seconds', 'name', 'status', 'progress_percent', 'priority'] = ..., descending: bool = ..., page: int = ..., page_size: int = ...) -> Page[Job]:
        """List the jobs, the newest first; a study stands for its trials, unless they are asked for."""
    def get(self, job_id: str) -> Job:
        """Return one job."""
    def cancel(self, job_id: str, *, reason: str = ..., idempotency_key: str | None = ...) -> Job:
        """Cancel a job: a waiting one ends at once, a running one as soon as its process is gone."""
    def stop(self, job_id: str, *, idempotency_key: str | None = ...) -> Job:
        """End a running job early: it keeps what is done, a training the best so far, and succeeds."""
    def retry(self, job_id: str, *, training_config: dict[str, Any] = ..., resume: bool = ..., timeout_seconds: float | None = ..., idempotency_key: str | None = ...) -> Job:
        """Make a new job like one that failed or was cancelled, linked to it; a training may change settings."""
    def resume(self, job_id: str, *, idempotency_key: str | None = ...) -> Job:
        """Make a new job that goes on where the checkpoint of a failed one ends: a retry with `resume`."""
    def prioritize(self, job_id: str, priority: int, *, idempotency_key: str | None = ...) -> Job:
        """Move a waiting job forward or back in the queue."""
    def delete(self, job_id: str, *, idempotency_key: str | None = ...) -> Deleted:
        """Delete a job that has ended, with all it wrote; refused while a version it made is in use."""
    def events(self, job_id: str, *, after: int = ..., type: Literal['status_change', 'progress', 'log', 'metric', 'error'] | None = ..., progress: bool = ..., latest_first: bool = ..., page: int = ..., page_size: int = ...) -> Page[JobEvent]:
        """List what happened to a job, the oldest first unless told otherwise."""
    def start_external(self, name: str, *, config: dict[str, Any] = ..., labels: dict[str, str] = ..., lease_seconds: float | None = ..., started_at: datetime.datetime | None = ..., idempotency_key: str | None = ...) -> Run:
        """Open a run for work done elsewhere: it has curves and events, but no process of ours."""
    def log_metrics(self, job_id: str, metrics: list[dict[str, Any]], *, idempotency_key: str | None = ...) -> Job:
        """Add points to the curves of an external run; without points, only tell that it lives."""
    def finish(self, job_id: str, *, status: Literal['succeeded', 'failed', 'cancelled'] = ..., message: str = ..., result: dict[str, Any] = ..., completed_at: datetime.datetime | None = ..., idempotency_key: str | None = ...) -> Job:
        """End an external run."""
class Training(Namespace):
    def predictions(self, job_id: str, *, wrong: bool = ..., truth: str | None = ..., prediction: str | None = ..., sort: Literal['loss', 'confidence'] = ..., descending: bool = ..., page: int = ..., page_size: int = ...) -> Page[PairPrediction]:
        """List what the model answered pair by pair, the largest loss first; of a training or an evaluation job."""
    def confusions(self, job_id: str, *, limit: int = ...) -> Predictions:
        """Sum up what the model answered: how much was right, which responses it confuses, where to review."""
    def create(self, training_sheet_id: str, model_name: str, base_model: str, *, trainer: str | None = ..., train_val_split: float = ..., training_config: dict[str, Any] = ..., register_to_uc: bool = ..., uc_catalog: str | None = ..., uc_schema: str | None = ..., labels: dict[str, str] = ..., timeout_seconds: float | None = ..., idempotency_key: str | None = ...) -> TrainingJob:
        """Start a training job; pairs, versions and split are frozen with it."""
    def list(self, *, training_sheet_id: str | None = ..., status: Literal['pending', 'queued', 'running', 'succeeded', 'failed', 'cancelled'] | None = ..., search: str = ..., base_model: str | None = ..., created_by: str | None = ..., since: datetime.datetime | None = ..., until: datetime.datetime | None = ..., label: str | None = ..., parent_id: str | None = ..., trials: bool = ..., sort: Literal['created_at', 'started_at', 'completed_at', 'duration_seconds', 'model_name', 'status', 'progress_percent', 'base_model', 'total_pairs', 'val_accuracy', 'val_loss'] = ..., descending: bool = ..., page: int = ..., page_size: int = ...) -> Page[TrainingJob]:
        """List the training jobs, the newest first; a study stands for its trials, unless they are asked for."""
    def active(self, *, page: int = ..., page_size: int = ...) -> Page[TrainingJob]:
        """List the training jobs that have not ended; the trials of a study are not among them."""
    def get(self, job_id: str) -> TrainingJob:
        """Return one training job."""
    def poll(self, job_id: str, *, idempotency_key: str | None = ...) -> TrainingJob:
        """Return a training job as it is now; one that has ended does not change."""
    def cancel(self, job_id: str, *, reason: str = ..., idempotency_key: str | None = ...) -> TrainingJob:
        """Cancel a training job: a waiting one ends at once, a running one when its process is gone."""
    def stop(self, job_id: str, *, idempotency_key: str | None = ...) -> TrainingJob:
        """End a running training early: the best so far is evaluated and registered."""
    def retry(self, job_id: str, *, training_config: dict[str, Any] = ..., resume: bool = ..., timeout_seconds: float | None = ..., idempotency_key: str | None = ...) -> TrainingJob:
        """Make a new job like one that failed or was cancelled, with some settings changed if wished."""
    def resume(self, job_id: str, *, idempotency_key: str | None = ...) -> TrainingJob:
        """Make a new job that goes on where the checkpoint of a failed one ends: a retry with `resume`."""
    def delete(self, job_id: str, *, idempotency_key: str | None = ...) -> Deleted:
        """Delete a training job that has ended, with all it wrote; refused while the version it made is in use."""
    def events(self, job_id: str, *, after: int = ..., page: int = ..., page_size: int = ...) -> Page[JobEvent]:
        """List what happened to a training job, the oldest first."""
    def metrics(self, job_id: str) -> TrainingJobMetrics:
        """Return the latest figures of a training job; its curves are with `jobs.metrics`."""
    def lineage(self, job_id: str) -> Lineage:
        """Return what a job was made from and what came of it."""
    def evaluate(self, job_id: str, *, training_sheet_id: str | None = ..., side: Literal['held_out', 'train', 'all'] = ..., timeout_seconds: float | None = ..., idempotency_key: str | None = ...) -> Job:
        """Ask the trained model about the job's own pairs, held out or learned from, or about the approved ones of another sheet."""
    def compare(self, ids: str, *, max_points: int = ..., metrics: list[str] | None = ..., all_settings: bool = ...) -> Comparison:
        """Set up to 100 training jobs and external runs side by side: settings that differ, figures, winners, curves."""
    def estimate(self, training_sheet_id: str, base_model: str, *, trainer: str | None = ..., train_val_split: float = ..., training_config: dict[str, Any] = ...) -> Estimate:
        """Tell what a training job would use, and what speaks against it, without making one."""
    def base_models(self) -> Page[BaseModel]:
        """List what a training may start from, with the settings of its trainer."""
class Studies(Namespace):
    def create(self, training_sheet_id: str, model_name: str, base_model: str, *, trainer: str | None = ..., n_trials: int = ..., metric: str | None = ..., search_space: dict[str, Any] | None = ..., training_config: dict[str, Any] = ..., train_val_split: float = ..., parallel: int = ..., pruning: bool = ..., seed: int = ..., timeout_seconds: float | None = ..., labels: dict[str, str] = ..., idempotency_key: str | None = ...) -> Study:
        """Start a study: trainings with different settings on the same pairs, to find the best settings."""
    def list(self, *, training_sheet_id: str | None = ..., status: Literal['pending', 'queued', 'running', 'succeeded', 'failed', 'cancelled'] | None = ..., search: str = ..., base_model: str | None = ..., created_by: str | None = ..., since: datetime.datetime | None = ..., until: datetime.datetime | None = ..., label: str | None = ..., sort: Literal['created_at', 'started_at', 'completed_at', 'duration_seconds', 'model_name', 'status', 'progress_percent', 'best_value'] = ..., descending: bool = ..., page: int = ..., page_size: int = ...) -> Page[Study]:
        """List the studies, the newest first."""
    def get(self, study_id: str) -> Study:
        """Return one study with its best trial so far."""
    def trials(self, study_id: str, *, state: Literal['pending', 'queued', 'running', 'succeeded', 'pruned', 'failed', 'cancelled'] | None = ..., sort: Literal['number', 'value', 'state', 'duration_seconds', 'completed_at'] = ..., descending: bool = ..., page: int = ..., page_size: int = ...) -> Page[Trial]:
        """List the trials of a study: what each tried and what came of it."""
    def importance(self, study_id: str) -> StudyImportance:
        """Return how much each setting decides whether a trial is among the best."""
    def coordinates(self, study_id: str) -> StudyCoordinates:
        """Return every trial that came to a figure over all settings at once, ready to be drawn."""
    def cancel(self, study_id: str, *, reason: str = ..., idempotency_key: str | None = ...) -> Study:
        """Cancel a study with all its trials; what was found stays to be looked at."""
    def stop(self, study_id: str, *, idempotency_key: str | None = ...) -> Study:
        """End a running study early: living trials are cancelled, the best so far is its result."""
    def retry(self, study_id: str, *, idempotency_key: str | None = ...) -> Study:
        """Make a new study like one that failed or was cancelled, on the pairs as they are now."""
    def train_best(self, study_id: str, *, trial: int | None = ..., model_name: str | None = ..., register_to_uc: bool = ..., uc_catalog: str | None = ..., uc_schema: str | None = ..., labels: dict[str, str] = ..., idempotency_key: str | None = ...) -> TrainingJob:
        """Start a training job with the best settings found, on the pairs as they are now."""
class Models(Namespace):
    def list(self, *, search: str = ..., status: Literal['development', 'staging', 'production', 'archived'] | None = ..., framework: str = ..., name: str = ..., sort: Literal['name', 'version', 'status', 'accuracy', 'created', 'updated'] = ..., descending: bool = ..., page: int = ..., page_size: int = ...) -> Page[ModelVersion]:
        """List versions, each with measured figures, gate and actions."""
    def get(self, model_id: str) -> ModelVersion:
        """Return one version with measured figures, gate and actions."""
    def history(self, model_id: str, *, page: int = ..., page_size: int = ...) -> Page[StageChange]:
        """List what happened to a version, the newest first."""
    def test_runs(self, model_id: str, *, page: int = ..., page_size: int = ...) -> Page[TestRun]:
        """List the test runs of a version with every case, the newest first."""
    def timeline(self, *, name: str = ..., page: int = ..., page_size: int = ...) -> Page[ProductionSpan]:
        """List what was in production from when to when, the latest first."""
    def summary(self) -> ModelSummary:
        """Count the versions by stage and average the figures of those not archived."""
    def export(self) -> str:
        """Return every version as CSV: stage, accuracy, latency and uptime, safe to open in a spreadsheet."""
    def test(self, model_id: str, *, idempotency_key: str | None = ..., wait: bool = ...) -> TestRun | Job:
        """Run the test suite in a process of its own and wait up to 30 s for the report; the stage does not change."""
    def promote(self, model_id: str, *, target_env: Literal['staging', 'production'] = ..., force: bool = ..., reason: str = ..., idempotency_key: str | None = ...) -> StageChanged:
        """Move a version to staging; one that is there already stays. Production goes through deploy."""
    def deploy(self, model_id: str, *, target_env: Literal['staging', 'production'] = ..., force: bool = ..., reason: str = ..., idempotency_key: str | None = ...) -> StageChanged:
        """Put a version in production and point the endpoint of its model to it."""
    def rollback(self, model_id: str, *, reason: str = ..., idempotency_key: str | None = ...) -> RolledBack:
        """Take the production version of this model back and serve the one before; again goes further back."""
    def archive(self, model_id: str, *, force: bool = ..., reason: str = ..., idempotency_key: str | None = ...) -> StageChanged:
        """Archive a version; one that is in production or served needs force with a reason, and stops being served."""
    def restore(self, model_id: str, *, reason: str = ..., idempotency_key: str | None = ...) -> StageChanged:
        """Bring an archived version back to development."""
class Endpoints(Namespace):
    def list(self, *, search: str = ..., status: Literal['starting', 'serving', 'stopped', 'failed'] | None = ..., page: int = ..., page_size: int = ...) -> Page[Endpoint]:
        """List endpoints with the stage of what they serve and their actions."""
    def get(self, name: str) -> Endpoint:
        """Return one endpoint."""
    def deploy(self, *, model_version_id: str | None = ..., model_name: str | None = ..., version: str | None = ..., name: str | None = ..., follows: Literal['version', 'production'] = ..., idempotency_key: str | None = ...) -> Endpoint:
        """Serve one version under a name of its own; no stage changes and no gate is needed."""
    def update(self, name: str, *, guardrails: dict[str, Any] = ..., follows: Literal['version', 'production'] = ..., version: int | None = ..., idempotency_key: str | None = ...) -> Endpoint:
        """Change guardrails, or whether the endpoint follows the stage."""
    def resume(self, name: str, *, idempotency_key: str | None = ...) -> Endpoint:
        """Answer requests again."""
    def stop(self, name: str, *, idempotency_key: str | None = ...) -> Endpoint:
        """Answer no further requests until started again."""
    def delete(self, name: str, *, idempotency_key: str | None = ...) -> Deleted:
        """Delete an endpoint; its request log and history stay."""
    def rollback(self, name: str, *, reason: str = ..., idempotency_key: str | None = ...) -> Endpoint:
        """Serve the version before; an endpoint that follows production rolls the model back."""
    def history(self, name: str, *, page: int = ..., page_size: int = ...) -> Page[StageChange]:
        """List the versions an endpoint served, the newest first."""
    def metrics(self, name: str, *, window_hours: int = ...) -> EndpointMetrics:
        """Measure an endpoint over a window of its request log."""
    def logs(self, name: str, *, outcome: Literal['all', 'ok', 'error'] = ..., search: str = ..., page: int = ..., page_size: int = ...) -> Page[RequestLog]:
        """List the requests of an endpoint, the newest first."""
    def invocations(self, name: str, *, inputs: list[dict[str, Any] | str], request_key: str | None = ...) -> Predictions:
        """Answer inputs: one prediction and one request id each."""
    def completions(self, *, model: str, messages: list[ChatMessage], safety_identifier: str | None = ..., temperature: float | None = ..., max_tokens: int | None = ..., stream: bool = ...) -> ChatCompletion:
        """Answer the last user message; temperature and max_tokens do not change a classifier's answer."""
class Monitoring(Namespace):
    def metrics(self, endpoint: str, *, window_hours: int = ...) -> EndpointMetrics:
        """Return requests, latency, errors, tokens, cost and uptime of a window; null where nothing was measured."""
    def timeseries(self, endpoint: str, *, window_hours: int = ...) -> TimeSeries:
        """Return the window in slices, empty ones included, with the moments of deployments."""
    def health(self, endpoint: str) -> Health:
        """Return the health of the last 24 hours with its reasons; unknown without traffic."""
    def logs(self, endpoint: str, *, outcome: Literal['all', 'ok', 'error'] = ..., search: str = ..., model_version: str = ..., page: int = ..., page_size: int = ...) -> Page[RequestLog]:
        """List requests, the newest first."""
    def request(self, request_id: str) -> RequestLog:
        """Return one request as the log keeps it."""
class Feedback(Namespace):
    def create(self, *, endpoint: str, request_id: str, rating: Literal['positive', 'negative'] | int, corrected: str | None = ..., comment: str = ..., id: str | None = ..., idempotency_key: str | None = ...) -> Feedback:
        """Judge the answer of one request; sending the same id again changes nothing."""
    def list(self, *, endpoint: str = ..., sentiment: Literal['positive', 'neutral', 'negative'] | None = ..., flagged: bool | None = ..., converted: bool | None = ..., request_id: str = ..., page: int = ..., page_size: int = ...) -> Page[Feedback]:
        """List judgments with the request they are about, the newest first."""
    def stats(self, *, days: int = ..., endpoint: str | None = ...) -> FeedbackStats:
        """Count the judgments of some days."""
    def get(self, feedback_id: str) -> Feedback:
        """Return one judgment with the request it is about."""
    def flag(self, feedback_id: str, *, idempotency_key: str | None = ...) -> Feedback:
        """Mark a judgment for a second look."""
    def unflag(self, feedback_id: str, *, idempotency_key: str | None = ...) -> Feedback:
        """Take the mark away."""
    def to_pair(self, feedback_id: str, *, training_sheet_id: str, prompt: str | None = ..., idempotency_key: str | None = ...) -> FeedbackPair:
        """Add the request with its right answer to a training sheet as an unlabeled pair; never approved by itself."""
class Lineage(Namespace):
    def get(self, kind: Literal['sheet', 'template', 'training_sheet', 'pair', 'job', 'model', 'endpoint', 'request', 'feedback', 'canonical_label'], id: str) -> Lineage:
        """Return where a thing comes from (negative depth) and what came of it, as nodes and edges."""
class Mlflow(Namespace):
    def mirror(self, job_id: str, *, idempotency_key: str | None = ...) -> TrainingJob:
        """Copy an ended training job to the MLflow server of the settings: settings, curves, model. Once only."""
class Workspace:
    """Reach every operation as `ws.<namespace>.<operation>(...)`."""

    transport: Transport
    system: System
    home: Home
    sheets: Sheets
    templates: Templates
    providers: Providers
    training_sheets: TrainingSheets
    review: Review
    labels: Labels
    jobs: Jobs
    training: Training
    studies: Studies
    models: Models
    endpoints: Endpoints
    monitoring: Monitoring
    feedback: Feedback
    lineage: Lineage
    mlflow: Mlflow
    def __init__(self, transport: Transport, *, publish: Callable[..., Any] | None = ...) -> None: ...
    def __enter__(self) -> Workspace: ...
    def __exit__(self, *error: object) -> None: ...
    @property
    def url(self) -> str | None: ...
    @property
    def user(self) -> str: ...
    def sql(self, query: str, params: Sequence[Any] = ..., *, max_rows: int | None = ...) -> pd.DataFrame: ...
    def tables(self) -> Page[TableInfo]: ...
    def serve(self, *, port: int = ..., host: str = ..., open_browser: bool = ...) -> str: ...
    def attach(self, server: Any) -> None: ...
    def subscribe(self, listener: Listener) -> Callable[[], None]: ...
    def live(self, record: Record) -> LiveRecord: ...
    def query(self, call: Callable[..., Any], **arguments: Any) -> LiveQuery: ...
    def fetch(self, record: Record) -> Any: ...
    def get(self, record_type: type[Record], record_id: str) -> Any: ...
    def record_method(self, record: Record, name: str) -> Callable[..., Any] | None: ...
    def close(self) -> None: ...
