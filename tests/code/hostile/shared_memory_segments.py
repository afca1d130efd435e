# expect: ok; prevented
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("prevented" if libc.shmget(0, 1 << 20, 0o1600) < 0 else "ESCAPED")
