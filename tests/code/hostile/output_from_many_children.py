# expect: output_limit process_limit
import os

for _ in range(5):
    if os.fork() == 0:
        while True:
            os.write(1, b"x" * 4096)
os.wait()
