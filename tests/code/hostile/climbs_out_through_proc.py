# expect: ok; prevented
import os

seen = []
for way in ("/proc/1/root", "/proc/1/cwd", "/proc/self/root", "/proc/self/cwd/../.."):
    try:
        seen += os.listdir(way + "/home")
    except OSError:
        continue
print("ESCAPED" if seen else "prevented")
