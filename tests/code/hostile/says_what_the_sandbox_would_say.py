# expect: wrong_exit
import sys

print("bwrap: nice try\nprlimit: failed\nsetpriv: no\nMemoryError: quoted\nFile too large", file=sys.stderr)
sys.exit(1)
