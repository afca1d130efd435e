# expect: ok; prevented
import os
import pathlib

pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
texts = []
for pid in pids:
    try:
        texts.append(pathlib.Path(f"/proc/{pid}/environ").read_bytes())
    except OSError:
        continue
print("ESCAPED" if any(b"HOST_ONLY" in text for text in texts) or len(pids) > 3 else "prevented")
