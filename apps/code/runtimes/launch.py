"""Runs the program beside it as `__main__`, and tells the sandbox which refusal of the kernel ended it, by its type."""

import sys


def _launch(path: str) -> None:
    import errno
    import os
    import types

    status = int(os.environ.get("DUET_STATUS", -1))
    files = {errno.EFBIG, errno.ENOSPC, errno.EMFILE, errno.ENFILE}
    show = sys.excepthook

    def tell(kind: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
        letter = b""
        if isinstance(error, MemoryError):
            letter = b"m"
        elif isinstance(error, OSError):
            letter = {errno.ENOMEM: b"m", errno.EAGAIN: b"p"}.get(error.errno or 0, b"")
            letter = b"f" if error.errno in files else letter
        if letter and status >= 0:
            os.write(status, letter)
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        show(kind, error, trace)

    sys.excepthook = tell
    sys.argv = [path, *sys.argv[2:]]
    sys.path[:0] = [os.path.dirname(path)]
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    main = types.ModuleType("__main__")
    main.__file__ = path
    sys.modules["__main__"] = main
    exec(code, main.__dict__)


if __name__ == "__main__":
    _launch(sys.argv[1])
