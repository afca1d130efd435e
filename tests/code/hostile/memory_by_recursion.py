# expect: memory_limit crashed wrong_exit
import sys

sys.setrecursionlimit(10**9)


def deeper(kept):
    return deeper([kept] * 1000)


deeper(None)
