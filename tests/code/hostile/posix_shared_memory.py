# expect: ok; prevented
from pathlib import Path

try:
    Path("/dev/shm/block").write_bytes(bytes(1 << 20))
except OSError as error:
    print("prevented:", error)
else:
    print("ESCAPED")
