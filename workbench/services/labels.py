"""Canonical labels: the reusable truth on items, with all its versions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from workbench.contract import UNSET, Deleted, Field, Page, PageNumber, PageSize, command, query
from workbench.domain.blank import told
from workbench.domain.data import limits_told
from workbench.domain.label import mask_of, uses_of
from workbench.domain.labels import CanonicalLabel, FoundLabels, LabelStats, LabelVersion
from workbench.domain.plain import plain
from workbench.domain.record import Action
from workbench.domain.wording import grouped
from workbench.errors import Conflict, InUse, NotFound, WorkbenchError
from workbench.services import label_rights
from workbench.services.becoming import canonical_id
from workbench.services.canonical import VERSION
from workbench.services.decisions import Scope
from workbench.services.review_arguments import REVIEWERS, Barred, Uses
from workbench.services.service import Service
from workbench.services.tag_limits import barred_by
from workbench.store.tables import Records

SheetId = Annotated[str, Field(description="Sheet of the item.")]
ItemName = Annotated[str, Field(min_length=1, max_length=10_000, description="Item it is about.")]
LabelType = Annotated[str, Field(min_length=1, max_length=100, description="Kind of truth.")]
Truth = Annotated[str, Field(min_length=1, max_length=10_000_000, description="The truth."), AfterValidator(told)]
Confidence = Annotated[Literal["low", "medium", "high"], Field(description="How sure it is.")]
Notes = Annotated[str | None, Field(max_length=100_000, description="Remarks.")]


class LabelService(Service):
    """Keep what is known about items, to be reused whenever they come up again."""

    namespace = "labels"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.records = Records(self.db, CanonicalLabel)

    @query("GET", "/canonical-labels", key="canonical_labels", topics=("canonical_labels", "pairs"))
    def list(
        self,
        *,
        sheet_id: Annotated[str | None, Field(description="Only labels of this sheet.")] = None,
        label_type: Annotated[str | None, Field(description="Only this kind of truth.")] = None,
        search: Annotated[str, Field(max_length=1000, description="Part of the label or the item.")] = "",
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[CanonicalLabel]:
        """List the labels, the newest first."""
        parts, params = ["true"], []
        for name, value in (("sheet_id", sheet_id), ("label_type", label_type)):
            if value is not None:
                parts.append(f"{name} = ?")
                params.append(value)
        if search:
            parts.append("contains(lower(label || ' ' || item_ref), lower(?))")
            params.append(search)
        found = self.records.page(" and ".join(parts), params, order="updated_at desc, id", page=page, page_size=page_size)
        offered = {sheet_id: self._offered(sheet_id) for sheet_id in {row["sheet_id"] for row in found.rows}}
        found.rows = [row | {"actions": offered[row["sheet_id"]]} for row in found.rows]
        return found

    @command("POST", "/canonical-labels", roles=REVIEWERS, status=201, label="New label")
    def create(
        self,
        sheet_id: SheetId,
        item_ref: ItemName,
        label: Truth,
        *,
        label_type: Annotated[LabelType, AfterValidator(plain)] = "response",
        confidence: Confidence = "high",
        notes: Notes = None,
        allowed_uses: Uses = None,
        prohibited_uses: Barred = None,
    ) -> CanonicalLabel:
        """State the truth on an item of a sheet, once per kind of truth."""
        sheet = self.app.sheets.live(sheet_id)
        label_id = self._id(sheet_id, item_ref, label_type)
        if self.records.exists(id=label_id):
            raise Conflict(f"{item_ref!r} has a label of type {label_type!r} already. Change that one.", id=label_id, item_ref=item_ref)
        now = self.clock.now()
        made = CanonicalLabel(
            id=label_id,
            sheet_id=sheet_id,
            item_ref=item_ref,
            label_type=label_type,
            label=label,
            confidence=confidence,
            notes=notes,
            labeled_by=self.actor,
            labeled_at=now,
            allowed_uses=allowed_uses,
            prohibited_uses=self._barred(sheet_id, prohibited_uses),
            sample=sheet.sample,
        )
        self._keep_version(made)
        return self._shown(self.records.insert(made))

    @query("GET", "/canonical-labels/lookup", topics=("canonical_labels", "pairs"))
    def lookup(self, sheet_id: SheetId, item_ref: ItemName, *, label_type: LabelType = "response") -> CanonicalLabel:
        """Return the label of one item."""
        found = self.records.list("id = ?", [self._id(sheet_id, item_ref, label_type)])
        if not found:
            raise NotFound(f"Nothing is known about {item_ref!r} as {label_type!r}.", kind="canonical label", id=item_ref)
        return self._shown(found[0])

    @query("POST", "/canonical-labels/bulk-lookup", topics=("canonical_labels", "pairs"))
    def bulk_lookup(
        self,
        sheet_id: SheetId,
        item_refs: Annotated[list[str], Field(max_length=10_000, description="Items to look up.")],
        *,
        label_type: LabelType = "response",
    ) -> FoundLabels:
        """Return the labels of many items, and the items without one."""
        found = self.records.list(
            "sheet_id = ? and label_type = ? and list_contains(?, item_ref)", [sheet_id, label_type, item_refs], order="item_ref"
        )
        known = {label.item_ref for label in found}
        return FoundLabels(labels=found, missing=[item for item in dict.fromkeys(item_refs) if item not in known])

    @query("GET", "/canonical-labels/stats", topics=("canonical_labels", "pairs"))
    def stats(self, *, sheet_id: Annotated[str | None, Field(description="Only labels of this sheet.")] = None) -> LabelStats:
        """Count the labels, their reuse and their versions."""
        where, params = ("sheet_id = ?", [sheet_id]) if sheet_id else ("true", [])
        groups = self.db.tuples(
            "select label_type, count(*), count(*) filter (where reuse_count > 0), sum(reuse_count)::bigint "
            f"from canonical_labels where {where} group by 1 order by 2 desc, 1",
            params,
        )
        versions = self.db.value(
            f"select count(*) from canonical_label_versions where label_id in (select id from canonical_labels where {where})",
            params,
        )
        total, reused, reuses = (sum(row[place] for row in groups) for place in (1, 2, 3))
        return LabelStats(
            total=total,
            reused=reused,
            reuses=reuses,
            versions=versions,
            by_label_type={row[0]: row[1] for row in groups},
            summary=_summary(total, reused, reuses, versions),
            actions=[self._creating(sheet_id)],
        )

    @query("GET", "/canonical-labels/{label_id}", topics=("canonical_labels", "pairs"))
    def get(self, label_id: str) -> CanonicalLabel:
        """Return one label."""
        return self._shown(self.records.get(label_id))

    @command("PUT", "/canonical-labels/{label_id}", roles=REVIEWERS, label="Edit")
    def update(
        self,
        label_id: str,
        *,
        label: Truth = UNSET,
        confidence: Confidence = UNSET,
        notes: Notes = UNSET,
        allowed_uses: Uses = UNSET,
        prohibited_uses: Barred = UNSET,
        version: Annotated[int | None, Field(description="Version you have seen; refused when it is outdated.")] = None,
    ) -> CanonicalLabel:
        """Change a label; another truth becomes a new version of it. Pairs that took it over keep what they have."""
        given = {
            "label": label,
            "confidence": confidence,
            "notes": notes,
            "allowed_uses": allowed_uses,
            "prohibited_uses": prohibited_uses,
        }
        changes = {name: value for name, value in given.items() if value is not UNSET}
        known = self.records.get(label_id)
        if "prohibited_uses" in changes:
            changes["prohibited_uses"] = self._barred(known.sheet_id, prohibited_uses)
        if not changes:
            return self._shown(known)
        if changes.get("label", known.label) != known.label:
            changes |= {"labeled_by": self.actor, "labeled_at": self.clock.now()}
            self._keep_version(known.with_(**changes))
        else:
            self._amend_version(label_id, changes)
        self.records.update(label_id, version, **changes)
        barred = mask_of(self._barred(known.sheet_id, ())) or 0
        scope = Scope("", known.sheet_id, known.label_type, self.actor, self.clock.now(), barred)
        label_rights.follow(self.db, scope, "select $label_id", {"label_id": label_id})
        return self._shown(self.records.get(label_id))

    @command(
        "DELETE", "/canonical-labels/{label_id}", roles=REVIEWERS, label="Delete", confirm="Delete this label and its versions?"
    )
    def delete(self, label_id: str) -> Deleted:
        """Remove a label that no approved pair is linked to."""
        known = self.records.get(label_id)
        linked = self.db.tuples(
            "select training_sheet_id || '.' || row_index from pair_rows where canonical_label_id = ? and status = 'labeled' limit 10",
            [label_id],
        )
        if linked:
            raise InUse(
                f"Approved pairs rely on the label of {known.item_ref!r}. Reset those first.", used_by=[row[0] for row in linked]
            )
        self.db.execute("delete from canonical_label_versions where label_id = ?", [label_id])
        self.records.delete(label_id)
        return Deleted(id=label_id)

    @query("GET", "/canonical-labels/{label_id}/versions", key="versions", topics=("canonical_labels", "pairs"))
    def versions(self, label_id: str, *, page: PageNumber = 1, page_size: PageSize = 50) -> Page[LabelVersion]:
        """List all that was ever the truth on an item, the newest first."""
        with self.db.read():
            total = self.db.value("select count(*) from canonical_label_versions where label_id = ?", [label_id])
            if not total:  # of a label that waits, as nobody approves what it said, there are versions only
                self.records.get(label_id)
            rows = self.db.rows(
                "select label_id, row_number() over (order by number) as number, label, labeled_by, labeled_at, training_sheet_id, "
                "row_index, retracted from canonical_label_versions where label_id = ? order by number desc limit ? offset ?",
                [label_id, page_size, (page - 1) * page_size],
            )
        return Page(LabelVersion, rows, total=total, page=page, page_size=page_size)

    def _shown(self, label: CanonicalLabel) -> CanonicalLabel:
        return label.with_(actions=self._offered(label.sheet_id))

    def _offered(self, sheet_id: str) -> tuple[Action, ...]:
        """Return what the caller may do to a label of a sheet."""
        return self._action("update", said=self._limits(sheet_id)), self._action("delete")

    def _creating(self, sheet_id: str | None) -> Action:
        """Return whether the caller may state another label, of one sheet or of any."""
        if sheet_id is None:
            return self._action("create")
        try:
            self.app.sheets.live(sheet_id)
        except WorkbenchError as error:
            return self._action("create", refused=error.message)
        return self._action("create", said=self._limits(sheet_id))

    def _action(self, name: str, *, said: str | None = None, refused: str | None = None) -> Action:
        """Return an operation as an action: allowed, with what is to be `said` of it, or with the reason why not."""
        operation = self.operations[name]
        missing = None if self.roles & operation.roles else f"Needs the role {' or '.join(sorted(operation.roles))}."
        reason = missing or refused
        return Action(name=name, label=operation.label, enabled=not reason, reason=reason or said, confirm=operation.confirm)

    def _limits(self, sheet_id: str) -> str | None:
        sheet = self.app.sheets.records.find(id=sheet_id)
        return limits_told(sheet.tags, "label") if sheet is not None else None

    def _barred(self, sheet_id: str, wished: Any) -> tuple[str, ...]:
        """Return the uses to prohibit: those wished, and those that the tags of the sheet prohibit anyway."""
        barred = barred_by(self.app.sheets.records.get(sheet_id))
        return uses_of((mask_of(tuple(wished or ())) or 0) | barred) or ()

    def _id(self, sheet_id: str, item_ref: str, label_type: str) -> str:
        return canonical_id(sheet_id, item_ref, label_type)

    def _keep_version(self, said: CanonicalLabel) -> None:
        """Keep what was said by hand, with the rights given to it."""
        columns = VERSION.replace(")", ", allowed_mask, prohibited_mask)")
        self.db.execute(
            f"insert into canonical_label_versions {columns} "
            "values (?, nextval('label_version_numbers'), ?, ?, ?, null, null, null, false, ?, ?, ?)",
            [said.id, said.label, self.actor, self.clock.now(), said.confidence, *(_rights(said.values()).values())],
        )

    def _amend_version(self, label_id: str, changes: dict[str, Any]) -> None:
        """Say something else of the version that stands: how sure it is, or what it may be used for."""
        said = {name: changes[name] for name in ("confidence",) if name in changes} | _rights(changes)
        if said:
            self.db.execute(
                f"update canonical_label_versions set {', '.join(f'{name} = ?' for name in said)} where label_id = ? "
                "and number = (select max(number) from canonical_label_versions where label_id = ? and not retracted)",
                [*said.values(), label_id, label_id],
            )


def _summary(total: int, reused: int, reuses: int, versions: int) -> str:
    if not total:
        return "No label is known yet."
    changed = f", in {grouped(versions)} versions" if versions > total else ""
    known = f"{_counted(total, 'label')} known{changed}"
    if not reused:
        return f"{known}; no pair has taken one over yet."
    return f"{known}; {_counted(reuses, 'pair')} took over {grouped(reused)} of them."


def _counted(count: int, one: str) -> str:
    return f"{grouped(count)} {one}{'' if count == 1 else 's'}"


def _rights(said: dict[str, Any]) -> dict[str, int | None]:
    """Return the rights among some values as masks."""
    found = {f"{side}_mask": said[f"{side}_uses"] for side in ("allowed", "prohibited") if f"{side}_uses" in said}
    return {name: None if uses is None else mask_of(tuple(uses)) for name, uses in found.items()}
