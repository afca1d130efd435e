from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from core_model import LLMForCausalLM, LoraConfig, Trainer, TrainingArguments, get_peft_model
from core_model.training.errors import RecipeError, TrainingDataError
from core_model.training.losses import ChunkedCrossEntropy

README = Path(__file__).parents[2] / "README.md"
HELLO = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]


def snippet(word: str) -> str:
    """The README's Python block with this word."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if word in block]
    return found


def test_the_readmes_training_runs_and_the_engine_serves_what_it_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet("get_peft_model"), "README.md", "exec"), {})
    assert capsys.readouterr().out.rstrip().endswith("At six.")
    assert (tmp_path / "opening-hours" / "adapter_model.safetensors").is_file()


@pytest.fixture
def llm(random_model: Path, tmp_path: Path) -> LLMForCausalLM:
    """A tiny model with a chat template."""
    folder = tmp_path / "base"
    shutil.copytree(random_model, folder)
    template = "{% for message in messages %}{{ message.content }}<|end|>{% endfor %}"
    settings = {"eos_token": "<|end|>", "chat_template": template}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return LLMForCausalLM.from_pretrained(folder, weights="fp32", home=tmp_path / "home")


def test_the_served_logits_are_those_of_the_trained_model(llm: LLMForCausalLM, tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = get_peft_model(llm, LoraConfig(r=1, lora_alpha=2, target_modules=["q_proj", "v_proj"]))
    arguments = TrainingArguments(
        output_dir=str(tmp_path), learning_rate=0.1, num_train_epochs=5, report_to=[], disable_tqdm=True
    )
    Trainer(model, arguments, [HELLO]).train()
    model.save_pretrained(str(tmp_path / "greeter"))
    llm.load_adapter(tmp_path / "greeter")
    prompt = llm.engine.tokenizer.encode_chat(HELLO[:1])
    with torch.inference_mode():
        expected = model.eval()(input_ids=torch.tensor([prompt])).logits[0, -1].float()
    answer = llm.generate(HELLO[:1], adapter="greeter", temperature=0, max_tokens=1)
    first = llm.engine.tokenizer.decode([int(expected.argmax())])
    assert answer in (first, "")  # "" is an end token
    llm.close()


def test_accumulated_gradients_are_those_of_the_batch_they_make_up(
    llm: LLMForCausalLM, tmp_path: Path
) -> None:
    longer = [HELLO[0], {"role": "assistant", "content": "a longer answer"}]

    def trained(rows: int, accumulated: int) -> dict[str, torch.Tensor]:
        with torch.random.fork_rng():
            torch.manual_seed(1)
            model = get_peft_model(llm, LoraConfig(r=1, lora_alpha=2, target_modules=["q_proj"]))
        arguments = TrainingArguments(
            output_dir=str(tmp_path),
            per_device_train_batch_size=rows,
            gradient_accumulation_steps=accumulated,
            learning_rate=0.01,
            num_train_epochs=1,
            optim="sgd",
            max_grad_norm=0,
            report_to=[],
            disable_tqdm=True,
        )
        Trainer(model, arguments, [HELLO, longer]).train()
        return {name: tensor for name, tensor in model.named_parameters() if "lora_B" in name}

    together, one_by_one = trained(2, 1), trained(1, 2)
    for name, tensor in together.items():
        assert tensor.abs().max() > 0
        torch.testing.assert_close(one_by_one[name], tensor, rtol=0.1, atol=1e-6)  # the base is in bfloat16
    llm.close()


def test_too_many_pairs_are_refused_with_the_rank_that_fits(llm: LLMForCausalLM) -> None:
    with pytest.raises(RecipeError, match=r"rank 64 makes .* use rank \d"):
        get_peft_model(llm, LoraConfig(r=64, target_modules="all-linear"))
    llm.close()


def test_without_conversations_there_is_nothing_to_train_on(llm: LLMForCausalLM) -> None:
    model = get_peft_model(llm, LoraConfig(r=1, target_modules=["q_proj"]))
    with pytest.raises(TrainingDataError, match="train_dataset"):
        Trainer(model, None, [])
    llm.close()


@pytest.mark.parametrize("rows_at_once", [1, 5, 100])
def test_chunked_cross_entropy_is_the_plain_one_with_its_gradient(rows_at_once: int) -> None:
    hidden, head = torch.randn(17, 8, requires_grad=True), torch.randn(50, 8)
    targets = torch.randint(50, (17,))
    weights = torch.randn(17)  # rows may count differently, as they do in a loss on preferences
    plain = F.cross_entropy(hidden @ head.T, targets, reduction="none")
    (expected,) = torch.autograd.grad((plain * weights).sum(), hidden)
    losses = ChunkedCrossEntropy.apply(hidden, head, targets, rows_at_once)
    (gradient,) = torch.autograd.grad((losses * weights).sum(), hidden)
    torch.testing.assert_close(losses, plain)
    torch.testing.assert_close(gradient, expected)
