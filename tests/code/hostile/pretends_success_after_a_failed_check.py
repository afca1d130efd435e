# expect: wrong_exit
import sys

print("all tests passed")
sys.exit(3)
