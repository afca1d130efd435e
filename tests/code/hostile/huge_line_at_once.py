# expect: output_limit
import os

os.write(1, bytes(1 << 26))
print("never seen whole")
