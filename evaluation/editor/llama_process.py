"""llama.cpp's own server as a peer: `python -m evaluation.editor.llama_process MODEL THREADS`.

Says its URL in a JSON object on the first line and serves until its input ends. The settings are those that llama.vim
advises (batches of 1,024 tokens, reuse of the cache in pieces of 256); one request at a time.
"""

from __future__ import annotations

import json
import os
import sys

CONTEXT, BATCH, REUSED = 8192, 1024, 256


def main() -> None:
    """Serve until the input ends."""
    path, threads = sys.argv[1], int(sys.argv[2])

    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # where llama.cpp logs to

    def say(answer: dict[str, str]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        import xllamacpp
    except ImportError:
        say({"error": "xllamacpp is not installed: pip install 'duet-assistant[peers]'"})
        return
    settings = xllamacpp.CommonParams()
    settings.model.path = path
    settings.n_ctx, settings.n_batch, settings.n_ubatch = CONTEXT, BATCH, BATCH
    settings.n_cache_reuse, settings.n_parallel, settings.port = REUSED, 1, 0
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(settings)
    say({"url": server.listening_address})
    sys.stdin.read()


if __name__ == "__main__":
    main()
