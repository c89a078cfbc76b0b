"""What a language model reads of a pair: prompt and response as tokens, of which only the response is learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.trainers.protocol import Pair

if TYPE_CHECKING:
    import torch

# For models without a chat template. What follows the last line is the answer, ended by the end-of-text token.
PLAIN = "### Question:\n{prompt}\n\n### Answer:\n"
NOT_LEARNED = -100


@dataclass(frozen=True)
class Example:
    """A pair as tokens; the first `prompt` of them are only read."""

    ids: list[int]
    prompt: int
    truncated: bool = False


class Wording:
    """Turn pairs into tokens, with the tokenizer's chat template if it has one, else in the plain form."""

    def __init__(self, tokenizer: Any, *, system: str | None = None, max_length: int = 1024) -> None:
        if tokenizer.eos_token_id is None:
            raise WorkbenchError("The tokenizer has no end-of-text token: the model could not learn where an answer ends.")
        self.tokenizer = tokenizer
        self.system = system
        self.max_length = max_length
        self.pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id

    def prompt(self, text: str) -> list[int]:
        """Return the tokens before an answer."""
        if not self.tokenizer.chat_template:
            begin = [] if self.tokenizer.bos_token_id is None else [self.tokenizer.bos_token_id]
            whole = f"{self.system}\n\n{text}" if self.system else text
            return begin + self._ids(PLAIN.format(prompt=whole))
        return self._ids(self._chat(text))

    def answer(self, text: str) -> list[int]:
        """Return the tokens of an answer, its end included."""
        return [*self._ids(text), self.tokenizer.eos_token_id]

    def example(self, pair: Pair) -> Example:
        """Return a pair as tokens; of one that is too long the beginning of the prompt goes, then the end of the answer."""
        prompt, answer = self.prompt(pair.prompt), self.answer(pair.response)
        room = max(self.max_length - len(answer), min(len(prompt), self.max_length // 4))
        if len(prompt) <= room and len(prompt) + len(answer) <= self.max_length:
            return Example(prompt + answer, len(prompt))
        prompt = prompt[-room:]
        return Example(prompt + answer[: self.max_length - len(prompt)], len(prompt), truncated=True)

    def _chat(self, text: str) -> str:
        turns = [{"role": "user", "content": text}]
        if self.system:
            try:
                return self._templated([{"role": "system", "content": self.system}, *turns])
            except Exception:  # noqa: BLE001  templates that know no system raise whatever they like
                turns = [{"role": "user", "content": f"{self.system}\n\n{text}"}]
        return self._templated(turns)

    def _templated(self, turns: list[dict[str, str]]) -> str:
        return self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def batches(examples: Sequence[Example], order: Sequence[int], size: int) -> Iterator[list[Example]]:
    """Yield the examples in an order, so many at a time."""
    for start in range(0, len(order), size):
        yield [examples[i] for i in order[start : start + size]]


def tensors(batch: Sequence[Example], pad: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return tokens, attention mask and labels, padded at the right; prompt and padding have no label."""
    import torch

    width = max(len(one.ids) for one in batch)
    ids = torch.full((len(batch), width), pad, dtype=torch.long)
    mask = torch.zeros((len(batch), width), dtype=torch.long)
    labels = torch.full((len(batch), width), NOT_LEARNED, dtype=torch.long)
    for row, one in enumerate(batch):
        told = torch.tensor(one.ids, dtype=torch.long)
        ids[row, : len(told)] = told
        mask[row, : len(told)] = 1
        labels[row, one.prompt : len(told)] = told[one.prompt :]
    return ids, mask, labels


def losses(model: Any, batch: Sequence[Example], pad: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return per example the negative log of the probability of its response, its tokens, and whether each was the likeliest.

    Where each token was the likeliest, writing the likeliest token again and again would have given the response.
    """
    import torch

    ids, mask, labels = (part.to(model.device) for part in tensors(batch, pad))
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
    wanted = labels[:, 1:]
    learned = wanted != NOT_LEARNED
    each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), wanted, ignore_index=NOT_LEARNED, reduction="none")
    likeliest = ((logits.argmax(dim=-1) == wanted) | ~learned).all(dim=1)
    return each.sum(dim=1), learned.sum(dim=1), likeliest
