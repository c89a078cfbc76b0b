"""Templates and the training sheets that are rendered through them."""

from __future__ import annotations

import param

from workbench.domain.data import DELETED, Finding
from workbench.domain.lifecycle import Lifecycle, Move
from workbench.domain.prompt import parse
from workbench.domain.record import Action, Choice, Items, Json, Nested, Record, Texts, Time
from workbench.domain.wording import TextPiece

TEMPLATE_STATUSES = ["draft", "published", "archived"]
RESPONSE_MODES = ["existing_column", "ai_generated", "manual_labeling"]
TRAINING_SHEET_STATUSES = ["assembling", "ready", "failed", "archived"]
SAMPLES = ["all", "random", "stratified"]

PUBLISH = "Publish this template? It cannot be taken back: from then on only a new version of it can change."
ARCHIVE = "Archive this template? It cannot be brought back, only a new version of it can be made."

TEMPLATE_LIFECYCLE = Lifecycle(
    "template",
    [
        Move("update", "Edit", frozenset({"draft"})),
        Move("publish", "Publish", frozenset({"draft"}), "published", confirm=PUBLISH),
        Move("archive", "Archive", frozenset({"draft", "published"}), "archived", confirm=ARCHIVE),
        Move("version", "New version", frozenset({"published", "archived"}), words="make a new version"),
        Move("delete", "Delete", frozenset({"draft", "archived"}), confirm="Delete this template?"),
    ],
)

TRAINING_SHEET_LIFECYCLE = Lifecycle(
    "training sheet",
    [
        Move("update", "Edit", frozenset({"ready", "archived"})),
        Move("review", "Review", frozenset({"ready"})),
        Move("generate", "Generate answers", frozenset({"ready"})),
        Move("reassemble", "Re-assemble", frozenset({"ready"})),
        Move("train", "Train", frozenset({"ready"})),
        Move("export", "Export", frozenset({"ready", "archived"})),
        Move("archive", "Archive", frozenset({"ready", "failed"}), "archived"),
        Move("restore", "Restore", frozenset({"archived"}), "ready"),
        Move("delete", "Delete", confirm="Delete this training sheet with its reviews? It can be restored."),
    ],
)


class ResponseField(Record):
    """One field an answer must have."""

    kind = "response field"

    name = param.String("", doc="Name of the field.")
    type = Choice(default="string", objects=["string", "number", "boolean", "list", "object"], doc="JSON type of the field.")
    required = param.Boolean(True, doc="True when it may not be left out.")
    options = Items(item_type=str, doc="Allowed values; none: any.")


class LabelClass(Record):
    """One of the answers a reviewer may choose."""

    kind = "label class"

    name = param.String("", doc="Answer.")
    color = param.String(None, allow_None=True, doc="Color of its chip.")
    hotkey = param.String(None, allow_None=True, doc="Key that chooses it.")


class PromptPlan(Record):
    """How a row becomes a prompt and where its answer comes from."""

    kind = "prompt plan"

    name = param.String("", doc="Name of the template.")
    system_instruction = param.String(None, allow_None=True, doc="Instruction that goes before every prompt.")
    prompt_template = param.String("", doc="Text with `{{column}}` placeholders.")
    response_source_mode = Choice(default="existing_column", objects=RESPONSE_MODES, doc="Where answers come from.")
    response_column = param.String(None, allow_None=True, doc="Column with the answers.")
    response_schema = Items(item_type=ResponseField, doc="Fields of a structured answer.")
    model = param.String(None, allow_None=True, doc="Model that writes answers.")
    temperature = param.Number(0.7, bounds=(0, 2), doc="Randomness of written answers.")
    max_tokens = param.Integer(1024, bounds=(1, 32000), doc="Longest written answer.")
    label_type = param.String("response", doc="Kind of truth the answers are; labels are reused within one kind.")
    label_classes = Items(item_type=LabelClass, doc="Closed set of answers.")
    column_mapping = Texts({}, doc="Column by placeholder, where the names differ.")
    few_shot_count = param.Integer(0, bounds=(0, 10), doc="Approved examples put before a prompt.")

    @property
    def closed_answers(self) -> tuple[str, ...]:
        """Return the answers that it names one by one: its classes, and the allowed values of its fields."""
        options = (option for field in self.response_schema for option in field.options)
        return (*(one.name for one in self.label_classes), *options)


class TemplateSnapshot(PromptPlan):
    """The template as it was when a training sheet was made."""

    kind = "template snapshot"

    template_id = param.String(None, allow_None=True, doc="Template it was taken from.")
    template_version = param.String(None, allow_None=True, doc="Version it was taken from.")

    @property
    def opening(self) -> str:
        """Return what every prompt begins with, whatever its row; a prompt that somebody rewrote may not."""
        first = next(iter(parse(self.prompt_template)), None)
        return "" if first is None or first.placeholder is not None else first.text


