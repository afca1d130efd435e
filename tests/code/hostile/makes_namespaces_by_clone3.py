# expect: ok; prevented
import ctypes
import errno
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)
for flag in (0x10000000, 0x10020000, 0x40000000, 0x80):
    arguments = ctypes.create_string_buffer(struct.pack("=8Q", flag, 0, 0, 0, 17, 0, 0, 0))
    child = libc.syscall(435, arguments, ctypes.c_size_t(64))
    if child == 0:
        os._exit(0)
    print("prevented" if child < 0 and ctypes.get_errno() == errno.ENOSYS else "ESCAPED")
