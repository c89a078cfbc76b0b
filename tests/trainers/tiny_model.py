"""A language model small enough to be made, trained and asked within seconds; written to disk like a real one."""

from tests.trainers.test_openai_fine_tuning import pairs

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|> {{ m['content'] }} {% if m['role'] == 'assistant' %}{{ eos_token }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
RANGE = {"llama": 0.2, "gpt2": 0.1}
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<|user|>", "<|assistant|>", "<|system|>"]


def tiny_model(folder, *, kind="llama", chat=True):
    """Write a randomly initialised model with a tokenizer of whole words; return the folder."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    texts = [text for pair in pairs(60) for text in (pair.prompt, pair.response)]
    words = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.train_from_iterator(
        [*texts, "### Question: Answer: One word. a blue red gray orange green wall"], trainers.WordLevelTrainer(special_tokens=SPECIAL)
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    if chat:
        tokenizer.chat_template = TEMPLATE
    torch.manual_seed(5)
    # Larger than usual, so that a model that was never trained has features an adapter can work with.
    shared = {"initializer_range": RANGE[kind], "vocab_size": len(tokenizer), "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    if kind == "llama":
        sizes = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
        model = LlamaForCausalLM(LlamaConfig(**sizes, num_key_value_heads=2, max_position_embeddings=128, **shared))
    else:
        model = GPT2LMHeadModel(GPT2Config(n_embd=48, n_layer=2, n_head=4, n_positions=128, **shared))
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    return folder