class Template(PromptPlan):
    """A prompt template with its answer source and label schema."""

    kind = "template"
    table = "templates"
    derived = frozenset({"actions", "placeholders"})
    wire_names = {"semver": "version", "version": "revision"}

    id = param.String("", doc="Identifier.")
    semver = param.String("1.0.0", doc="Version of the text, as people count it.")
    status = Choice(default="draft", objects=TEMPLATE_STATUSES, doc="State; a published one does not change.")
    description = param.String("", doc="What it is for.")
    parent_id = param.String(None, allow_None=True, doc="Template this one is a new version of.")
    sample = param.Boolean(False, doc="True when it belongs to sample data.")
    created_at = Time(None, allow_None=True, doc="When it was made.")
    created_by = param.String(None, allow_None=True, doc="Who made it.")
    updated_at = Time(None, allow_None=True, doc="When it last changed.")
    version = param.Integer(1, doc="Counts the changes.")
    placeholders = Items(item_type=str, doc="Names between braces.")
    actions = Items(item_type=Action, doc="What may be done now.")


class Unplaced(Record):
    """Something of an import that has no place of its own here."""

    kind = "unplaced"

    what = param.String("", doc="What it is.")
    count = param.Integer(0, doc="How often it occurs.")


class ReviewImport(Record):
    """What came in from another tool."""

    kind = "review import"

    id = param.String("", doc="The training sheet that was made.")
    name = param.String("", doc="Name of the training sheet.")
    sheet_id = param.String("", doc="The sheet with the rows.")
    template_id = param.String("", doc="The template of the prompts.")
    format = param.String("", doc="How the records were written.")
    question = param.String(None, allow_None=True, doc="Question whose answers became responses.")
    other_questions = Items(item_type=str, doc="Questions whose answers stay in the rows alone.")
    pairs = param.Integer(0, doc="Pairs that were made.")
    statuses = Json({}, doc="Pairs by state.")
    unplaced = Items(item_type=Unplaced, doc="What has no place of its own; the rows keep it as it was.")
    summary = param.String("", doc="One sentence on what came in.")
    preview = param.Boolean(False, doc="True when nothing was kept.")


class TrainingSheet(Record):
    """A sheet rendered through a frozen template into pairs."""

    kind = "training sheet"
    table = "training_sheets"
    derived = frozenset({"actions", "counts", "sheet_name"})

    id = param.String("", doc="Identifier.")
    name = param.String("", doc="Name, by default that of the sheet with a number.")
    sheet_id = param.String("", doc="Sheet the rows came from.")
    sheet_name = param.String("", doc="Name of that sheet.")
    template_id = param.String(None, allow_None=True, doc="Template it was made with, if a stored one.")
    template = Nested(class_=TemplateSnapshot, default=None, allow_None=True, doc="The template as it was then.")
    status = Choice(default="assembling", objects=[*TRAINING_SHEET_STATUSES, DELETED], doc="State of the training sheet.")
    total_rows = param.Integer(0, doc="Number of pairs.")
    counts = Json({}, doc="Pairs by response_source and by status.")
    filter = param.String(None, allow_None=True, doc="SQL predicate that chose the rows.")
    sampling = Choice(default="all", objects=SAMPLES, doc="How rows were chosen.")
    sample_size = param.Integer(None, allow_None=True, doc="Rows wished from a sample.")
    seed = param.Integer(42, doc="Seed of the sample.")
    overlap = param.Integer(1, bounds=(1, 10), doc="People who review each pair.")
    guidelines = param.String("", doc="Markdown shown to reviewers.")
    error_summary = param.String(None, allow_None=True, doc="Why it failed.")
    sample = param.Boolean(False, doc="True when it was made from sample data.")
    created_at = Time(None, allow_None=True, doc="When it was made.")
    created_by = param.String(None, allow_None=True, doc="Who made it.")
    updated_at = Time(None, allow_None=True, doc="When it last changed.")
    completed_at = Time(None, allow_None=True, doc="When it was ready.")
    deleted_at = Time(None, allow_None=True, doc="When it was deleted; none: it is not.")
    version = param.Integer(1, doc="Counts the changes.")
    actions = Items(item_type=Action, doc="What may be done now.")


class ReassembledPair(Record):
    """One pair as a re-assembly changes it."""

    kind = "reassembled pair"

    row_index = param.Integer(0, doc="The pair.")
    item_ref = param.String("", doc="Item it is about.")
    status = param.String("", doc="State of its review before; empty: it is no pair yet.")
    label = param.String("", doc="What happens to it, in words.")
    prompt_diff = Items(item_type=TextPiece, doc="Words of the prompt that change.")
    response_diff = Items(item_type=TextPiece, doc="Words of the response that change.")


