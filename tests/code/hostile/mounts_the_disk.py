# expect: ok; prevented
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("prevented" if libc.mount(b"proc", b"/tmp", b"proc", 0, None) != 0 else "ESCAPED")
