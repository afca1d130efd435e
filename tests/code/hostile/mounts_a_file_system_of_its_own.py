# expect: ok; prevented
import ctypes
import os
import platform

column = ["x86_64", "aarch64"].index(platform.machine())
calls = {
    "fsopen": (430, b"tmpfs", 0),
    "open_tree": (428, -100, b"/", 0x8001),
    "fspick": (433, -100, b"/tmp", 0),
    "move_mount": (429, -100, b"/tmp", -100, b"/sandbox", 0),
    "mount_setattr": (442, -100, b"/", 0, None, 0),
    "umount2": ((166, 39)[column], b"/tmp", 2),
    "pivot_root": ((155, 41)[column], b"/tmp", b"/tmp"),
    "chroot": ((161, 51)[column], b"/tmp"),
    "unshare": ((272, 97)[column], 0x10000000),
}
libc = ctypes.CDLL(None, use_errno=True)
for name, (number, *arguments) in calls.items():
    refused = libc.syscall(number, *arguments) < 0 and ctypes.get_errno() == 1
    print("prevented" if refused else f"ESCAPED {os.strerror(ctypes.get_errno())}", name)
