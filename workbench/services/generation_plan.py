"""Which pairs are asked about, with what words, and what that would take."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from workbench.domain.generate import TrainingSheet
from workbench.domain.providers import GenerationEstimate
from workbench.domain.wording import grouped
from workbench.providers import Request
from workbench.providers.conversation import instruction
from workbench.services.few_shot import examples, key_of_pair
from workbench.services.providers import Target
from workbench.store import Database

UNTOUCHED = "response_source not in ('human_labeled', 'human_verified', 'canonical') and status not in ('labeled', 'rejected')"
CHARS_PER_TOKEN = 4
# What a chat model reads around each turn.
TOKENS_PER_TURN = 4
# A guess at the length of free answers while nothing is known of them.
GUESSED_TOKENS = 200


@dataclass(frozen=True)
class Wish:
    """The pairs wished for. `rows` are ranges, both ends included: a million numbers stay one pair."""

    rows: list[list[int]] | None = None
    failed_in: str | None = None
    overwrite: bool = False
    force: bool = False

    def values(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    def condition(self, training_sheet_id: str) -> tuple[str, list[Any]]:
        """Return the SQL that finds the pairs, and its parameters."""
        parts, params = ["training_sheet_id = ?"], [training_sheet_id]
        if self.rows is not None:
            wanted = "select unnest(generate_series(r[1], r[2])) from (select unnest(?::bigint[][]) as r)"
            parts.append(f"row_index in ({wanted})")
            params.append(self.rows)
        if self.failed_in is not None:
            parts.append("row_index in (select row_index from generated_answers where job_id = ? and outcome = 'failed')")
            params.append(self.failed_in)
        if not self.overwrite:
            parts.append("is_blank(response)")
        if not self.force:
            parts.append(UNTOUCHED)
        return " and ".join(parts), params


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Return numbers as ranges, both ends included."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def counted(db: Database, training_sheet_id: str, wish: Wish) -> int:
    """Return the number of pairs wished for."""
    where, params = wish.condition(training_sheet_id)
    return db.value(f"select count(*) from pair_rows where {where}", params)


def ask_of(db: Database, made: TrainingSheet, target: Target) -> dict[str, Any]:
    """Return all that is said beside the prompt, frozen: a retry says the same."""
    plan = made.template
    assert plan is not None
    found = examples(db, made, plan.few_shot_count)
    return {
        "system": plan.system_instruction,
        "model": target.model,
        "temperature": plan.temperature,
        "max_tokens": plan.max_tokens,
        "choices": [one.name for one in plan.label_classes],
        "fields": [field.values() for field in plan.response_schema],
        "examples": found[: plan.few_shot_count],
        "spare": found[plan.few_shot_count :],
    }


def candidates(
    made: TrainingSheet, wish: Wish, target: Target, ask: dict[str, Any], earlier_jobs: list[str]
) -> tuple[str, list[Any]]:
    """Return SQL for the pairs with the key of each, who is asked for it, and the answer where one is known.

    With a temperature of 0 one question is asked once, however many pairs ask it: `asked_row` is the first.
    """
    where, params = wish.condition(made.id)
    cached = ask["temperature"] == 0
    key, known_by = key_of_pair(target, ask)
    first = "min(row_index) over (partition by key)" if cached else "row_index"
    known = "origin, response, fault, confidence, finish_reason"
    sql = f"""
        with wanted as (
            select row_index, version, item_ref, prompt, {key} as key from pair_rows where {where}
        ), known as (
            select distinct on (key, place) key, place, {known} from (
                select key, row_index as place, 'earlier' as origin, response, fault, confidence, finish_reason, 0 as rank, logged_at
                from generated_answers where list_contains(?, job_id) and outcome <> 'failed'
                union all
                select key, null, 'cache', response, fault, confidence, finish_reason, 1, logged_at
                from generated_answers where {"reusable and outcome = 'good'" if cached else "false"}
            ) order by rank, logged_at desc
        )
        select w.row_index, w.version, w.key, {first.replace("row_index", "w.row_index").replace("by key", "by w.key")} as asked_row,
            w.prompt, w.item_ref, coalesce(e.origin, c.origin) as origin, coalesce(e.response, c.response) as response,
            case when e.origin is null then c.fault else e.fault end as fault,
            coalesce(e.confidence, c.confidence) as confidence, coalesce(e.finish_reason, c.finish_reason) as finish_reason
        from wanted w
        left join known e on e.key = w.key and e.place = w.row_index
        left join known c on c.key = w.key and c.place is null
    """
    return sql, [*known_by, *params, earlier_jobs]


def estimated(db: Database, made: TrainingSheet, target: Target, wish: Wish) -> GenerationEstimate:
    """Return what asking would take."""
    ask = ask_of(db, made, target)
    sql, params = candidates(made, wish, target, ask, [])
    to_ask = "origin is null and row_index = asked_row"
    rows, known, requests, chars = db.tuples(
        f"select count(*), count(*) filter (not ({to_ask})), count(*) filter ({to_ask}), "
        f"coalesce(sum(length(prompt)) filter ({to_ask}), 0) from ({sql})",
        params,
    )[0]
    own = 0 if target.package else _tokens_around(ask)
    tokens_in = int(chars) // CHARS_PER_TOKEN + requests * own
    each = _answer_tokens(db, made, target, ask)
    least, most = math.ceil(requests * each), requests * ask["max_tokens"]
    config = target.config
    cost = _cost(config.price_in, tokens_in, config.price_out, least)
    simulated = config.protocol == "simulated"
    return GenerationEstimate(
        provider=config.name,
        model=target.model,
        simulated=simulated,
        rows=rows,
        known=known,
        requests=requests,
        tokens_in=tokens_in,
        tokens_out=least,
        tokens_out_most=most,
        cost=cost,
        cost_most=_cost(config.price_in, tokens_in, config.price_out, most),
        seconds_least=requests * 60 / config.requests_per_minute if config.requests_per_minute else None,
        examples=len(ask["examples"]),
        summary=_summary(rows, known, requests, tokens_in + least, cost, simulated),
    )


def _summary(rows: int, known: int, requests: int, tokens: int, cost: float | None, simulated: bool) -> str:
    if not rows:
        return "No pair to answer with this choice."
    words = f"{grouped(rows)} pair{'' if rows == 1 else 's'}, {grouped(requests)} request{'' if requests == 1 else 's'}"
    if known:
        words += f" ({grouped(known)} answered without asking)"
    return f"{words}, about {grouped(tokens)} tokens, {_price(cost)}.{' The answers are made up.' if simulated else ''}"


def _price(cost: float | None) -> str:
    if cost is None:
        return "price not known"
    if cost == 0:
        return "free"
    return f"about {grouped(cost, 2)} USD" if cost >= 0.01 else "less than 0.01 USD"


def _tokens_around(ask: dict[str, Any]) -> int:
    said = Request(
        "",
        system=ask["system"],
        choices=tuple(ask["choices"]),
        fields=tuple(ask["fields"]),
    )
    texts = [instruction(said) or "", *(text for one in ask["examples"] for text in one[:2])]
    return sum(math.ceil(len(text) / CHARS_PER_TOKEN) + TOKENS_PER_TURN for text in texts) + TOKENS_PER_TURN


def _answer_tokens(db: Database, made: TrainingSheet, target: Target, ask: dict[str, Any]) -> float:
    """Return the tokens of one answer: as measured, as the answers there are, as the longest choice, or a guess."""
    measured = db.value(
        "select avg(tokens_out) from generated_answers where training_sheet_id = ? and provider = ? and origin = 'asked' "
        "and tokens_out > 0",
        [made.id, target.config.name],
    )
    if measured:
        return measured
    if ask["choices"] and not ask["fields"]:
        return max(math.ceil(len(choice) / CHARS_PER_TOKEN) for choice in ask["choices"])
    written = db.value(
        "select avg(length(response)) from pair_rows where training_sheet_id = ? and not is_blank(response)", [made.id]
    )
    return min(ask["max_tokens"], math.ceil(written / CHARS_PER_TOKEN) if written else GUESSED_TOKENS)


def _cost(price_in: float | None, tokens_in: int, price_out: float | None, tokens_out: int) -> float | None:
    if price_in is None or price_out is None:
        return None
    return round((tokens_in * price_in + tokens_out * price_out) / 1000, 6)
