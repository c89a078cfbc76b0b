"""Templates and training sheets."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.domain.prompt import render
from workbench.errors import Conflict, InUse, InvalidTransition, NotFound, ValidationError

ROWS = [
    {
        "id": f"i{n}",
        "q": f"what {n} {{{{a}}}}",
        "a": None if n % 10 == 9 else f"answer {n}",
        "group": "xy"[n % 4 == 0],
        "f": n / 4,
    }
    for n in range(40)
]
TEXT = "Q: {{ q }} ({{group}}, {{f}}) A={{a}}"


@pytest.fixture
def sheet(ws: Any) -> Any:
    return ws.sheets.create("rows", rows=ROWS, item_id_column="id", sample=True)


@pytest.fixture
def template(ws: Any) -> Any:
    return ws.templates.create("ask", TEXT, response_column="a", system_instruction="Be brief.")


def test_prompts_are_rendered_once_and_alike_in_sql_and_python(ws: Any, sheet: Any, template: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template_id=template.id)
    rows = ws.training_sheets.preview(made.id, limit=100).rows

    assert [row["prompt"] for row in rows] == [render(TEXT, row) for row in ROWS]
    assert rows[0]["prompt"] == "Q: what 0 {{a}} (y, 0.0) A=answer 0"
    assert rows[9]["prompt"].endswith("A=")
    assert [row["row_index"] for row in rows] == list(range(40))
    assert [row["item_ref"] for row in rows] == [row["id"] for row in ROWS]


def test_counts_and_facts(ws: Any, sheet: Any, template: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template_id=template.id, guidelines="# Look")

    assert (made.name, made.status, made.total_rows, made.sample, made.overlap) == ("rows #1", "ready", 40, True, 1)
    assert made.counts["response_source"] == {
        "empty": 4, "imported": 36, "ai_generated": 0, "human_labeled": 0, "human_verified": 0, "canonical": 0,
    }  # fmt: skip
    assert made.counts["status"]["unlabeled"] == 40
    assert (made.template.system_instruction, made.template.template_version) == ("Be brief.", "1.0.0")
    assert ws.training_sheets.assemble(sheet.id, template_id=template.id).name == "rows #2"
    assert [t.name for t in ws.training_sheets.list(sheet_id=sheet.id)] == ["rows #1", "rows #2"]


def test_manual_labeling_starts_empty(ws: Any, sheet: Any) -> None:
    plan = {"prompt_template": "{{q}}", "response_source_mode": "manual_labeling"}
    made = ws.training_sheets.assemble(sheet.id, template=plan)

    assert made.counts["response_source"]["empty"] == 40


def test_random_samples_are_repeatable(ws: Any, sheet: Any, template: Any) -> None:
    def picked(seed: int) -> list[str]:
        made = ws.training_sheets.assemble(sheet.id, template_id=template.id, sample="random", sample_size=10, seed=seed)
        return [row["item_ref"] for row in ws.training_sheets.preview(made.id).rows]

    assert picked(1) == picked(1) != picked(2)
    assert len(set(picked(1))) == 10


def test_stratified_samples_keep_the_shares(ws: Any, sheet: Any, template: Any) -> None:
    made = ws.training_sheets.assemble(
        sheet.id, template_id=template.id, sample="stratified", sample_size=20, stratify_by="group"
    )
    prompts = [row["prompt"] for row in ws.training_sheets.preview(made.id, limit=100).rows]

    assert (len(prompts), sum("(y," in prompt for prompt in prompts)) == (20, 5)


def test_a_stratified_sample_without_a_column_says_which_there_are(ws: Any, sheet: Any) -> None:
    plan = {"prompt_template": "{{q}}", "response_source_mode": "manual_labeling"}
    for wished, words in ((None, "is missing: .* Name a column: .*group"), ("grup", "is no column .* Did you mean 'group'")):
        with pytest.raises(ValidationError, match=f"stratify_by: {words}"):
            ws.training_sheets.assemble(sheet.id, template=plan, sample="stratified", sample_size=9, stratify_by=wished)


def test_a_filter_chooses_rows(ws: Any, sheet: Any, template: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template_id=template.id, filter="\"group\" = 'y' and f < 5")
    rows = ws.training_sheets.preview(made.id).rows

    assert [(row["row_index"], row["item_ref"]) for row in rows] == [(0, "i0"), (1, "i4"), (2, "i8"), (3, "i12"), (4, "i16")]


def test_a_size_alone_means_a_random_sample(ws: Any, sheet: Any, template: Any) -> None:
    alone = ws.training_sheets.assemble(sheet.id, template_id=template.id, sample_size=10)
    named = ws.training_sheets.assemble(sheet.id, template_id=template.id, sample="random", sample_size=10)

    assert ("random", 10, 10) == (alone.sampling, alone.sample_size, alone.total_rows)
    assert ws.training_sheets.preview(alone.id).rows == ws.training_sheets.preview(named.id).rows


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"filter": "nosuch = 1"}, "filter"),
        ({"filter": "f > 1000"}, "filter"),
        ({"filter": "cast(q as int) > 1"}, "filter"),
        ({"sample": "random"}, "sample_size"),
        ({"sample": "all", "sample_size": 3}, "sample_size"),
        ({"template": {"prompt_template": "{{nosuch}}", "response_column": "a"}}, "prompt_template"),
        ({"template": {"prompt_template": "{{q}}"}}, "response_column"),
        ({"template": {"prompt_template": "{{q}}", "response_column": "b"}}, "response_column"),
        ({"template": {"prompt_template": " ", "response_column": "a"}}, "prompt_template"),
    ],
)
def test_bad_wishes_make_nothing(ws: Any, sheet: Any, template: Any, options: Any, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ws.training_sheets.assemble(sheet.id, **({} if "template" in options else {"template_id": template.id}), **options)

    assert field in {fault["field"].split(".")[-1] for fault in caught.value.context["fields"]}
    assert ws.training_sheets.list().total == 0
    assert ws.sql("select count(*) as n from pairs")["n"][0] == 0


def test_missing_and_available_names_are_listed(ws: Any, sheet: Any) -> None:
    template = ws.templates.create("t", "{{ question }}", response_source_mode="manual_labeling")
    with pytest.raises(ValidationError) as caught:
        ws.sheets.attach_template(sheet.id, template.id)
    assert caught.value.context["missing"] == ["question"]
    assert caught.value.context["available"] == ["id", "q", "a", "group", "f"]

    mapped = ws.templates.update(template.id, column_mapping={"question": "q"})
    assert ws.sheets.attach_template(sheet.id, mapped.id).template_id == template.id
    assert ws.sheets.validate(sheet.id).valid


def test_preview_marks_what_came_from_where(ws: Any, sheet: Any) -> None:
    found = ws.templates.preview(sheet.id, template={"prompt_template": "Q {{q}}!", "response_column": "a"}, limit=1)

    assert found.rows[0].segments == [
        {"text": "Q ", "column": None}, {"text": "what 0 {{a}}", "column": "q"}, {"text": "!", "column": None},
    ]  # fmt: skip
    assert (found.rows[0].prompt, found.rows[0].response, found.total) == ("Q what 0 {{a}}!", "answer 0", 40)


def test_template_versions(ws: Any, template: Any) -> None:
    with pytest.raises(Conflict):
        ws.templates.create("ask", "x", response_column="a")
    with pytest.raises(InvalidTransition):
        ws.templates.version(template.id)
    ws.templates.publish(template.id)
    for call in (lambda: ws.templates.update(template.id, name="x"), lambda: ws.templates.delete(template.id)):
        with pytest.raises(InvalidTransition):
            call()

    draft = ws.templates.version(template.id)
    assert (draft.semver, draft.status, draft.parent_id, draft.name) == ("1.1.0", "draft", template.id, "ask")
    assert ws.templates.version(template.id).semver == "1.2.0"
    ws.templates.delete(draft.id)
    assert ws.templates.list(search="ASK").total == 2
    asked = {action.name: action.confirm for action in template.actions}
    assert asked["publish"] and asked["archive"], "neither can be taken back"


def test_a_check_sets_thousands_apart_as_everything_does(ws: Any) -> None:
    many = ws.sheets.create("many", rows=[{"q": f"q{n}", "a": "x"} for n in range(1200)])

    found = ws.templates.check({"prompt_template": "{{q}}", "response_column": "a"}, sheet_id=many.id)

    assert found.summary == "Fits many: 1 placeholder, 1\u202f200 rows."


def test_versions_of_a_template_are_ordered_as_numbers_and_come_in_pages(ws: Any, template: Any) -> None:
    ws.templates.publish(template.id)
    for _ in range(10):
        ws.templates.version(template.id)

    pages = [ws.templates.versions(template.id, page=page, page_size=5) for page in (1, 2, 3)]

    assert [[one.semver for one in page] for page in pages] == [
        ["1.10.0", "1.9.0", "1.8.0", "1.7.0", "1.6.0"], ["1.5.0", "1.4.0", "1.3.0", "1.2.0", "1.1.0"], ["1.0.0"],
    ]  # fmt: skip
    assert {page.total for page in pages} == {11}


def test_template_bounds(ws: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        ws.templates.create("t", "x", response_column="a", temperature=3, max_tokens=0, few_shot_count=11)
    assert {fault["field"] for fault in caught.value.context["fields"]} == {"temperature", "max_tokens", "few_shot_count"}


def test_delete_and_restore(ws: Any, sheet: Any, template: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template_id=template.id)
    ws.training_sheets.delete(made.id)
    assert ws.training_sheets.list().total == 0
    with pytest.raises(NotFound):
        ws.training_sheets.preview(made.id)
    assert ws.training_sheets.get(made.id).status == "deleted"
    back = ws.training_sheets.restore(made.id)
    assert (back.total_rows, back.status) == (40, "ready")


def test_what_a_job_uses_stays(local: Any) -> None:
    sheet = local.sheets.create("rows", rows=ROWS)
    made = local.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "a"})
    db = local.transport.app.db
    with db.write():
        columns = {row["column_name"]: row["column_type"] for row in db.rows("describe jobs")}
        values = {
            name: "timestamp '2026-01-01'" if kind == "TIMESTAMP" else "false" if kind == "BOOLEAN" else "0"
            for name, kind in columns.items()
        }
        values |= {"id": "'job_1'", "spec": f"""'{{"training_sheet_id": "{made.id}"}}'"""}
        db.execute(f"insert into jobs ({', '.join(values)}) select {', '.join(values.values())}")

    for call in (lambda: local.training_sheets.delete(made.id), lambda: local.sheets.delete(sheet.id)):
        with pytest.raises(InUse) as caught:
            call()
        assert caught.value.context["used_by"] == ["job_1"]


def test_a_template_and_the_name_of_one_are_not_both_taken(ws: Any, sheet: Any, template: Any) -> None:
    plan = {"prompt_template": TEXT, "response_column": "a"}
    for call in (ws.training_sheets.assemble, ws.templates.preview):
        with pytest.raises(ValidationError, match="template_id: goes with no template"):
            call(sheet.id, template=plan, template_id=template.id)


def test_a_draft_may_lack_its_response_column_until_it_is_used(ws: Any, sheet: Any) -> None:
    draft = ws.templates.create("later", "{{q}}")

    for call in (
        lambda: ws.templates.publish(draft.id),
        lambda: ws.sheets.attach_template(sheet.id, draft.id),
        lambda: ws.training_sheets.assemble(sheet.id, template_id=draft.id),
    ):
        with pytest.raises(ValidationError, match="response_column: is missing"):
            call()
    assert not ws.templates.validate(draft.id).valid
    ws.templates.update(draft.id, response_column="a")
    assert ws.templates.publish(draft.id).status == "published"


def test_placeholders_in_a_system_instruction_are_told_of(ws: Any, sheet: Any) -> None:
    made = ws.templates.create("you", "{{q}}", response_column="a", system_instruction="You know {{q}} and {{ a }}.")
    words = "is the same for all rows: {{q}}, {{a}} stays as it stands. Fill in columns in the prompt template"
    plan = {"prompt_template": "{{q}}", "response_column": "a", "system_instruction": made.system_instruction}

    for found in (
        ws.templates.validate(made.id),
        ws.templates.validate(made.id, sheet_id=sheet.id),
        ws.templates.check(plan, sheet_id=sheet.id),
        ws.templates.check(plan),
    ):
        assert found.valid
        assert [(f.level, f.field, f.message) for f in found.findings][:1] == [("warning", "system_instruction", words)]
    begun = ws.templates.check(plan | {"response_column": None}, entered=["prompt_template"])
    assert (begun.valid, begun.pending, begun.findings) == (False, True, ())
    assert begun.summary == "Still to fill in: response column."
    publish = next(action for action in made.actions if action.name == "publish")
    assert publish.confirm.endswith(f"a new version of it can change. Its system instruction {words}.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What is it?", "every row gets the same prompt"),
        ("{{q}", "braces that stay as they stand"),
        ("{{q}} or {q}}", "braces that stay as they stand"),
        ("{q} {{q}} {", None),
    ],
)
def test_a_prompt_that_fills_nothing_is_told_of(ws: Any, sheet: Any, text: str, words: str | None) -> None:
    made = ws.templates.create("odd", text, response_column="a")

    for found in (ws.templates.validate(made.id), ws.templates.validate(made.id, sheet_id=sheet.id)):
        told = [(f.level, f.message) for f in found.findings if f.field == "prompt_template"]
        assert found.valid
        assert [level for level, _ in told] == ([] if words is None else ["warning"])
        assert all(words in message for _, message in told)


def test_a_deleted_template_is_told_of_where_it_was_attached(ws: Any, sheet: Any, template: Any) -> None:
    ws.sheets.attach_template(sheet.id, template.id)
    ws.templates.delete(template.id)

    for call in (ws.training_sheets.assemble, ws.templates.preview, ws.sheets.validate):
        with pytest.raises(ValidationError, match="the attached template is deleted; attach or name another"):
            call(sheet.id)
    with pytest.raises(NotFound):
        ws.training_sheets.assemble(sheet.id, template_id=template.id)


def test_a_mapping_to_no_column_names_the_column(ws: Any, sheet: Any) -> None:
    plan = {"prompt_template": "{{x}}", "response_column": "a", "column_mapping": {"x": "gruop"}}
    with pytest.raises(ValidationError, match="{{x}} stands for 'gruop', which is no column. Did you mean 'group'"):
        ws.training_sheets.assemble(sheet.id, template=plan)


def test_a_sheet_without_a_template_is_not_called_valid(ws: Any, sheet: Any) -> None:
    found = ws.sheets.validate(sheet.id)

    assert (found.valid, [f.field for f in found.findings]) == (False, ["template_id"])


def test_a_name_of_blanks_names_nothing(ws: Any, sheet: Any) -> None:
    plan = {"prompt_template": TEXT, "response_column": "a"}
    made = ws.training_sheets.assemble(sheet.id, template=plan)

    for call in (
        lambda: ws.training_sheets.assemble(sheet.id, name=" \u200b", template=plan),
        lambda: ws.training_sheets.update(made.id, name="\n"),
        lambda: ws.templates.create("  ", TEXT, response_column="a"),
    ):
        with pytest.raises(ValidationError, match="name: is blank"):
            call()


def test_refusals_are_sentences(ws: Any, sheet: Any, template: Any) -> None:
    with pytest.raises(InvalidTransition, match="Cannot make a new version: the template is draft."):
        ws.templates.version(template.id)
    with pytest.raises(ValidationError, match="name: String should have at most 200 characters."):
        ws.templates.create("x" * 300, TEXT)
    ws.sheets.publish(sheet.id)
    ws.templates.publish(template.id)
    with pytest.raises(InvalidTransition, match="Cannot change a row: the sheet is published."):
        ws.sheets.update_row(sheet.id, 0, {"q": "x"})
    with pytest.raises(InvalidTransition, match="Cannot publish a template that is published."):
        ws.templates.publish(template.id)
    with pytest.raises(ValidationError, match=r"Did you mean 'name'\?$"):
        ws.sheets.update(sheet.id, nam="x")


MAPPINGS = ["abc", ["a"], 7, {"a": 5}, {"a": ["b"]}, {"zz": float("nan")}]


@pytest.mark.parametrize("mapping", MAPPINGS, ids=repr)
def test_a_plan_maps_text_to_text(ws: Any, sheet: Any, template: Any, mapping: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template_id=template.id)
    plan = {"prompt_template": "{{a}}", "response_column": "a", "column_mapping": mapping}

    for call in (
        lambda: ws.training_sheets.assemble(sheet.id, template=plan),
        lambda: ws.templates.preview(sheet.id, template=plan),
        lambda: ws.templates.check(plan, sheet_id=sheet.id),
        lambda: ws.training_sheets.reassemble(made.id, template=plan),
    ):
        with pytest.raises(ValidationError) as caught:
            call()
        assert all(fault["field"].startswith("template.column_mapping") for fault in caught.value.context["fields"])
    assert 40 == ws.sql("select count(*) as n from pairs")["n"][0]


def test_a_plan_that_is_not_stored_has_to_hold_what_a_stored_one_holds(ws: Any, sheet: Any, template: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template_id=template.id)
    doubled = {"label_type": "", "label_classes": [{"name": "x"}, {"name": "x"}]}
    plan = {"prompt_template": "{{a}}", "response_column": "a", **doubled}

    for call in (
        lambda: ws.training_sheets.assemble(sheet.id, template=plan),
        lambda: ws.templates.preview(sheet.id, template=plan),
        lambda: ws.training_sheets.reassemble(made.id, template=plan),
    ):
        with pytest.raises(ValidationError) as caught:
            call()
        assert ["label_classes", "label_type"] == sorted(fault["field"] for fault in caught.value.context["fields"])
    found = ws.templates.check(plan, sheet_id=sheet.id)
    assert (False, ["label_classes", "label_type"]) == (found.valid, sorted(f.field for f in found.findings))


def test_pairs_of_an_assembly_that_fails_at_its_end_do_not_stay(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = local.sheets.create("rows", rows=ROWS)

    def broken(*given: Any) -> None:
        raise RuntimeError("The disk is full.")

    monkeypatch.setattr("workbench.services.assembling.count_reuse", broken)
    with pytest.raises(Exception, match=r"disk is full|went wrong"):
        local.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "a"})

    assert (0, 0) == tuple(local.transport.app.db.value(f"select count(*) from {t}") for t in ("pair_rows", "training_sheets"))
