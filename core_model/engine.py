"""The engine: requests in, streams of text out, one batch after another.

`_step` reads: schedule → draft → batch → forward → receive. One thread runs it; everything else talks to that
thread through a lock and per-request queues.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace

import numpy as np
import structlog
import torch
from numpy.typing import NDArray

from core_model.batch import Rows, make_batch
from core_model.block_manager import BlockManager
from core_model.decoder import Decoder
from core_model.errors import ContextLengthError, EngineClosedError, RequestError, UnknownAdapterError
from core_model.generating import Generating
from core_model.generation import Generation
from core_model.kv_cache import BLOCK, KVCache
from core_model.lora import LoraAdapter
from core_model.measuring import Measuring
from core_model.requests import Attention, GenerationRequest, Precision
from core_model.scheduler import PREFILL_ALONE, Scheduler, Work
from core_model.sequence import Sequence
from core_model.sparse_attention import NEVER
from core_model.speculation import MAX_DRAFT, StepCost, draft_lengths
from core_model.tokenizer import Tokenizer

log = structlog.get_logger(__name__)


@dataclass
class EngineStatistics:
    """Counted since the start; `running` and `waiting` are of this moment."""

    steps: int = 0
    prompt_tokens: int = 0  # computed, not taken from the cache
    cached_tokens: int = 0
    generated_tokens: int = 0
    drafted_tokens: int = 0  # that rows were spent on
    accepted_tokens: int = 0  # of them
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
        # The text is promised to be the same with drafts: only where a row has the same bits whatever is computed
        # beside it. In few bits, a row may find its own block rounded already, by the rows that filled it.
        self._speculates = decoder.rows_alike and precision == "bf16"
        self._cost = StepCost()
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
        speculate = request.speculate and self._speculates
        sequence = Generating(request, self.tokenizer, generation, budget, sparse_from, speculate)
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
        self._require(adapter)
        if window is None and len(prompt) >= self.config.context:
            raise ContextLengthError(
                f"the prompt has {len(prompt)} tokens; {self.config.name} reads at most "
                f"{self.config.context - 1}. Shorten it, or set a window",
                "prompt",
            )

    def _require(self, adapter: str | None) -> None:
        if adapter is not None and adapter not in self._adapters:
            known = ", ".join(sorted(self._adapters)) or "none"
            raise UnknownAdapterError(f"no adapter '{adapter}' is loaded; loaded: {known}", "adapter")

    def _enqueue(self, sequence: Sequence, extra_tokens: int) -> None:
        sequence.reserved = sequence.blocks_needed(extra_tokens, PREFILL_ALONE + MAX_DRAFT)
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
            self._require(sequence.adapter)  # it may have been removed since it was looked at
            self._statistics.requests += 1
            self._scheduler.waiting.append(sequence)
            self._changed.notify()

    def _measure(self, sequences: list[Measuring]) -> list[Measuring]:
        for sequence in sequences:
            self.check(sequence.tokens, sequence.window, sequence.adapter)
            self._enqueue(sequence, 0)
        return [sequence.result.result() for sequence in sequences]

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
        work = self._with_drafts(work)
        parts = [self._prepare(item) for item in work]
        started = time.perf_counter()
        hidden = self.decoder.hidden(make_batch(parts), self._cache).split([part.outputs for part in parts])
        wanted = [
            own if item.sequence.reads_logits else own[:0] for item, own in zip(work, hidden, strict=True)
        ]
        logits = self.decoder.logits(torch.cat(wanted)).split([len(own) for own in wanted])
        self._cost.observe(sum(len(part.tokens) for part in parts), time.perf_counter() - started)
        for item, own, own_logits in zip(work, hidden, logits, strict=True):
            self._receive(item, own, own_logits)
        self._statistics.steps += 1

    def _prepare(self, item: Work) -> Rows:
        sequence = item.sequence
        if sequence.seat is None:
            sequence.seat = self._manager.take_seat()
            self._cache.vacate(sequence.seat)
        return sequence.prepare(item.count, item.draft, self._manager)

    def _with_drafts(self, work: list[Work]) -> list[Work]:
        """The same work, with as much of what each sequence is likely to go on with as is worth its rows."""
        guesses = [item.sequence.guess() if item.count == item.sequence.left else [] for item in work]
        if not any(guesses):
            return work
        lengths = draft_lengths(guesses, sum(item.count for item in work), self._cost.per_row)
        return [
            replace(item, draft=tuple(guess.token for guess in own[:length]))
            for item, own, length in zip(work, guesses, lengths, strict=True)
        ]

    def _receive(self, item: Work, hidden: torch.Tensor, logits: torch.Tensor) -> None:
        sequence = item.sequence
        before = len(sequence.tokens)
        accepted = sequence.receive(hidden, logits, item.draft)
        with self._changed:
            statistics = self._statistics
            statistics.prompt_tokens += max(0, min(item.count, sequence.prompt_tokens - sequence.computed))
            statistics.generated_tokens += len(sequence.tokens) - before
            statistics.drafted_tokens += len(item.draft)
            statistics.accepted_tokens += accepted
            sequence.advance(item.count + accepted, self._manager)
            if sequence.finished:
                self._scheduler.remove(sequence)
        if sequence.finished:
            sequence.end()

    def _drop_ended(self) -> None:
        """Take out what was cancelled, and what has used up its time."""
        now = time.perf_counter()
        for sequence in [*self._scheduler.running, *self._scheduler.waiting]:
            if sequence.cancelled or sequence.overdue(now):
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
            sequence.end(error)
