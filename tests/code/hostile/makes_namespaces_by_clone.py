# expect: ok; prevented
import ctypes
import os
import platform

number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
libc = ctypes.CDLL(None, use_errno=True)
flags = {"user": 0x10000000, "mount": 0x20000, "network": 0x40000000, "pid": 0x20000000, "cgroup": 0x2000000}
for name, flag in flags.items():
    for together in (flag, flag | flags["user"]):
        child = libc.syscall(number, ctypes.c_ulong(together | 17), None, None, None, None)
        if child == 0:
            os._exit(0)
        print("prevented" if child < 0 else "ESCAPED", name)