class Reassembly(Record):
    """What a re-assembly did, or would do."""

    kind = "reassembly"

    matched = param.Integer(0, doc="Pairs looked at: all of the training sheet.")
    unchanged = param.Integer(0, doc="Pairs that stay as they are, with their approvals.")
    changed = param.Integer(0, doc="Pairs that change in any way.")
    prompt_changed = param.Integer(0, doc="Pairs that get another prompt.")
    response_changed = param.Integer(0, doc="Pairs whose response follows its column.")
    source_changed = param.Integer(0, doc="Pairs of which only the source row changed, outside the prompt.")
    stale = param.Integer(0, doc="Approvals that go back to review.")
    rerendered = param.Integer(0, doc="Pairs that get another prompt and had no approval.")
    kept_edited = param.Integer(0, doc="Pairs whose prompt a person rewrote; it stays.")
    added = param.Integer(0, doc="Rows that become pairs, at the end.")
    removed = param.Integer(0, doc="Pairs flagged because their row is gone or no longer chosen.")
    skipped = Json({}, doc="Pairs left as they were, counted by reason.")
    template_changes = Items(item_type=str, doc="Parts of the template that differ.")
    template_before = param.String("", doc="Template so far, with its version.")
    template_after = param.String("", doc="Template from now on, with its version.")
    sample = Items(item_type=ReassembledPair, doc="A random few of the pairs that would change.")
    batch_id = param.String(None, allow_None=True, doc="Batch to undo; none: nothing changed.")
    preview_id = param.String(None, allow_None=True, doc="Frozen set a commit may name.")
    expires_at = Time(None, allow_None=True, doc="When the frozen set is forgotten.")
    summary = param.String("", doc="One sentence on what happened.")


class PreviewedPrompt(Record):
    """One row rendered and not stored."""

    kind = "previewed prompt"

    row_index = param.Integer(0, doc="Row of the sheet.")
    item_ref = param.String("", doc="Item the row is about.")
    prompt = param.String("", doc="Finished prompt.")
    response = param.String("", doc="Answer from the response column.")
    segments = Json(None, doc="The prompt in pieces: {text, column}; column is null for plain text.")


class PromptPreview(Record):
    """The first rows of a sheet, rendered and not stored."""

    kind = "prompt preview"

    rows = Items(item_type=PreviewedPrompt, doc="Rendered rows.")
    total = param.Integer(0, doc="Rows that would be rendered.")
    limit = param.Integer(0, doc="Most rows shown.")
    offset = param.Integer(0, doc="Rows skipped.")


class PlanPiece(Record):
    """A piece of a prompt template, with what its placeholder stands for."""

    kind = "plan piece"

    text = param.String("", doc="The words, braces included.")
    placeholder = param.String(None, allow_None=True, doc="Name between the braces; none: plain text.")
    column = param.String(None, allow_None=True, doc="Column the placeholder stands for.")
    known = param.Boolean(True, doc="False when the sheet has no such column.")


class PlanCheck(Record):
    """A plan that may not be stored yet, checked and rendered on a sheet."""

    kind = "plan check"

    valid = param.Boolean(True, doc="True without errors; warnings may remain.")
    pending = param.Boolean(False, doc="True when nothing entered is wrong, but something is still to be filled in.")
    summary = param.String("", doc="One sentence on the outcome.")
    pieces = Items(item_type=PlanPiece, doc="The template in pieces.")
    findings = Items(item_type=Finding, doc="What was found, errors first.")
    missing = Items(item_type=str, doc="Placeholders without a column.")
    available = Items(item_type=str, doc="Columns that placeholders may name.")
    rows = Items(item_type=PreviewedPrompt, doc="The first rows, rendered; none while there are errors.")
    total = param.Integer(None, allow_None=True, doc="Rows of the sheet; none: no sheet was named.")


class ExportedFile(Record):
    """One file an export wrote."""

    kind = "exported file"

    name = param.String("", doc="File name.")
    url = param.String("", doc="Where it can be fetched.")
    rows = param.Integer(0, doc="Number of lines or rows.")
    size = param.Integer(0, doc="Bytes.")
    path = param.String(None, allow_None=True, doc="Where it lies; only told to callers on the same machine.")
    sha256 = param.String("", doc="Checksum of the file.")


class Export(Record):
    """What an export wrote and how it can be made again."""

    kind = "export"

    files = Items(item_type=ExportedFile, doc="The files.")
    manifest = Json(None, doc="Filter, template, reviewers, seed and hashes.")


def next_minor(version: str) -> str:
    """Return the version after a change of text: 1.4.2 -> 1.5.0."""
    major, minor, _patch = (int(part) for part in version.split("."))
    return f"{major}.{minor + 1}.0"


def snapshot_of(template: PromptPlan) -> TemplateSnapshot:
    """Freeze a template, a snapshot or an unsaved plan."""
    values = {name: getattr(template, name) for name in PromptPlan.own_fields()}
    if isinstance(template, Template):
        values |= {"template_id": template.id, "template_version": template.semver}
    return TemplateSnapshot(**values)
