"""The engine: requests in, streams of text out, one batch after another.

`step()` reads: schedule → forward → sample → deliver. One thread runs it; everything else talks to that
thread through a lock and per-request queues.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import structlog
import torch
from numpy.typing import NDArray

from core_model.batch import Batch
from core_model.block_manager import BlockManager
from core_model.decoder import Decoder
from core_model.errors import ContextLengthError, EngineClosedError, RequestError, UnknownAdapterError
from core_model.generation import Generation
from core_model.kv_cache import BLOCK, KVCache, Precision
from core_model.lora import LoraAdapter
from core_model.requests import Attention, GenerationRequest
from core_model.scheduler import PREFILL_ALONE, Scheduler, Work
from core_model.sequence import Generating, Measuring, Sequence
from core_model.sparse_attention import NEVER
from core_model.tokenizer import Tokenizer

log = structlog.get_logger(__name__)


@dataclass
class EngineStatistics:
    """Counted since the start; `running` and `waiting` are of this moment."""

    steps: int = 0
    prompt_tokens: int = 0  # computed, not taken from the cache
    cached_tokens: int = 0
    generated_tokens: int = 0
    requests: int = 0
    cancelled: int = 0
    running: int = 0
    waiting: int = 0
    free_blocks: int = 0


class Engine:
    """Runs one decoder for everybody. Thread-safe; close it when done."""

    def __init__(
        self,
        decoder: Decoder,
        tokenizer: Tokenizer,
        cache_tokens: int = 16384,
        max_sequences: int = 16,
        precision: Precision = "bf16",
        sparse_beyond: int = NEVER,
    ) -> None:
        """`precision` is that of keys and values; positions from `sparse_beyond` on attend sparsely."""
        self.decoder = decoder
        self.tokenizer = tokenizer
        self.config = decoder.config
        blocks = max(2, cache_tokens // BLOCK)
        self._cache = KVCache(decoder.config, blocks, decoder.cache_dtype, precision, max_sequences)
        self._sparse_beyond = sparse_beyond
        self._manager = BlockManager(blocks)
        self.max_sequences = max_sequences
        self._scheduler = Scheduler(self._manager, max_sequences)
        self._adapters: dict[str, LoraAdapter] = {}
        self._results: dict[Sequence, Future[Measuring]] = {}
        self._statistics = EngineStatistics()
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="duet-engine", daemon=True)
        self._thread.start()

    def submit(self, request: GenerationRequest) -> Generation:
        """Start a generation. Raises RequestError (or a subclass) if it cannot be served as asked."""
        self.check(request.prompt, request.window, request.adapter)
        generation = Generation()
        budget = request.sampling.max_tokens
        if request.window is None:
            budget = min(budget, self.config.context - len(request.prompt))
        sparse_from = self._sparse_from(request.window, request.attention)
        sequence = Generating(request, self.tokenizer, generation, budget, sparse_from)
        generation.on_cancel(lambda: self._cancel(sequence))
        self._enqueue(sequence, budget)
        return generation

    def score(
        self,
        prompt: list[int],
        continuations: list[list[int]],
        adapter: str | None = None,
        window: int | None = None,
        attention: Attention | None = None,
    ) -> list[float]:
        """Log-likelihood of each continuation of the prompt (sum over its tokens, in nats)."""
        if any(not continuation for continuation in continuations):
            raise RequestError("a continuation to be scored is empty", "continuations")
        sequences = [
            Measuring(
                prompt + continuation,
                window,
                adapter,
                self._sparse_from(window, attention),
                score_from=len(prompt),
            )
            for continuation in continuations
        ]
        return [sum(sequence.logprobs) for sequence in self._measure(sequences)]

    def encode(self, prompts: list[list[int]], adapter: str | None = None) -> NDArray[np.float32]:
        """Last hidden state of each prompt, [prompts, hidden]: what a classification head reads."""
        measured = self._measure(
            [Measuring(list(prompt), None, adapter, self._sparse_from(None, None)) for prompt in prompts]
        )
        return np.stack([sequence.hidden for sequence in measured if sequence.hidden is not None])

    @property
    def adapters(self) -> dict[str, LoraAdapter]:
        """Loaded adapters by name."""
        return dict(self._adapters)

    def add_adapter(self, adapter: LoraAdapter) -> None:
        """Serve an adapter from the next step on. Raises RequestError while one of that name is in use."""
        with self._changed:
            self._refuse_if_used(adapter.name)
            self._manager.forget(adapter.name)
            self.decoder.add_adapter(adapter)
            self._adapters[adapter.name] = adapter

    def remove_adapter(self, name: str) -> None:
        """Stop serving an adapter. Raises UnknownAdapterError, or RequestError while it is in use."""
        with self._changed:
            if name not in self._adapters:
                raise UnknownAdapterError(f"no adapter '{name}' is loaded", "adapter")
            self._refuse_if_used(name)
            self._manager.forget(name)
            self.decoder.remove_adapter(name)
            del self._adapters[name]

    @property
    def statistics(self) -> EngineStatistics:
        """A snapshot."""
        with self._changed:
            return EngineStatistics(
                **{
                    **vars(self._statistics),
                    "running": len(self._scheduler.running),
                    "waiting": len(self._scheduler.waiting),
                    "free_blocks": self._manager.free,
                }
            )

    def cache_bytes_per_token(self, sparse: bool = False) -> float:
        """What a token takes in the cache; with `sparse`, also in the tree of a sequence that attends so."""
        tokens = self._cache.blocks * BLOCK
        return (self._cache.nbytes + (self._cache.tree_nbytes if sparse else 0)) / tokens

    def close(self) -> None:
        """Stop; requests still under way end with EngineClosedError."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _sparse_from(self, window: int | None, attention: Attention | None) -> int:
        """The first position that attends sparsely."""
        if window is not None:
            return NEVER
        return {None: self._sparse_beyond, "sparse": 0, "dense": NEVER}[attention]

    def check(self, prompt: list[int], window: int | None, adapter: str | None = None) -> None:
        """Raise RequestError (or a subclass) where a prompt cannot be read at all."""
        if adapter is not None and adapter not in self._adapters:
            known = ", ".join(sorted(self._adapters)) or "none"
            raise UnknownAdapterError(f"no adapter '{adapter}' is loaded; loaded: {known}", "adapter")
        if window is None and len(prompt) >= self.config.context:
            raise ContextLengthError(
                f"the prompt has {len(prompt)} tokens; {self.config.name} reads at most "
                f"{self.config.context - 1}. Shorten it, or set a window",
                "prompt",
            )

    def _enqueue(self, sequence: Sequence, extra_tokens: int) -> None:
        sequence.reserved = sequence.blocks_needed(extra_tokens, PREFILL_ALONE)
        if sequence.reserved > self._manager.blocks:
            raise ContextLengthError(
                f"{len(sequence.tokens)} prompt tokens and up to {extra_tokens} new ones need more than the "
                f"{self._manager.blocks * BLOCK} tokens of the KV cache; ask for fewer (max_tokens), set a "
                "window, or give the engine a larger cache",
                "max_tokens",
            )
        with self._changed:
            if self._closed:
                raise EngineClosedError("the engine is shut down")
            self._statistics.requests += 1
            self._scheduler.waiting.append(sequence)
            self._changed.notify()

    def _measure(self, sequences: list[Measuring]) -> list[Measuring]:
        futures: list[Future[Measuring]] = []
        for sequence in sequences:
            self.check(sequence.tokens, sequence.window, sequence.adapter)
            futures.append(Future())
            self._results[sequence] = futures[-1]
            self._enqueue(sequence, 0)
        return [future.result() for future in futures]

    def _refuse_if_used(self, name: str) -> None:
        everyone = [*self._scheduler.running, *self._scheduler.waiting]
        if any(sequence.adapter == name for sequence in everyone):
            raise RequestError(f"adapter '{name}' is in use; try again when its requests are done", "adapter")

    def _cancel(self, sequence: Sequence) -> None:
        with self._changed:
            sequence.cancelled = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._drop_ended()
                work = [] if self._closed else self._scheduler.schedule()
                if not work:
                    if self._closed:
                        self._end_all(EngineClosedError("the engine was shut down"))
                        return
                    self._changed.wait()
                    continue
            try:
                self._step(work)
            except Exception as error:
                # Whatever went wrong ends these requests alone; the engine serves on.
                log.exception("engine step failed")
                with self._changed:
                    for item in work:
                        self._fail(item.sequence, error)

    def _step(self, work: list[Work]) -> None:
        batch, rows = self._batch(work)
        hidden = self.decoder.hidden(batch, self._cache)
        with self._changed:
            for item in work:
                item.sequence.advance(item.count, self._manager)
            self._count(work)
        generating = [
            (work[index].sequence, first)
            for index, (first, count) in enumerate(rows)
            if count and isinstance(work[index].sequence, Generating)
        ]
        if generating:
            logits = self.decoder.logits(hidden[[first for _, first in generating]]).numpy()
            for (sequence, _), row in zip(generating, logits, strict=True):
                self._sample(sequence, row)
        for item, (first, count) in zip(work, rows, strict=True):
            if isinstance(item.sequence, Measuring):
                self._read(item, hidden[first : first + count])

    def _batch(self, work: list[Work]) -> tuple[Batch, list[tuple[int, int]]]:
        """The batch, and for each work item where its rows begin in the outputs and how many it has."""
        tokens: list[int] = []
        positions: list[int] = []
        owners: list[int] = []
        slots: list[int] = []
        seats: list[int] = []
        outputs: list[int] = []
        rows: list[tuple[int, int]] = []
        for index, item in enumerate(work):
            sequence, start, end = item.sequence, item.sequence.computed, item.sequence.computed + item.count
            if sequence.seat is None:
                sequence.seat = self._manager.take_seat()
                self._cache.vacate(sequence.seat)
            seats.append(sequence.seat)
            sequence.prepare(item.count, self._manager)
            base = len(tokens)
            tokens += sequence.tokens[start:end]
            positions += range(start, end)
            owners += [index] * item.count
            slots += [sequence.blocks[p // BLOCK] * BLOCK + p % BLOCK for p in range(start, end)]
            first_wanted = sequence.reusable if isinstance(sequence, Measuring) else len(sequence.tokens) - 1
            wanted = range(max(start, first_wanted), end)
            rows.append((len(outputs), len(wanted)))
            outputs += [base + p - start for p in wanted]
        tables = torch.full(
            (len(work), max(len(item.sequence.blocks) for item in work)), -1, dtype=torch.int32
        )
        for row, item in zip(tables, work, strict=True):
            row[: len(item.sequence.blocks)] = torch.tensor(item.sequence.blocks, dtype=torch.int32)

        def int32(values: list[int]) -> torch.Tensor:
            return torch.tensor(values, dtype=torch.int32)

        batch = Batch(
            tokens=int32(tokens),
            positions=int32(positions),
            sequences=int32(owners),
            slots=int32(slots),
            block_tables=tables,
            windows=int32([item.sequence.window or 0 for item in work]),
            adapters=[item.sequence.adapter for item in work],
            outputs=torch.tensor(outputs, dtype=torch.int64),
            seats=int32(seats),
            sparse_from=int32([item.sequence.sparse_from for item in work]),
        )
        return batch, rows

    def _sample(self, sequence: Sequence, logits: NDArray[np.float32]) -> None:
        assert isinstance(sequence, Generating)
        sequence.sample(logits)
        self._statistics.generated_tokens += 1
        if sequence.finished:
            with self._changed:
                self._scheduler.remove(sequence)
            sequence.end()

    def _read(self, item: Work, hidden: torch.Tensor) -> None:
        """Take a measured sequence's outputs; answer when its last token is done."""
        sequence = item.sequence
        assert isinstance(sequence, Measuring)
        if sequence.score_from is not None and len(hidden):
            done = sequence.score_from - 1 + len(sequence.logprobs)
            targets = sequence.tokens[done + 1 : done + 1 + len(hidden)]
            if targets:
                logprobs = self.decoder.logits(hidden[: len(targets)]).log_softmax(-1)
                sequence.logprobs += logprobs[torch.arange(len(targets)), targets].tolist()
        if sequence.computed == len(sequence.tokens):
            sequence.hidden = hidden[-1].numpy().copy()
            with self._changed:
                self._scheduler.remove(sequence)
            self._results.pop(sequence).set_result(sequence)

    def _count(self, work: list[Work]) -> None:
        self._statistics.steps += 1
        for item in work:
            if item.count > 1 or isinstance(item.sequence, Measuring):
                self._statistics.prompt_tokens += item.count

    def _drop_ended(self) -> None:
        """Take out what was cancelled, and what has used up its time."""
        now = time.perf_counter()
        for sequence in [*self._scheduler.running, *self._scheduler.waiting]:
            if isinstance(sequence, Generating) and (sequence.cancelled or sequence.overdue(now)):
                self._scheduler.remove(sequence)
                self._statistics.cancelled += sequence.cancelled
                sequence.finish("cancelled" if sequence.cancelled else "deadline")
                sequence.end()

    def _end_all(self, error: Exception) -> None:
        for sequence in [*self._scheduler.running, *self._scheduler.waiting]:
            self._fail(sequence, error)

    def _fail(self, sequence: Sequence, error: Exception) -> None:
        if sequence in self._scheduler.running or sequence in self._scheduler.waiting:
            self._scheduler.remove(sequence)
        if isinstance(sequence, Generating):
            sequence.end(error)
        elif sequence in self._results:
            self._results.pop(sequence).set_exception(error)
