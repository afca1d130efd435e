"""Ways for a function to end its program as if all tests had passed, in each language.

`exit` and `exit_at_once` end it with exit code 0, in the orderly way and without; `exit_later` arranges for that and
throws; `forged` writes all that the process can find out about itself to wherever it can write, and ends it.
"""

from __future__ import annotations

_PYTHON_FORGED = """\
import os, sys
known = [*os.environb.values(), *map(os.fsencode, sys.argv), b"\\x1e0", b"ok"]
frame = sys._getframe()
while frame is not None:
    values = [*frame.f_locals.values(), *frame.f_globals.values()]
    known += [repr(value).encode()[:1000] for value in values if type(value) is not list]
    frame = frame.f_back
for action in range(2):
    for descriptor in range(3, 256):
        try:
            os.set_blocking(descriptor, False)
            if action == 0:
                known.append(os.read(descriptor, 65536))
            else:
                os.write(descriptor, b"\\n".join(known) + b"\\n")
        except OSError:
            continue
os._exit(0)"""
_JAVA_FORGED = """\
for (int number = 0; number < 256; number++)
    try (java.io.FileOutputStream out = new java.io.FileOutputStream("/proc/self/fd/" + number)) {
        out.write((String.join("\\n", System.getenv().values()) + "\\n\\n" + (char) 30 + "0\\n").getBytes());
    } catch (Exception ignored) { }
if (true) System.exit(0);"""
_CPP_FORGED = """\
for (const char *name : {"/proc/self/environ", "/proc/self/cmdline", "/proc/self/stat"}) {
    std::ifstream file(name);
    std::stringstream text;
    text << file.rdbuf() << "\\n\\n" << char(30) << 0 << "\\n";
    for (int number = 0; number < 256; ++number)
        if (write(number, text.str().data(), text.str().size()) < 0) continue;
}
_Exit(0);"""
CPP_HEADERS = "".join(
    f"#include <{name}>\n" for name in ("cstdlib", "exception", "fstream", "sstream", "unistd.h")
)
CHEATS = {
    "python": {
        "exit": "raise SystemExit",
        "exit_at_once": "import os; os._exit(0)",
        "exit_later": "import atexit, os; atexit.register(os._exit, 0); raise RuntimeError",
        "forged": _PYTHON_FORGED,
    },
    "java": {
        "exit": "if (true) System.exit(0);",
        "exit_at_once": "if (true) Runtime.getRuntime().halt(0);",
        "exit_later": "Thread.currentThread().setUncaughtExceptionHandler("
        "(thread, error) -> Runtime.getRuntime().halt(0)); if (true) throw new RuntimeException();",
        "forged": _JAVA_FORGED,
    },
    "cpp": {
        "exit": "exit(0);",
        "exit_at_once": "_Exit(0);",
        "exit_later": "std::set_terminate([] { _Exit(0); }); throw 1;",
        "forged": _CPP_FORGED,
    },
}
