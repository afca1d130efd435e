"""llama.cpp as a peer: a JSON object a line in, one out. `python -m evaluation.editor.llama_process MODEL THREADS`.

The prompt is that of its own server for /infill: prefix, suffix, middle; of a batch of 1,024 tokens, which llama.vim
advises, three quarters are for what stands before the cursor and the rest for what stands after it. Greedy, no grammar;
a beginning that it has in its cache is used again. A suggestion for the rest of a line ends with the line.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

CONTEXT = 4096
BATCH = 1024


def prompt(model: Any, prefix: str, suffix: str) -> list[int]:
    """Tokens as llama.cpp's server makes them (tools/server, format_infill)."""
    before = model.tokenize(prefix.encode(), add_bos=False, special=False)
    after = model.tokenize(suffix.encode(), add_bos=False, special=False)
    before = before[-(3 * BATCH // 4 - 3) :]
    after = after[: max(0, BATCH // 4 - 2)]
    mark = {name: model.tokenize(f"<|fim_{name}|>".encode(), add_bos=False, special=True) for name in _PARTS}
    return [*mark["prefix"], *before, *mark["suffix"], *after, *mark["middle"]]


_PARTS = ("prefix", "suffix", "middle")


def suggest(model: Any, prefix: str, suffix: str, block: bool, max_tokens: int) -> str:
    """What the model writes, greedily, until it ends or the line does."""
    text = b""
    for count, token in enumerate(model.generate(prompt(model, prefix, suffix), temp=0.0), 1):
        if token == model.token_eos() or model._model.token_is_eog(token):
            break
        text += model.detokenize([token], special=False)
        if (not block and b"\n" in text) or count == max_tokens:
            break
    written = text.decode("utf-8", "ignore")
    return written if block else written.partition("\n")[0]


def main() -> None:
    """Answer until the input ends."""
    path, threads = sys.argv[1], int(sys.argv[2])

    def say(answer: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()

    try:
        from llama_cpp import Llama
    except ImportError:
        say({"error": "llama-cpp-python is not installed: pip install 'duet-assistant[peers]'"})
        return
    model = Llama(
        path, n_ctx=CONTEXT, n_batch=BATCH, n_threads=threads, n_threads_batch=threads, verbose=False
    )
    say({"ready": True})
    for line in sys.stdin:
        started = time.perf_counter()
        text = suggest(model, **json.loads(line))
        say({"text": text, "seconds": time.perf_counter() - started})


if __name__ == "__main__":
    main()
